"""The samples of the demo show a whole visit: looked, added, removed, checked out, bought."""

import pytest

from bridge import registry
from bridge.cli.demo import redated
from bridge.events import Request
from bridge.receive import collect, receive
from bridge.store import Route, Store
from bridge.translate import translate_due
from bridge.visitors import COLLECTED
from tests.stores import FakeClock, rows

from .visit import AGENT, Visit

SENT = {"shopify": {"ViewContent": 1, "AddToCart": 2, "InitiateCheckout": 1, "Purchase": 1},
        "woocommerce": {"AddToCart": 2, "InitiateCheckout": 1, "Purchase": 1},
        "forms": {"Lead": 1}}  # fmt: skip
TELLS = {"shopify": "visit", "woocommerce": ("two mugs", "a shirt", "their"), "forms": "lead"}


@pytest.fixture(params=SENT)
def shown(request, store: Store, clock: FakeClock) -> Visit:
    """Return the visit of the samples, each translated before the next is posted."""
    adapter = registry.source(request.param)
    source = store.connections.add_source(request.param, "shop", {"secret": "demo-secret"})
    end = store.connections.add_destination("meta", "d", {"dataset_id": "1", "access_token": "x"})
    store.connections.set_route(
        Route(source_id=source.id, destination_id=end.id, mode="live", toggles={}, live_since=None)
    )
    visit = Visit(store, clock, source)
    for sample in redated(adapter.samples(), visit.now()):
        if not sample.name.startswith(TELLS[request.param]):
            continue
        if sample.topic == COLLECTED:
            collect(store, source, sample.body, address="203.0.113.140", agent=AGENT)
        else:
            headers = adapter.sign(sample.topic, sample.body, source.settings)
            receive(store, source, Request(headers=headers, body=sample.body))
        translate_due(store)
    return visit


def test_each_step_is_sent_once_and_a_removal_makes_nothing(shown):
    sent: dict[str, int] = {}
    for name, state in rows(shown.store, "outbox", "event_name", "state"):
        if state == "pending":
            sent[name] = sent.get(name, 0) + 1

    assert sent == SENT[shown.source.kind]
    assert set(rows(shown.store, "delivery", "state")) == {"translated"}


def test_the_visit_is_one_persons_from_the_first_look_to_the_order(shown):
    if shown.source.kind == "forms":
        [event] = shown.sent("Lead")
        assert event["user_data"]["em"]
        return

    steps = [*shown.sent("AddToCart"), *shown.sent("InitiateCheckout"), *shown.sent("Purchase")]
    assert len({event["user_data"]["fbp"] for event in steps}) == 1
    assert all(event["user_data"]["client_user_agent"] for event in steps)
    assert [event["event_time"] for event in steps] == sorted(
        event["event_time"] for event in steps
    )
    assert steps[-1]["custom_data"]["value"] == steps[-2]["custom_data"]["value"]
