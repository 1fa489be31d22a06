"""Carts: what was added is told once, whatever the shop repeats, reorders or splits."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carts import CartState, advance, subject_id
from bridge.events import Amounts, CartSnapshot, Content

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DEBOUNCE = timedelta(seconds=8)
PRICES = {"hat": Decimal("12.50"), "mug": Decimal("8.00")}


def snapshot(seconds: float = 0, *, first: bool = False, **quantities: int) -> CartSnapshot:
    """Return the cart's snapshot so many seconds after it was made."""
    return CartSnapshot(
        cart_token="Z2NwLWV1cm9wZQ",
        at=AT + timedelta(seconds=seconds),
        first=first,
        currency="EUR",
        contents=tuple(
            Content(variant_id=variant, quantity=quantity, price=PRICES[variant])
            for variant, quantity in quantities.items()
        ),
    )


class Cart:
    """A cart with all that was told of it; what is in `sent` is closed."""

    def __init__(self) -> None:
        self.state: CartState | None = None
        self.told: dict[str, int] = {}
        self.sent: set[str] = set()

    def see(self, seen: CartSnapshot, debounce: timedelta = DEBOUNCE) -> list[tuple[str, int]]:
        """Return (what, how many) of each addition that *seen* tells."""
        growing = self.state.growing if self.state else {}
        closed = [
            key
            for key, growth in growing.items()
            if subject_id(seen.cart_token, key, growth.began_at) in self.sent
        ]
        self.state, events = advance(self.state, seen, debounce=debounce, closed=closed)
        for event in events:
            assert event.subject_id not in self.sent, "what was sent has grown"
            self.told[event.subject_id] = event.basket.contents[0].quantity
        return [(event.basket.contents[0].variant_id, event.basket.contents[0].quantity)
                for event in events]  # fmt: skip


QUANTITIES = st.fixed_dictionaries({name: st.integers(0, 4) for name in PRICES})
STEPS = st.lists(st.tuples(QUANTITIES, st.integers(1, 12_000), st.booleans(), st.integers(0, 9)))


@given(steps=STEPS, first=st.booleans(), debounce_s=st.sampled_from([0, 1, 8, 60]))
def test_all_that_grew_is_told_once_whatever_is_repeated_or_sent(steps, first, debounce_s):
    cart, seen, grew, at_s = Cart(), [], Counter(), 0.0
    for quantities, passed_ms, sent, repeated in steps:
        at_s += passed_ms / 1000
        known = first or bool(seen)
        before = Counter(seen[-1][1] if seen else {})
        grew += (Counter(quantities) - before) if known else Counter()
        seen.append((at_s, quantities))
        moment, lines = seen[-1]
        cart.see(
            snapshot(moment, first=first and len(seen) == 1, **lines), timedelta(seconds=debounce_s)
        )
        if sent:
            cart.sent |= set(cart.told)
        if repeated < len(seen):  # an old one again, or the newest
            moment, lines = seen[repeated]
            cart.see(snapshot(moment, **lines), timedelta(seconds=debounce_s))

    told = Counter()
    for subject, quantity in cart.told.items():
        told[subject.split(".")[1]] += quantity
    assert told == grew


def test_a_cart_that_is_new_tells_all_its_lines():
    assert Cart().see(snapshot(first=True, hat=2, mug=1)) == [("hat", 2), ("mug", 1)]


def test_a_cart_first_seen_by_an_update_is_only_remembered():
    cart = Cart()

    assert cart.see(snapshot(0, hat=2)) == []
    assert cart.see(snapshot(60, hat=3)) == [("hat", 1)]


@pytest.mark.parametrize(
    ("first_seen", "then", "told"),
    [
        ({"hat": 1}, {"hat": 1}, {"hat": 1}),
        ({"hat": 3}, {"hat": 3}, {"hat": 3}),
        ({"hat": 1}, {"hat": 4, "mug": 2}, {"hat": 4, "mug": 2}),
        ({}, {}, {"hat": 1}),
        ({}, {"hat": 2}, {"hat": 3}),
    ],
)
@pytest.mark.parametrize("first_seen_s", [0, 0.2, 30])
@pytest.mark.parametrize("sent", [True, False])
def test_a_cart_whose_making_is_told_late_loses_and_doubles_nothing(
    first_seen, then, told, first_seen_s, sent
):
    cart = Cart()
    cart.see(snapshot(first_seen_s, **first_seen))
    cart.see(snapshot(60, **then))
    cart.sent |= set(cart.told) if sent else set()
    for _ in range(2):
        cart.see(snapshot(0, first=True, hat=1))

    added = Counter()
    for subject, quantity in cart.told.items():
        added[subject.split(".")[1]] += quantity
    assert added == told
    assert cart.see(snapshot(90, **then)) == []


def test_several_snapshots_of_one_click_are_one_addition_that_grows():
    cart = Cart()
    told = [
        cart.see(snapshot(0, first=True, hat=1)),
        cart.see(snapshot(0.4, hat=1)),
        cart.see(snapshot(2, hat=3)),
    ]

    assert told == [[("hat", 1)], [], [("hat", 3)]]
    assert list(cart.told.values()) == [3]


def test_the_value_is_unit_price_times_what_was_added():
    _, [event] = advance(
        CartState(at=AT, quantities={"hat": 5}), snapshot(9, hat=8), debounce=DEBOUNCE
    )

    assert event.basket.amounts == Amounts(
        currency="EUR", total=Decimal("37.50"), items=Decimal("37.50")
    )
    assert event.basket.contents[0].price == PRICES["hat"]


def test_the_tax_within_a_price_is_told_beside_the_items():
    line = Content(variant_id="hat", quantity=2, price=Decimal("11.90"), tax=Decimal("1.90"))
    taxed = CartSnapshot(cart_token="T", at=AT, first=True, currency="EUR", contents=(line,))
    _, [event] = advance(None, taxed, debounce=DEBOUNCE)

    amounts = event.basket.amounts
    assert (amounts.total, amounts.items, amounts.tax) == (
        Decimal("23.80"), Decimal("20.00"), Decimal("3.80"),
    )  # fmt: skip


def test_an_addition_after_the_debounce_is_another():
    cart = Cart()
    cart.see(snapshot(0, first=True, hat=1))

    assert cart.see(snapshot(8.001, hat=2)) == [("hat", 1)]
    assert len(cart.told) == 2


def test_growth_does_not_prolong_the_debounce():
    cart = Cart()
    for second in (0, 5, 10):
        cart.see(snapshot(second, first=second == 0, hat=1 + second))

    assert list(cart.told.values()) == [6, 5]


def test_what_was_sent_is_never_merged_into():
    cart = Cart()
    cart.see(snapshot(0, first=True, hat=1))
    cart.sent |= set(cart.told)

    assert cart.see(snapshot(3, hat=2)) == [("hat", 1)]
    assert len(cart.told) == 2


@pytest.mark.parametrize("debounce_s", [0, 8])
def test_additions_of_one_second_that_are_sent_one_by_one_keep_ids_of_their_own(debounce_s):
    cart = Cart()
    for part, lines in enumerate([{"hat": 1}, {}, {"hat": 1}, {"hat": 2}]):
        cart.see(snapshot(part / 10, first=part == 0, **lines), timedelta(seconds=debounce_s))
        cart.sent |= set(cart.told)

    assert list(cart.told.values()) == [1, 1, 1]


def test_an_older_snapshot_changes_nothing():
    cart = Cart()
    cart.see(snapshot(0, first=True, hat=1))
    cart.see(snapshot(60))

    assert cart.see(snapshot(30, hat=4)) == []
    assert cart.see(snapshot(90, hat=1)) == [("hat", 1)]


def test_a_cart_that_is_emptied_and_filled_again_tells_what_came_back():
    cart = Cart()
    told = [
        cart.see(snapshot(0, first=True, hat=2, mug=1)),
        cart.see(snapshot(60)),
        cart.see(snapshot(120, hat=2, mug=1)),
    ]

    assert told[1:] == [[], [("hat", 2), ("mug", 1)]]
    assert sum(cart.told.values()) == 6


def test_a_variant_on_several_lines_is_one_addition():
    line = Content(variant_id="hat", quantity=1, price=PRICES["hat"])
    both = CartSnapshot(cart_token="T", at=AT, first=True, currency="EUR", contents=(line, line))
    _, [event] = advance(None, both, debounce=DEBOUNCE)

    assert event.basket.contents[0].quantity == 2


def test_lines_without_an_id_or_a_quantity_are_passed_over():
    odd = (
        Content(quantity=3),
        Content(variant_id="hat", quantity=0),
        Content(sku="hat", quantity=-1),
    )
    seen = CartSnapshot(cart_token="T", at=AT, first=True, currency=None, contents=odd)

    assert advance(None, seen, debounce=DEBOUNCE)[1] == []


def test_without_a_price_or_a_currency_no_value_is_told():
    bare = CartSnapshot(
        cart_token="T", at=AT, first=True, currency=None,
        contents=(Content(sku="hat", price=Decimal(5)),),
    )  # fmt: skip
    _, [event] = advance(None, bare, debounce=DEBOUNCE)

    assert event.basket.amounts is None
    assert event.visitor_keys == ("cart:T",)
