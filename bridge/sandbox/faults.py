"""Faults on command: what is to go wrong with the next requests for events.

A SPEC is one or more faults, separated by commas.  A fault is ``KIND``, ``KIND=VALUE``,
then ``;OPTION=VALUE`` as often as needed, then ``xN`` for the next N requests only::

    status=500x3                 3 answers 500, as from a proxy, without a Graph body
    code=190                     Graph error 190, for ever
    code=100/2804003x2           code and subcode
    code=4;retry_after=120x1     throttled, with Retry-After in seconds
    delay=2.5                    the right answer, 2.5 s late
    reset    reset=after         the connection is reset, without an answer; before or after
                                 the events are taken
    half                         events taken, but half the answer, then the end
    drip     drip=0.2            events taken, one byte of the answer each 0.7 s (or 0.2 s)
    fewer                        all events but the last are taken and counted
    html     empty               200 with a web page, or with nothing; no event is taken
    endless  gzip                200 without an end; 200 with 50 MB of zeros, packed
    redirect=307                 to /elsewhere on this sandbox
    refuse=n:7                   the 7th event seen from now on is bad: any request that
                                 holds it is refused (100/2804019) without telling which
    refuse=id:purchase.1001      the same for an event_id; refuse takes no xN

Options: ``retry_after=SECONDS`` (a header), ``status=NNN`` (with code: another HTTP status),
``delay=SECONDS`` (wait first), ``every=N`` (only each Nth request; the others pass).

For each request the first fault of the list that still holds is taken.  The same as JSON,
for values that hold commas: ``[{"kind": "code", "value": "4", "options": {"retry_after":
"120"}, "times": 3}]``; ``times`` null or absent is for ever.
"""

import re
import threading
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from bridge.events import ConfigError

_SECONDS = re.compile(r"\d{1,5}(\.\d{1,3})?", re.ASCII)
_STATUS = re.compile(r"[2345]\d\d", re.ASCII)
_COUNT = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_NONE = re.compile("")
# kind -> what its value looks like, and in words
_KINDS = {
    "status": (_STATUS, "an HTTP status"),
    "code": (re.compile(r"\d{1,6}(/\d{1,8})?", re.ASCII), "CODE or CODE/SUBCODE"),
    "delay": (_SECONDS, "seconds"),
    "reset": (re.compile("|after"), "nothing or 'after'"),
    "half": (_NONE, "nothing"),
    "drip": (re.compile(f"|{_SECONDS.pattern}", re.ASCII), "nothing or seconds"),
    "fewer": (_NONE, "nothing"),
    "html": (_NONE, "nothing"),
    "empty": (_NONE, "nothing"),
    "endless": (_NONE, "nothing"),
    "gzip": (_NONE, "nothing"),
    "redirect": (re.compile("30[12378]"), "301, 302, 303, 307 or 308"),
    "refuse": (re.compile(r"n:[1-9]\d{0,6}|id:.+", re.ASCII), "n:NUMBER or id:EVENT_ID"),
}
_OPTIONS = {
    "retry_after": (_COUNT, "whole seconds"),
    "status": (_STATUS, "an HTTP status"),
    "delay": (_SECONDS, "seconds"),
    "every": (_COUNT, "a number"),
}
# Events are taken as usual, then the answer goes wrong.
_AFTER = frozenset({"delay", "half", "drip", "fewer"})


@dataclass(kw_only=True)
class Fault:
    """One fault.  `times` is how often it still strikes; None means for ever."""

    kind: str
    value: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    times: int | None = None
    met: int = 0
    seen: dict[Hashable, None] = field(default_factory=dict)

    @property
    def takes_events(self) -> bool:
        """Whether the request is judged and its events are kept all the same."""
        return self.kind in _AFTER or (self.kind, self.value) == ("reset", "after")

    @property
    def delay_s(self) -> float:
        """Return how long to wait before anything else."""
        return float(self.value if self.kind == "delay" else self.options.get("delay", 0))

    def as_json(self) -> dict[str, object]:
        """Return the fault as `Faults.set` takes it."""
        return {
            "kind": self.kind,
            "value": self.value,
            "options": dict(self.options),
            "times": self.times,
        }

    def __str__(self) -> str:
        options = "".join(f";{name}={value}" for name, value in self.options.items())
        return self.kind + (f"={self.value}" if self.value else "") + options


class Faults:
    """The faults that are set, shared by all requests."""

    def __init__(self, spec: str = "") -> None:
        self._lock = threading.Lock()
        self._faults = parse(spec)

    def set(self, spec: str) -> None:
        """Replace all faults by *spec*, a SPEC or JSON; an empty text clears them.

        Raises ConfigError.
        """
        faults = parse(spec)
        with self._lock:
            self._faults = faults

    def as_json(self) -> list[dict[str, object]]:
        """Return the faults that still hold."""
        with self._lock:
            return [fault.as_json() for fault in self._faults if fault.times != 0]

    def take(self, events: Sequence[object]) -> Fault | None:
        """Return the fault that strikes a request with *events*, and count it."""
        with self._lock:
            return next((fault for fault in self._faults if _strikes(fault, events)), None)


def parse(spec: str) -> list[Fault]:
    """Return the faults of *spec*, a SPEC text or JSON.  Raises ConfigError."""
    text = spec.strip()
    return _parse_json(text) if text.startswith(("[", "{", '"')) else _parse_spec(text)


def _parse_spec(text: str) -> list[Fault]:
    return [_parse_one(part.strip()) for part in text.split(",") if part.strip()]


def _parse_one(text: str) -> Fault:
    times = None
    if not text.startswith("refuse") and (repeat := re.fullmatch(r"(.+?)\s*x(\d{1,6})", text)):
        text, times = repeat[1], int(repeat[2])
    first, *rest = text.split(";")
    kind, _, value = first.partition("=")
    options = dict(_pair(part) for part in rest)
    return _checked(Fault(kind=kind.strip(), value=value.strip(), options=options, times=times))


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _parse_json(text: str) -> list[Fault]:
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ConfigError("fault: this is neither a SPEC nor sound JSON") from None
    if isinstance(given, str):
        return _parse_spec(given)
    items = given if isinstance(given, list) else [given]
    return [_from_json(item) for item in items]


def _from_json(item: object) -> Fault:
    if not isinstance(item, dict) or item.keys() - {"kind", "value", "options", "times"}:
        raise ConfigError("fault: JSON must be objects with kind, value, options and times only")
    options, times = item.get("options") or {}, item.get("times")
    if not isinstance(options, dict):
        raise ConfigError("fault: options must be an object")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise ConfigError("fault: times must be a whole number or null")
    texts = {str(name): str(value) for name, value in options.items()}
    kind, value = str(item.get("kind", "")), str(item.get("value") or "")
    return _checked(Fault(kind=kind, value=value, options=texts, times=times))


def _checked(fault: Fault) -> Fault:
    if fault.kind not in _KINDS:
        raise ConfigError(f"fault: {fault.kind[:20]!r} is none of {', '.join(_KINDS)}")
    _check(fault.kind, fault.value, _KINDS[fault.kind])
    for name, value in fault.options.items():
        if name not in _OPTIONS:
            raise ConfigError(f"fault: option {name[:20]!r} is none of {', '.join(_OPTIONS)}")
        _check(f"{fault.kind};{name}", value, _OPTIONS[name])
    return fault


def _check(name: str, value: str, wanted: tuple[re.Pattern[str], str]) -> None:
    pattern, words = wanted
    if not pattern.fullmatch(value):
        raise ConfigError(f"fault: {name} takes {words}")


def _strikes(fault: Fault, events: Sequence[object]) -> bool:
    if fault.times == 0 or (fault.kind == "refuse" and not _holds(fault, events)):
        return False
    fault.met += 1
    if fault.met % int(fault.options.get("every", 1)):
        return False
    if fault.times is not None:
        fault.times -= 1
    return True


def _holds(fault: Fault, events: Sequence[object]) -> bool:
    """Return whether the bad event is among *events*; ``n:`` counts each event once."""
    how, _, wanted = fault.value.partition(":")
    if how == "id":
        return any(isinstance(event, dict) and event.get("event_id") == wanted for event in events)
    number = int(wanted)
    keys = [_identity(event) for event in events]
    for key in keys:
        if len(fault.seen) < number:
            fault.seen.setdefault(key)
    return len(fault.seen) == number and next(reversed(fault.seen)) in keys


def _identity(event: object) -> Hashable:
    if isinstance(event, dict) and isinstance(event.get("event_id"), str):
        return str(event.get("event_name")), event["event_id"]
    return orjson.dumps(event)
