"""Faults on command: the SPEC, and what each one does to a request."""

import json
import threading
import time

import pytest
import requests

from bridge.events import ConfigError
from bridge.sandbox import Faults, create_app, parse


@pytest.fixture
def ids(sandbox):
    """Return the ids of what was taken."""
    return lambda: [row["event_id"] for row in sandbox.accepted()]


def test_a_spec_is_read():
    first, second, third = parse("status=500x3, code=4;retry_after=120 ,refuse=id:purchase.7")

    assert (first.kind, first.value, first.times) == ("status", "500", 3)
    assert (second.kind, second.value, second.times) == ("code", "4", None)
    assert second.options == {"retry_after": "120"}
    assert (third.kind, third.value) == ("refuse", "id:purchase.7")


def test_json_says_the_same_as_a_spec():
    fault = {"kind": "refuse", "value": "id:a,b;cx3", "options": {"delay": "1"}, "times": 2}

    assert [each.as_json() for each in parse(json.dumps([fault]))] == [fault]
    assert [each.as_json() for each in parse(json.dumps(fault))] == [fault]
    assert [str(each) for each in parse('"code=190,half"')] == ["code=190", "half"]


@pytest.mark.parametrize(
    "spec",
    [
        "status=500x3",
        "code=100/2804003;status=503;retry_after=2;delay=0.5;every=2",
        "delay=2.5",
        "reset",
        "reset=after",
        "half",
        "drip=0.2",
        "refuse=n:7",
        "redirect=307",
    ],
)
def test_what_is_shown_can_be_set_again(spec):
    faults = Faults(spec)
    again = Faults(json.dumps(faults.as_json()))

    assert again.as_json() == faults.as_json() != []


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("nonsense", "fault: 'nonsense' is none of status, code"),
        ("status", "fault: status takes an HTTP status"),
        ("status=999", "fault: status takes an HTTP status"),
        ("code=abc", "fault: code takes CODE or CODE/SUBCODE"),
        ("code=4;retry_after=soon", "fault: code;retry_after takes whole seconds"),
        ("code=4;wait=1", "fault: option 'wait' is none of retry_after"),
        ("delay=-1", "fault: delay takes seconds"),
        ("half=1", "fault: half takes nothing"),
        ("refuse=7", "fault: refuse takes n:NUMBER or id:EVENT_ID"),
        ("redirect=200", "fault: redirect takes 301"),
        ("[1]", "fault: JSON must be objects"),
        ("[{]", "fault: this is neither a SPEC nor sound JSON"),
        ('[{"kind": "half", "times": -1}]', "fault: times must be a whole number"),
        ('[{"kind": "half", "options": 3}]', "fault: options must be an object"),
    ],
)
def test_a_wrong_spec_is_one_clear_sentence(spec, sentence):
    with pytest.raises(ConfigError) as told:
        parse(spec)

    assert str(told.value).startswith(sentence)


def test_faults_are_set_and_shown_over_http(sandbox, http):
    url = f"{sandbox.url}/faults"
    fault = {"kind": "code", "value": "190", "options": {}, "times": 2}

    assert http.post(url, data="code=190x2").json() == [fault]
    assert http.get(url).json() == [fault]
    assert http.post(url, json=[fault]).json() == [fault]
    assert http.post(url, data="").json() == []


def test_a_wrong_fault_over_http_leaves_the_old_ones(sandbox, http):
    http.post(f"{sandbox.url}/faults", data="half")

    refused = http.post(f"{sandbox.url}/faults", data="nonsense")
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("fault: 'nonsense'")
    assert http.get(f"{sandbox.url}/faults").json()[0]["kind"] == "half"


def test_a_status_holds_so_many_times_and_then_the_next_fault(sandbox, post, event, ids):
    sandbox.faults.set("status=500x2,code=190x1")

    assert [post(event()).status_code for _ in range(4)] == [500, 500, 401, 200]
    assert ids() == ["purchase.1001"]
    assert [each["fault"] for each in sandbox.refused()] == ["status=500", "status=500", "code=190"]
    assert sandbox.faults.as_json() == []


def test_a_fault_without_a_number_holds_for_ever(sandbox, post, event):
    sandbox.faults.set("status=503")

    assert {post(event()).status_code for _ in range(5)} == {503}


def test_every_second_request_fails(sandbox, post, event):
    sandbox.faults.set("status=500;every=2")

    assert [post(event()).status_code for _ in range(4)] == [200, 500, 200, 500]


@pytest.mark.parametrize(
    ("spec", "status", "code", "subcode"),
    [
        ("code=100/2804003", 400, 100, 2804003),
        ("code=1", 500, 1, None),
        ("code=2", 503, 2, None),
        ("code=80004", 400, 80004, None),
        ("code=100/33", 400, 100, 33),
        ("code=2635", 400, 2635, None),
        ("code=4;status=429", 429, 4, None),
    ],
)
def test_a_code_is_answered_as_the_graph_api_does(
    sandbox, post, event, spec, status, code, subcode
):
    sandbox.faults.set(spec)

    answer = post(event())
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"].get("error_subcode") == subcode


def test_a_throttle_asks_to_wait(sandbox, post, event):
    sandbox.faults.set("code=613;retry_after=120")

    answer = post(event())
    assert answer.headers["Retry-After"] == "120"
    assert "X-App-Usage" in answer.headers


def test_a_delayed_answer_is_the_right_one(sandbox, post, event, ids):
    sandbox.faults.set("delay=0.05")

    answer = post(event())
    assert answer.json()["events_received"] == 1
    assert answer.elapsed.total_seconds() >= 0.05
    assert ids() == ["purchase.1001"]


def test_stopping_cuts_a_long_delay():
    stop = threading.Event()
    stop.set()
    client = create_app(faults=Faults("delay=9999"), stop=stop).test_client()

    assert client.post("/v26.0/1/events").status_code == 401


@pytest.mark.parametrize(("spec", "taken"), [("reset", []), ("reset=after", ["purchase.1001"])])
def test_a_reset_gives_no_answer(sandbox, post, event, ids, spec, taken):
    sandbox.faults.set(spec)

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        post(event())
    assert ids() == taken
    assert sandbox.requests()[0]["status"] is None


def test_half_an_answer_is_cut_after_the_events_are_taken(sandbox, post, event, ids):
    sandbox.faults.set("half")

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        post(event())
    assert ids() == ["purchase.1001"]


def test_a_dripping_answer_comes_byte_by_byte(sandbox, post, event, ids):
    sandbox.faults.set("drip=0.002")

    start = time.monotonic()
    answer = post(event())
    assert answer.json()["events_received"] == 1
    assert time.monotonic() - start >= len(answer.content) * 0.002
    assert ids() == ["purchase.1001"]


@pytest.mark.parametrize(("spec", "start"), [("html", "<!doctype html>"), ("empty", "")])
def test_a_200_that_is_no_answer(sandbox, post, event, ids, spec, start):
    sandbox.faults.set(spec)

    answer = post(event())
    assert answer.status_code == 200
    assert answer.text[:15] == start
    assert ids() == []


def test_fewer_events_are_taken_and_counted(sandbox, post, event, ids):
    sandbox.faults.set("fewer")

    assert post(event(event_id="1"), event(event_id="2")).json()["events_received"] == 1
    assert ids() == ["1"]


def test_a_followed_redirect_is_seen(sandbox, post, http, event, ids):
    sandbox.faults.set("redirect=307")

    answer = post(event())
    assert answer.status_code == 307
    http.post(answer.headers["Location"], json={})
    assert ids() == []
    assert [each["path"] for each in sandbox.refused()][1:] == ["/elsewhere"]


def test_an_endless_answer_does_not_end(sandbox, http, event):
    sandbox.faults.set("endless")
    url, headers = f"{sandbox.url}/v26.0/1/events", {"Authorization": "Bearer EAA"}

    with http.post(url, json={"data": [event()]}, headers=headers, stream=True) as answer:
        assert len(answer.raw.read(1_000_000)) == 1_000_000


def test_a_packed_answer_is_small_on_the_wire(sandbox, http, event):
    sandbox.faults.set("gzip")
    url, headers = f"{sandbox.url}/v26.0/1/events", {"Authorization": "Bearer EAA"}

    with http.post(url, json={"data": [event()]}, headers=headers, stream=True) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.raw.read(decode_content=False)) < 100_000


def test_a_bad_id_refuses_every_batch_that_holds_it(sandbox, post, event, ids):
    sandbox.faults.set("refuse=id:b")
    a, b, c = (event(event_id=name) for name in "abc")

    refused = post(a, b, c)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 100)
    assert "error_data" not in refused.json()["error"]
    assert [post(batch).status_code for batch in (a, b, c, b)] == [200, 400, 200, 400]
    assert ids() == ["a", "c"]


def test_the_nth_event_seen_stays_the_bad_one(sandbox, post, event, ids):
    sandbox.faults.set("refuse=n:3")
    a, b, c, d = (event(event_id=name) for name in "abcd")

    assert post(a, b).status_code == 200
    assert post(b, c, d).status_code == 400
    assert [post(each).status_code for each in (d, c, b)] == [200, 400, 200]
    assert ids() == ["a", "b", "d", "b"]


def test_an_nth_event_without_an_id_is_known_by_its_content(sandbox, post, event):
    sandbox.faults.set("refuse=n:1")
    bad, good = (event(event_id=None, custom_data={"value": v, "currency": "EUR"}) for v in (1, 2))

    assert [post(each).status_code for each in (bad, good, bad)] == [400, 200, 400]


def test_two_bad_events_are_two_faults(sandbox, post, event, ids):
    sandbox.faults.set("refuse=id:a,refuse=id:c")
    a, b, c = (event(event_id=name) for name in "abc")

    assert [post(*batch).status_code for batch in ((a, b), (b, c), (b,))] == [400, 400, 200]
    assert ids() == ["b"]
