"""What Meta tells of a dataset: whether the token reads it, and how good its events are.

Reads only.  Source: Meta, conversions-api/dataset-quality-api (read 2026-11-23).  A token that
may only send answers with a permission error: then the quality is not known, and nothing is
wrong with sending.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from adapters.destinations.meta.request import DATASET_ID, VISIBLE, setting
from bridge.events import Endpoint, Finding, Quality, Request, Response, Settings

# Meta's table says dedup_key_feedback, its examples dedupe_key_feedback; the former is refused.
_FIELDS = (
    "web{event_name,event_match_quality{composite_score},event_coverage{percentage},"
    "dedupe_key_feedback{dedupe_key,server_events_with_dedupe_key{percentage}},"
    "data_freshness{upload_frequency}}"
)
_UNREADABLE = {3, 10, 100, *range(200, 300)}


def dataset_request(settings: Settings, endpoint: Endpoint) -> Request:
    """Return the GET that shows whether the token reaches the dataset."""
    return _get(
        settings,
        endpoint,
        setting(settings, "dataset_id", DATASET_ID, "must be digits"),
        {"fields": "name,is_unavailable,last_fired_time"},
    )


def read_dataset(response: Response) -> Finding:
    """Return what the answer says of dataset and token."""
    body = _parse(response.body)
    code = _mapping(body.get("error")).get("code")
    if response.status == 200 and "error" not in body:
        if body.get("is_unavailable") is True:
            return _finding("fail", "Meta says that the dataset is unavailable")
        return _finding("ok", "the token reads the dataset")
    if code in {102, 104, 190} or response.status == 401:
        return _finding("fail", "Meta refuses the token: make a new one in Events Manager")
    if code in _UNREADABLE:
        return _finding("ok", "the token may send only, so that Meta does not show the dataset")
    return _finding("warn", f"Meta answers with status {response.status}; try again later")


def quality_request(settings: Settings, endpoint: Endpoint) -> Request:
    """Return the GET of the dataset's quality by event name."""
    dataset_id = setting(settings, "dataset_id", DATASET_ID, "must be digits")
    return _get(
        settings, endpoint, "dataset_quality", {"dataset_id": dataset_id, "fields": _FIELDS}
    )


def read_quality(response: Response) -> list[Quality] | None:
    """Return the quality of each event name; None where the token may not read it."""
    body = _parse(response.body)
    rows = body.get("web")
    if response.status != 200 or not isinstance(rows, list):
        return None
    return [_quality(row) for row in rows if isinstance(row, dict) and row.get("event_name")]


def _quality(row: Mapping[str, Any]) -> Quality:
    keys = row.get("dedupe_key_feedback")
    by_event_id = [
        _number(_mapping(one.get("server_events_with_dedupe_key")).get("percentage"))
        for one in (keys if isinstance(keys, list) else [])
        if isinstance(one, dict) and one.get("dedupe_key") == "event_id"
    ]
    return Quality(
        event_name=str(row["event_name"])[:50],
        match_score=_number(_mapping(row.get("event_match_quality")).get("composite_score")),
        coverage_percent=_number(_mapping(row.get("event_coverage")).get("percentage")),
        dedup_percent=by_event_id[0] if by_event_id else None,
        freshness=str(_mapping(row.get("data_freshness")).get("upload_frequency") or "")[:50],
    )


def _get(settings: Settings, endpoint: Endpoint, node: str, query: dict[str, str]) -> Request:
    token = setting(settings, "access_token", VISIBLE, "is missing or not one plain word")
    return Request(
        method="GET",
        url=f"{endpoint.url.rstrip('/')}/{endpoint.version}/{node}?{urlencode(query)}",
        headers={"Authorization": f"Bearer {token}"},
        body=b"",
    )


def _finding(status: str, message: str) -> Finding:
    return Finding(name="dataset", status=status, message=message)


def _parse(body: bytes) -> Mapping[str, Any]:
    try:
        return _mapping(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
