"""What Meta tells of a dataset: the access, and how good its events are."""

import pytest

from adapters.destinations.meta import adapter
from bridge import net
from bridge.events import Endpoint, Response
from bridge.sandbox import Sandbox

SETTINGS = {"dataset_id": "1234567890", "access_token": "a-token"}


def answer(status, body):
    return Response(status=status, body=body)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b'{"id":"1","name":"x"}', "ok"),
        (200, b'{"id":"1","is_unavailable":true}', "fail"),
        (400, b'{"error":{"code":190}}', "fail"),
        (401, b"", "fail"),
        (400, b'{"error":{"code":100,"error_subcode":33}}', "ok"),
        (403, b'{"error":{"code":200}}', "ok"),
        (500, b"<html>", "warn"),
        (200, b"\xff", "ok"),
    ],
)
def test_the_access_is_told_apart(status, body, expected):
    assert adapter.read_dataset(answer(status, body)).status == expected


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"web":7}', b'{"error":{"code":10}}', b"<html>", b'{"web":[7,{}]}']
)
def test_an_odd_quality_is_none_or_empty(body):
    assert not adapter.read_quality(answer(200, body))


def test_the_quality_is_read_by_event_name():
    body = (
        b'{"web":[{"event_name":"Purchase","event_match_quality":{"composite_score":6.2},'
        b'"event_coverage":{"percentage":80},"dedupe_key_feedback":[{"dedupe_key":"event_id",'
        b'"server_events_with_dedupe_key":{"percentage":97.5}}],'
        b'"data_freshness":{"upload_frequency":"real_time"}},{"event_name":"AddToCart"}]}'
    )
    purchase, cart = adapter.read_quality(answer(200, body))

    assert (purchase.match_score, purchase.coverage_percent) == (6.2, 80.0)
    assert (purchase.dedup_percent, purchase.freshness) == (97.5, "real_time")
    assert (cart.match_score, cart.dedup_percent) == (None, None)


def test_no_secret_stands_in_the_address_and_the_sandbox_answers():
    with Sandbox() as graph:
        endpoint = Endpoint(url=graph.url, version="v26.0")
        dataset = adapter.dataset_request(SETTINGS, endpoint)
        quality = adapter.quality_request(SETTINGS, endpoint)

        assert "a-token" not in dataset.url + quality.url
        assert adapter.read_dataset(net.send(dataset)).status == "ok"
        assert adapter.read_quality(net.send(quality)) == []
        expired = adapter.dataset_request({**SETTINGS, "access_token": "expired-1"}, endpoint)
        assert adapter.read_dataset(net.send(expired)).status == "fail"
