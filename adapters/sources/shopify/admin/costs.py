"""What each variant costs the merchant, as the shop's own inventory says."""

from collections.abc import Mapping
from decimal import Decimal

from bridge.events import ShopError
from bridge.events.reading import identifier, mapping, number, text

from .client import Client, TooDearError, next_cursor, nodes
from .queries import UNIT_COSTS

PAGE = 100
MAX_PAGES = 2_000


def unit_costs(client: Client) -> Mapping[str, Decimal]:
    """Return the unit cost of each variant by its id and by its SKU, in the shop's currency.

    Needs the scopes read_products and read_inventory; raises ShopError.  Variants without a
    cost are left out.
    Source: shopify.dev/docs/api/admin-graphql, InventoryItem.unitCost (read 2026-11-23).
    """
    found: dict[str, Decimal] = {}
    cursor = None
    for _ in range(MAX_PAGES):
        page = _page(client, cursor)
        for variant in nodes(page):
            cost = number(
                mapping(mapping(variant.get("inventoryItem")).get("unitCost")).get("amount")
            )
            if cost is None or cost < 0:
                continue
            names = (identifier(variant.get("legacyResourceId")), text(variant.get("sku")))
            found.update((name, cost) for name in names if name)
        cursor = next_cursor(page)
        if cursor is None:
            return found
    raise ShopError("fault", "the shop lists more variants than can be read")


def _page(client: Client, cursor: str | None) -> object:
    variables = {"first": PAGE, "after": cursor}
    try:
        return client.execute(UNIT_COSTS, variables, "UnitCosts").get("productVariants")
    except TooDearError:
        raise ShopError(
            "throttled", "Shopify finds the list of costs too dear", again=True
        ) from None
