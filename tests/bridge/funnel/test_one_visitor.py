"""Two visitors that turn out to be one, how long they are kept, and what erases them."""

import pytest

from bridge.care import erase_asked
from bridge.events import Redaction
from bridge.store import Lease, Outcome, schema
from tests.stores import rows

from .visit import CART_KEY, CHECKOUT_KEY, FBP, Visit, connect

WEEK_S = 7 * 86_400
ORDER_KEY = "order:wc_order_demo1112Rv4Tn"


def known(visit: Visit) -> list[int]:
    """Return the ids of the visitors there are."""
    return rows(visit.store, "visitor", "id")


def pointed(visit: Visit) -> set[int]:
    """Return the visitors that keys point to."""
    return set(rows(visit.store, "visitor_key", "visitor_id"))


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_two_visitors_that_turn_out_to_be_one_are_kept_as_one(visit, batches):
    visit.browse(keys=(CART_KEY,), fbc=None)
    if batches > 2:
        visit.translate()
    visit.browse(keys=(CHECKOUT_KEY,), fbp=None)
    if batches > 1:
        visit.translate()
    visit.browse(keys=(CART_KEY, CHECKOUT_KEY, ORDER_KEY), fbp=None, fbc=None)
    visit.translate()

    assert len(known(visit)) == 1
    assert len(rows(visit.store, "visitor_key", "key")) == 3
    assert pointed(visit) == set(known(visit))

    visit.order()
    visit.translate()
    [event] = visit.sent("Purchase")
    assert event["user_data"]["fbp"] == FBP
    assert event["user_data"]["fbc"].endswith("canary")


def test_visitors_that_share_nothing_stay_apart(visit):
    visit.browse(keys=(CART_KEY,))
    visit.browse(keys=(CHECKOUT_KEY,), marketing=False)
    visit.translate()

    assert len(known(visit)) == 2


def test_a_denial_under_any_key_counts_for_all_of_them(visit):
    visit.browse(keys=(CART_KEY,))
    visit.browse(keys=(CART_KEY, ORDER_KEY))
    visit.translate()
    visit.browse(keys=(ORDER_KEY,), marketing=False)
    visit.order()
    visit.translate()

    assert visit.events() == [("skipped", "consent_denied")]


@pytest.mark.parametrize("in_one_batch", [True, False])
def test_a_visitor_with_too_many_keys_is_one_and_their_last_word_counts(visit, in_one_batch):
    visit.browse(keys=(CART_KEY,))
    for number in range(6):
        more = tuple(f"visit:{number}{part}-0123456789" for part in range(7))
        visit.browse(
            keys=(CART_KEY, *more) if number < 3 else (*more, f"visit:{number - 1}0-0123456789")
        )
        if not in_one_batch:
            visit.translate()
    visit.browse(keys=("visit:50-0123456789",), marketing=False)
    visit.translate()

    assert len(known(visit)) == 1
    assert pointed(visit) <= set(known(visit))
    visit.cart("carts/create", v7=1)
    visit.wait(minutes=31)
    assert visit.events() == [("skipped", "consent_denied")]


def test_a_visitor_is_kept_for_a_week_from_when_they_were_last_seen(visit):
    visit.browse()
    visit.translate()
    visit.clock.move(WEEK_S - 10)
    visit.browse(marketing=None)
    visit.translate()
    visit.clock.move(WEEK_S - 10)

    assert visit.store.visits.purge(visit.clock()) == 0
    assert len(known(visit)) == 1

    visit.clock.move(11)
    assert visit.store.visits.purge(visit.clock()) == 1
    assert visit.store.visits.purge(visit.clock()) == 0
    assert known(visit) == rows(visit.store, "visitor_key") == []


def test_a_visitor_who_comes_back_while_their_week_ends_is_not_lost(visit, monkeypatch):
    visit.browse()
    visit.translate()
    visit.clock.move(WEEK_S + 60)
    commit = visit.store.translations.commit

    def late(lease: Lease, outcome: Outcome, now: int) -> bool:
        visit.store.visits.purge(now)
        return commit(lease, outcome, now)

    monkeypatch.setattr(visit.store.translations, "commit", late)
    visit.browse(marketing=False)
    visit.translate()

    assert len(known(visit)) == 1
    assert pointed(visit) == set(known(visit))


def test_a_damaged_visitor_stops_nobody(visit):
    visit.browse()
    visit.translate()
    [told] = rows(visit.store, "visitor", "told")
    with visit.store.database.write() as connection:
        damaged = bytes(told[:-1]) + bytes([told[-1] ^ 1])
        connection.execute(schema.visitor.update().values(told=damaged))
    visit.order(client_details={"user_agent": "Own/1.0"}, email="anna@example.com")
    visit.browse()
    visit.translate()

    assert visit.events() == [("pending", "")]


def test_carts_and_visitors_go_with_their_shop_and_no_other(visit, store, clock):
    other = connect(store, clock, word="other")
    for one in (visit, other):
        one.browse()
        one.cart("carts/create", v7=1)
        one.translate()
    store.subjects.ask(visit.source.id, Redaction(whole_shop=True), "shop")
    erase_asked(store)

    for table in ("visitor", "visitor_key", "cart"):
        assert set(rows(store, table, "source_id")) == {other.source.id}, table


def test_a_batch_read_before_an_erasure_brings_nobody_back(visit, monkeypatch):
    commit = visit.store.translations.commit

    def late(lease: Lease, outcome: Outcome, now: int) -> bool:
        visit.store.visits.erase(visit.source.id)
        return commit(lease, outcome, now)

    visit.browse()
    with monkeypatch.context() as patched:
        patched.setattr(visit.store.translations, "commit", late)
        visit.translate()

    assert known(visit) == []
    assert visit.store.translations.lease(visit.clock()) is not None
