"""The shop's own list of orders, as deliveries in the webhook's shape."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.events import Delivery, OrderPage, ShopError, as_json, fingerprint
from bridge.events.reading import identifier, mapping, mappings, moment

from .client import Client, TooDearError, next_cursor, nodes
from .queries import CHANGED_ORDERS, COUNT_ORDERS, ORDER_BODIES
from .rest_shape import rest_shape

PAGE = 25
TOPIC = "orders/updated"
REBUILT = (
    "Shopify's REST address of orders was refused: {count} orders were read by GraphQL, which "
    "tells no user agent and at most 50 lines, and product ids only with read_products"
)


def orders_since(client: Client, since: datetime, cursor: str | None) -> OrderPage:
    """Return the next page of orders changed at or after *since*; raises ShopError.

    A cursor is ``<last change seen>|<Shopify's cursor>``: where Shopify no longer knows its
    own, reading goes on from the last change.
    """
    connection = _page(client, since, cursor)
    listed = [entry for entry in map(_listed, nodes(connection)) if entry]
    bodies, notes = _bodies(client, [order_id for order_id, _ in listed])
    made = {
        order_id: _delivery(client, order_id, changed_at, bodies[order_id])
        for order_id, changed_at in listed
        if order_id in bodies
    }
    after = next_cursor(connection)
    return OrderPage(
        deliveries=list(made.values()),
        listed=listed,
        keys={order_id: delivery.key for order_id, delivery in made.items()},
        cursor=f"{listed[-1][1].isoformat()}|{after}" if after and listed else None,
        notes=notes,
    )


def count_orders(client: Client, since: datetime) -> int | None:
    """Return how many orders changed at or after *since*; None where Shopify only estimates."""
    data = client.execute(COUNT_ORDERS, {"query": _changed_since(since)}, "CountOrders")
    counted = mapping(data.get("ordersCount"))
    count = counted.get("count")
    return count if isinstance(count, int) and counted.get("precision") == "EXACT" else None


def _page(client: Client, since: datetime, cursor: str | None) -> object:
    seen, _, after = (cursor or "").partition("|")
    try:
        return _listing(client, since, after or None)
    except ShopError as error:
        if error.kind != "refused" or not after:
            raise
        return _listing(client, moment(seen) or since, None)


def _listing(client: Client, since: datetime, after: str | None) -> object:
    """Return Shopify's page; half as many orders where one costs too much."""
    first = PAGE
    while True:
        variables = {"first": first, "after": after, "query": _changed_since(since)}
        try:
            return client.execute(CHANGED_ORDERS, variables, "ChangedOrders").get("orders")
        except TooDearError:
            if first == 1:
                raise _too_dear() from None
            first //= 2


def _changed_since(since: datetime) -> str:
    return f"updated_at:>='{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"


def _listed(node: Mapping[str, Any]) -> tuple[str, datetime] | None:
    order_id, changed_at = identifier(node.get("legacyResourceId")), moment(node.get("updatedAt"))
    return (order_id, changed_at) if order_id and changed_at else None


def _bodies(
    client: Client, ids: Sequence[str]
) -> tuple[dict[str, Mapping[str, Any]], Sequence[str]]:
    """Return the orders in the webhook's shape by their id, and what they cannot tell.

    By REST, one request a page, since only it tells the user agent; what REST refuses is
    rebuilt from GraphQL.
    """
    bodies = _by_rest(client, ids) if ids else {}
    missing = [order_id for order_id in ids if order_id not in bodies]
    if not missing:
        return bodies, ()
    rebuilt = _by_graphql(client, missing)
    notes = (REBUILT.format(count=len(rebuilt)),) if rebuilt else ()
    return {**bodies, **rebuilt}, notes


def _by_rest(client: Client, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    try:
        answer = client.get(f"orders.json?status=any&limit={len(ids)}&ids={','.join(ids)}")
    except ShopError as error:
        if error.kind not in {"scope", "not_found", "refused"}:
            raise
        return {}
    return {
        order_id: order
        for order in mappings(mapping(answer).get("orders"))
        if (order_id := identifier(order.get("id")))
    }


def _by_graphql(client: Client, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    gids = [f"gid://shopify/Order/{order_id}" for order_id in ids]
    try:
        data = client.execute(ORDER_BODIES, {"ids": gids}, "OrderBodies")
    except TooDearError:
        if len(ids) == 1:
            raise _too_dear() from None
        half = len(ids) // 2
        return {**_by_graphql(client, ids[:half]), **_by_graphql(client, ids[half:])}
    return {
        order_id: rest_shape(node)
        for node in mappings(data.get("nodes"))
        if (order_id := identifier(node.get("legacyResourceId")))
    }


def _too_dear() -> ShopError:
    return ShopError("refused", "Shopify finds the query for a single order too dear")


def _delivery(
    client: Client, order_id: str, listed_at: datetime, order: Mapping[str, Any]
) -> Delivery:
    """Return the order as a delivery; read twice without a change it has the same key."""
    changed_at = moment(order.get("updated_at")) or listed_at
    return Delivery(
        topic=TOPIC,
        key=fingerprint(b"reconcile", order_id.encode(), changed_at.isoformat().encode()),
        body=as_json(order),
        headers={
            "X-Shopify-Shop-Domain": client.domain,
            "X-Shopify-API-Version": client.version,
        },
    )
