"""The tiny shop system and platform again, each with one fault, and the tests that find it."""

import json
import socket
import uuid
from dataclasses import replace
from datetime import timedelta

from contract_fakes import Board, Stall

from bridge.events import (
    Amounts,
    Basket,
    Outcome,
    Receipt,
    Request,
    Sample,
    Setting,
    as_json,
    fingerprint,
    hmac_sha256_base64,
)
from bridge.events.reading import parse_object

ODD_VALUES = "test_an_odd_value_anywhere_costs_no_error"
SOUND_FACTS = "test_facts_are_sound_and_the_same_twice"
KEYS = "test_the_key_tells_deliveries_apart"


class AnySignature(Stall):
    found_by = (
        "test_an_absent_signature_is_refused",
        "test_a_foreign_signature_is_refused",
        "test_a_changed_body_is_refused",
    )

    def verify(self, request, settings):
        signature = hmac_sha256_base64("new", request.body)
        headers = {**request.headers, "X-Signature": signature}
        return super().verify(replace(request, headers=headers), settings)


class StrictLookup(Stall):
    found_by = (
        "test_an_absent_signature_is_refused",
        "test_the_case_of_header_names_is_free",
    )

    def verify(self, request, settings):
        assert request.headers["X-Signature"]
        return super().verify(request, settings)


class FragileComparison(Stall):
    found_by = ("test_an_odd_signature_is_refused",)

    def verify(self, request, settings):
        request.header("x-signature").encode("ascii")
        return super().verify(request, settings)


class NeedyHeader(Stall):
    found_by = ("test_a_missing_header_costs_no_error",)

    def verify(self, request, settings):
        delivery = super().verify(request, settings)
        return request.headers["X-Topic"] and delivery


class OneKey(Stall):
    found_by = (KEYS,)

    def verify(self, request, settings):
        delivery = super().verify(request, settings)
        return delivery and replace(delivery, key="same")


class BodyKey(Stall):
    found_by = (KEYS,)

    def verify(self, request, settings):
        delivery = super().verify(request, settings)
        return delivery and replace(delivery, key=fingerprint(delivery.body))


class RandomKey(Stall):
    found_by = (KEYS,)

    def verify(self, request, settings):
        delivery = super().verify(request, settings)
        return delivery and replace(delivery, key=uuid.uuid4().hex)


class Network(Stall):
    found_by = ("test_a_recorded_delivery_verifies",)

    def verify(self, request, settings):
        socket.socket().close()
        return super().verify(request, settings)


class _Changed(Stall):
    def change(self, fact):
        raise NotImplementedError

    def translate(self, delivery, settings):
        return map(self.change, super().translate(delivery, settings))


class LocalTime(_Changed):
    found_by = (SOUND_FACTS,)

    def change(self, fact):
        return replace(fact, event_time=fact.event_time.replace(tzinfo=None))


class SpacedId(_Changed):
    found_by = (SOUND_FACTS,)

    def change(self, fact):
        return replace(fact, subject_id="order 7")


class FloatMoney(_Changed):
    found_by = (SOUND_FACTS,)

    def change(self, fact):
        return replace(fact, basket=Basket(amounts=Amounts(currency="EUR", total=1.5)))


class OtherFact(_Changed):
    found_by = ("test_facts_are_as_expected",)

    def change(self, fact):
        return replace(fact, order_id="8")


class State(_Changed):
    found_by = (SOUND_FACTS,)
    count = 0

    def change(self, fact):
        self.count += 1
        return replace(fact, subject_id=str(self.count))


class UndeclaredTopic(Stall):
    found_by = (SOUND_FACTS,)
    topics = {"moved": "purchase"}  # noqa: RUF012  # the contract's own form

    def translate(self, delivery, settings):
        return Stall().translate(delivery, settings)


class FragileReader(Stall):
    found_by = (ODD_VALUES,)

    def translate(self, delivery, settings):
        parse_object(delivery.body).get("at", "").upper()
        return super().translate(delivery, settings)


class OpenSecret(Stall):
    found_by = ("test_the_adapter_describes_itself",)
    settings = (Setting(name="secret", label="Secret", help="On the stall."),)


class BadSample(Stall):
    found_by = ("test_samples_verify_and_translate",)

    def samples(self):
        return (Sample(name="half a sale", topic="sold", body=b"{"),)


class PlainData(Board):
    found_by = ("test_no_plain_personal_data_is_rendered",)

    def render(self, conversion, settings):
        return as_json({"id": conversion.event_id, "city": conversion.user_data.city})


class RandomPayload(Board):
    found_by = ("test_rendering_is_the_same_twice",)

    def render(self, conversion, settings):
        return as_json({"id": conversion.event_id, "n": uuid.uuid4().hex})


class NotANumber(Board):
    found_by = ("test_rendering_is_the_same_twice",)

    def render(self, conversion, settings):
        return as_json({"id": conversion.event_id, "n": float("nan")})


class FragileHash(Board):
    found_by = ("test_odd_personal_data_cost_no_other_error",)

    def render(self, conversion, settings):
        assert (conversion.user_data.city or "").encode()
        return super().render(conversion, settings)


class TokenInUrl(Board):
    found_by = ("test_no_secret_stands_in_url_or_body",)

    def request(self, payloads, settings, endpoint, test_event_code=""):
        request = super().request(payloads, settings, endpoint)
        return replace(request, url=f"{request.url}?access_token={settings['token']}")


class LostPayload(Board):
    found_by = ("test_a_request_holds_every_payload",)

    def request(self, payloads, settings, endpoint, test_event_code=""):
        return super().request(payloads[1:], settings, endpoint)


class NoLimit(Board):
    found_by = ("test_too_many_payloads_are_refused",)

    def request(self, payloads, settings, endpoint, test_event_code=""):
        request = super().request([], settings, endpoint)
        return replace(request, body=b"[" + b",".join(payloads) + b"]")


class FragileAnswer(Board):
    found_by = ("test_every_answer_gives_a_receipt",)

    def read(self, response, count):
        json.loads(response.body)
        return super().read(response, count)


class GladAnswer(Board):
    found_by = ("test_every_answer_gives_a_receipt",)

    def read(self, response, count):
        return Receipt(outcome=Outcome.ACCEPTED, status=response.status)


class NoAge(Board):
    found_by = ("test_every_action_source_has_a_maximal_age",)

    def max_age(self, action_source):
        return timedelta(0)


class SilentSetting(Board):
    found_by = ("test_the_adapter_describes_itself",)
    settings = (Setting(name="token", label="Token", secret=True),)


class WrongMethod(Board):
    found_by = ("test_a_request_holds_every_payload",)

    def request(self, payloads, settings, endpoint, test_event_code=""):
        request = super().request(payloads, settings, endpoint)
        return Request(method="GET", url=request.url, headers={}, body=request.body)


SOURCES = [Stall, *(each for each in Stall.__subclasses__() if hasattr(each, "found_by"))]
SOURCES += _Changed.__subclasses__()
DESTINATIONS = [Board, *Board.__subclasses__()]
