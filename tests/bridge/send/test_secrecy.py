"""Whatever goes wrong while sending: no token, address or phone in logs, reasons or errors."""

import json
import logging

import pytest

from bridge.send import PROBE_PARKED_S, Sender
from tests.stores import SECOND, rows

from .conftest import TOKEN
from .seen import on_sqlite

pytestmark = on_sqlite
EMAIL, PHONE = "canary@example.com", "+33612345678"
CANARIES = (TOKEN, EMAIL, PHONE, PHONE[1:], "canary")
FAULTS = (
    "",
    "status=500",
    "status=418",
    "code=190/463",
    "code=4",
    "code=100/33",
    "reset",
    "reset=after",
    "half",
    "html",
    "fewer",
    "redirect=307",
    "refuse=n:1",
    "status=413",
)


def parrot(post, request):
    """Answer with all that was sent, as a debugging proxy would."""
    answer = post(request)
    said = f"{EMAIL} {PHONE} {dict(request.headers)} {request.body.decode()}"
    quoted = json.dumps(said)[1:-1]
    return answer.__class__(
        status=answer.status,
        body=answer.body.replace(b'"message":"', f'"message":"{quoted} '.encode()),
        headers={**answer.headers, "X-Echo": quoted},
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_no_canary_is_told(fault, store, queue, endpoint, sandbox, payload, post, clock, caplog):
    caplog.set_level(logging.DEBUG)
    sandbox.faults.set(fault)
    plain = {"em": [EMAIL], "ph": [PHONE]}
    queue(2, payload=payload("purchase.1", user_data=plain))
    queue(3, bad=[0])
    sender = Sender(store, endpoint, lambda request: parrot(post, request))

    for _ in range(4):
        sender.send_due()
        clock.now += PROBE_PARKED_S * SECOND

    told = [str(vars(record)) for record in caplog.records if record.name.startswith("bridge")]
    told += [str(row) for row in rows(store, "receipt", "reason", "message", "trace_id")]
    told += rows(store, "outbox", "reason") + rows(store, "destination", "reason")
    assert caplog.records
    assert [canary for canary in CANARIES if canary in "\n".join(told)] == []


def test_what_is_handed_around_shows_no_secret_when_printed(store, queue, destination, lane, clock):
    queue(1)
    claim = store.outbox.claim(lane, 1, clock())

    assert "user_data" not in repr(claim)
    assert TOKEN not in repr(store.connections.destination(str(destination.id)))
