"""The lines of an event under their catalogue ids, by the plan's [contents]."""

from decimal import Decimal

from bridge.events import Basket, Content, Event, Item
from bridge.plan import ContentRules, Rules, ValueRules, fill, parts_of
from bridge.shape.money import rounded
from bridge.shape.value import side


def items(
    basket: Basket, rules: ContentRules, own: ValueRules
) -> tuple[tuple[Item, ...], list[str]]:
    """Return the items to send and a note for each line left out for want of an id."""
    kept: list[Item] = []
    notes: list[str] = []
    for count, content in enumerate(basket.contents, 1):
        if not _wanted(content, rules) or content.quantity < 1:
            continue
        parts = _parts(content, rules)
        if missing := [part for part in parts_of(rules.id) if not parts[part]]:
            notes.append(f"line {count} left out of contents: no {missing[0]}")
            continue
        kept.append(
            Item(
                id=rules.prefix + fill(rules.id, parts) + rules.suffix,
                quantity=content.quantity,
                item_price=_price(content, basket, own),
            )
        )
    return tuple(kept), notes


def content_ids(
    event: Event, rules: Rules, event_name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the catalogue ids that are sent of *event*, and the notes on lines left out."""
    own = rules.value_for(event_name)
    found, notes = items(side(event, own), rules.contents_for(event_name), own)
    if rules.who.restricted:
        return (), ()
    return tuple(item.id for item in found), tuple(notes)


def _wanted(content: Content, rules: ContentRules) -> bool:
    wanted = {"gift_card": rules.gift_cards, "tip": rules.tips, "custom": rules.custom}
    return wanted.get(content.kind, True)


def _parts(content: Content, rules: ContentRules) -> dict[str, str | None]:
    return {
        "id": content.variant_id or content.product_id,
        "variant_id": content.variant_id,
        "product_id": content.product_id,
        "sku": content.sku,
        "country": rules.country,
    }


def _price(content: Content, basket: Basket, own: ValueRules) -> Decimal | None:
    if content.price is None or basket.amounts is None:
        return None  # a price without a currency says nothing
    price = content.price if own.tax else content.price - content.tax
    return rounded(price, basket.amounts.currency) if price >= 0 else None
