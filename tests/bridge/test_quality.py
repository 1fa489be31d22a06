"""Quality: asked seldom, kept, and never in the way of anything."""

import json

import pytest

from bridge import quality
from bridge.events import Endpoint, Response
from bridge.net import NoAnswer
from tests.bridge.web.pages import dataset
from tests.stores import *  # noqa: F403  fixtures

ENDPOINT = Endpoint(url="https://graph.example", version="v26.0")
FINE = Response(status=200, body=b'{"id":"1"}')
ROWS = Response(
    status=200,
    body=json.dumps(
        {
            "web": [
                {
                    "event_name": "Purchase",
                    "event_match_quality": {"composite_score": 7.4},
                    "dedupe_key_feedback": [
                        {
                            "dedupe_key": "event_id",
                            "server_events_with_dedupe_key": {"percentage": 98},
                        }
                    ],
                    "data_freshness": {"upload_frequency": "real_time"},
                }
            ]
        }
    ).encode(),
)
SEND_ONLY = Response(status=403, body=b'{"error":{"code":200,"message":"no"}}')
REFUSED = Response(status=401, body=b'{"error":{"code":190,"message":"no"}}')


@pytest.fixture
def graph():
    """Return how the platform is asked, its answers by path, and what it was asked."""
    asked, answers = [], {"quality": ROWS, "access": FINE}

    def post(request):
        asked.append(request)
        answer = answers["quality" if "/dataset_quality?" in request.url else "access"]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return post, answers, asked


def test_a_destination_is_asked_once_in_six_hours_and_what_it_said_is_kept(store, clock, graph):
    post, _, asked = graph
    found = dataset(store)

    assert quality.ask_next(store, ENDPOINT, post)
    assert not quality.ask_next(store, ENDPOINT, post)
    told = quality.told(store, found.id)
    assert told.access.status == "ok"
    assert [(one.event_name, one.match_score, one.dedup_percent) for one in told.rows] == [
        ("Purchase", 7.4, 98)
    ]
    assert {request.method for request in asked} == {"GET"}
    clock.move(6 * 3600 + 1)
    assert quality.ask_next(store, ENDPOINT, post)


def test_other_settings_are_asked_about_at_once(store, graph):
    post, answers, _ = graph
    found = dataset(store)
    quality.ask_next(store, ENDPOINT, post)
    quality.forget(store, found.id)
    answers |= {"access": REFUSED, "quality": REFUSED}

    assert quality.ask_next(store, ENDPOINT, post)
    told = quality.told(store, found.id)
    assert (told.access.status, told.rows) == ("fail", None)


def test_a_token_that_may_only_send_is_no_fault(store, graph):
    post, answers, _ = graph
    answers |= {"access": SEND_ONLY, "quality": SEND_ONLY}
    found = dataset(store)

    assert quality.ask(store, found, ENDPOINT, post).status == "ok"
    assert quality.told(store, found.id).rows is None


def test_what_was_told_before_an_outage_stays_with_its_time(store, clock, graph):
    post, answers, _ = graph
    found = dataset(store)
    quality.ask(store, found, ENDPOINT, post)
    before = quality.told(store, found.id)
    clock.move(7 * 3600)
    answers |= {"access": NoAnswer("no answer"), "quality": NoAnswer("no answer")}
    quality.ask(store, found, ENDPOINT, post)

    told = quality.told(store, found.id)
    assert told.access.status == "warn"  # nobody refused the token
    assert (told.rows, told.rows_at) == (before.rows, before.asked_at)


def test_a_paused_destination_is_left_alone_and_the_next_one_is_asked(store, graph):
    post, _, _ = graph
    paused, active = dataset(store, "paused"), dataset(store, "active")
    store.connections.set_destination(paused.id, state="paused")

    assert quality.ask_next(store, ENDPOINT, post)
    assert quality.told(store, paused.id) is None
    assert quality.told(store, active.id) is not None
