"""What an answer that is not the wanted one means for the operator."""

import json
from typing import Any

from bridge.events import Response, ShopError

# 402 is a frozen shop, 423 a locked one.
# Source: shopify.dev/docs/api/usage/response-codes (read 2026-11-23).
SENTENCES = {
    401: ("unauthorized", "Shopify refuses the token: see that the app is installed in this shop"),
    402: ("refused", "the shop is frozen: its Shopify bill is not paid"),
    403: ("scope", "the app may not do this: see its access scopes and that it is installed"),
    404: ("not_found", "Shopify knows no such shop or address: see shop_domain and api_version"),
    423: ("refused", "Shopify has locked the shop: ask its support"),
}


def refusal(response: Response) -> ShopError:
    """Return the error that *response* is; its text holds nothing of the answer."""
    status = response.status
    if 300 <= status < 400:
        return ShopError(
            "redirected",
            "shop_domain: the shop has another name now; write the one that the admin's address "
            "shows",
        )
    if status == 429:
        return ShopError("throttled", "Shopify asks for fewer requests", again=True)
    if status >= 500:
        return ShopError("fault", "Shopify has a fault; it is tried again later", again=True)
    kind, sentence = SENTENCES.get(status, ("refused", f"Shopify refused with status {status}"))
    return ShopError(kind, sentence)


def read_json(body: bytes) -> Any:
    """Return the parsed *body*; raises ShopError (``fault``)."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ShopError("fault", "Shopify's answer is not sound JSON", again=True) from None
