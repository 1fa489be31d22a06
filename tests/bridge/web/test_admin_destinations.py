"""Datasets: adding, testing on request, rotating the token, pausing and removing."""

import json

import pytest

from bridge.events import Response
from bridge.net import NotSent
from tests.bridge.web.pages import TOKEN, dataset
from tests.fakes.browser import Browser
from tests.stores import rows

DATASETS = "/admin/connections/destinations"
TAKEN = Response(status=200, body=b'{"events_received":1,"messages":[],"fbtrace_id":"A1b2"}')
PARKED = Response(
    status=400,
    body=b'{"error":{"message":"Invalid OAuth access token.","type":"OAuthException","code":190}}',
)


@pytest.fixture
def operator(application):
    return Browser(application).signed_in("operator", "olga")


@pytest.fixture
def reader(application, operator):
    return Browser(application).signed_in("reader", "ray")


@pytest.fixture
def graph(application):
    """Return what is asked of the platform, and a list whose last entry it answers."""
    asked, answers = [], [TAKEN]

    def post(request):
        asked.append(request)
        answer = answers[-1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    application.flask.config["POST"] = post
    return asked, answers


def page(destination):
    return f"{DATASETS}/{destination.id}"


def only(store):
    [found] = store.connections.destinations()
    return found


def actions(store):
    return rows(store, "audit", "action")


def test_two_fields_connect_a_dataset_and_nothing_is_sent(operator, store, graph):
    form = {"name": "main", "dataset_id": "123", "access_token": TOKEN}
    answer = operator.post(f"{DATASETS}/new/meta", **form)

    assert answer.status_code == 303
    assert only(store).settings == {"dataset_id": "123", "access_token": TOKEN}
    assert graph[0] == []
    assert actions(store) == ["destination.added"]


@pytest.mark.parametrize("missing", ["name", "dataset_id", "access_token"])
def test_what_is_missing_is_told(operator, store, missing):
    form = {"name": "main", "dataset_id": "123", "access_token": TOKEN, missing: ""}
    answer = operator.post(f"{DATASETS}/new/meta", **form)

    assert answer.status_code == 422
    assert TOKEN not in answer.text
    assert store.connections.destinations() == []


def test_a_test_sends_one_custom_event_and_tells_the_answer(operator, store, graph):
    found = dataset(store)
    before = operator.get(page(found)).text
    answer = operator.post(f"{page(found)}/test", test_event_code="TEST7")
    [request] = graph[0]
    sent = json.loads(request.body)

    assert "Not tested yet" in before
    assert [one["event_name"] for one in sent["data"]] == ["BridgeTest"]
    assert sent["test_event_code"] == "TEST7"
    assert "The event was accepted." in answer.text
    assert "A1b2" in answer.text
    assert "Events are accepted" in operator.get(page(found)).text


def test_a_refusal_is_told_in_plain_words(operator, store, graph):
    found = dataset(store)
    graph[1].append(PARKED)
    answer = operator.post(f"{page(found)}/test")

    assert "look at the settings" in answer.text
    assert "Not tested yet" in answer.text


def test_a_platform_that_is_away_is_told(operator, store, graph):
    found = dataset(store)
    graph[1].append(NotSent("not sent: NameResolutionError"))
    answer = operator.post(f"{page(found)}/test")

    assert answer.status_code == 200
    assert "not sent: NameResolutionError" in answer.text


def test_access_is_checked_without_sending(operator, store, graph):
    found = dataset(store)
    graph[1].append(Response(status=200, body=b'{"id":"1234567890","name":"Shop"}'))
    answer = operator.post(f"{page(found)}/check")

    assert answer.status_code == 200
    assert {request.method for request in graph[0]} == {"GET"}
    assert "The token works" in answer.text


def test_a_token_is_rotated_and_never_shown(operator, store):
    found = dataset(store)
    form = {"dataset_id": "1234567890", "access_token": "canary-new-token"}
    operator.post(f"{page(found)}/settings", **form)
    kept = operator.post(f"{page(found)}/settings", dataset_id="1234567890", access_token="")

    assert kept.status_code == 303
    assert only(store).settings["access_token"] == "canary-new-token"
    assert "canary" not in operator.get(page(found)).text
    assert operator.post(f"{page(found)}/settings", dataset_id="").status_code == 422


def test_a_parked_dataset_says_why_and_goes_on(operator, store):
    found = dataset(store)
    store.outbox.park(found.id, "token", next_at=store.now())
    parked = operator.get(page(found)).text
    operator.post(f"{page(found)}/state", state="active")

    assert "Stopped: it needs you" in parked
    assert only(store).state == "active"


def test_a_dataset_is_paused_and_removed(operator, store):
    found = dataset(store)
    operator.post(f"{page(found)}/state", state="paused")
    paused = only(store).state
    operator.post(f"{page(found)}/remove")
    unsure = len(store.connections.destinations())
    operator.post(f"{page(found)}/remove", sure="yes")

    assert (paused, unsure, store.connections.destinations()) == ("paused", 1, [])
    assert actions(store) == ["destination.paused", "destination.removed"]
    assert operator.get(page(found)).status_code == 404


@pytest.mark.parametrize("action", ["settings", "check", "test", "state", "remove"])
def test_a_reader_changes_and_sends_nothing(reader, store, graph, action):
    found = dataset(store)

    assert reader.post(f"{page(found)}/{action}", sure="yes", state="paused").status_code == 403
    assert (only(store), graph[0]) == (found, [])
    assert TOKEN not in reader.get(page(found)).text
