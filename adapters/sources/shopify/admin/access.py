"""Which shop, which version of its API, and the token that opens it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from shopify.api_version import Release
from shopify.utils.shop_url import sanitize_shop_domain

from bridge.events import Request, Settings, Shop, ShopError
from bridge.events.reading import mapping, moment, text, whole

from .refusals import read_json, refusal

RENEW_BEFORE = timedelta(minutes=15)
OLDEST_VERSION = "2026-07"  # the first that tells an order's cart and checkout tokens


def shop_domain(settings: Settings) -> str:
    """Return the shop's ``*.myshopify.com`` name; raises ShopError (``address``).

    Nothing is guessed: of ``www.brand.com`` the library's Session makes ``www.myshopify.com``,
    somebody else's shop.  Source: ShopifyAPI 12.7.0, session.py (read 2026-11-23).
    """
    given = settings.get("shop_domain", "").strip().lower()
    if not given or sanitize_shop_domain(given) != given:
        raise ShopError(
            "address",
            "shop_domain: write the shop's own name, such as example.myshopify.com, and not the "
            "address that buyers see",
        )
    return given


def api_path(settings: Settings, default: str) -> tuple[str, str]:
    """Return the API's base address and version; raises ShopError (``refused``).

    The whole text must match: the library's own check lets a line break pass.
    """
    version = settings.get("api_version", "").strip() or default
    if not Release.FORMAT.fullmatch(version) or version < OLDEST_VERSION:
        raise ShopError("refused", f"api_version: must be {OLDEST_VERSION} or newer")
    return Release(version).api_path(f"https://{shop_domain(settings)}"), version


def access_token(shop: Shop, refused: str = "") -> str:
    """Return a token for the API, other than *refused*; raises ShopError.

    A token of client credentials lives 24 hours and is renewed under a lock, so that of
    several workers one asks.  Source: shopify.dev, client credentials grant (read 2026-11-23).
    """
    if not _has_client(shop.settings):
        return _legacy_token(shop.settings, refused)
    held = _held(shop, refused)
    if held:
        return held
    with shop.lock("token"):
        return _held(shop, refused) or _renewed(shop)


def _has_client(settings: Settings) -> bool:
    return all(settings.get(name, "").strip() for name in ("client_id", "client_secret"))


def _legacy_token(settings: Settings, refused: str) -> str:
    token = settings.get("admin_token", "").strip()
    if not token:
        raise ShopError("unauthorized", "client_id and client_secret are missing")
    if token == refused:
        raise ShopError(
            "unauthorized",
            "admin_token: Shopify refuses it; it was revoked, or belongs to another shop",
        )
    return token


def _held(shop: Shop, refused: str) -> str | None:
    token = shop.settings.get("access_token", "")
    expires_at = moment(shop.settings.get("access_token_expires_at"))
    if not token or token == refused or expires_at is None:
        return None
    return token if expires_at - shop.now() > RENEW_BEFORE else None


def _renewed(shop: Shop) -> str:
    settings = shop.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["client_id"].strip(),
        "client_secret": settings["client_secret"].strip(),
    }
    response = shop.request(
        Request(
            url=f"https://{shop_domain(settings)}/admin/oauth/access_token",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            },
            body=urlencode(form).encode(),
        )
    )
    if response.status in {400, 401, 403}:
        raise _not_granted(response.body)
    if response.status != 200:
        raise refusal(response)
    granted: Mapping[str, Any] = mapping(read_json(response.body))
    token = text(granted.get("access_token"))
    if token is None:
        raise ShopError("fault", "Shopify granted no token; it is asked again later", again=True)
    lives = timedelta(seconds=whole(granted.get("expires_in")) or 0)
    shop.remember(
        {
            "access_token": token,
            "access_token_expires_at": (shop.now() + lives).isoformat(),
            "granted_scopes": text(granted.get("scope")) or "",
        }
    )
    return token


def _not_granted(body: bytes) -> ShopError:
    """Return what to do; Shopify names the fault in JSON or in a page."""
    if b"shop_not_permitted" in body:
        return ShopError(
            "unauthorized",
            "Shopify grants this app no token for this shop: app and shop must belong to the same "
            "organisation in the Dev Dashboard",
        )
    return ShopError(
        "unauthorized",
        "Shopify refuses client_id and client_secret: compare them with the app's settings in the "
        "Dev Dashboard, and see that the app is released and installed in this shop",
    )
