"""The contract of a shop system's adapter."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bridge.events.adapters import Delivery, Request, Settings, SourceAdapter
from bridge.events.errors import VerificationError

from .checks import Contract, check_facts, check_settings
from .recordings import expectation, find_cases, read_request, read_settings, translated

FOREIGN_SECRET = "a secret of somebody else"
ODD_SIGNATURES = ("", " ", "=", "AAAA", "é", "\udcff", "ÿ" * 44, "A" * 100_000, "A\nB", "\0")
ODD_VALUES: tuple[object, ...] = (
    None, "", "x", " \0\ud800", "9" * 5_000, -1, 10**300, 1.5, True, [], [None], {}, {"a": []},
)  # fmt: skip
ODD_BODIES = (
    b"", b"null", b"[]", b"{}", b"0", b'"x"', b"\xff\xfe", b"NaN", b'{"id":NaN}', b"[" * 100_000,
)  # fmt: skip
MAX_ODD_BODIES = 120


@dataclass(frozen=True, kw_only=True)
class _Case:
    name: str
    folder: Path
    request: Request
    ping: bool


def _each(
    check: Callable[[Any, _Case, Settings], None], *, pings: bool = False
) -> Callable[[Any, Settings], None]:
    """Return one test of all recorded deliveries; it fails with each case's name and error."""

    def test(self: "SourceContract", settings: Settings) -> None:
        errors: list[BaseException] = []
        for case in self._cases():
            try:
                if pings or not case.ping:
                    check(self, case, settings)
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  told below
                error.add_note(f"delivery: {case.name}")
                errors.append(error)
        if errors:
            raise BaseExceptionGroup(f"deliveries that fail: {len(errors)}", errors)

    test.__name__, test.__doc__ = check.__name__, check.__doc__
    return test


_each_delivery = partial(_each, pings=True)
_each_signed = partial(_each, pings=False)


class SourceContract(Contract):
    """What every source adapter keeps.  Set `adapter` and `deliveries` in the subclass.

    `deliveries` holds `settings.json` and, at any depth, one folder a case with
    `headers.json`, `body.json` (raw bytes) and perhaps `events.json` (see `expectation`).
    """

    adapter: ClassVar[SourceAdapter]
    deliveries: ClassVar[Path]

    @classmethod
    def _cases(cls) -> Iterator[_Case]:
        settings = read_settings(cls.deliveries)
        for folder in find_cases(cls.deliveries):
            request = read_request(folder)
            try:
                ping = cls.adapter.verify(request, settings) is None
            except Exception:  # noqa: BLE001  # the tests tell; collecting must go on
                ping = False
            name = folder.relative_to(cls.deliveries).as_posix()
            yield _Case(name=name, folder=folder, request=request, ping=ping)

    @pytest.fixture
    def settings(self) -> dict[str, str]:
        return read_settings(self.deliveries)

    def _foreign(self, settings: Settings) -> dict[str, str]:
        return {**settings, self.adapter.secret_setting: FOREIGN_SECRET}

    def _delivery(self, request: Request, settings: Settings) -> Delivery:
        delivery = self.adapter.verify(request, settings)
        assert delivery is not None, "this request is no ping"
        return delivery

    def _signed(self, topic: str, body: bytes, settings: Settings) -> Request:
        return Request(headers=self.adapter.sign(topic, body, settings), body=body)

    def _signature_names(self, request: Request, settings: Settings) -> set[str]:
        """Return the headers, in lower case, that depend on the secret."""
        topic = self._delivery(request, settings).topic
        ours = self.adapter.sign(topic, request.body, settings)
        foreign = self.adapter.sign(topic, request.body, self._foreign(settings))
        return {name.lower() for name in ours if ours[name] != foreign[name]}

    def _with_signature(self, request: Request, settings: Settings, value: str | None) -> Request:
        """Return *request* with each signature header set to *value*; None takes it away."""
        names = self._signature_names(request, settings)
        rest = {k: v for k, v in request.headers.items() if k.lower() not in names}
        told = {} if value is None else dict.fromkeys(names, value)
        return replace(request, headers={**rest, **told})

    def test_the_adapter_describes_itself(self, settings: Settings) -> None:
        check_settings(self.adapter)
        declared = {setting.name: setting for setting in self.adapter.settings}
        assert self.adapter.topics
        assert declared[self.adapter.secret_setting].secret
        assert settings.keys() <= declared.keys(), "settings.json holds declared settings"
        assert "https://bridge.example/x" in self.adapter.instructions("https://bridge.example/x")

    def test_deliveries_are_recorded(self) -> None:
        assert any(not case.ping for case in self._cases()), "no case but pings"

    @_each_delivery
    def test_a_recorded_delivery_verifies(self, case: _Case, settings: Settings) -> None:
        delivery = self.adapter.verify(case.request, settings)

        if delivery is not None:
            assert delivery.body == case.request.body
            assert delivery.topic
            assert delivery.key
            assert delivery.received_at is None, "the bridge sets it"

    @_each_signed
    def test_a_wrong_secret_is_refused(self, case: _Case, settings: Settings) -> None:
        with pytest.raises(VerificationError):
            self.adapter.verify(case.request, self._foreign(settings))

    @_each_signed
    def test_an_absent_signature_is_refused(self, case: _Case, settings: Settings) -> None:
        request = self._with_signature(case.request, settings, None)

        assert request.headers != case.request.headers, "no header depends on the secret"
        with pytest.raises(VerificationError):
            self.adapter.verify(request, settings)

    @_each_signed
    def test_a_foreign_signature_is_refused(self, case: _Case, settings: Settings) -> None:
        body = case.request.body
        topic = self._delivery(case.request, settings).topic

        with pytest.raises(VerificationError):
            self.adapter.verify(self._signed(topic, body, self._foreign(settings)), settings)

    @_each_signed
    def test_a_changed_body_is_refused(self, case: _Case, settings: Settings) -> None:
        for place in {0, len(case.request.body) // 2, len(case.request.body) - 1}:
            body = bytearray(case.request.body)
            body[place] ^= 1
            with pytest.raises(VerificationError):
                self.adapter.verify(replace(case.request, body=bytes(body)), settings)

    @_each_signed
    def test_an_odd_signature_is_refused(self, case: _Case, settings: Settings) -> None:
        for value in ODD_SIGNATURES:
            request = self._with_signature(case.request, settings, value)
            with pytest.raises(VerificationError):
                self.adapter.verify(request, settings)

    @_each_signed
    def test_a_missing_header_costs_no_error(self, case: _Case, settings: Settings) -> None:
        for name in case.request.headers:
            rest = {k: v for k, v in case.request.headers.items() if k != name}
            try:
                delivery = self._delivery(replace(case.request, headers=rest), settings)
            except VerificationError:
                continue
            found = translated(self.adapter, delivery, settings)
            check_facts(() if isinstance(found, str) else found)

    @_each_delivery
    def test_the_case_of_header_names_is_free(self, case: _Case, settings: Settings) -> None:
        expected = self.adapter.verify(case.request, settings)
        for change in (str.lower, str.upper):
            headers = {change(name): value for name, value in case.request.headers.items()}
            assert self.adapter.verify(replace(case.request, headers=headers), settings) == expected

    @_each_signed
    def test_the_key_tells_deliveries_apart(self, case: _Case, settings: Settings) -> None:
        first = self._delivery(case.request, settings)
        signed_here = self._signed(first.topic, first.body, settings)
        ours = self._delivery(signed_here, settings)
        others = [self._signed(first.topic, first.body + b" ", settings)]
        others += [self._signed(topic, first.body, settings) for topic in self.adapter.topics]

        assert self._delivery(case.request, settings).key == first.key
        assert self._delivery(signed_here, settings).key == ours.key
        for request in others:
            other = self._delivery(request, settings)
            if (other.topic, other.body) != (ours.topic, ours.body):
                assert other.key != ours.key

    @_each_signed
    def test_facts_are_sound_and_the_same_twice(self, case: _Case, settings: Settings) -> None:
        delivery = self._delivery(case.request, settings)
        found = translated(self.adapter, delivery, settings)

        assert translated(self.adapter, delivery, settings) == found
        check_facts(() if isinstance(found, str) else found)
        if found and not isinstance(found, str):
            assert delivery.topic in self.adapter.topics, "a topic with facts is declared"

    @_each_delivery
    def test_facts_are_as_expected(self, case: _Case, settings: Settings) -> None:
        wanted = case.folder / "events.json"
        found = expectation(self.adapter, case.folder, settings)

        assert json.loads(json.dumps(found)) == found, "facts are plain JSON"
        if wanted.exists():
            assert found == json.loads(wanted.read_text("utf-8"))

    @_each_signed
    def test_an_odd_value_anywhere_costs_no_error(self, case: _Case, settings: Settings) -> None:
        delivery = self._delivery(case.request, settings)
        for body in _odd_bodies(delivery.body):
            found = translated(self.adapter, replace(delivery, body=body), settings)
            check_facts(() if isinstance(found, str) else found)

    def test_samples_verify_and_translate(self, settings: Settings) -> None:
        for sample in self.adapter.samples():
            request = self._signed(sample.topic, sample.body, settings)
            delivery = self._delivery(request, settings)
            found = translated(self.adapter, delivery, settings)

            assert delivery.topic == sample.topic
            assert not isinstance(found, str), f"{sample.name}: {found}"
            check_facts(found)


def _odd_bodies(body: bytes) -> Iterator[bytes]:
    """Yield bodies that are no sound JSON, and *body* with an odd value in each place."""
    yield from ODD_BODIES
    try:
        document = json.loads(body)
    except ValueError:
        return
    places = list(_places(document))
    places = places[:: math.ceil(len(places) / MAX_ODD_BODIES) or 1]
    turns = (
        (turn + at, place) for turn in range(len(ODD_VALUES)) for at, place in enumerate(places)
    )
    for turn, (holder, key) in islice(turns, MAX_ODD_BODIES):
        kept, holder[key] = holder[key], ODD_VALUES[turn % len(ODD_VALUES)]
        yield json.dumps(document).encode()
        holder[key] = kept


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict | list):
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, below in pairs:
        yield value, key
        yield from _places(below)
