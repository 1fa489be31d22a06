"""Keys by one click: the shop asks its admin and hands us a key.

Source: WooCommerce 11.0.1, class-wc-auth.php (read 2026-11-23), and tried.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from bridge.events import Request, Settings, ShopError, TranslationError, VerificationError
from bridge.events.reading import parse_object, text

from .client import shop_url

PATH = "wc-auth/v1/authorize"
_STATE = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_KEY = re.compile(r"ck_[A-Za-z0-9]{8,100}")
_SECRET = re.compile(r"cs_[A-Za-z0-9]{8,100}")


def authorize_url(
    settings: Settings, *, state: str, callback_url: str, return_url: str
) -> str | None:
    """Return the shop's page that grants a key; None without a sound `shop_url`.

    The shop calls back only an https address with a trusted certificate.
    """
    try:
        base = shop_url(settings)
    except ShopError:
        return None
    asked = {
        "app_name": "capi-bridge",
        "scope": "read_write",
        "user_id": state,
        "return_url": return_url,
        "callback_url": callback_url,
    }
    return f"{base}/{PATH}?{urlencode(asked)}"


def authorized(request: Request) -> tuple[str, Mapping[str, str]]:
    """Return (state, the key) of the shop's call; raises VerificationError.

    The call is not signed: that its state is one of ours, asked once, is the only proof.
    """
    try:
        body = parse_object(request.body)
    except TranslationError:
        raise VerificationError("the shop's call is not a JSON object") from None
    state = str(text(body.get("user_id")) or "")
    key, secret = text(body.get("consumer_key")) or "", text(body.get("consumer_secret")) or ""
    if not (_STATE.fullmatch(state) and _KEY.fullmatch(key) and _SECRET.fullmatch(secret)):
        raise VerificationError("the shop's call holds no state and key")
    if body.get("key_permissions") != "read_write":
        raise VerificationError("the shop granted a key that may not both read and write")
    return state, {"consumer_key": key, "consumer_secret": secret}
