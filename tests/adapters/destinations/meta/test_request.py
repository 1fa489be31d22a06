"""The request: bytes joined, secrets kept out, wrong settings named."""

import hashlib
import hmac
import json

import pytest

from adapters.destinations.meta import adapter
from bridge.events import ConfigError, Endpoint

ENDPOINT = Endpoint(url="https://graph.example/", version="v26.0")
SETTINGS = {"dataset_id": "123", "access_token": "EAAtoken"}


def test_payloads_are_joined_byte_for_byte():
    request = adapter.request([b'{"a":1.10}', b'{"b":2}'], SETTINGS, ENDPOINT)

    assert request.body == b'{"data":[{"a":1.10},{"b":2}]}'


def test_the_dataset_is_posted_to_under_the_endpoint():
    request = adapter.request([b"{}"], SETTINGS, ENDPOINT)

    assert (request.method, request.url) == ("POST", "https://graph.example/v26.0/123/events")
    assert request.header("content-type") == "application/json"


def test_the_token_travels_in_its_header_alone():
    request = adapter.request([b"{}"], SETTINGS, ENDPOINT)

    assert request.header("authorization") == "Bearer EAAtoken"
    assert b"EAAtoken" not in request.body
    assert "EAAtoken" not in request.url


def test_what_else_is_set_follows_the_events():
    settings = SETTINGS | {"app_secret": "hush", "partner_agent": "my-agency"}

    request = adapter.request([b"{}"], settings, ENDPOINT, test_event_code=" TEST12 ")

    assert json.loads(request.body) == {
        "data": [{}],
        "test_event_code": "TEST12",
        "partner_agent": "my-agency",
        "appsecret_proof": hmac.new(b"hush", b"EAAtoken", hashlib.sha256).hexdigest(),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset_id": ""},
        {"dataset_id": "12/../34"},
        {"access_token": ""},
        {"access_token": "EAA\r\nX-Other: 1"},
        {"app_secret": "hu sh"},
        {"partner_agent": "1"},
        {"partner_agent": "a" * 23},
    ],
)
def test_a_wrong_setting_is_named_and_not_told(wrong):
    (name, value), *_ = wrong.items()

    with pytest.raises(ConfigError, match=name) as caught:
        adapter.request([b"{}"], SETTINGS | wrong, ENDPOINT)

    assert not value or value not in str(caught.value).split()


def test_a_test_event_is_not_sent_without_its_code():
    with pytest.raises(ConfigError):
        adapter.request([b"{}"], SETTINGS, ENDPOINT, test_event_code="TEST\ud800")


@pytest.mark.parametrize("count", [0, 1_001])
def test_a_request_takes_one_to_a_thousand_events(count):
    with pytest.raises(ValueError, match="1 to 1000"):
        adapter.request([b"{}"] * count, SETTINGS, ENDPOINT)


def test_a_thousand_events_are_taken():
    request = adapter.request([b"{}"] * 1_000, SETTINGS, ENDPOINT)

    assert len(json.loads(request.body)["data"]) == 1_000
