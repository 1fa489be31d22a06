"""What an answer that is not the wanted one means for the operator.

WooCommerce answers 401 for a wrong key, a wrong secret, a password it did not see and an
owner without rights; what it said to each proof tells them apart.
Source: class-wc-rest-authentication.php, wc-rest-functions.php (read 2026-11-23).
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from bridge.events import Response, ShopError
from bridge.events.reading import mapping, text

OURS = "woocommerce_rest"
AUTHENTICATION = "woocommerce_rest_authentication_error"
INVALID_TOPIC = "woocommerce_rest_shop_webhook_invalid_topic"
KEYS = "WooCommerce > Settings > Advanced > REST API"
_CODE = re.compile(r"[a-z0-9_]{1,80}")


def code_of(response: Response) -> str:
    """Return WooCommerce's word for an error; empty for an answer of anybody else."""
    try:
        answer: Any = json.loads(response.body)
    except (ValueError, RecursionError):
        return ""
    code = text(mapping(answer).get("code")) or ""
    return code if _CODE.fullmatch(code) else ""


def refusal(response: Response, method: str, codes: Sequence[str]) -> ShopError:
    """Return the error that *response* is; *codes* were said to each refused proof."""
    status, code = response.status, code_of(response)
    if 300 <= status < 400:
        return ShopError(
            "redirected",
            "shop_url: the shop redirects from this address; write the one it leads to, with or "
            "without www, and with https",
        )
    if status == 401:
        return _unauthorized(method, codes)
    if status == 403 and code.startswith(OURS):
        return ShopError(
            "scope",
            "the WordPress user who owns the key may not do this: it needs the role Shop manager "
            f"or Administrator; make a key of another user under {KEYS}",
        )
    if status == 404:
        return _not_found(code)
    if status == 429:
        return ShopError("throttled", "the shop's host asks for fewer requests", again=True)
    if status >= 500:
        return ShopError("fault", "the shop has a fault; it is tried again later", again=True)
    if status == 403:
        return _kept_out()
    return ShopError("refused", f"the shop refused with status {status} {code}".strip())


def _kept_out() -> ShopError:
    return ShopError(
        "refused",
        "a password, a firewall or a security plug-in before WooCommerce refuses: let this "
        "server's requests to /wp-json/ pass",
    )


def _unauthorized(method: str, codes: Sequence[str]) -> ShopError:
    if not codes[-1].startswith(OURS):
        return _kept_out()
    if method != "GET" and codes[-1] == AUTHENTICATION:
        return ShopError("scope", f"the key may only read: make one with Read/Write under {KEYS}")
    if codes[-1] != AUTHENTICATION:
        return ShopError(
            "scope",
            "the WordPress user who owns the key is gone or has lost its rights: make a key of "
            f"another user under {KEYS}",
        )
    if codes[0] and codes[0] != AUTHENTICATION:
        # The password was not even looked up, or its key is unknown.
        return ShopError(
            "unauthorized",
            f"consumer_key is not one of the shop's: compare it with {KEYS}. If it is, the proxy "
            "before WordPress does not say that the address is https",
        )
    return ShopError(
        "unauthorized",
        f"consumer_key or consumer_secret is wrong or revoked: make a new key under {KEYS}. If it "
        "is right, the clock of the shop or of this server is wrong",
    )


def _not_found(code: str) -> ShopError:
    if code == "rest_no_route":
        return ShopError("not_found", "WooCommerce is not active in the shop, or too old")
    if code:
        return ShopError("not_found", "the shop knows no such thing")
    return ShopError(
        "permalinks",
        "the shop has no address /wp-json/: choose any permalinks but Plain under Settings > "
        "Permalinks in WordPress, or see shop_url",
    )
