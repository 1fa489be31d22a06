"""Visitors: what browsers tell completes events, and never outvotes anybody."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import Channel, Consent, Event, Occasion, TranslationError, UserData, Visitor
from bridge.visitors import MAX_EVENTS, MAX_KEYS, join, merge, read_collected

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "checkout:5d0e1f6c2b8a47f39a64"
BROWSER = UserData(
    client_ip_address="203.0.113.7", client_user_agent="Mozilla/5.0", fbp="fb.1.1795166067000.1"
)
AGENT = {"ip": "203.0.113.7", "user-agent": "Mozilla/5.0"}
CHECKOUT = Event(
    occasion=Occasion.CHECKOUT_STARTED, subject_id="5d0e", event_time=AT, visitor_keys=(KEY,)
)


def said(marketing=None, sale_of_data=None, minutes=0.0):
    at = AT + timedelta(minutes=minutes)
    return Consent(marketing=marketing, sale_of_data=sale_of_data, at=at, source="collector")


def visitor(
    consent=None, minutes=0.0, *, keys=(KEY,), user_data=BROWSER, url="https://shop.example/"
):
    return Visitor(
        keys=keys,
        at=AT + timedelta(minutes=minutes),
        user_data=user_data,
        event_source_url=url,
        consent=consent,
    )


def collected(told=None, *events, keep_unknown=False, received_at=AT, **body):
    """Return the facts of a post of the storefront script."""
    raw = json.dumps({"events": events, "visitor": told, **body}).encode()
    return list(read_collected(raw, AGENT, received_at, keep_unknown=keep_unknown))


# Two that are one.


def test_the_newer_word_counts_and_no_word_is_lost():
    old = visitor(user_data=UserData(fbp="old", fbc="click"), keys=("cart:aaaaaaaaaaaa", KEY))
    new = visitor(
        minutes=5, user_data=UserData(fbp="new"), keys=(KEY, "order:bbbbbbbbbbbb"), url=None
    )

    for merged in (merge(old, new), merge(new, old)):
        assert merged.user_data == UserData(fbp="new", fbc="click")
        assert merged.keys == ("cart:aaaaaaaaaaaa", KEY, "order:bbbbbbbbbbbb")
        assert merged.event_source_url == "https://shop.example/"
        assert merged.at == new.at


def test_of_somebody_who_says_no_nothing_that_was_told_before_is_kept():
    merged = merge(visitor(said(marketing=True)), visitor(said(marketing=False, minutes=5), 5))

    assert merged.consent.marketing is False
    assert (merged.user_data, merged.event_source_url) == (UserData(), None)


def test_somebody_who_says_yes_after_all_is_known_by_what_is_told_then():
    denied = merge(visitor(said(marketing=True)), visitor(said(marketing=False, minutes=5), 5))
    again = visitor(said(marketing=True, minutes=9), 9, user_data=UserData(fbp="new"))

    merged = merge(denied, again)
    assert merged.user_data == UserData(fbp="new")
    assert (merged.consent.marketing, merged.consent.at) == (True, AT + timedelta(minutes=9))


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        (None, said(marketing=True), said(marketing=True)),
        (said(marketing=True), None, said(marketing=True)),
        (said(marketing=False), said(minutes=9), said(marketing=False)),
        # A grant that is repeated is as old as it is; a denial is as new.
        (said(marketing=True), said(marketing=True, minutes=9), said(marketing=True)),
        (said(marketing=True), said(True, True, 9), said(True, True, 0)),
        (said(marketing=False), said(marketing=False, minutes=9), said(False, None, 9)),
        (said(marketing=False), said(marketing=True, minutes=9), said(True, None, 9)),
        # Signal by signal: a word on one takes nothing back of the other.
        (said(marketing=False), said(sale_of_data=True, minutes=9), said(False, True, 9)),
        (said(marketing=True), said(sale_of_data=False, minutes=9), said(True, False, 9)),
        (said(True, False), said(marketing=True, minutes=9), said(True, False, 9)),
    ],
)
def test_of_two_words_counts(old, new, counts):
    assert merge(visitor(old), visitor(new, 9)).consent == counts


def test_keys_do_not_grow_without_end():
    many = visitor()
    for number in range(60):
        many = merge(many, visitor(minutes=number, keys=(f"cart:{number:012}x",)))

    assert len(many.keys) == MAX_KEYS * 2
    assert many.keys[-1] == "cart:000000000059x"


# Joined to an event.


def test_only_what_is_missing_is_filled_in():
    event = replace(CHECKOUT, user_data=UserData(email="a@example.com", fbp="own"))

    joined = join(event, visitor())
    assert joined.user_data == replace(BROWSER, email="a@example.com", fbp="own")
    assert joined.event_source_url == "https://shop.example/"


def test_no_more_than_the_browser_itself_is_filled_in():
    told = visitor(user_data=UserData(email="b@example.com", phone="1", country="FR", fbp="f"))

    assert join(CHECKOUT, told).user_data == UserData(fbp="f")


@pytest.mark.parametrize("channel", [one for one in Channel if one is not Channel.WEB])
def test_what_was_not_done_in_a_browser_is_left_as_it_is(channel):
    event = replace(CHECKOUT, channel=channel)

    assert join(event, visitor(said(marketing=True))) == event


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (said(marketing=True, minutes=-60), True),
        (said(marketing=True, minutes=0.5), True),  # two clocks
        (said(marketing=True, minutes=0.6), None),
        (said(marketing=False, minutes=-60), False),
        (said(marketing=False, minutes=600), False),
    ],
)
def test_a_grant_counts_from_when_it_was_said_and_a_denial_always(told, counts):
    consent = join(CHECKOUT, visitor(told)).consent

    assert (consent.marketing if consent else None) is counts


def test_a_grant_between_the_making_of_an_order_and_its_payment_came_after_it():
    paid = replace(CHECKOUT, created_at=AT, event_time=AT + timedelta(days=3))

    assert join(paid, visitor(said(marketing=True, minutes=60))).consent is None
    assert join(paid, visitor(said(marketing=True, minutes=-60))).consent.marketing is True


@pytest.mark.parametrize(
    ("own", "told", "wins"),
    [
        (said(marketing=False, minutes=-9), said(marketing=True), "own"),
        (said(marketing=False, minutes=-9), said(sale_of_data=False), "own"),
        (said(marketing=True), said(marketing=True, minutes=-9), "own"),
        (said(sale_of_data=False), said(marketing=True, minutes=-9), "own"),
        (said(marketing=True), said(marketing=False, minutes=9), "told"),
        (said(marketing=True, minutes=9), said(marketing=False), "own"),  # taken back later
        (said(marketing=True, minutes=9), said(sale_of_data=False), "told"),  # not of that
        (said(True, True, 9), said(False, False), "own"),
        (Consent(marketing=True, source="order"), said(marketing=False, minutes=-9), "told"),
        (said(), said(marketing=True, minutes=-9), "told"),
        (said(sale_of_data=False, minutes=9), said(marketing=False), "told"),
    ],
)
def test_of_an_orders_word_and_its_browsers_wins(own, told, wins):
    joined = join(replace(CHECKOUT, consent=own), visitor(told))

    assert joined.consent == {"own": own, "told": told}[wins]


SIGNALS = st.builds(
    said,
    st.sampled_from([True, False, None]),
    st.sampled_from([True, False, None]),
    st.integers(-60, 60),
)


@given(own=st.none() | SIGNALS, told=st.none() | SIGNALS)
def test_no_joining_makes_a_grant_of_a_denial(own, told):
    consent = join(replace(CHECKOUT, consent=own), visitor(told)).consent

    newest = max([one for one in (own, told) if one], key=lambda one: one.at, default=None)
    if (newest and newest.marketing is False) or (own and own.marketing is False):
        assert consent.marketing is False


# What is believed of a public post.


@pytest.mark.parametrize(
    "key",
    [
        "checkout:5d0e1f6c2b8",  # short
        "order:5551234567890",  # a bare order id, as everybody counts on
        "order:00000000000000000001",
        "order:",
        "5d0e1f6c2b8a47f39a64",
        "email:anna.muster@example.com",
        "cart: 5d0e1f6c2b8a47f39a64",
        "Checkout:5d0e1f6c2b8a47f39a64",
        5551234567890123,
        None,
        ["checkout:5d0e1f6c2b8a47f39a64"],
    ],
)
def test_a_key_that_could_be_guessed_joins_nothing(key):
    assert collected({"keys": [key], "consent": {"marketing": True}}) == []


@pytest.mark.parametrize(
    "key", ["checkout:5d0e1f6c2b8a", "cart:Z2NwLWV1cm9wZQ", "order:wc_order_demo1112Rv4Tn"]
)
def test_a_token_is_a_key(key):
    [told] = collected({"keys": [key], "consent": {"marketing": True}})

    assert told.keys == (key,)


def test_the_browsers_own_address_counts_and_none_that_is_written():
    [told] = collected(
        {"keys": [KEY], "consent": {"marketing": True}, "ip": "1.1.1.1", "user_agent": "x",
         "client_ip_address": "1.1.1.1", "email": "a@example.com"}
    )  # fmt: skip

    assert told.user_data == UserData(
        client_ip_address="203.0.113.7", client_user_agent="Mozilla/5.0"
    )


@pytest.mark.parametrize("keep_unknown", [True, False])
def test_of_somebody_who_says_no_only_that_is_kept(keep_unknown):
    told = {"keys": [KEY], "consent": {"marketing": False}, "fbp": "f", "url": "https://s.example"}
    [kept] = collected(told, keep_unknown=keep_unknown)

    assert (kept.user_data, kept.event_source_url) == (UserData(), None)
    assert kept.consent.marketing is False


@pytest.mark.parametrize("consent", [None, {}, {"marketing": None}, {"marketing": "maybe"}, 5, []])
@pytest.mark.parametrize("keep_unknown", [True, False])
def test_of_somebody_unknown_is_kept_what_may_be(consent, keep_unknown):
    [kept] = collected({"keys": [KEY], "consent": consent, "fbp": "f"}, keep_unknown=keep_unknown)

    assert bool(kept.user_data.fbp and kept.user_data.client_ip_address) is keep_unknown


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (int(AT.timestamp() * 1000) - 60_000, AT - timedelta(minutes=1)),
        ("2026-11-23T11:59:00Z", AT - timedelta(minutes=1)),
        (None, AT),
        ("yesterday", AT),
        (int(AT.timestamp() * 1000) + 600_000, AT),  # a fast clock
    ],
)
def test_a_word_without_a_sound_time_is_said_when_it_is_heard(told, at):
    [found] = collected({"keys": [KEY], "consent": {"marketing": True, "at": told}})

    assert found.consent.at == at


@pytest.mark.parametrize(
    ("told", "at"),
    [
        (int(AT.timestamp()) - 5, AT - timedelta(seconds=5)),
        (int(AT.timestamp() * 1000) - 5000, AT - timedelta(seconds=5)),
        ("2026-11-23T11:59:55Z", AT - timedelta(seconds=5)),
        (1, AT),
        (10**30, AT),
        (-5, AT),
        ("soon", AT),
        (None, AT),
        (int(AT.timestamp()) + 90_000, AT),
    ],
)
def test_an_implausible_time_is_that_of_receipt(told, at):
    [event] = collected({}, {"event_name": "ViewContent", "event_id": "v.1", "event_time": told})

    assert event.event_time == at


@pytest.mark.parametrize("wrong_ms", [-3_600_000, -1, 0, 600_000, 10**10])
def test_the_times_of_a_browser_whose_clock_is_wrong_are_put_right(wrong_ms):
    its_now = int(AT.timestamp() * 1000) + wrong_ms
    told = {"keys": [KEY], "consent": {"marketing": True, "at": its_now - 60_000}}
    viewed = {"event_name": "Search", "event_id": "s.1", "event_time": its_now - 5_000}
    visitor, event = collected(told, viewed, sent_at=its_now)

    assert visitor.consent.at == AT - timedelta(minutes=1)
    assert event.event_time == AT - timedelta(seconds=5)


@pytest.mark.parametrize("sent_at", [None, "now", 0, -1, 10**30, [1]])
def test_without_the_browsers_own_clock_its_times_count_as_they_are(sent_at):
    ago = int(AT.timestamp() * 1000) - 60_000
    [found] = collected({"keys": [KEY], "consent": {"marketing": True, "at": ago}}, sent_at=sent_at)

    assert found.consent.at == AT - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("marketing", "granted_s", "counts"),
    [(True, 60, True), (True, 10, True), (True, 0, None), (False, 0, False)],
)
def test_what_a_page_kept_until_it_was_allowed_to_tell_was_not_allowed(
    marketing, granted_s, counts
):
    now_s = int(AT.timestamp())
    told = {"keys": [KEY], "consent": {"marketing": marketing, "at": 1000 * (now_s - granted_s)}}
    _, event = collected(
        told, {"event_name": "Search", "event_id": "s.1", "event_time": now_s - 40}
    )

    assert (event.consent.marketing if event.consent else None) is counts


@pytest.mark.parametrize("name", [None, "", " ", 5, "a@example.com", "x" * 51, "1st", ["Lead"]])
def test_what_is_no_event_name_is_no_event(name):
    assert collected({}, {"event_name": name, "event_id": "v.1"}) == []


def test_one_post_tells_so_many_events_and_keys_and_no_more():
    told = {"keys": [f"cart:{number:012}x" for number in range(99)], "consent": {"marketing": True}}
    first, *events = collected(
        told, *[{"event_name": "Search", "event_id": f"s.{n}"} for n in range(99)]
    )

    assert len(first.keys) == MAX_KEYS
    assert len(events) == MAX_EVENTS
    assert all(event.collected for event in events)


def test_contents_and_value_are_read_as_far_as_they_are_sound():
    custom = {
        "value": "12.50", "currency": "EUR", "search_string": "hat",
        "contents": [{"id": 7, "quantity": 2, "item_price": 6.25}, {"quantity": -1}, 5, None],
    }  # fmt: skip
    [event] = collected(
        {}, {"event_name": "Search", "event_id": "s.1", "custom_data": custom}, keep_unknown=True
    )

    first, second = event.basket.contents
    assert (first.variant_id, first.quantity, str(first.price)) == ("7", 2, "6.25")
    assert (second.variant_id, second.quantity) == (None, 1)
    assert str(event.basket.amounts.total) == "12.50"
    assert event.extra == {"search_string": "hat"}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[]", b"5", b"[" * 9999])
def test_a_body_that_is_no_json_object_is_refused_in_our_words(body):
    with pytest.raises(TranslationError):
        list(read_collected(body, AGENT, AT, keep_unknown=False))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
WORDS = st.sampled_from(["keys", "consent", "fbp", "fbc", "url", "marketing", "sale_of_data", "at"])
TOLD = st.dictionaries(WORDS, JSON | st.dictionaries(WORDS, JSON, max_size=4), max_size=6)


@given(told=TOLD | JSON, events=st.lists(JSON, max_size=3) | JSON)
def test_odd_values_anywhere_cost_no_error(told, events):
    raw = json.dumps({"visitor": told, "events": events}).encode()
    try:
        facts = list(read_collected(raw, AGENT, AT, keep_unknown=True))
    except TranslationError:
        return

    assert all(isinstance(fact, Visitor | Event) for fact in facts)
