"""The request that sends a batch to a dataset."""

import hashlib
import hmac
import re
from collections.abc import Sequence

import orjson

from bridge.events import ConfigError, Endpoint, Request, Settings

MAX_BATCH = 1_000

DATASET_ID = re.compile(r"[0-9]{1,40}")
VISIBLE = re.compile(r"[!-~]+")
_AGENT = re.compile(r"(?=(?:[^A-Za-z]*[A-Za-z]){2})[ -~]{2,22}")


def build(
    payloads: Sequence[bytes], settings: Settings, endpoint: Endpoint, test_event_code: str
) -> Request:
    """Return the POST that sends 1 to 1,000 *payloads*, in their order and byte for byte.

    The token travels in the Authorization header alone.  Raises ConfigError for a setting
    that is missing or has not the right form, ValueError for too many events or none.
    Source: Meta, conversions-api/using-the-api (read 2026-11-23).
    """
    if not 1 <= len(payloads) <= MAX_BATCH:
        raise ValueError("a request takes 1 to 1000 events")
    dataset_id = setting(settings, "dataset_id", DATASET_ID, "must be digits")
    token = setting(settings, "access_token", VISIBLE, "is missing or not one plain word")
    return Request(
        method="POST",
        url=f"{endpoint.url.rstrip('/')}/{endpoint.version}/{dataset_id}/events",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        body=b'{"data":[' + b",".join(payloads) + b"]" + _rest(settings, token, test_event_code),
    )


def _rest(settings: Settings, token: str, test_event_code: str) -> bytes:
    """Return what follows the events: members of the body, each with its comma, and the end."""
    members = {}
    if code := test_event_code.strip():
        # Sent without its code a test event would count as a real one.
        if not VISIBLE.fullmatch(code):
            raise ConfigError("route: the test event code is not one plain word")
        members["test_event_code"] = code
    if settings.get("partner_agent", "").strip():
        members["partner_agent"] = setting(
            settings, "partner_agent", _AGENT, "needs two letters and fewer than 23 characters"
        )
    if settings.get("app_secret", "").strip():
        secret = setting(settings, "app_secret", VISIBLE, "is not one plain word")
        # A parameter of the body like any other.
        # Source: Meta, graph-api/securing-requests (read 2026-11-23).
        proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        members["appsecret_proof"] = proof
    return b"," + orjson.dumps(members)[1:] if members else b"}"


def setting(settings: Settings, name: str, form: re.Pattern[str], fault: str) -> str:
    """Return a setting that has the right form; raises ConfigError with what is wrong."""
    value = settings.get(name, "").strip()
    if not form.fullmatch(value):
        raise ConfigError(f"settings: Meta {name} {fault}")
    return value
