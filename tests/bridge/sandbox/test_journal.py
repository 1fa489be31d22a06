"""What the sandbox remembers, tells, and forgets."""

import pytest

from bridge.sandbox import journal
from bridge.sandbox.journal import Exchange, Journal

HOUR = 3600


def test_an_accepted_event_is_listed_with_all_that_matters(sandbox, post, http, event):
    post(event(), test_event_code="TEST1")

    shown = http.get(f"{sandbox.url}/events.json").json()
    assert shown == {
        "accepted": [
            {
                "dataset": "1234567890",
                "event_name": "Purchase",
                "event_id": "purchase.1001",
                "event_time": event()["event_time"],
                "action_source": "website",
                "value": 12.5,
                "currency": "EUR",
                "user_data_keys": ["client_user_agent", "em"],
                "test_event_code": "TEST1",
                "received_at": "2026-11-23T12:00:00.000+00:00",
                "request": 1,
                "duplicate": False,
                "warnings": [],
                "event": event(),
            }
        ],
        "refused": [],
        "requests": 1,
        "duplicates": 0,
    }


def test_a_refused_request_is_listed_with_its_error(sandbox, post, http, event):
    post(event(custom_data={"value": 1}))

    (refused,) = http.get(f"{sandbox.url}/events.json").json()["refused"]
    assert refused == {
        "request": 1,
        "received_at": "2026-11-23T12:00:00.000+00:00",
        "method": "POST",
        "path": "/v26.0/1234567890/events",
        "dataset": "1234567890",
        "events": 1,
        "status": 400,
        "code": 100,
        "error_subcode": 2804010,
        "message": "A Purchase needs custom_data.currency.",
        "blame": ["data", 0, "custom_data", "currency"],
        "fault": "",
    }


def test_requests_lists_taken_and_refused_ones(sandbox, post, event):
    post(event(), event(event_id="2"))
    post(event(), token="")

    assert [(each["events"], each["status"]) for each in sandbox.requests()] == [(2, 200), (1, 401)]


def test_a_second_copy_is_kept_and_flagged(sandbox, post, event):
    post(event(), event())
    post(event())

    assert [row["duplicate"] for row in sandbox.accepted()] == [False, True, True]
    assert sandbox.as_json()["duplicates"] == 2


@pytest.mark.parametrize("changes", [{"event_id": "2"}, {"event_name": "Lead"}])
def test_another_id_or_name_is_no_duplicate(sandbox, post, event, changes):
    post(event(), event(**changes))

    assert sandbox.as_json()["duplicates"] == 0


def test_another_dataset_is_no_duplicate(sandbox, post, event):
    post(event())
    post(event(), dataset="2")

    assert sandbox.as_json()["duplicates"] == 0


def test_events_without_an_id_are_no_duplicates(sandbox, post, event):
    post(event(event_id=None), event(event_id=None))

    assert sandbox.as_json()["duplicates"] == 0


def test_after_48_hours_the_same_id_is_new(sandbox, post, event, clock):
    post(event())
    clock.now += 48 * HOUR - 1
    post(event())
    clock.now += 1
    post(event())

    assert [row["duplicate"] for row in sandbox.accepted()] == [False, True, False]


def test_a_refused_event_is_not_seen(sandbox, post, event):
    post(event(), event(event_name=None))
    post(event())

    assert sandbox.as_json()["duplicates"] == 0


def test_delete_clears_everything(sandbox, post, http, event):
    post(event())
    post(event(), token="")

    assert http.delete(f"{sandbox.url}/events.json").status_code == 204
    assert http.get(f"{sandbox.url}/events.json").json() == {
        "accepted": [],
        "refused": [],
        "requests": 0,
        "duplicates": 0,
    }
    post(event())
    assert sandbox.as_json()["duplicates"] == 0


def test_memory_is_bounded(monkeypatch, event):
    monkeypatch.setattr(journal, "MAX_ROWS", 5)
    monkeypatch.setattr(journal, "MAX_PAYLOADS", 2)
    monkeypatch.setattr(journal, "MAX_REQUESTS", 3)
    monkeypatch.setattr(journal, "MAX_IDS", 4)
    memory = Journal()

    for i in range(8):
        taken = Exchange(method="POST", path="/", dataset="1")
        memory.accept(taken, [event(event_id=str(i))], now=i)
        memory.refuse(Exchange(method="POST", path="/"), now=i)
    memory.accept(Exchange(method="POST", path="/", dataset="1"), [event(event_id="0")], now=9)

    assert [row["event_id"] for row in memory.accepted()] == ["4", "5", "6", "7", "0"]
    payloads = [row["event"] is not None for row in memory.accepted()]
    assert payloads == [False, False, False, True, True]
    assert len(memory.refused()) == len(memory.requests()) == 3
    assert memory.counts() == {"requests": 17, "events": 9, "refusals": 8, "duplicates": 0}
