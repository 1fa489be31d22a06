"""A stream of carts through the store: each addition goes out once, whoever translates it."""

from collections import Counter
from datetime import timedelta

import pytest

from bridge.secrets import Vault
from bridge.store import Lease, Outcome, Store
from bridge.translate import translate_due
from tests.stores import SECRET_KEY

from .visit import CART_KEY, Visit


def quantities(visit: Visit) -> Counter[str]:
    """Return how many of each variant the sent additions tell, every id once."""
    events = visit.sent("AddToCart")
    assert len({event["event_id"] for event in events}) == len(events)
    told: Counter[str] = Counter()
    for event in events:
        for line in event["custom_data"]["contents"]:
            told[line["id"]] += line["quantity"]
    return told


def test_a_cart_is_told_addition_by_addition(visit):
    visit.browse(keys=(CART_KEY,))
    visit.cart("carts/create", v7=1)
    visit.wait(seconds=20)
    visit.cart(v7=1, v9=2)
    visit.wait(seconds=20)
    visit.cart()
    visit.wait(seconds=20)
    visit.cart(v7=2)
    visit.wait(seconds=20)

    assert [event["custom_data"]["num_items"] for event in visit.sent("AddToCart")] == [1, 2, 2]
    assert quantities(visit) == {"7": 3, "9": 2}


def test_snapshots_of_one_click_are_one_event_with_the_value_of_all(visit):
    visit.browse(keys=(CART_KEY,))
    visit.cart("carts/create", v7=1)
    visit.translate()
    visit.clock.move(1)
    visit.cart(v7=2)
    visit.cart(v7=2)
    visit.translate()
    visit.wait(seconds=20)

    [event] = visit.sent("AddToCart")
    assert event["custom_data"]["value"] == 69.8
    assert event["custom_data"]["contents"] == [{"id": "7", "quantity": 2, "item_price": 34.9}]


def test_what_arrives_late_is_told_once_too(visit):
    began = visit.now()
    visit.browse(keys=(CART_KEY,))
    visit.translate()
    visit.clock.move(600)
    for part, quantity in enumerate((1, 2, 2, 4)):
        visit.cart("carts/update" if part else "carts/create", v7=quantity,
                   at=began + timedelta(milliseconds=100 * part))  # fmt: skip
        if part % 2:
            visit.translate()
    visit.wait(seconds=20)

    assert quantities(visit) == {"7": 4}


def test_a_cart_whose_making_comes_after_its_first_update_is_told_too(visit):
    visit.browse(keys=(CART_KEY,))
    made = visit.now()
    visit.cart(at=visit.now(0.3), v7=1)
    visit.translate()
    visit.clock.move(1)
    visit.cart("carts/create", made, v7=1)
    visit.translate()
    visit.wait(seconds=20)

    assert quantities(visit) == {"7": 1}


def test_a_cart_whose_shop_forgot_it_is_told_no_second_time(visit):
    visit.browse(keys=(CART_KEY,))
    began = visit.now()
    visit.cart("carts/create", v7=1)
    visit.wait(minutes=1)
    visit.clock.move(8 * 86_400)
    visit.store.visits.purge(visit.clock())
    visit.cart("carts/create", began, v7=1)
    visit.translate()

    assert len(visit.events()) == 1


@pytest.mark.parametrize("passed_s", [0, 150], ids=["leased", "lease_ran_out"])
def test_two_workers_on_one_cart_give_each_addition_once(visit, store_url, clock, passed_s):
    """Each time one worker is about to write, the other comes; the first may be outrun or not."""
    visit.browse(keys=(CART_KEY,))
    visit.translate()
    other = Store(store_url, Vault(SECRET_KEY), clock)
    commit, others, held = visit.store.translations.commit, [], []
    grown = 0

    def grow() -> None:
        nonlocal grown
        visit.cart("carts/update" if grown else "carts/create", v7=grown + 1, v9=1)
        grown += 1

    def slow(lease: Lease, outcome: Outcome, now: int) -> bool:
        grow()  # what the first worker has not read
        clock.move(passed_s)
        others.append(translate_due(other))
        held.append(commit(lease, outcome, now))
        return held[-1]

    visit.store.translations.commit = slow
    for _ in range(6):
        grow()
        translate_due(visit.store, should_stop=iter([False, True]).__next__)
        clock.move(3)
    visit.store.translations.commit = commit
    visit.wait(minutes=1)
    other.close()

    assert all(others) is bool(passed_s)
    assert all(held) is not bool(passed_s)
    assert quantities(visit) == {"7": grown, "9": 1}


def test_the_plan_gives_additions_to_the_browser_or_to_the_shop_never_to_both(visit):
    visit.apply('[collector]\nevents = ["AddToCart", "InitiateCheckout"]')
    told = {
        "event_name": "AddToCart",
        "event_id": "cart.sh-42",
        "event_source_url": "https://s.example/",
    }
    started = {**told, "event_name": "InitiateCheckout",
               "event_id": "checkout.1483d7a598ac5d960c71f2731a0ce76f"}  # fmt: skip
    visit.cart("carts/create", v7=1)
    visit.checkout()
    visit.translate()
    visit.browse(told, started)
    visit.wait(minutes=1)

    assert visit.events() == [("pending", ""), ("pending", "")]
    assert [event["event_id"] for event in visit.sent("AddToCart")] == ["cart.sh-42"]


def test_by_default_the_pixels_word_of_a_checkout_does_not_stop_the_shops(visit):
    started = {"event_name": "InitiateCheckout", "event_source_url": "https://s.example/",
               "event_id": "checkout.1483d7a598ac5d960c71f2731a0ce76f"}  # fmt: skip
    visit.browse(started)
    visit.translate()
    visit.checkout()
    visit.browse(started)
    visit.translate()

    assert visit.events("InitiateCheckout") == [("pending", "")]
