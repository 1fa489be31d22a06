"""Cart snapshots become additions: what grew since the last one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bridge.events import (
    Amounts,
    Basket,
    CartSnapshot,
    Channel,
    Content,
    Event,
    Occasion,
)

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """An addition that may still grow: when it began, and how many were added since."""

    began_at: datetime
    quantity: int


@dataclass(frozen=True, kw_only=True)
class CartState:
    """A cart as it was last seen: quantity by line key, and what is growing.

    `unborn` is what it was first seen with, as long as nobody has told of its making.
    """

    at: datetime
    quantities: Mapping[str, int] = field(default_factory=dict)
    growing: Mapping[str, Growth] = field(default_factory=dict)
    unborn: Mapping[str, int] | None = None


def advance(
    state: CartState | None,
    snapshot: CartSnapshot,
    *,
    debounce: timedelta,
    closed: Collection[str] = (),
) -> tuple[CartState, list[Event]]:
    """Return the cart's state after *snapshot*, and an event for each line that grew.

    A snapshot older than the state changes nothing.  A cart first seen by an update is only
    remembered, for nobody knows what was added, until its making is told, late.  Growth within
    *debounce* of an addition counts to that addition, under the same event id, unless its key is
    in *closed* (it was sent).
    """
    lines = _lines(snapshot.contents)
    quantities = {key: sum(line.quantity for line in same) for key, same in lines.items()}
    if state is None and not snapshot.first:
        return CartState(at=snapshot.at, quantities=quantities, unborn=quantities), []
    before = state or CartState(at=snapshot.at)
    if snapshot.first and before.unborn is not None:
        first_seen = before.unborn
        grown = {key: max(known, first_seen.get(key, 0)) for key, known in quantities.items()}
        after = replace(before, unborn=None)
    elif state and snapshot.at < state.at:
        return state, []
    else:
        grown = {key: known - before.quantities.get(key, 0) for key, known in quantities.items()}
        after = replace(before, at=snapshot.at, quantities=quantities)
    growing = {
        key: growth
        for key, growth in before.growing.items()
        if after.at - growth.began_at <= max(debounce, SECOND)
    }
    events = []
    for key, grew in grown.items():
        if grew > 0:
            earlier = growing.get(key)
            if earlier is None or key in closed or abs(snapshot.at - earlier.began_at) > debounce:
                earlier = _begin(snapshot.at, earlier)
            growing[key] = replace(earlier, quantity=earlier.quantity + grew)
            events.append(_added(snapshot, key, lines[key][-1], growing[key]))
    return replace(after, growing=growing), events


def subject_id(cart_token: str, key: str, began_at: datetime) -> str:
    """Return what an addition's event id is made of."""
    return f"{cart_token}.{key}.{int(began_at.timestamp())}"


def _begin(at: datetime, earlier: Growth | None) -> Growth:
    """Return a new addition, in a second of its own: seconds are what its id is made of."""
    return Growth(began_at=max(at, earlier.began_at + SECOND) if earlier else at, quantity=0)


def _lines(contents: Sequence[Content]) -> dict[str, list[Content]]:
    """Return the lines by what is bought; one variant may stand on several lines."""
    lines: dict[str, list[Content]] = {}
    for line in contents:
        key = line.variant_id or line.product_id or line.sku
        if key and line.quantity > 0:
            lines.setdefault(key, []).append(line)
    return lines


def _added(snapshot: CartSnapshot, key: str, line: Content, growth: Growth) -> Event:
    amounts = None
    if line.price is not None and snapshot.currency:
        total = line.price * growth.quantity
        tax = line.tax * growth.quantity
        amounts = Amounts(currency=snapshot.currency, total=total, items=total - tax, tax=tax)
    return Event(
        occasion=Occasion.CART_ADDED,
        subject_id=subject_id(snapshot.cart_token, key, growth.began_at),
        event_time=growth.began_at,
        created_at=growth.began_at,
        channel=Channel.WEB,
        basket=Basket(amounts=amounts, contents=(replace(line, quantity=growth.quantity),)),
        visitor_keys=(f"cart:{snapshot.cart_token}",),
    )
