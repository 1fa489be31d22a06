"""The adapters' samples show every verdict that a merchant asks about, in the demo's own way."""

from datetime import UTC, datetime

import pytest

from bridge import policy, registry
from bridge.cli import demo
from bridge.receive import Received, collect
from bridge.translate import translate_due
from bridge.visitors import COLLECTED
from tests.bridge.translate.conftest import NOW
from tests.bridge.translate.line import connect
from tests.stores import rows

SENT = ("send", "")
# What stands in the demo's table for each sample, by the first verdict that it leads to.
SHOWN = {
    "shopify": {
        "paid_web_order": SENT,
        "the_same_order_paid": ("skip", "decided_before"),
        "web_order_from_the_us": SENT,
        "web_order_without_signal": ("skip", "consent_unknown"),
        "denied_consent": ("skip", "consent_denied"),
        "pending_bank_transfer": ("skip", "not_paid"),
        "point_of_sale": ("skip", "channel:pos"),
        "subscription_start": SENT,
        "subscription_renewal": ("skip", "channel:renewal"),
        "draft_order": ("skip", "channel:draft"),
        "test_order": ("skip", "test_order"),
        "free_sample": ("skip", "zero_value"),
        "partial_refund": ("skip", "event_off"),
    },
    "woocommerce": {
        "paid in the US no signal": SENT,
        "paid in Germany consent granted": SENT,
        "waits for a transfer": ("skip", "not_paid"),
        "the transfer came": SENT,
        "cash on delivery": SENT,
        "made by the merchant": ("skip", "channel:admin"),
        "subscription renewal": ("skip", "channel:renewal"),
        "nothing to pay": ("skip", "zero_value"),
        "paid in France consent denied": ("skip", "consent_denied"),
        "cancelled": ("skip", "cancelled"),
    },
}
ASKED_ABOUT = {
    "paid": SENT,
    "a transfer that waits": ("skip", "not_paid"),
    "a till": ("skip", "channel:pos"),
    "a renewal": ("skip", "channel:renewal"),
    "a draft": ("skip", "channel:draft"),
    "a test": ("skip", "test_order"),
    "nothing to pay": ("skip", "zero_value"),
    "a refund": ("skip", "event_off"),
    "a buyer who said no": ("skip", "consent_denied"),
    "a buyer who said nothing": ("skip", "consent_unknown"),
    "a cancelled order": ("skip", "cancelled"),
}


@pytest.fixture(params=SHOWN)
def shown(request, memory):
    """Return the samples' names with their verdicts, and the line they went down."""
    adapter = registry.source(request.param)
    line = connect(memory, request.param, settings={adapter.secret_setting: "demo-secret"})
    verdicts = {}
    for sample in demo.redated(adapter.samples(), NOW):
        before = len(line.verdicts())
        if sample.topic == COLLECTED:
            collect(memory, line.source, sample.body, address="203.0.113.7", agent="Mozilla/5.0")
        else:
            assert line.post(sample.topic, sample.body) is Received.STORED
        translate_due(memory)
        verdicts[sample.name] = line.verdicts()[before:]
    return request.param, verdicts, line


def test_each_sample_has_the_verdict_that_it_is_to_show(shown):
    kind, verdicts, _ = shown

    first = {name: told[0] for name, told in verdicts.items() if told}
    assert {name: first.get(name) for name in SHOWN[kind]} == SHOWN[kind]


def test_no_sample_is_dead_and_each_tells_something(shown):
    _, _, line = shown

    assert {state for state, _ in line.ends()} == {"translated"}


def test_each_reason_that_is_shown_is_explained_in_a_sentence(shown):
    _, _, line = shown

    reasons = {reason for _, reason in line.verdicts()} - {""}
    assert {reason for reason in reasons if not policy.sentence(reason)} == set()


def test_the_samples_are_young_enough_and_not_of_the_future(shown):
    _, _, line = shown

    times = rows(line.store, "outbox", "event_at")
    moments = [datetime.fromtimestamp(time / 1_000_000, UTC) for time in times]
    assert max(moments) <= NOW
    assert (NOW - min(moments)).days == 0


def test_together_the_samples_show_all_that_merchants_ask_about():
    shown = {verdict for verdicts in SHOWN.values() for verdict in verdicts.values()}

    assert {what for what, verdict in ASKED_ABOUT.items() if verdict not in shown} == set()
