"""Activity: lists, their filters and pages, one event's story, the second chance."""

import json
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from bridge.events import Endpoint
from bridge.sandbox import Sandbox
from bridge.send import Sender
from bridge.store import micros, moment
from bridge.translate import translate_due
from bridge.web.admin import activity, filters, words
from tests.bridge.translate.line import ANY_CONSENT, connect
from tests.bridge.translate.shops import DENIED, order
from tests.fakes.browser import Browser
from tests.stores import START, commit, rows

LIST = "/admin/activity"
REPLAY = f"{LIST}/replay"
ROW = re.compile(r'href="/admin/events/(\d+)"')


@pytest.fixture
def reader(application):
    return Browser(application).signed_in("reader")


@pytest.fixture
def operator(application, reader):
    return Browser(application).signed_in("operator", "olga")


@pytest.fixture
def many(store, source, outbox_row, clock):
    """Return a function that lets events arrive, one a second."""

    def arrive(count, **changes):
        for _ in range(count):
            clock.move(1)
            commit(store, source, outbox_row(**changes))

    return arrive


@pytest.fixture
def shop(store, clock):
    """Return a connected shop whose orders are sent wherever the buyer did not say no."""
    clock.now = micros(moment(START).replace(hour=16))
    return connect(store, "shopify", plan=ANY_CONSENT)


def shown(answer):
    return list(dict.fromkeys(int(found) for found in ROW.findall(answer.text)))


def link(answer, rel):
    found = re.search(f'rel="{rel}" href="([^"]+)"', answer.text)
    return found[1].replace("&amp;", "&") if found else None


def test_an_empty_list_says_what_will_stand_there(reader):
    page = reader.get(LIST).text

    assert "No event yet" in page
    assert "No event fits" in reader.get(f"{LIST}?state=dead").text
    assert "No delivery fits" in reader.get(f"{LIST}/deliveries").text


def test_pages_are_walked_back_and_forth_by_links(reader, many, monkeypatch):
    monkeypatch.setattr(activity, "PAGE", 2)
    many(5)
    first = reader.get(LIST)
    second = reader.get(link(first, "next"))
    third = reader.get(link(second, "next"))
    back = reader.get(link(third, "prev"))

    assert [shown(page) for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert shown(back) == [3, 2]
    assert (link(first, "prev"), link(third, "next")) == (None, None)


def test_filters_are_kept_under_a_name_for_everybody_and_forgotten(operator, reader, store, many):
    many(1, state="skipped", reason="not_paid")
    path, view = f"{LIST}/views", {"state": "skipped", "reason": "not_paid"}
    kept = operator.post(path, name=" Unpaid <b> ", **view)

    assert kept.location == f"{LIST}?state=skipped&reason=not_paid"
    page = reader.get(LIST).text
    assert 'href="/admin/activity?state=skipped&amp;reason=not_paid">Unpaid &lt;b&gt;</a>' in page
    assert "Forget the view" in operator.get(kept.location).text
    operator.post(path, name="Unpaid <b>")
    assert "Unpaid" not in reader.get(LIST).text
    assert rows(store, "audit", "action")[-2:] == ["activity.view"] * 2


def test_a_view_needs_a_name_and_filters_that_mean_something(operator, reader, store):
    for name, view in (("", {"state": "dead"}), ("x", {"state": "nonsense"})):
        operator.post(f"{LIST}/views", name=name, **view)

    assert reader.post(f"{LIST}/views", name="x", state="dead").status_code == 403
    assert not store.overview.answer(activity.VIEWS)


def test_links_to_other_pages_keep_the_filters(reader, many, monkeypatch):
    monkeypatch.setattr(activity, "PAGE", 1)
    many(3, state="skipped", reason="not_paid")
    older = link(reader.get(f"{LIST}?state=skipped&reason=not_paid&junk=1"), "next")

    assert older.startswith(f"{LIST}?state=skipped&reason=not_paid&older=")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [4, 3, 2, 1]),
        ("state=dead", [3]),
        ("state=open", [1]),
        ("reason=consent", [4, 2]),
        ("reason=consent_unknown", [4]),
        ("event=Lead", [4]),
        ("source=1&state=skipped", [4, 2]),
        ("source=2", []),
        ("destination=1", [4, 3, 2, 1]),
        ("destination=2", []),
        ("q=%23901", [1]),
        ("q=901", [1]),
        ("from=2026-11-23&to=2026-11-23", [4, 3, 2, 1]),
        ("to=2026-11-22", []),
        ("state=nonsense&source=x&from=9999-99-99&older=x&newer=1-", [4, 3, 2, 1]),
        ("source=99999999999999999999&q=%00", [4, 3, 2, 1]),
        ("to=9999-12-31&from=0001-01-01", [4, 3, 2, 1]),
    ],
)
def test_an_address_filters_the_list_whatever_else_it_says(reader, many, query, found):
    many(1, order_id="901")
    many(1, state="skipped", reason="consent_denied")
    many(1, state="dead", reason="100/1")
    many(1, state="skipped", reason="consent_unknown", event_name="Lead")

    assert shown(reader.get(f"{LIST}?{query}")) == found


def test_what_is_new_is_counted_and_moves_nothing(reader, many):
    many(2)
    first = reader.get(LIST)
    counted = re.search('data-count="([^"]+)"', first.text)[1].replace("&amp;", "&")
    many(3)

    assert reader.get(counted).json == {"count": 3}
    assert reader.get(f"{LIST}/new").status_code == 400
    assert reader.get(f"{LIST}/new?after=0-0&state=dead").json == {"count": 0}


def test_a_delivery_is_listed_with_its_verdicts_and_a_dead_one_can_be_replayed(
    store, shop, reader, operator
):
    shop.tell(*order("shopify", 1001, "paid"))
    shop.post("orders/paid", b"no json")
    translate_due(store)
    (dead,) = [row[0] for row in rows(store, "delivery", "id", "state") if row[1] == "dead"]
    page = reader.get(f"{LIST}/deliveries")
    replay = f"{LIST}/deliveries/{dead}/replay"

    assert "The delivery was not sound JSON." in page.text
    assert "Purchase" in page.text
    assert replay not in page.text
    assert replay in operator.get(f"{LIST}/deliveries?state=dead").text
    assert reader.post(replay).status_code == 403
    assert operator.post(replay).status_code == 303
    assert rows(store, "delivery", "state")[dead - 1] == "received"
    assert ("olga", "events.replayed") in rows(store, "audit", "actor", "action")


def test_the_story_of_an_event_is_told_in_plain_words(store, shop, reader):
    with Sandbox() as graph:
        shop.tell(*order("shopify", 1001, "paid"))
        Sender(store, Endpoint(url=graph.url, version="v26.0")).send_due()
    page = reader.get(f"/admin/events/{max(rows(store, 'outbox', 'id'))}")
    plain = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page.text))

    for words_ in ("Sent", "orders/updated", "The buyer said yes.", "Consent needed", "HTTP 200"):
        assert words_ in plain
    assert re.search(r"Total [\d.]+ Value [\d.]+ EUR", plain)
    assert '"em": [' in page.text.replace("&#34;", '"')


def test_a_skipped_event_says_why_and_what_to_do(store, shop, reader):
    shop.tell(*order("shopify", 1001, "placed"))
    page = reader.get(f"/admin/events/{max(rows(store, 'outbox', 'id'))}").text

    assert "does not count as paid yet" in page
    assert "add its state to paid_states" in page


@pytest.mark.parametrize("path", ["0", "1", "99999999999999999999999", "x"])
def test_an_event_that_is_not_there_is_not_found(reader, path):
    assert reader.get(f"/admin/events/{path}").status_code == 404


def test_one_event_is_replayed_by_an_operator_alone(store, shop, reader, operator):
    shop.tell(*order("shopify", 1001, "paid", consent=DENIED))
    (row_id,) = rows(store, "outbox", "id")
    path = f"/admin/events/{row_id}"
    assert "Decide again" not in reader.get(path).text
    assert reader.post(f"{path}/replay").status_code == 403
    answer = operator.post(f"{path}/replay")

    assert (answer.status_code, answer.location) == (303, path)
    assert "One event is decided again." in operator.get(path).text
    assert "One event waits to be decided again." in reader.get(LIST).text
    translate_due(store)
    assert rows(store, "outbox", "state", "reason") == [("skipped", "consent_denied")]


def test_what_is_no_longer_held_raw_is_not_replayed_and_that_is_said(store, shop, operator):
    shop.tell(*order("shopify", 1001, "paid", consent=DENIED))
    with store.database.write() as connection:
        connection.execute(text("DELETE FROM delivery_body"))
    operator.post("/admin/events/1/replay")

    assert "cannot be replayed any more" in operator.get(LIST).text
    assert "events.replayed" not in rows(store, "audit", "action")
    assert "Nothing here can be replayed" in operator.get(REPLAY).text


def test_many_are_counted_first_and_replayed_when_it_is_confirmed(
    store, shop, reader, operator, monkeypatch
):
    for number in range(1001, 1006):
        shop.tell(*order("shopify", number, "paid", consent=DENIED))
    shop.tell(*order("shopify", 1009, "placed"))
    asked = operator.get(f"{REPLAY}?reason=consent_denied")

    assert "5 events can be decided again." in asked.text
    assert rows(store, "outbox", "reason").count("replayed") == 0
    assert reader.get(REPLAY).status_code == 403
    assert reader.post(REPLAY).status_code == 403
    answer = operator.post(REPLAY, reason="consent_denied")
    assert answer.location == LIST
    assert "5 events are decided again." in operator.get(LIST).text
    assert sorted(rows(store, "outbox", "reason")) == ["not_paid", *["replayed"] * 5]


def test_a_replay_that_takes_long_goes_on_where_it_stopped(store, shop, operator, monkeypatch):
    for number in range(1001, 1004):
        shop.tell(*order("shopify", number, "paid", consent=DENIED))
    times = iter((0.0, 0.0, 99.0, 99.0))
    monkeypatch.setattr(activity, "CHUNK", 2)
    # Not that of the whole process: the pool of connections looks at it too.
    clock = SimpleNamespace(monotonic=lambda: next(times, 99.0))
    monkeypatch.setattr(activity, "time", clock)
    answer = operator.post(REPLAY, state="skipped")
    monkeypatch.undo()
    page = operator.get(answer.location)

    assert rows(store, "outbox", "reason").count("replayed") == 2
    assert "2 events are decided again; there are older ones." in page.text
    assert "One event can be decided again." in page.text
    assert "So far 2 were given back." in page.text


def test_what_may_have_been_sent_is_replayed_only_by_its_name(store, shop, operator):
    for number in (1001, 1002):
        shop.tell(*order("shopify", number, "paid", consent=DENIED))
    with store.database.write() as connection:
        connection.execute(
            text("UPDATE outbox SET state = 'dead', reason = 'unknown_outcome' WHERE id = 1")
        )
    page = operator.get(f"{REPLAY}").text
    operator.post(REPLAY)

    assert "One event can be decided again." in page
    assert "1 more may have been sent" in page
    assert sorted(rows(store, "outbox", "reason")) == ["replayed", "unknown_outcome"]
    operator.post(REPLAY, reason="unknown_outcome")
    assert rows(store, "outbox", "reason") == ["replayed"] * 2


def test_a_thousand_events_are_drawn_fifty_at_a_time(store, source, reader, outbox_row):
    commit(store, source, *[outbox_row(trace=json.dumps({"value": "9.90"})) for _ in range(1000)])
    page = reader.get(LIST)

    assert len(shown(page)) == activity.PAGE
    assert len(page.data) < 100_000


def test_texts_of_strangers_are_shown_as_text(store, source, reader, outbox_row):
    evil = '"><script>alert(1)</script>'
    commit(
        store,
        source,
        outbox_row(order_id=evil, event_name=evil, event_id=evil, state="dead", reason=evil),
    )
    for path in (LIST, "/admin/events/1", f"{LIST}?q={evil}&event={evil}", "/admin/"):
        assert "<script>alert" not in reader.get(path).text


def test_no_page_shows_a_person_or_a_secret(store, shop, operator, application):
    people = set()
    with Sandbox() as graph:
        for number, state in enumerate(("paid", "placed", "refunded", "cancelled"), 1001):
            topic, body = order("shopify", number, state)
            people |= said(body["billing_address"]) | said(body["customer"]) | {body["email"]}
            shop.tell(topic, body)
        shop.post("orders/paid", json.dumps({"email": "canary@example.com"}).encode())
        translate_due(store)
        Sender(store, Endpoint(url=graph.url, version="v26.0")).send_due()
    secrets = {*shop.source.settings.values(), shop.source.webhook_key, shop.source.collect_key}
    paths = ["/admin/", LIST, f"{LIST}/deliveries", REPLAY]
    paths += [f"/admin/events/{row_id}" for row_id in rows(store, "outbox", "id")]
    found = {
        (path, one)
        for path in paths
        for one in people | secrets | {"canary@example.com"}
        if one and one in (answer := operator.get(path)).text and answer.status_code == 200
    }

    assert len(people) > 5
    assert found == set()


def said(address):
    """Return what of an address or customer would name a person."""
    names = ("first_name", "last_name", "name", "address1", "phone", "email", "zip")
    return {str(address[name]) for name in names if address.get(name)}


def test_a_place_in_an_address_is_read_back_or_not_at_all():
    assert filters.place(filters.placed((START, 7))) == (START, 7)
    assert [filters.place(text) for text in ("", "1", "1-", "-1", "1-2-3", "٣-1", "9" * 30)] == [
        None
    ] * 7
    assert filters.placed(None) == ""


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("100/2804003", "Meta answered with error 100/2804003."),
        ("190", "Meta answered with error 190."),
        ("http_503", "The answer had HTTP status 503."),
        ("every_event_refused:100/1", "Meta answered with error 100/1."),
        ("channel:unknown", "The shop does not say where this sale was made."),
        ("channel:pos", "made at a till."),
        ("never_seen", "never_seen"),
        ("", ""),
    ],
)
def test_a_reason_is_told_in_words(application, reason, said):
    with application.flask.test_request_context("/"):
        assert words.reason(reason).endswith(said) or said in words.reason(reason)
        assert isinstance(words.todo(reason), str)


def test_numbers_and_json_are_written_for_people(application):
    with application.flask.test_request_context("/", headers={"Accept-Language": "fr"}):
        assert words.number(1234567) == "1\u202f234\u202f567"
        assert words.as_text({"em": ["a…"], "n": [1, 2], "v": Decimal("1.5")}).splitlines()[1] == (
            '  "em": ["a…"],'
        )
