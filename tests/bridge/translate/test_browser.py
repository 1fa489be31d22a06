"""What browsers post is public: it never makes, stops or takes the place of a shop's event."""

import json

import pytest

from bridge.events import Delivery
from bridge.translate import translate_due
from bridge.visitors import COLLECTED
from tests.stores import rows

from .line import connect
from .shops import SHOPS, event_id_of, order

VISIT = "visit:0123456789abcdef"
AGENT = {"ip": "2001:db8::1", "user-agent": "Mozilla/5.0"}


@pytest.fixture(params=SHOPS)
def line(request, store):
    return connect(store, request.param)


def collect(line, *events, consent=True, **visitor):
    """Store what a storefront script would post."""
    told = {"keys": [VISIT], "consent": {"marketing": consent}, **visitor}
    body = json.dumps({"events": events, "visitor": told}).encode()
    number = len(rows(line.store, "delivery"))
    delivery = Delivery(topic=COLLECTED, key=f"c{number}", body=body, headers=AGENT)
    line.store.intake.put(line.source.id, delivery, line.store.now())


def reported(name, event_id):
    return {
        "event_name": name,
        "event_id": event_id,
        "event_source_url": "https://shop.example/",
        "custom_data": {"value": 1, "currency": "EUR"},
    }


@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize("consent", [True, False])
def test_a_purchase_that_a_browser_reports_does_not_take_the_orders_place(
    line, in_one_batch, consent
):
    collect(line, reported("Purchase", event_id_of(line.source.kind, 1)), consent=consent)
    if not in_one_batch:
        translate_due(line.store)
    line.post(*order(line.source.kind, 1, "paid"))
    translate_due(line.store)

    assert line.purchases() == [("1", "pending", "")]
    assert line.verdicts() == [("skip", "owner_webhook"), ("send", "")]


def test_a_purchase_that_a_browser_reports_late_changes_nothing(line):
    line.tell(*order(line.source.kind, 1, "paid"))
    collect(line, reported("Purchase", event_id_of(line.source.kind, 1)))
    translate_due(line.store)

    assert line.purchases() == [("1", "pending", "")]
    assert len(rows(line.store, "outbox")) == 1


def test_a_browser_that_reports_what_is_off_leaves_no_event(line):
    collect(line, reported("CompleteRegistration", "registration.shop.5"))
    translate_due(line.store)

    assert rows(line.store, "outbox") == []
    assert line.verdicts()[0][0] == "skip"
    assert line.ends() == [("translated", "")]


def test_what_a_browser_owns_is_sent_once(line):
    for _ in range(2):
        collect(line, reported("ViewContent", "view-1"))
        translate_due(line.store)

    assert line.pending("ViewContent") == ["view-1"]
    assert line.verdicts() == [("send", ""), ("skip", "decided_before")]


def test_a_browser_that_grants_later_does_not_release_what_it_denied(line):
    collect(line, reported("ViewContent", "view-1"), consent=False)
    translate_due(line.store)
    collect(line, reported("ViewContent", "view-1"), consent=True)
    translate_due(line.store)

    assert line.pending("ViewContent") == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"events":5,"visitor":[]}'])
def test_a_post_of_no_sense_ends_in_the_open(line, body):
    delivery = Delivery(topic=COLLECTED, key="odd", body=body)
    line.store.intake.put(line.source.id, delivery, line.store.now())
    line.post(*order(line.source.kind, 1, "paid"))
    translate_due(line.store)

    first, last = line.ends()
    assert first[0] == "ignored"
    assert last == ("translated", "")
    assert line.purchases() == [("1", "pending", "")]


def test_a_forged_batch_of_ids_stops_no_order(memory):
    line = connect(memory, "woocommerce")
    ids = [event_id_of("woocommerce", number) for number in range(1, 21)]
    collect(line, *(reported("Purchase", one) for one in ids))
    for number in range(1, 21):
        line.post(*order("woocommerce", number, "paid"))
    translate_due(memory)

    assert line.pending() == sorted(ids)
