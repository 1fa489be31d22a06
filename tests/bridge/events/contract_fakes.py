"""A tiny shop system and a tiny platform that keep their contracts, to be broken by tests."""

import hashlib
import json
from datetime import timedelta
from typing import ClassVar

from bridge.events import (
    DestinationAdapter,
    Event,
    Occasion,
    Outcome,
    Receipt,
    Request,
    Sample,
    Setting,
    SourceAdapter,
    VerificationError,
    as_json,
    fingerprint,
    hmac_matches,
    hmac_sha256_base64,
    split_secrets,
)
from bridge.events.adapters import Delivery
from bridge.events.reading import identifier, moment, parse_object


class Stall(SourceAdapter):
    kind = "stall"
    label = "Market stall"
    settings = (Setting(name="secret", label="Secret", help="On the stall.", secret=True),)
    topics: ClassVar = {"sold": "purchase", "moved": "purchase"}

    def verify(self, request, settings):
        if request.body == b"ping":
            return None
        signature = request.header("x-signature")
        if not hmac_matches(split_secrets(settings["secret"]), request.body, signature):
            raise VerificationError("X-Signature does not match the secret")
        topic = request.header("x-topic") or "unknown"
        return Delivery(
            topic=topic, key=fingerprint(topic.encode(), request.body), body=request.body
        )

    def translate(self, delivery, settings):
        sale = parse_object(delivery.body)
        number, at = identifier(sale.get("id")), moment(sale.get("at"))
        if delivery.topic in self.topics and number and at:
            yield Event(occasion=Occasion.PURCHASE, subject_id=number, event_time=at)

    def sign(self, topic, body, settings):
        secret = split_secrets(settings["secret"])[0]
        return {"X-Topic": topic, "X-Signature": hmac_sha256_base64(secret, body)}

    def samples(self):
        return (Sample(name="a sale", topic="sold", body=SALE),)


SALE = b'{"id": 7, "at": "2026-11-23T10:00:00Z"}'


class Board(DestinationAdapter):
    kind = "board"
    label = "Notice board"
    settings = (Setting(name="token", label="Token", help="On the board.", secret=True),)
    max_batch = 2

    def max_age(self, action_source):
        return timedelta(days=7)

    def render(self, conversion, settings):
        email = (conversion.user_data.email or "").encode("utf-8", "replace")
        return as_json({"id": conversion.event_id, "em": hashlib.sha256(email).hexdigest()})

    def request(self, payloads, settings, endpoint, test_event_code=""):
        if len(payloads) > self.max_batch:
            raise ValueError("more payloads than max_batch")
        return Request(
            url=f"{endpoint.url}/{endpoint.version}/events",
            headers={"Authorization": settings["token"]},
            body=b'{"data":[' + b",".join(payloads) + b"]}",
        )

    def read(self, response, count):
        try:
            sound = json.loads(response.body)["ok"] is True
        except (ValueError, RecursionError, TypeError, KeyError):
            sound = False
        good = response.status == 200 and sound
        return Receipt(outcome=Outcome.ACCEPTED if good else Outcome.RETRY, status=response.status)


def record_deliveries(folder):
    """Write settings and three cases as an adapter's author would record them."""
    stall, settings = Stall(), {"secret": ["old", "new"]}
    (folder / "settings.json").write_text(json.dumps(settings))
    events = [
        {
            "fact": "Event",
            "occasion": "purchase",
            "subject_id": "7",
            "event_time": "2026-11-23T10:00:00+00:00",
        }
    ]
    for name, topic, body, expected in (
        ("sold", "sold", SALE, events),
        ("other/broken", "sold", b"{", {"dead": "not_json"}),
        ("other/ping", "sold", b"ping", {"ping": True}),
        ("other/unknown", "opened", b"{}", []),
    ):
        case = folder / name
        case.mkdir(parents=True)
        headers = stall.sign(topic, body, {"secret": "new"})
        (case / "headers.json").write_text(json.dumps(headers))
        (case / "body.json").write_bytes(body)
        (case / "events.json").write_text(json.dumps(expected))
