"""The platform refuses a whole request for one event: only that one may die of it."""

import pytest

from adapters.destinations.meta import Meta
from bridge import registry
from bridge.events import Response
from bridge.send import MAX_REQUESTS, PROBE_PARKED_S, SAME_FAULT_LIMIT, Sender
from tests.stores import rows

from .seen import as_it_is, copies, on_sqlite, reasons, states

pytestmark = on_sqlite


def good(ids, bad):
    return {event_id: 1 for place, event_id in enumerate(ids) if place not in bad}


def test_one_bad_event_in_a_thousand_dies_alone(sender, queue, drain, store, sandbox):
    ids = queue(1000, bad=[567])

    drain(sender)

    assert copies(sandbox) == good(ids, [567])
    found = dict(rows(store, "outbox", "event_id", "state"))
    assert [one for one, state in found.items() if state == "dead"] == [ids[567]]
    # 10 claims, and 2 log2(100) more to find it
    assert len(sandbox.requests()) <= 10 + 14


def test_the_receipt_of_a_dead_event_has_the_reason_and_the_words_of_the_platform(
    sender, queue, drain, store
):
    queue(3, bad=[1])

    drain(sender)

    ((receipt_id,),) = [
        row[1:] for row in rows(store, "outbox", "state", "receipt_id") if row[0] == "dead"
    ]
    found = {row[0]: row[1:] for row in rows(store, "receipt", "id", "reason", "message", "events")}
    assert reasons(store, "dead") == {"100/2804010": 1}
    assert found[receipt_id] == (
        "100/2804010",
        "Missing currency: A Purchase needs custom_data.currency.",
        1,
    )


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(range(15, 300, 30), id="evenly"),
        pytest.param(range(3, 300, 33), id="scattered"),
        pytest.param(range(10), id="the first ten"),
        pytest.param(range(40, 50), id="side by side"),
        pytest.param(range(290, 300), id="the last ten"),
    ],
)
def test_ten_or_so_bad_events_die_and_the_rest_is_sent_once(
    bad, sender, queue, drain, store, destination, sandbox
):
    ids = queue(300, bad=bad)

    drain(sender)

    assert copies(sandbox) == good(ids, bad)
    assert states(store) == {"sent": 300 - len(bad), "dead": len(bad)}
    assert as_it_is(store, destination).state == "active"


def test_a_claim_that_splits_too_often_goes_on_at_the_next_turn(
    sender, queue, drain, store, sandbox
):
    bad = range(0, 100, 3)
    ids = queue(100, bad=bad)

    sender.send_due()
    assert len(sandbox.requests()) == MAX_REQUESTS
    assert states(store)["sending"] == 0

    drain(sender)
    assert copies(sandbox) == good(ids, bad)
    assert states(store) == {"sent": 66, "dead": 34}


@pytest.mark.parametrize("count", [100, 6, 5])
def test_where_every_event_is_refused_the_destination_waits_and_few_events_die(
    count, sender, queue, store, destination, sandbox, clock, caplog
):
    queue(count, bad=range(count))
    for _ in range(4):
        sender.send_due()
        clock.move(PROBE_PARKED_S)

    parked = as_it_is(store, destination)
    assert (parked.state, parked.reason) == ("parked", "every_event_refused:100/2804010")
    assert states(store)["dead"] == SAME_FAULT_LIMIT
    assert [one.message for one in caplog.records].count("destination.parked") == 1


def test_where_every_event_is_refused_one_by_one_few_die_too(
    sender, queue, store, destination, sandbox
):
    for _ in range(9):
        queue(1, bad=[0])
        sender.send_due()

    assert as_it_is(store, destination).state == "parked"
    assert states(store) == {"dead": SAME_FAULT_LIMIT, "pending": 4}


def test_bad_events_with_sound_ones_between_them_never_park(
    sender, queue, store, destination, sandbox
):
    for _ in range(9):
        queue(1, bad=[0])
        sender.send_due()
        queue(1)
        sender.send_due()

    assert as_it_is(store, destination).state == "active"
    assert states(store) == {"dead": 9, "sent": 9}


def test_a_dataset_that_refused_everything_is_probed_with_another_event_each_time(
    sender, queue, store, destination, sandbox, clock
):
    ids = queue(12, bad=range(11))
    sender.send_due()
    before = len(sandbox.requests())
    for _ in range(7):
        clock.move(PROBE_PARKED_S)
        sender.send_due()

    assert copies(sandbox) == {ids[11]: 1}
    assert [one["events"] for one in sandbox.requests()[before:]] == [1] * 7
    assert as_it_is(store, destination).state == "active"
    assert states(store) == {"dead": SAME_FAULT_LIMIT, "sent": 1, "pending": 6}


def test_a_request_that_is_too_large_is_halved(sender, queue, store, endpoint, drain):
    sizes = []

    def post(request):
        count = request.body.count(b'"event_id"')
        sizes.append(count)
        if count > 20:
            return Response(status=413, body=b"")
        return Response(status=200, body=b'{"events_received":%d}' % count)

    queue(64)
    drain(Sender(store, endpoint, post))

    assert sizes == [64, 32, 16, 16, 32, 16, 16]
    assert states(store) == {"sent": 64}


def test_an_event_that_the_adapter_falls_over_dies_alone(
    sender, queue, drain, store, sandbox, payload, monkeypatch
):
    class Fragile(Meta):
        def request(self, payloads, *more):
            if any(b"poison" in one for one in payloads):
                raise ValueError("Bearer EAAsecret")
            return super().request(payloads, *more)

    monkeypatch.setattr(registry, "destination", lambda _: Fragile())
    ids = queue(10)
    queue(1, payload=payload("poison"))
    ids += queue(10)

    drain(sender)

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert reasons(store, "dead") == {"unsendable": 1}
    assert "EAAsecret" not in "".join(rows(store, "receipt", "message"))


def test_a_refusal_after_an_outage_shows_that_the_outage_is_over(
    sender, queue, drain, store, destination, sandbox, clock
):
    sandbox.faults.set("status=503x3")
    ids = queue(120, bad=[0])

    drain(sender)

    assert copies(sandbox) == good(ids, [0])
    assert as_it_is(store, destination).failures == 0
