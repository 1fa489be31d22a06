"""What the sandbox takes and what it refuses, over real HTTP."""

import json
from datetime import UTC, datetime

import pytest

DAY = 86_400
WEAK = [
    {},
    {"client_user_agent": "Mozilla"},
    {"ct": "h", "country": "h", "st": "h", "zp": "h", "ge": "h", "client_user_agent": "Mozilla"},
    {"db": "h", "client_user_agent": "Mozilla"},
    {"fn": "h", "ge": "h"},
    {"ln": "h", "ge": "h"},
    {"em": [], "ph": [""], "fn": "h"},
    {"email": "h"},
]
STRONG = [
    {"fn": "h", "ln": "h"},
    {"db": "h", "ct": "h"},
    {"external_id": "42"},
    {"fbp": "fb.1.1596403881668.1098115397"},
    {"client_ip_address": "203.0.113.7", "client_user_agent": "Mozilla"},
]


def error(answer):
    return answer.json()["error"]


def test_a_sound_event_is_accepted(sandbox, post, event):
    answer = post(event())

    assert answer.status_code == 200
    assert answer.json().keys() == {"events_received", "messages", "fbtrace_id"}
    assert answer.json()["events_received"] == 1
    assert answer.json()["messages"] == []
    assert answer.json()["fbtrace_id"]
    assert [row["event_id"] for row in sandbox.accepted()] == ["purchase.1001"]
    assert sandbox.refused() == []


def test_each_answer_has_a_trace_id_of_its_own(post, event):
    assert post(event()).json()["fbtrace_id"] != post(event()).json()["fbtrace_id"]


def test_a_form_is_read_like_json(sandbox, http, event):
    answer = http.post(
        f"{sandbox.url}/v26.0/1/events",
        data={"data": json.dumps([event()]), "access_token": "EAA", "test_event_code": "TEST1"},
    )

    assert answer.status_code == 200
    assert sandbox.accepted()[0]["test_event_code"] == "TEST1"


def test_a_large_form_is_read(sandbox, http, event):
    batch = [event(event_id=str(i), opt_out_note="x" * 1000) for i in range(1000)]

    answer = http.post(
        f"{sandbox.url}/v26.0/1/events", data={"data": json.dumps(batch), "access_token": "EAA"}
    )

    assert answer.json()["events_received"] == 1000


@pytest.mark.parametrize(
    ("headers", "query", "field"),
    [
        ({"Authorization": "Bearer EAA"}, {}, {}),
        ({"Authorization": "OAuth EAA"}, {}, {}),
        ({}, {"access_token": "EAA"}, {}),
        ({}, {}, {"access_token": "EAA"}),
    ],
)
def test_the_token_may_stand_in_header_url_or_body(sandbox, http, event, headers, query, field):
    answer = http.post(
        f"{sandbox.url}/v26.0/1/events",
        headers=headers,
        params=query,
        json={"data": [event()], **field},
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("token", "status", "code", "subcode"),
    [
        ("", 401, 190, None),
        ("two words", 401, 190, None),
        ("expired-EAA", 401, 190, 463),
        ("denied-EAA", 403, 200, None),
        ("throttled-EAA", 403, 4, None),
    ],
)
def test_a_bad_token_is_refused(sandbox, post, event, token, status, code, subcode):
    answer = post(event(), token=token)

    assert answer.status_code == status
    assert error(answer)["code"] == code
    assert error(answer).get("error_subcode") == subcode
    assert error(answer)["type"] == "OAuthException"
    assert error(answer)["fbtrace_id"]
    assert sandbox.accepted() == []


def test_a_throttle_says_that_it_passes_and_shows_the_usage(post, event):
    answer = post(event(), token="throttled")

    assert error(answer)["is_transient"] is True
    assert json.loads(answer.headers["X-App-Usage"])["call_count"] == 100


@pytest.mark.parametrize("dataset", ["404", "abc", "12a", "१२"])
def test_an_unknown_dataset_is_refused(post, event, dataset):
    answer = post(event(), dataset=dataset)

    assert answer.status_code == 400
    assert (error(answer)["code"], error(answer)["error_subcode"]) == (100, 33)


@pytest.mark.parametrize(("version", "code"), [("v20.0", 2635), ("v99.0", 2500), ("26", 2500)])
def test_a_retired_or_unknown_version_is_refused(post, event, version, code):
    answer = post(event(), version=version)

    assert answer.status_code == 400
    assert error(answer)["code"] == code


def test_a_version_ends_on_its_day(post, event, clock):
    clock.now = datetime(2027, 1, 20, 23, tzinfo=UTC).timestamp()
    assert post(event(event_time=int(clock.now)), version="v21.0").status_code == 200

    clock.now += 3600
    assert error(post(event(event_time=int(clock.now)), version="v21.0"))["code"] == 2635


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": {}}', b'{"data": []}', b"\xff"])
def test_a_request_without_a_batch_is_refused(sandbox, http, body):
    answer = http.post(
        f"{sandbox.url}/v26.0/1/events", data=body, headers={"Authorization": "Bearer EAA"}
    )

    assert answer.status_code == 400
    assert error(answer)["code"] == 100
    assert "error_subcode" not in error(answer)
    assert len(sandbox.refused()) == 1


def test_a_thousand_events_are_taken_and_one_more_is_too_many(sandbox, post, event):
    events = [event(event_id=str(i)) for i in range(1001)]

    assert post(*events[:1000]).json()["events_received"] == 1000
    assert error(post(*events))["code"] == 100
    assert len(sandbox.accepted()) == 1000


def test_one_bad_event_refuses_the_whole_batch(sandbox, post, event):
    answer = post(event(event_id="1"), event(event_id="2", event_name=None), event(event_id="3"))

    assert answer.status_code == 400
    assert error(answer)["error_data"] == {"blame_field_specs": [["data", 1, "event_name"]]}
    assert sandbox.accepted() == []
    assert sandbox.refused()[0]["events"] == 3


@pytest.mark.parametrize(
    ("changes", "field", "subcode"),
    [
        ({"event_name": None}, "event_name", None),
        ({"event_name": " "}, "event_name", None),
        ({"event_time": None}, "event_time", None),
        ({"event_time": "2026-11-23T12:00:00Z"}, "event_time", None),
        ({"event_time": True}, "event_time", None),
        ({"action_source": None}, "action_source", None),
        ({"action_source": "web"}, "action_source", None),
        ({"action_source": ["website"]}, "action_source", None),
        ({"custom_data": None}, "currency", 2804010),
        ({"custom_data": {"value": 1}}, "currency", 2804010),
        ({"custom_data": {"value": 1, "currency": ""}}, "currency", 2804010),
        ({"custom_data": {"currency": "EUR"}}, "value", None),
        ({"custom_data": {"currency": "EUR", "value": "twelve"}}, "value", None),
        ({"custom_data": {"currency": "EUR", "value": True}}, "value", None),
        ({"user_data": None}, "user_data", 2804050),
        ({"user_data": "x"}, "user_data", 2804050),
        ({"user_data": {"em": ["john@example.com"]}}, "em", None),
        ({"user_data": {"ph": "+44 20 7946 0000", "fbp": "x"}}, "ph", None),
        ({"user_data": {"ph": [442079460000]}}, "ph", None),
    ],
)
def test_a_bad_field_is_refused_and_named(post, event, changes, field, subcode):
    answer = post(event(**changes))

    assert answer.status_code == 400
    assert error(answer)["code"] == 100
    assert error(answer).get("error_subcode") == subcode
    assert error(answer)["is_transient"] is False
    assert error(answer)["error_data"]["blame_field_specs"][0][-1] == field


def test_an_event_that_is_no_object_is_refused(post):
    assert error(post("Purchase"))["error_data"] == {"blame_field_specs": [["data", 0]]}


@pytest.mark.parametrize("user_data", WEAK)
def test_weak_customer_information_is_refused(post, event, user_data):
    answer = post(event(user_data=user_data))

    assert error(answer)["error_subcode"] == 2804050


@pytest.mark.parametrize("user_data", STRONG)
def test_enough_customer_information_is_taken(post, event, user_data):
    assert post(event(user_data=user_data)).status_code == 200


@pytest.mark.parametrize(
    ("source", "age", "status"),
    [
        ("website", 7 * DAY, 200),
        ("website", 7 * DAY + 1, 400),
        ("physical_store", 62 * DAY, 200),
        ("physical_store", 62 * DAY + 1, 400),
        ("website", -600, 200),
        ("website", -601, 400),
    ],
)
def test_an_event_may_be_so_old_and_no_older(post, event, clock, source, age, status):
    answer = post(event(action_source=source, event_time=clock.now - age))

    assert answer.status_code == status
    if status == 400:
        assert error(answer).get("error_subcode") == (2804003 if age > 0 else None)


def test_age_is_judged_before_customer_information(post, event, clock):
    old = event(event_time=clock.now - 8 * DAY, user_data={"client_user_agent": "curl"})

    assert error(post(old))["error_subcode"] == 2804003


def test_any_other_path_is_refused_and_listed(sandbox, http):
    answer = http.post(f"{sandbox.url}/elsewhere", json={"access_token": "EAA"})

    assert error(answer)["code"] == 2500
    assert sandbox.refused()[0]["path"] == "/elsewhere"
