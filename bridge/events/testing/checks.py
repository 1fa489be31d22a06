"""What both contracts ask: sound settings, sound facts, no network."""

import re
import socket
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bridge.events.adapters import DestinationAdapter, Setting, SourceAdapter
from bridge.events.facts import Event, Fact
from bridge.events.ids import event_id

_SECRET_WORDS = {"secret", "secrets", "token", "password"}
_ID_FIELD = re.compile(r"(.*_)?(id|token|ids|keys)\Z")
_KIND = re.compile(r"[a-z][a-z0-9_]*\Z")


class _NoSocket(socket.socket):
    def __init__(self, *_: object, **__: object) -> None:
        pytest.fail("an adapter opened a socket")


def _no_lookup(*_: object, **__: object) -> None:
    pytest.fail("an adapter looked up a host")


class Contract:
    """What both contracts share: an adapter that reaches for the network fails."""

    @pytest.fixture(autouse=True)
    def _no_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "socket", _NoSocket)
        monkeypatch.setattr(socket, "getaddrinfo", _no_lookup)


def check_settings(adapter: SourceAdapter | DestinationAdapter) -> None:
    """Assert that *adapter* has a kind, a label and soundly declared settings."""
    assert _KIND.match(adapter.kind), "kind is lower_snake"
    assert adapter.label
    names = [setting.name for setting in adapter.settings]
    assert len(names) == len(set(names)), "each setting has its own name"
    for setting in adapter.settings:
        _check_setting(setting)


def _check_setting(setting: Setting) -> None:
    assert _KIND.match(setting.name), f"{setting.name}: lower_snake"
    assert setting.label, f"{setting.name}: needs a label"
    assert setting.help or not setting.required, f"{setting.name}: a required one needs help"
    assert not setting.choices or setting.default in {"", *setting.choices}, setting.name
    told = _SECRET_WORDS & set(setting.name.split("_"))
    assert setting.secret or not told, f"{setting.name}: must be declared secret"
    assert not (setting.secret and setting.default), f"{setting.name}: a secret has no default"


def _nodes(value: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield every field and item below *value* with the name it stands under."""
    if is_dataclass(value):
        for field in fields(value):
            yield from _nodes(getattr(value, field.name), field.name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item, name)
    else:
        yield name, value


def check_facts(facts: Iterable[Fact]) -> None:
    """Assert what holds for every fact: sound ids, aware UTC times, finite Decimals."""
    for fact in facts:
        assert is_dataclass(fact), "a fact is one of bridge.events' dataclasses"
        if isinstance(fact, Event):
            assert fact.subject_id, "subject_id is not empty"
            _check_id("event_id", event_id(fact.occasion, fact.subject_id))
        for name, value in _nodes(fact):
            assert not isinstance(value, float), f"{name}: money is Decimal"
            if isinstance(value, Decimal):
                assert value.is_finite(), f"{name}: finite"
            if isinstance(value, datetime):
                assert value.utcoffset() == timedelta(0), f"{name}: aware and UTC"
            if _ID_FIELD.match(name) and value is not None:
                _check_id(name, value)


def _check_id(name: str, value: object) -> None:
    assert isinstance(value, str), f"{name}: ids are strings"
    assert value, f"{name}: not empty"
    assert not re.search(r"\s", value), f"{name}: no white space"
