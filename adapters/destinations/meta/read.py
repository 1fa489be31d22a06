"""What Meta's answer means for the events of a request.

The error code decides, then the HTTP status, never the text: it is localised, and `type` is
OAuthException for nearly everything.
Source: Meta, graph-api/guides/error-handling and marketing-api/error-reference
(read 2026-11-23).
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from bridge.events import Outcome, Receipt, Response

MAX_MESSAGE = 300
MAX_WAIT_S = 3_600.0

_RETRY = frozenset({1, 2, 5000})
_THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_PARKED = {
    **dict.fromkeys((102, 104, 190), "token"),
    **dict.fromkeys((3, 10, *range(200, 300)), "permission"),
    803: "dataset",
    368: "blocked",
    2635: "version",
}
_BLOCKED_SUBCODES = frozenset({1404078, 2859015})
_REFUSED = frozenset({100, 105})
# Graph says "object does not exist" also where the token may not see it: no event's fault.
_NO_OBJECT = (100, 33)

_PERSONAL = re.compile(
    r"[^\s@]{0,100}@\S*"  # e-mail addresses
    r"|\bEAA\w*|access_token=\S*|[\w-]{25,}"  # tokens and hashes
    r"|\b\d{1,3}(?:\.\d{1,3}){3}\b"  # IP addresses
    r"|\+?\d(?:[ ()./-]{0,3}\d){6,}"  # phone numbers, ids, times
)
_TRACE_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def read(response: Response, count: int) -> Receipt:
    """Return what *response* means for *count* events; raises nothing, whatever came."""
    body = _parse(response.body)
    error = body.get("error")
    if isinstance(error, Mapping):
        return _read_error(response, error)
    if 200 <= response.status < 300:
        return _read_success(response, body, count)
    outcome, reason = _by_status(response.status)
    return _receipt(response, outcome, reason)


def _read_success(response: Response, body: Mapping[str, Any], count: int) -> Receipt:
    accepted = body.get("events_received")
    messages = body.get("messages")
    said = "; ".join(map(str, messages)) if isinstance(messages, list) else ""
    trace = body.get("fbtrace_id")
    if isinstance(accepted, bool) or not isinstance(accepted, int):
        return _receipt(response, Outcome.AMBIGUOUS, "no_count", message=said, trace_id=trace)
    outcome = Outcome.ACCEPTED if accepted == count else Outcome.DOUBTFUL
    reason = "" if accepted == count else "count"
    return _receipt(response, outcome, reason, message=said, trace_id=trace, accepted=accepted)


def _read_error(response: Response, error: Mapping[str, Any]) -> Receipt:
    code, subcode = _integer(error.get("code")), _integer(error.get("error_subcode"))
    outcome, reason = _by_code(code, subcode, is_transient=error.get("is_transient") is True)
    if outcome is None:
        outcome, reason = _by_status(response.status)
    return _receipt(
        response, outcome, reason, message=_sentence(error), trace_id=error.get("fbtrace_id")
    )


def _by_code(code: int, subcode: int, *, is_transient: bool) -> tuple[Outcome | None, str]:
    """Return the outcome and its reason; None for a code that says nothing to us."""
    known = f"{code}/{subcode}" if subcode else str(code)
    if code in _THROTTLED:
        return Outcome.THROTTLED, known
    if is_transient or code in _RETRY:
        return Outcome.RETRY, known
    if (code, subcode) == _NO_OBJECT:
        return Outcome.PARKED, "dataset"
    if subcode in _BLOCKED_SUBCODES:
        return Outcome.PARKED, "blocked"
    if code in _PARKED:
        return Outcome.PARKED, _PARKED[code]
    if code in _REFUSED:
        return Outcome.REFUSED, known
    return None, ""


def _by_status(status: int) -> tuple[Outcome, str]:
    """Return the outcome of an answer without a code that we know.

    Other 4xx are ``http_<status>``, to be tried again: they come from a proxy, or with a code
    that is new, and blame no event.
    """
    reason = f"http_{status}"
    if status == 413:
        return Outcome.TOO_LARGE, reason
    if status == 429:
        return Outcome.THROTTLED, reason
    if status == 401:
        return Outcome.PARKED, "token"
    if status == 404:
        return Outcome.PARKED, "dataset"
    if 300 <= status < 400:
        return Outcome.PARKED, "redirect"
    if 400 <= status < 600:
        return Outcome.RETRY, reason
    return Outcome.AMBIGUOUS, reason


def _receipt(
    response: Response,
    outcome: Outcome,
    reason: str,
    *,
    message: str = "",
    trace_id: object = None,
    accepted: int | None = None,
) -> Receipt:
    trace = str(trace_id or "")
    return Receipt(
        outcome=outcome,
        status=response.status,
        accepted=accepted,
        reason=reason,
        message=_scrub(message),
        trace_id=trace if _TRACE_ID.fullmatch(trace) else "",
        retry_after_s=_retry_after(response, outcome),
    )


def _sentence(error: Mapping[str, Any]) -> str:
    """Return Meta's words: those for users if there are any, else those for developers."""
    words = [error.get("error_user_title"), error.get("error_user_msg")]
    said = ": ".join(word for word in words if isinstance(word, str) and word)
    return said or str(error.get("message") or "")


def _scrub(message: str) -> str:
    """Return *message* on one line without addresses, long numbers and tokens."""
    words = _PERSONAL.sub("[…]", message[: MAX_MESSAGE * 10])
    line = "".join(char if char.isprintable() else " " for char in words)
    return " ".join(line.split())[:MAX_MESSAGE]


def _retry_after(response: Response, outcome: Outcome) -> float | None:
    """Return how many seconds Meta asks to wait, at most an hour; None if it says nothing."""
    if outcome not in {Outcome.THROTTLED, Outcome.RETRY}:
        return None
    headers = {name.lower(): value for name, value in response.headers.items()}
    waits = [0.0]
    if _SECONDS.fullmatch(headers.get("retry-after", "").strip()):
        waits.append(float(headers["retry-after"]))
    if outcome is Outcome.THROTTLED:
        waits += _usage_waits(headers)
    return min(max(waits), MAX_WAIT_S) or None


def _usage_waits(headers: Mapping[str, str]) -> list[float]:
    """Return the waits in seconds that Meta's usage headers tell.

    Source: Meta, marketing-api/overview/rate-limiting (read 2026-11-23).
    """
    waits = []
    for name in ("x-business-use-case-usage", "x-business-use-case"):
        for rows in _parse(headers.get(name, "").encode(errors="replace")).values():
            waits += [
                _integer(row.get("estimated_time_to_regain_access")) * 60.0
                for row in (rows if isinstance(rows, list) else ())
                if isinstance(row, Mapping)
            ]
    account = _parse(headers.get("x-ad-account-usage", "").encode(errors="replace"))
    waits.append(float(_integer(account.get("reset_time_duration"))))
    return waits


def _parse(body: bytes) -> Mapping[str, Any]:
    """Return the JSON object in *body*, or an empty one."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int:
    """Return a whole number, 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
