"""The platform is down, slow or half there: nothing is lost, and it is asked seldom."""

import pytest

from bridge import net
from bridge.events import Endpoint, Response
from bridge.send import AMBIGUOUS_S, Sender
from tests.stores import SECOND, rows

from .seen import as_it_is, copies, on_sqlite, reasons, states

pytestmark = on_sqlite


def test_three_times_500_then_200_makes_four_requests_and_one_copy(sender, queue, drain, sandbox):
    sandbox.faults.set("status=500x3")
    (event_id,) = queue(1)

    drain(sender)

    assert [one["status"] for one in sandbox.requests()] == [500, 500, 500, 200]
    assert copies(sandbox) == {event_id: 1}


def test_events_are_sent_in_the_order_they_were_queued_after_an_outage(
    sender, queue, drain, sandbox
):
    sandbox.faults.set("status=500x3")
    ids = queue(30)

    drain(sender)

    assert [event["event_id"] for event in sandbox.accepted()] == ids


def test_a_fault_that_passes_consumes_no_attempt(sender, queue, drain, store, sandbox):
    sandbox.faults.set("status=503x4")
    queue(1)

    drain(sender)

    assert rows(store, "outbox", "state", "attempts") == [("sent", 1)]


def test_an_outage_of_two_hours_costs_at_most_ten_probes(
    sender, queue, store, destination, sandbox, clock
):
    sandbox.faults.set("status=503")
    queue(500)
    began = clock()
    while clock() - began < 7200 * SECOND:
        before = len(sandbox.requests())
        sender.send_due()
        clock.now = as_it_is(store, destination).next_at - 1
        sender.send_due()  # a moment too early
        assert len(sandbox.requests()) == before + 1
        clock.now += 1

    assert len(sandbox.requests()) <= 10
    assert states(store) == {"pending": 500}


def test_after_an_outage_one_event_is_tried_before_all_are_sent(
    sender, queue, drain, store, destination, sandbox, clock
):
    sandbox.faults.set("status=503x4")
    ids = queue(250)

    drain(sender)

    sizes = [one["events"] for one in sandbox.requests()]
    assert sizes == [100, 50, 10, 1, 1, 100, 100, 49]
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert as_it_is(store, destination).failures == 0


def test_flapping_neither_storms_nor_starves(sender, queue, drain, store, sandbox):
    sandbox.faults.set("status=502;every=2")
    ids = queue(600)

    drain(sender)

    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert len(sandbox.requests()) <= 2 * 600 / (100 * 0.3)


@pytest.mark.parametrize("closed", [True, False], ids=["refused", "no name"])
def test_what_was_never_sent_is_sent_later_and_is_not_ambiguous(
    closed, closed_port, store, queue, endpoint, drain, sandbox, monkeypatch
):
    def no_name(*_, **__):
        raise OSError(-2, "Name or service not known")

    ids = queue(3)
    with monkeypatch.context() as patch:
        if not closed:
            patch.setattr("socket.getaddrinfo", no_name)
        Sender(store, Endpoint(url=closed_port, version="v26.0")).send_due()
    assert reasons(store, "pending") == {"not_sent": 3}

    drain(Sender(store, endpoint))
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert set(rows(store, "outbox", "ambiguous_at")) == {None}


def test_a_certificate_that_is_not_trusted_is_named(store, queue, endpoint):
    def post(_):
        raise net.Untrusted("not sent: the certificate is not trusted")

    queue(1)
    Sender(store, endpoint, post).send_due()

    assert reasons(store, "pending") == {"certificate": 1}


@pytest.mark.parametrize(
    ("fault", "taken_before"),
    [("reset", 0), ("reset=after", 1), ("half", 1), ("html", 0), ("empty", 0)],
)
def test_an_answer_that_says_nothing_leads_to_the_same_bytes_again(
    fault, taken_before, sender, queue, drain, store, post, sandbox, clock
):
    sandbox.faults.set(f"{fault}x1")
    ids = queue(5)
    began = clock()

    drain(sender)

    first, second = post.requests
    assert first.body == second.body
    assert clock() - began >= AMBIGUOUS_S * SECOND
    assert copies(sandbox) == dict.fromkeys(ids, 1 + taken_before)
    assert states(store) == {"sent": 5}
    assert rows(store, "outbox", "ambiguous_at") == [began] * 5


@pytest.mark.parametrize(
    ("fault", "copies_of_each"),
    [
        ("drip=0.05", 2),  # a byte now and then
        ("delay=30", 1),  # hangs; the sandbox would take the events only after the wait
        ("endless", 1),
        ("gzip", 1),
    ],
)
def test_an_answer_without_an_end_is_cut_and_ambiguous(
    fault, copies_of_each, sender, queue, drain, store, post, sandbox
):
    sandbox.faults.set(f"{fault}x1")
    post.deadline_s = 0.5
    ids = queue(3)

    sender.send_due()
    assert set(rows(store, "outbox", "state")) == {"pending"}
    assert None not in rows(store, "outbox", "ambiguous_at")

    post.deadline_s = 5
    drain(sender)
    assert states(store) == {"sent": 3}
    assert copies(sandbox) == dict.fromkeys(ids, copies_of_each)


def test_an_answer_after_our_deadline_costs_one_copy_an_event_and_is_counted(
    sender, queue, drain, store, post, sandbox
):
    sandbox.faults.set("delay=0.6x1")
    post.deadline_s = 0.2
    ids = queue(4)
    sender.send_due()

    post.deadline_s = 5
    sandbox.faults.set("delay=0.8x1")  # the late request is taken before this one
    drain(sender)

    assert copies(sandbox) == dict.fromkeys(ids, 2)
    assert None not in rows(store, "outbox", "ambiguous_at")
    assert rows(store, "receipt", "outcome") == ["ambiguous", "accepted"]


def test_fewer_events_counted_than_sent_are_not_sent_again(sender, queue, drain, store, sandbox):
    sandbox.faults.set("fewerx1")
    queue(5)

    drain(sender)

    assert len(sandbox.requests()) == 1
    assert reasons(store, "sent") == {"doubtful": 5}
    assert rows(store, "receipt", "outcome", "events", "accepted") == [("doubtful", 5, 4)]


@pytest.mark.parametrize("fault", ["status=403", "code=9999;status=400"], ids=["proxy", "new code"])
def test_a_4xx_that_explains_nothing_parks_and_ends_no_event(
    fault, sender, queue, drain, store, destination, sandbox, clock
):
    sandbox.faults.set(fault)
    ids = queue(30)
    for _ in range(10):
        sender.send_due()
        clock.now = as_it_is(store, destination).next_at

    status = fault[-3:]
    assert as_it_is(store, destination).state == "parked"
    assert as_it_is(store, destination).reason == f"http_{status}"
    assert [one["events"] for one in sandbox.requests()] == [30, 30, 10, *[1] * 7]
    assert states(store) == {"pending": 30}

    sandbox.faults.set("")
    drain(sender)
    assert copies(sandbox) == dict.fromkeys(ids, 1)
    assert set(rows(store, "outbox", "attempts")) == {1}


def test_an_event_that_a_firewall_dislikes_keeps_no_other_back(
    sender, queue, drain, store, endpoint, post, clock
):
    def firewall(request):
        bad = b'"purchase.3"' in request.body
        return Response(status=403, body=b"<html>") if bad else post(request)

    queue(30)
    picky = Sender(store, endpoint, firewall)
    for _ in range(40):
        picky.send_due()
        clock.now += 60 * SECOND

    assert states(store) == {"sent": 29, "pending": 1}


def test_a_passing_fault_told_with_a_client_status_never_kills(
    sender, queue, drain, store, sandbox
):
    sandbox.faults.set("code=2;status=400x6")
    queue(1)

    drain(sender)

    assert len(sandbox.requests()) == 7
    assert states(store) == {"sent": 1}


def test_a_post_that_breaks_in_a_way_of_its_own_is_ambiguous_and_tells_no_value(
    store, queue, endpoint
):
    def post(_):
        raise RuntimeError("Bearer EAAsecret")

    queue(2)
    Sender(store, endpoint, post).send_due()

    assert reasons(store, "pending") == {"no_answer": 2}
    assert rows(store, "receipt", "message") == ["RuntimeError"]


def test_an_answer_of_odd_bytes_is_stored(store, queue, endpoint):
    odd = b'{"error":{"code":2,"message":"\\u0000 \\ud83d\xff","fbtrace_id":"a\\u0000b"}}'
    queue(1)

    Sender(store, endpoint, lambda _: Response(status=500, body=odd)).send_due()

    assert states(store) == {"pending": 1}
