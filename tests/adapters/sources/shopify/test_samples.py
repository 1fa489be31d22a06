"""Shopify: the samples show every kind of order, and invented people only."""

import re

import pytest

from adapters.sources.shopify import adapter
from bridge.events import Channel, Event, OrderState

from .shop import translate

SAMPLES = {sample.name: sample for sample in adapter.samples()}


def event(name: str) -> Event:
    [found] = translate(SAMPLES[name].topic, SAMPLES[name].body)
    assert isinstance(found, Event)
    return found


@pytest.mark.parametrize(
    ("name", "made", "state"),
    [
        ("paid_web_order", Channel.WEB, OrderState.PAID),
        ("pending_bank_transfer", Channel.WEB, OrderState.PLACED),
        ("point_of_sale", Channel.POS, OrderState.PAID),
        ("subscription_renewal", Channel.RENEWAL, OrderState.PAID),
        ("draft_order", Channel.DRAFT, OrderState.PAID),
    ],
)
def test_a_sample_is_what_its_name_says(name, made, state):
    assert (event(name).channel, event(name).order_state) == (made, state)


def test_the_samples_show_what_is_left_out():
    assert event("test_order").test
    assert event("free_sample").basket.amounts.total == 0
    assert event("denied_consent").consent.marketing is False
    assert event("web_order_without_signal").consent is None
    assert event("subscription_start").subscription
    assert event("the_same_order_paid").subject_id == event("paid_web_order").subject_id
    assert event("partial_refund").order_id == event("paid_web_order").order_id


def test_the_samples_show_a_cart_that_grows_into_a_checkout():
    [created] = translate(SAMPLES["cart_created"].topic, SAMPLES["cart_created"].body)
    [grown] = translate(SAMPLES["cart_grew"].topic, SAMPLES["cart_grew"].body)

    assert created.first
    assert set(created.contents) < set(grown.contents)
    assert f"cart:{grown.cart_token}" in event("checkout_started").visitor_keys


def test_the_samples_are_of_one_day():
    facts = [fact for sample in SAMPLES.values() for fact in translate(sample.topic, sample.body)]
    times = [fact.event_time if isinstance(fact, Event) else fact.at for fact in facts]

    assert {time.date().isoformat() for time in times} == {"2026-11-23"}


def test_no_id_looks_like_a_time_in_milliseconds():
    # Who re-dates the samples shifts numbers of 13 digits.
    for name, sample in SAMPLES.items():
        found = re.findall(rb"(?<![0-9])[0-9]{13}(?![0-9])", sample.body)
        assert all(number.startswith(b"1795") for number in found), name


def test_samples_hold_example_addresses_only():
    for name, sample in SAMPLES.items():
        hosts = set(re.findall(rb"@([a-z0-9.-]+)", sample.body))
        assert hosts <= {b"example.com", b"example.org", b"example.net"}, name
