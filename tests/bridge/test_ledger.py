"""Each order of the shop's own list ends in exactly one line, at its most telling destination."""

import pytest
from sqlalchemy import insert, update

from bridge.ledger import coverage, lines
from bridge.store import VerdictRow, schema
from tests.stores import SECOND, START, commit, put, rows

DAY = 86_400 * SECOND


@pytest.fixture
def listed(store, source):
    """Return a function that notes orders of the shop's list, changed just now."""

    def note(*order_ids, changed_at=START):
        store.watches.listed(source.id, [(one, changed_at) for one in order_ids], START)

    return note


@pytest.fixture
def decided(store, source, outbox_row):
    """Return a function that writes what was decided on orders: state by order id."""

    def write(changes=None, /, **states):
        made = [
            outbox_row(order_id=order_id, state=state, **(changes or {}))
            for order_id, state in states.items()
        ]
        assert commit(store, source, *made)

    return write


def found(store, source, start=START - DAY, end=START + DAY):
    return lines(store, source, start, end)


def test_each_order_has_one_line_and_all_sums_agree(store, source, listed, decided):
    states = ("sent", "skipped", "dead", "expired", "pending", "sending", "waiting")
    decided(**{f"o-{state}": state for state in states})
    listed(*[f"o-{state}" for state in states], "o-lost", "o-lost")

    ledger = found(store, source)
    sums = coverage(ledger)

    assert [line.order_id for line in ledger] == sorted({line.order_id for line in ledger})
    assert sums.by_state == {**dict.fromkeys(states, 1), "never_received": 1}
    assert (sums.total, sums.sent, sums.eligible) == (8, 1, 7)
    assert (sums.of_eligible, sums.of_total) == (1 / 7, 2 / 8)


def test_nothing_is_no_ratio(store, source):
    sums = coverage(found(store, source))

    assert (sums.total, sums.of_eligible, sums.of_total) == (0, None, None)


def test_an_order_that_the_list_never_told_counts_too(store, source, decided):
    decided(told="sent")

    assert coverage(found(store, source)).total == 1


def test_skips_are_told_by_their_reason(store, source, decided):
    decided({"reason": "consent_denied"}, a="skipped", b="skipped")
    decided({"reason": "not_paid"}, c="skipped")

    assert coverage(found(store, source)).by_reason == {"consent_denied": 2, "not_paid": 1}


@pytest.mark.parametrize("event_at", [START, START - 3 * DAY])
def test_of_two_destinations_the_worse_state_counts(store, source, outbox_row, listed, event_at):
    other = store.connections.add_destination("bogus", "other", {"access_token": "x"})
    third = store.connections.add_destination("bogus", "third", {"access_token": "x"})
    ends = {other.id: "dead", third.id: "sent"}
    made = [
        outbox_row(order_id="1", event_id="e", state=state, destination_id=end, event_at=event_at)
        for end, state in ends.items()
    ]
    assert commit(store, source, outbox_row(order_id="1", event_id="e", state="sent",
                                            event_at=event_at), *made)  # fmt: skip
    listed("1")

    [line] = found(store, source)

    assert line.state == "dead"


@pytest.mark.parametrize(
    ("states", "line"),
    [
        ({"dataset": ("sent", ""), "other": ("skipped", "shadow")}, ("sent", "")),
        ({"dataset": ("sent", ""), "other": ("skipped", "toggled_off")}, ("sent", "")),
        (
            {"dataset": ("skipped", "shadow"), "other": ("skipped", "consent_denied")},
            ("skipped", "consent_denied"),
        ),
        ({"dataset": ("waiting", "held"), "other": ("sent", "")}, ("waiting", "held")),
    ],
)
def test_a_route_that_is_not_to_have_an_order_takes_nothing_from_one_that_has(
    store, source, destination, outbox_row, states, line
):
    other = store.connections.add_destination("bogus", "other", {"access_token": "x"})
    ends = {"dataset": destination.id, "other": other.id}
    assert commit(
        store,
        source,
        *[
            outbox_row(order_id="1", event_id="e", destination_id=ends[name], state=state,
                       reason=reason)
            for name, (state, reason) in states.items()
        ],
    )  # fmt: skip

    [found_line] = found(store, source)

    assert (found_line.state, found_line.reason) == line


def test_what_was_lost_on_the_way_counts_as_wanted_and_what_the_plan_left_out_does_not(
    store, source, decided
):
    decided({"reason": "invalid:client_user_agent"}, a="skipped")
    decided({"reason": "expired"}, b="skipped")
    decided({"reason": "consent_denied"}, c="skipped")
    decided(d="sent")

    sums = coverage(found(store, source))

    assert (sums.sent, sums.eligible, sums.total) == (1, 3, 4)


def test_an_order_without_an_event_says_why(store, source):
    put(store, source, "reconcile:waits")
    put(store, source, "reconcile:broken")
    store.watches.listed(
        source.id,
        [(one, START) for one in ("waits", "broken", "routeless", "never")],
        START,
        {"waits": "reconcile:waits", "broken": "reconcile:broken"},
    )
    with store.database.write() as connection:
        connection.execute(
            update(schema.delivery)
            .where(schema.delivery.c.key == "reconcile:broken")
            .values(state="dead", reason="no_time")
        )
        connection.execute(
            insert(schema.known_order).values(
                source_id=source.id, order_id="routeless", state="paid", seen_at=START
            )
        )

    told = {line.order_id: (line.state, line.reason) for line in found(store, source)}

    assert told == {
        "waits": ("waiting", "untranslated"),
        "broken": ("dead", "no_time"),
        "routeless": ("skipped", "no_route"),
        "never": ("never_received", ""),
    }


def test_other_times_other_sources_and_other_occasions_do_not_count(
    store, source, outbox_row, listed
):
    other = store.connections.add_source("bogus", "other", {"secret": "x"}, "w2")
    store.watches.listed(other.id, [("theirs", START)], START)
    listed("old", changed_at=START - 3 * DAY)
    listed("at the end", changed_at=START + DAY)
    cart = outbox_row(order_id="c", occasion="cart_added", event_name="AddToCart")
    form = outbox_row(order_id=None, event_id="purchase.form", state="sent")
    assert commit(store, source, cart, form)

    assert found(store, source) == []


def test_a_waiting_and_a_pending_order_say_until_when(store, source, decided):
    decided({"next_at": START + 60, "held_event": b"{}", "expires_at": START}, a="waiting")
    decided({"expires_at": START + 90}, b="pending")

    waiting, pending = found(store, source)

    assert (waiting.until, waiting.expires_at) == (START + 60, START + 7 * DAY)
    assert (pending.until, pending.expires_at) == (None, START + 90)


@pytest.mark.parametrize(
    ("keys", "repaired"), [(("reconcile:1", "k1"), True), (("k1", "reconcile:1"), False)]
)
def test_repaired_is_what_the_list_told_first(
    store, source, destination, outbox_row, keys, repaired
):
    for key in keys:
        put(store, source, key)
    ids = dict(zip(rows(store, "delivery", "key"), rows(store, "delivery", "id"), strict=True))
    told = [
        VerdictRow(delivery_id=ids[key], destination_id=destination.id, event_name="Purchase",
                   event_id="purchase.1", verdict="send", reason="")
        for key in keys
    ]  # fmt: skip
    row = outbox_row(order_id="1", event_id="purchase.1", state="sent")
    assert commit(store, source, row, verdicts=told)

    [line] = found(store, source)

    assert (line.repaired_at is not None) is repaired
    assert coverage([line]).repaired == int(repaired)


def test_a_long_list_is_one_ledger(store, source, listed):
    listed(*map(str, range(1_200)))

    assert coverage(found(store, source)).by_state == {"never_received": 1_200}


def test_a_destination_in_shadow_mode_says_nothing_of_an_order_that_another_was_sent(
    store, source, decided, destination
):
    other = store.connections.add_destination("bogus", "shadowed", {"access_token": "hush"})
    shadow = {"destination_id": other.id, "mode": "shadow", "reason": "shadow"}
    decided(both="sent", late="waiting")
    decided(shadow, both="skipped", late="skipped", only="skipped")

    assert {line.order_id: line.state for line in found(store, source)} == {
        "both": "sent",
        "late": "waiting",
        "only": "skipped",
    }
