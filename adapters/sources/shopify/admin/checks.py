"""What an operator should know of the connected shop; reads only, never raises."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shopify.api_access import ApiAccess

from bridge.events import Finding, Shop, ShopError
from bridge.events.reading import mapping, mappings, text

from .client import Client, TooDearError, nodes
from .queries import ACCESS, RECENT_WEB_ORDERS
from .webhooks import listed

NEEDED = "read_orders"
WANTED = "read_customers"
NAMED = ("firstName", "lastName")


def check(shop: Shop) -> list[Finding]:
    """Return token, scopes, personal data and API version; only the first if it fails."""
    try:
        client = Client(shop)
        access = client.execute(ACCESS, operation_name="Access")
    except (ShopError, TooDearError) as error:
        return [Finding(name="token", status="fail", message=str(error))]
    return [
        Finding(name="token", status="ok", message="Shopify accepts the token"),
        _scopes(shop, access),
        _told("personal data", lambda: _personal_data(client)),
        _told("API version", lambda: _version(client, access)),
    ]


def _told(name: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        status, message = look()
    except (ShopError, TooDearError) as error:
        status, message = "fail", str(error)
    return Finding(name=name, status=status, message=message)


def _scopes(shop: Shop, access: Mapping[str, Any]) -> Finding:
    """Return whether the scopes suffice, and remember them: they decide what is subscribed."""
    handles = sorted(set(_handles(mapping(access.get("currentAppInstallation")))))
    if shop.settings.get("granted_scopes", "") != ",".join(handles):
        shop.remember({"granted_scopes": ",".join(handles)})
    granted = ApiAccess([handle for handle in handles if ApiAccess.SCOPE_RE.match(handle)])
    if not granted.covers(ApiAccess(NEEDED)):
        return Finding(
            name="scopes", status="fail", message=f"give the app the access scope {NEEDED}"
        )
    if not granted.covers(ApiAccess(WANTED)):
        message = f"without the scope {WANTED} no customer is told, and no registration"
        return Finding(name="scopes", status="warn", message=message)
    return Finding(name="scopes", status="ok", message=f"{NEEDED} and {WANTED} are granted")


def _handles(installation: Mapping[str, Any]) -> Iterator[str]:
    for scope in mappings(installation.get("accessScopes")):
        handle = text(scope.get("handle"))
        if handle:
            yield handle


def _personal_data(client: Client) -> tuple[str, str]:
    """Return whether names and e-mails are told: Shopify withholds them without an error.

    Source: shopify.dev/docs/apps/launch/protected-customer-data (read 2026-11-23).
    """
    data = client.execute(RECENT_WEB_ORDERS, operation_name="RecentWebOrders")
    orders = nodes(data.get("orders"))
    if not orders:
        return "ok", "there is no order of the online store yet to see personal data in"
    if any(_is_personal(order) for order in orders):
        return "ok", "Shopify tells names and e-mail addresses"
    return "warn", (
        f"the last {len(orders)} orders of the online store name nobody: ask for protected "
        "customer data (name, address, phone, e-mail) in the app's API access requests, then "
        "install the app again; of an app made in the shop's admin the shop's plan decides"
    )


def _is_personal(order: Mapping[str, Any]) -> bool:
    addresses = (mapping(order.get(key)) for key in ("billingAddress", "shippingAddress"))
    named = any(text(address.get(key)) for address in addresses for key in NAMED)
    return named or text(order.get("email")) is not None


def _version(client: Client, access: Mapping[str, Any]) -> tuple[str, str]:
    """Return whether what we ask for, what Shopify supports and what it sends are one version.

    A retired version is answered as the oldest that is left.
    Source: shopify.dev/docs/api/usage/versioning (read 2026-11-23).
    """
    versions = mappings(access.get("publicApiVersions"))
    supported = {text(each.get("handle")) for each in versions if each.get("supported") is True}
    if supported and client.version not in supported:
        return "warn", f"Shopify no longer supports version {client.version}: set api_version anew"
    sent = {text(mapping(found.get("apiVersion")).get("handle")) for found in listed(client)}
    others = sorted(version for version in sent if version and version != client.version)
    if others:
        return "warn", (
            f"the app's webhooks are of version {', '.join(others)}, and not {client.version}: set "
            "the webhooks' API version in the app's settings in the Dev Dashboard"
        )
    return "ok", f"version {client.version} is supported"
