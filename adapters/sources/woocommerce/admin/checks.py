"""What an operator should know of the connected shop; reads only, never raises."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adapters.sources.woocommerce.signals import consent, meta_data
from bridge.events import Finding, Request, Shop, ShopError
from bridge.events.reading import mapping, text

from .client import Client, objects, read_json, shop_url
from .refusals import refusal

RECENT = 20
# What other plug-ins leave in an order when they report it, and what to do about it.
OTHER_SENDERS = {
    "_meta_purchase_tracked_server": "Meta for WooCommerce reports purchases from the server",
    "pys_fb_cookie": "PixelYourSite reads Meta's cookies and may report purchases",
}
ADVICE = "if it reports to the same dataset, switch that off there or tell the source so"


def check(shop: Shop) -> list[Finding]:
    """Return address, REST API, key, rights, other senders and consent, as far as it gets."""
    findings = [_told("shop address", lambda: _address(shop))]
    if findings[0].status != "fail":
        findings.append(_told("REST API", lambda: _rest_api(shop)))
    if findings[-1].status == "fail":
        return findings
    found: list[Mapping[str, Any]] = []
    findings.append(_told("key", lambda: _key(shop, found)))
    if findings[-1].status == "fail":
        return findings
    return [
        *findings,
        _told("rights", lambda: _rights(shop)),
        _other_senders(found),
        _consent(found),
    ]


def _told(name: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        status, message = look()
    except ShopError as error:
        status, message = "fail", str(error)
    return Finding(name=name, status=status, message=message)


def _address(shop: Shop) -> tuple[str, str]:
    if shop_url(shop.settings).startswith("https://"):
        return "ok", "the shop's address is https"
    return "warn", "shop_url is http: orders travel unencrypted when they are read"


def _rest_api(shop: Shop) -> tuple[str, str]:
    """Return whether WordPress answers without a key and has WooCommerce's API."""
    base = shop_url(shop.settings)
    response = _plain_get(shop, f"{base}/wp-json/")
    if response.status == 404 and _plain_get(shop, f"{base}/?rest_route=/").status == 200:
        raise ShopError(
            "permalinks",
            "the shop's permalinks are Plain: choose any other under Settings > Permalinks in "
            "WordPress; without them there is no API",
        )
    if response.status != 200:
        raise refusal(response, "GET", [""])
    namespaces = mapping(read_json(response)).get("namespaces")
    if not isinstance(namespaces, list) or "wc/v3" not in namespaces:
        raise ShopError("not_found", "WordPress answers, but WooCommerce is not active in it")
    return "ok", "WooCommerce's API is there"


def _plain_get(shop: Shop, url: str) -> Any:
    return shop.request(
        Request(method="GET", url=url, headers={"Accept": "application/json"}, body=b"")
    )


def _key(shop: Shop, found: list[Mapping[str, Any]]) -> tuple[str, str]:
    """Fill *found* with the last orders, of which only the signals are asked for."""
    answer, _ = Client(shop).get(
        "orders", per_page=str(RECENT), orderby="date", order="desc",
        _fields="id,created_via,meta_data",
    )  # fmt: skip
    found += objects(answer)
    return "ok", "the shop accepts the key"


def _rights(shop: Shop) -> tuple[str, str]:
    Client(shop).get("webhooks", per_page="1")
    return "ok", "the key's owner may manage webhooks"


def _other_senders(orders: Sequence[Mapping[str, Any]]) -> Finding:
    """Return who else left marks of reporting in the last orders."""
    keys = {key for order in orders for key in meta_data(order)}
    seen = [sentence for key, sentence in OTHER_SENDERS.items() if key in keys]
    if seen:
        message = f"{'; '.join(seen)}: {ADVICE}"
        return Finding(name="other senders", status="warn", message=message)
    message = "no other plug-in left marks of reporting in the last orders"
    return Finding(name="other senders", status="ok", message=message)


def _consent(orders: Sequence[Mapping[str, Any]]) -> Finding:
    """Return whether buyers' consent comes with the last orders of the web."""
    web = [order for order in orders if text(order.get("created_via")) in {"checkout", "store-api"}]
    said = [found for order in web if (found := consent(meta_data(order)))]
    told = [found for found in said if found.marketing is not None]
    if told or not web:
        message = f"{len(told)} of the last {len(web)} orders of the web say what the buyer chose"
        return Finding(name="consent", status="ok", message=message)
    return Finding(
        name="consent",
        status="warn",
        message=f"none of the last {len(web)} orders of the web says what the buyer chose: install "
        "the companion plug-in and a consent plug-in that speaks the WP Consent API; orders from "
        "where consent is asked for are skipped until then",
    )
