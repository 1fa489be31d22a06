"""The contract of an advertising platform's adapter."""

import gzip
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from bridge.events.adapters import (
    DestinationAdapter,
    Endpoint,
    Outcome,
    Receipt,
    Request,
    Response,
    Settings,
)
from bridge.events.conversion import Conversion
from bridge.events.errors import BridgeError, RenderError
from bridge.events.facts import UserData

from .checks import Contract, check_settings

ACTION_SOURCES = (
    "website", "app", "email", "phone_call", "chat", "physical_store", "system_generated",
    "business_messaging", "other",
)  # fmt: skip
PERSONAL = ("email", "phone", "first_name", "last_name", "city", "zip", "customer_id")
ENDPOINT = Endpoint(url="https://platform.example", version="v1.0")
DEEP = b"[" * 100_000 + b"]" * 100_000
HTML = b"<!doctype html><title>Sorry</title>"
ANSWERS: Mapping[str, Response] = {
    name: Response(status=status, body=body, headers=headers)
    for name, (status, body, headers) in {
        "200 empty": (200, b"", {}),
        "200 HTML": (200, HTML, {"Content-Type": "text/html"}),
        "200 truncated": (200, b'{"events_received":1,"fbtr', {}),
        "200 gzip": (200, gzip.compress(b"{}", mtime=0), {"Content-Encoding": "gzip"}),
        "200 NaN": (200, b'{"events_received":NaN}', {}),
        "200 infinite": (200, b'{"events_received":1e999}', {}),
        "200 huge": (200, b'{"events_received":1' + b"0" * 10_000 + b"}", {}),
        "200 nested": (200, DEEP, {}),
        "200 list": (200, b"[]", {}),
        "200 text": (200, b'"\\ud800"', {}),
        "200 not UTF-8": (200, b"\xff\xfe\x00", {}),
        "204": (204, b"", {}),
        "301": (301, b"", {"Location": "https://elsewhere.example/"}),
        "400 HTML": (400, HTML, {}),
        "400 odd error": (400, b'{"error":[]}', {}),
        "400 odder error": (400, b'{"error":{"code":{},"error_subcode":"x","message":[]}}', {}),
        "401": (401, b"", {}),
        "404": (404, HTML, {}),
        "413": (413, HTML, {}),
        "418": (418, b"{}", {}),
        "429": (429, b"", {"Retry-After": "soon"}),
        "429 negative": (429, b"", {"retry-after": "-1"}),
        "500": (500, b"", {}),
        "502 HTML": (502, HTML, {}),
        "503": (503, b"", {"Retry-After": "1e999"}),
        "no status": (0, b"", {}),
    }.items()
}


class DestinationContract(Contract):
    """What every destination adapter keeps.  Set the three attributes in the subclass.

    At least one of `conversions` tells all of `PERSONAL`, in values of four letters or more
    that stand nowhere else in the event.
    """

    adapter: ClassVar[DestinationAdapter]
    settings: ClassVar[Settings]
    conversions: ClassVar[Sequence[Conversion]]

    @classmethod
    def pytest_generate_tests(cls, metafunc: pytest.Metafunc) -> None:
        """Make one test a conversion and one an answer."""
        if "conversion" in metafunc.fixturenames:
            ids = [each.event_name for each in cls.conversions]
            metafunc.parametrize("conversion", cls.conversions, ids=ids)
        if "answer" in metafunc.fixturenames:
            metafunc.parametrize("answer", list(ANSWERS.values()), ids=list(ANSWERS))

    def _payloads(self) -> list[bytes]:
        rendered = [self.adapter.render(each, self.settings) for each in self.conversions]
        return rendered[: self.adapter.max_batch]

    def _request(self) -> Request:
        return self.adapter.request(self._payloads(), self.settings, ENDPOINT)

    def test_the_adapter_describes_itself(self) -> None:
        check_settings(self.adapter)
        declared = {setting.name for setting in self.adapter.settings}
        assert self.settings.keys() <= declared
        assert self.adapter.max_batch >= 1

    def test_a_conversion_tells_everything_personal(self) -> None:
        assert any(len(_personal(each.user_data)) >= len(PERSONAL) for each in self.conversions)

    def test_rendering_is_the_same_twice(self, conversion: Conversion) -> None:
        first = self.adapter.render(conversion, self.settings)

        assert self.adapter.render(conversion, self.settings) == first
        assert conversion.event_id in first.decode()
        _strict_json(first)

    def test_no_plain_personal_data_is_rendered(self, conversion: Conversion) -> None:
        payload = self.adapter.render(conversion, self.settings)
        request = self.adapter.request([payload], self.settings, ENDPOINT)

        _assert_absent(_personal(conversion.user_data), payload.decode(), request.url)

    def test_odd_personal_data_cost_no_other_error(self, conversion: Conversion) -> None:
        for value in ("", " ", "\0", "\ud800", "ß" * 5_000, "\u202e@", "99999999999999999999"):
            odd = UserData(
                email=value, phone=value, first_name=value, last_name=value, city=value,
                state=value, zip=value, country=value, customer_id=value, gender=value,
                birthday=value, fbp=value, fbc=value, client_ip_address=value,
            )  # fmt: skip
            try:
                payload = self.adapter.render(replace(conversion, user_data=odd), self.settings)
            except RenderError:
                continue
            _strict_json(payload)

    def test_a_request_holds_every_payload(self) -> None:
        request = self._request()
        held = list(_values(json.loads(request.body)))

        assert request.method == "POST"
        assert request.url.startswith(ENDPOINT.url + "/")
        for payload in self._payloads():
            assert json.loads(payload) in held

    def test_no_secret_stands_in_url_or_body(self) -> None:
        request = self._request()
        names = [setting.name for setting in self.adapter.settings if setting.secret]
        secrets = [value for name in names if (value := self.settings.get(name))]

        assert secrets or not names, "the settings given hold a value for a secret"
        _assert_absent(secrets, request.url, request.body.decode())

    def test_too_many_payloads_are_refused(self) -> None:
        payloads = self._payloads()[:1] * (self.adapter.max_batch + 1)

        with pytest.raises((ValueError, BridgeError)):
            self.adapter.request(payloads, self.settings, ENDPOINT)

    def test_every_answer_gives_a_receipt(self, answer: Response) -> None:
        for count in (1, self.adapter.max_batch):
            receipt = self.adapter.read(answer, count)

            assert isinstance(receipt, Receipt)
            assert receipt.status == answer.status
            assert receipt.outcome is not Outcome.ACCEPTED or 200 <= answer.status < 300
            assert len(receipt.message) <= 2_000
            wait = receipt.retry_after_s
            assert wait is None or (math.isfinite(wait) and wait >= 0)

    def test_every_action_source_has_a_maximal_age(self) -> None:
        for action_source in ACTION_SOURCES:
            assert self.adapter.max_age(action_source) > timedelta(0)


def _personal(user_data: UserData) -> list[str]:
    """Return the plain values to look for; a phone also as digits alone."""
    values = [getattr(user_data, name) or "" for name in PERSONAL]
    digits = re.sub(r"\D", "", user_data.phone or "")
    return [value for value in (*dict.fromkeys([*values, digits]),) if len(value) >= 4]


def _assert_absent(values: Sequence[str], *texts: str) -> None:
    for value in values:
        for text in texts:
            # Not `value in text` in the assertion: its failure would print both.
            found = value.lower() in text.lower()
            assert not found, "plain personal data or a secret is told"


def _strict_json(payload: bytes) -> Any:
    """Return the parsed *payload*; NaN and Infinity are not JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(payload.decode("utf-8"), parse_constant=refuse)


def _values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _values(below)
