"""Answers: the error code decides, then the status, never the text."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.destinations.meta import adapter
from bridge.events import Outcome, Receipt, Response

A, D, M = Outcome.ACCEPTED, Outcome.DOUBTFUL, Outcome.AMBIGUOUS
R, T, P = Outcome.RETRY, Outcome.THROTTLED, Outcome.PARKED


def answer(status: int, body: object = None, **headers: str) -> Receipt:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return adapter.read(Response(status=status, body=data, headers=named), 5)


def error(status: int, code: object, subcode: object = None, **more: object) -> Receipt:
    said = {"message": "m", "type": "OAuthException", "code": code, "error_subcode": subcode}
    return answer(status, {"error": said | more})


@pytest.mark.parametrize(
    ("status", "body", "outcome", "accepted"),
    [
        (200, {"events_received": 5, "messages": [], "fbtrace_id": "A1"}, A, 5),
        (201, {"events_received": 5}, A, 5),
        (200, {"events_received": 3}, D, 3),
        (200, {"events_received": 0}, D, 0),
        (200, {"events_received": 6}, D, 6),
        (200, {"events_received": True}, M, None),
        (200, {"events_received": "5"}, M, None),
        (200, {"fbtrace_id": "A1"}, M, None),
        (200, b"<html>", M, None),
        (200, b'{"events_received":5', M, None),
        (200, b"", M, None),
        (200, [5], M, None),
        (204, b"", M, None),
    ],
)
def test_a_success_is_counted(status, body, outcome, accepted):
    receipt = answer(status, body)

    assert (receipt.outcome, receipt.accepted, receipt.status) == (outcome, accepted, status)


@pytest.mark.parametrize(
    ("code", "subcode", "outcome", "reason"),
    [
        (1, None, R, "1"),
        (2, 99, R, "2/99"),
        (5000, None, R, "5000"),
        *[(code, None, T, str(code)) for code in (4, 17, 32, 341, 613, 80000, 80003, 80004, 80014)],
        *[(190, subcode, P, "token") for subcode in (None, 458, 460, 463, 467)],
        (102, None, P, "token"),
        (104, None, P, "token"),
        *[(code, None, P, "permission") for code in (3, 10, 200, 294, 299)],
        (100, 33, P, "dataset"),
        (803, None, P, "dataset"),
        (368, None, P, "blocked"),
        (1, 1404078, R, "1/1404078"),
        (200, 2859015, P, "blocked"),
        (2635, None, P, "version"),
        (100, None, Outcome.REFUSED, "100"),
        (100, 2804003, Outcome.REFUSED, "100/2804003"),
        (100, 2804050, Outcome.REFUSED, "100/2804050"),
        (105, None, Outcome.REFUSED, "105"),
        (2500, None, R, "http_400"),
        ("100", None, R, "http_400"),
        (None, None, R, "http_400"),
    ],
)
def test_the_code_decides(code, subcode, outcome, reason):
    receipt = error(400, code, subcode)

    assert (receipt.outcome, receipt.reason) == (outcome, reason)


@pytest.mark.parametrize(("code", "outcome"), [(190, P), (100, Outcome.REFUSED), (17, T), (2, R)])
def test_the_code_decides_before_the_status(code, outcome):
    statuses = (200, 302, 401, 403, 404, 413, 429, 500, 503)

    found = {status: error(status, code).outcome for status in statuses}

    assert found == dict.fromkeys(statuses, outcome)


def test_what_passes_by_itself_is_tried_again_whatever_its_code():
    assert error(400, 100, 2804003, is_transient=True).outcome is R
    assert error(400, 190, is_transient=True).outcome is R
    assert error(400, 9999, is_transient=True).outcome is R
    assert error(400, 4, is_transient=True).outcome is T
    assert error(400, 1, is_transient=False).outcome is R
    assert error(400, 100, is_transient="true").outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (301, P, "redirect"),
        (307, P, "redirect"),
        (308, P, "redirect"),
        (401, P, "token"),
        (404, P, "dataset"),
        (413, Outcome.TOO_LARGE, "http_413"),
        (429, T, "http_429"),
        (400, R, "http_400"),
        (408, R, "http_408"),
        (418, R, "http_418"),
        (500, R, "http_500"),
        (502, R, "http_502"),
        (504, R, "http_504"),
        (0, M, "http_0"),
        (100, M, "http_100"),
    ],
)
def test_without_a_code_the_status_decides(status, outcome, reason):
    receipt = answer(status, b"<html>")

    assert (receipt.outcome, receipt.reason) == (outcome, reason)


def test_the_text_decides_nothing():
    receipt = error(400, 100, message="Error validating access token: rate limit reached")

    assert receipt.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "120"}, 120.0),
        ({"Retry_After": "999999"}, 3_600.0),
        ({"Retry_After": "0"}, None),
        ({"Retry_After": "-1"}, None),
        ({"Retry_After": "soon"}, None),
        ({"X_Business_Use_Case_Usage": '{"1":[{"estimated_time_to_regain_access":3}]}'}, 180.0),
        ({"X_Business_Use_Case": '{"1":[{"estimated_time_to_regain_access":3}]}'}, 180.0),
        ({"X_Ad_Account_Usage": '{"acc_id_util_pct":100,"reset_time_duration":90}'}, 90.0),
        ({"X_Business_Use_Case_Usage": '{"1":[7],"2":{},"3":[{}]}'}, None),
        ({"X_Ad_Account_Usage": "[\ud800"}, None),
        ({"Retry_After": "10", "X_Ad_Account_Usage": '{"reset_time_duration":90}'}, 90.0),
        ({}, None),
    ],
)
def test_a_throttle_says_how_long_to_wait(headers, seconds):
    body = {"error": {"code": 4}}

    assert answer(400, body, **headers).retry_after_s == seconds


def test_only_what_is_tried_again_has_a_wait():
    assert answer(503, b"", Retry_After="30").retry_after_s == 30.0
    assert answer(401, b"", Retry_After="30").retry_after_s is None


def test_the_words_for_users_are_preferred():
    receipt = error(400, 100, error_user_title="Fehlt", error_user_msg="Die Währung fehlt.")

    assert receipt.message == "Fehlt: Die Währung fehlt."
    assert error(400, 100).message == "m"


@pytest.mark.parametrize(
    "secret",
    [
        "jane.doe@example.com",
        "EAAshort",
        "EAAB" + "x" * 180,
        "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        "16505551212",
        "+1 (650) 555-1212",
        "203.0.113.9",
        "access_token=abc",
    ],
)
def test_personal_data_and_tokens_are_scrubbed(secret):
    receipt = error(400, 100, message=f"Bad value {secret} given")

    assert secret not in receipt.message
    assert receipt.message == "Bad value […] given"


def test_a_message_is_one_short_line():
    receipt = error(400, 100, message="a\r\n\x1b[31mb " * 100)

    assert receipt.message.startswith("a [31mb a [31mb")
    assert len(receipt.message) <= 300


def test_the_trace_id_is_kept_if_it_is_one():
    assert error(400, 100, fbtrace_id="Ab_1-x").trace_id == "Ab_1-x"
    assert answer(200, {"events_received": 5, "fbtrace_id": "A1"}).trace_id == "A1"
    assert error(400, 100, fbtrace_id={"a": "b c"}).trace_id == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["code", "error_subcode", "is_transient", "message", "error_user_title", "fbtrace_id"]
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "error": JSON | st.dictionaries(WORDS, JSON),
        "events_received": JSON,
        "messages": JSON,
        "fbtrace_id": JSON,
    },
)


@settings(deadline=None)
@given(status=st.integers(-1, 700), body=BODIES.map(json.dumps).map(str.encode) | st.binary())
def test_any_answer_gives_a_receipt(status, body):
    receipt = adapter.read(Response(status=status, body=body, headers={"Retry-After": "٣"}), 1)

    assert receipt.status == status
    assert len(receipt.message) <= 300
    assert receipt.outcome is not A or receipt.accepted == 1
