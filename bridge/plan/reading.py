"""TOML becomes a Plan, or a ConfigError that says on which line which word is wrong."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any, TypeVar

from bridge.events import ConfigError, Occasion
from bridge.plan.kinds import EVENT_NAME, MAX_SHOWN, NAME, nearest, parts_of
from bridge.plan.rules import (
    ChannelRules,
    CollectorRules,
    CustomRule,
    DestinationRules,
    EventRules,
    Plan,
    Rules,
    is_topic,
)

Path = tuple[str, ...]
Table = dict[str, object]
_SECTIONS = tuple(section.name for section in fields(Rules))
_HEADER = re.compile(r"\s*\[+(.+?)\]")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|'[^']*'|[\w-]+|\s*\.\s*)+?)\s*=")
_WORD = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")
S = TypeVar("S")


def parse(text: str) -> Plan:
    """Return the plan that *text* (TOML) describes; what it leaves out has its default.

    Raises ConfigError with one line for each fault: its line number, the wrong word and the
    nearest right one.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except RecursionError:
        raise ConfigError("plan: nested too deeply") from None
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(f"plan: {error}") from None
    reader = _Reader(text)
    plan = reader.plan(document)
    if reader.errors:
        raise ConfigError("\n".join(reader.errors))
    return plan


def _line_of(text: str, path: Path) -> int:
    """Return the number of the line that sets *path*, or the nearest table around it.

    ``#2`` within the path is the second table of an array.
    """
    header: Path = ()
    seen: Counter[Path] = Counter()
    for count, line in enumerate(text.splitlines(), 1):
        if match := _HEADER.match(line):
            header = _words(match[1])
            seen[header] += 1
            here = header = (*header, f"#{seen[header]}") if "[[" in line else header
        elif match := _KEY.match(line):
            here = header + _words(match[1])
        else:
            continue
        if here[: len(path)] == path:
            return count
    return _line_of(text, path[:-1]) if len(path) > 1 else 1


def _words(dotted: str) -> Path:
    return tuple("".join(found) for found in _WORD.findall(dotted))


def _names_itself(word: str) -> bool:
    """Return whether *word* may stand for an occasion of its own: a topic, or an event name."""
    return is_topic(word) or re.match("[A-Z]", word) is not None


class _Reader:
    """Reads tables over given rules and collects what is wrong."""

    def __init__(self, text: str) -> None:
        self.errors: list[str] = []
        self._text = text

    def plan(self, document: Table) -> Plan:
        base = self._rules(Rules(), document, ())
        sources = document.get("source", {})
        if not isinstance(sources, dict):
            self._wrong(("source",), "[source] must hold a table for each source")
            return Plan(base=base)
        return Plan(
            base=base,
            sources={
                name: self._rules(base, table, ("source", name))
                for name, table in sources.items()
                if self._is_table(table, ("source", name))
            },
        )

    def _rules(self, base: Rules, document: Table, at: Path) -> Rules:
        sections: dict[str, Any] = {}
        for name, table in document.items():
            here = (*at, name)
            if name == "source" and not at:
                continue
            if name not in _SECTIONS:
                known = _SECTIONS if at else (*_SECTIONS, "source")
                self._unknown("section", here, known)
            elif name == "custom":
                sections[name] = self._custom(table, here)
            elif self._is_table(table, here):
                sections[name] = self._section_of(base, name, table, here)
        rules = replace(base, **sections)
        if sections.keys() & {"custom", "events", "channels"}:
            self._check_names(rules, at)
        self._check_sense(rules, sections, at)
        for name in ("consent", "value", "contents"):
            for event_name in self._event_tables(document.get(name)):
                if event_name not in rules.event_names():
                    self._unknown("event", (*at, name, event_name), sorted(rules.event_names()))
        return rules

    def _event_tables(self, section: object) -> list[str]:
        tables = section.items() if isinstance(section, dict) else ()
        return [name for name, value in tables if isinstance(value, dict)]

    def _section_of(self, base: Rules, name: str, table: Any, at: Path) -> object:
        if name == "channels":
            return self._channels(base.channels, table, at)
        if name == "events":
            return self._events(base.events, table, at)
        if name == "destinations":
            return self._destinations(base.destinations, table, at)
        return self._section(getattr(base, name), table, at)

    def _custom(self, tables: object, at: Path) -> tuple[CustomRule, ...]:
        if not isinstance(tables, list):
            self._wrong(at, "custom events stand in tables of their own: [[custom]]")
            return ()
        rules = [
            self._section(CustomRule(), table, (*at, f"#{number}"))
            for number, table in enumerate(tables, 1)
        ]
        for number, rule in enumerate(rules, 1):
            if not rule.name:
                self._wrong((*at, f"#{number}"), "a custom event needs a name")
        return tuple(rules)

    def _check_names(self, rules: Rules, at: Path) -> None:
        """Refuse a name that another event of the same order has: it would be sent twice."""
        started, names = str(Occasion.SUBSCRIPTION_STARTED), rules.events.names
        own = {channel.event_name for channel in rules.channels.values() if channel.send}
        sales = {names[Occasion.PURCHASE], *own} - {""}
        if names[started] in sales and started not in rules.events.off:
            self._wrong((*at, "events", started), f"{started} needs a name that no sale has")
        for topic in filter(is_topic, names):
            if names[topic] in sales and topic not in rules.events.off:
                self._wrong((*at, "events", topic), f"{topic} needs a name that no sale has")
        taken = {*sales, *Occasion}
        for number, rule in enumerate(rules.custom, 1):
            here = (*at, "custom", f"#{number}")
            if rule.name in {*taken, *rule.occasions}:
                sentence = f'the custom event "{rule.name}" needs a name of its own'
                self._wrong(here, sentence)
            taken.add(rule.name)
            for word in rule.occasions:
                if word not in names and not _names_itself(word):
                    self._unknown("occasion", (*here, word), names)
            if rule.min_amount > rule.max_amount:
                self._wrong(here, f'"{rule.name}": min_amount is above max_amount')

    def _check_sense(self, rules: Rules, sections: Collection[str], at: Path) -> None:
        """Refuse what would take events away in silence."""
        who, channels = rules.who, rules.channels.values()
        for name in ("", *rules.contents.by_event) if "contents" in sections else ():
            own = rules.contents_for(name)
            if "country" in parts_of(own.id) and not own.country:
                where = (*at, "contents", *filter(None, (name,)), "id")
                self._wrong(where, "id: {country} needs the key country")
        if "who" in sections and who.customers == "shop":
            for key in ("new_customers_only", "segmentation"):
                if getattr(who, key):
                    sentence = 'needs customers = "ledger", for shops do not tell who is new'
                    self._wrong((*at, "who", key), f"{key}: {sentence}")
        on_website = any(one.send and one.action_source == "website" for one in channels)
        if "who" in sections and on_website and "client_user_agent" not in who.user_data:
            sentence = 'needs "client_user_agent", which events of a website are to have'
            self._wrong((*at, "who", "user_data"), f"user_data: {sentence}")
        if "collector" in sections:
            names = {*rules.event_names(), *CollectorRules().events}
            names -= {rules.events.names[Occasion.PURCHASE]}
            for word in rules.collector.events:
                if word not in names:
                    sentence = f'unknown event "{word[:MAX_SHOWN]}"; {nearest(word, sorted(names))}'
                    self._wrong((*at, "collector", "events"), f"events: {sentence}")

    def _destinations(
        self, base: Mapping[str, DestinationRules], table: Table, at: Path
    ) -> dict[str, DestinationRules]:
        destinations = dict(base)
        for name, content in table.items():
            if self._is_table(content, (*at, name)):
                before = base.get(name, DestinationRules())
                destinations[name] = self._section(before, content, (*at, name))
        return destinations

    def _channels(
        self, base: Mapping[str, ChannelRules], table: Table, at: Path
    ) -> dict[str, ChannelRules]:
        channels = dict(base)
        for name, content in table.items():
            here = (*at, name)
            if name not in base:
                self._unknown("channel", here, base)
            elif self._is_table(content, here):
                channels[name] = self._section(base[name], content, here)
        return channels

    def _events(self, base: EventRules, table: Table, at: Path) -> EventRules:
        names = dict(base.names)
        for key, value in table.items():
            if key == "off":
                continue
            if key not in names and not _names_itself(key):
                self._unknown("occasion", (*at, key), (*Occasion, "off"))
            else:
                names[key] = self._value(NAME["read"], value, (*at, key)) or ""
        off = self._section(base, {"off": table["off"]} if "off" in table else {}, at).off
        for word in off:
            if word not in names:
                sentence = f'unknown occasion "{word[:MAX_SHOWN]}" in off; {nearest(word, names)}'
                self._wrong((*at, "off"), sentence)
        return EventRules(names=names, off=off)

    def _section(self, base: S, table: Any, at: Path) -> S:
        kinds = {part.name: part.metadata for part in fields(base)}  # type: ignore[arg-type]  # S is a dataclass
        by_event = dict(getattr(base, "by_event", {}))
        own: Table = {}
        for key, value in table.items():
            here = (*at, key)
            if "read" in kinds.get(key, {}):
                own[key] = value
            elif "by_event" in kinds and EVENT_NAME.match(key) and isinstance(value, dict):
                by_event[key] = by_event.get(key, {}) | self._values(kinds, value, here)
            else:
                self._unknown("key", here, [name for name in kinds if name != "by_event"])
        changes: dict[str, Any] = self._values(kinds, own, at)
        if "by_event" in kinds:
            changes["by_event"] = by_event
        return replace(base, **changes)  # type: ignore[type-var]  # S is a dataclass

    def _values(self, kinds: Mapping[str, Any], table: Table, at: Path) -> Table:
        values: Table = {}
        for key, value in table.items():
            if "read" not in kinds.get(key, {}):
                self._unknown("key", (*at, key), [name for name in kinds if name != "by_event"])
                continue
            faults = len(self.errors)
            read = self._value(kinds[key]["read"], value, (*at, key))
            if len(self.errors) == faults:
                values[key] = read
        return values

    def _value(self, read: Callable[[object], Any], value: object, at: Path) -> Any:
        try:
            return read(value)
        except ValueError as error:
            self._wrong(at, f"{at[-1][:MAX_SHOWN]}: {error}")

    def _is_table(self, value: object, at: Path) -> bool:
        if not isinstance(value, dict):
            self._wrong(at, f"[{'.'.join(at)[:MAX_SHOWN]}] must be a table")
        return isinstance(value, dict)

    def _unknown(self, what: str, at: Path, known: Collection[str]) -> None:
        around = ".".join(word for word in at[:-1] if not word.startswith("#"))
        where = f" in [{around}]" if around else ""
        self._wrong(at, f'unknown {what} "{at[-1][:MAX_SHOWN]}"{where}; {nearest(at[-1], known)}')

    def _wrong(self, at: Path, sentence: str) -> None:
        self.errors.append(f"plan, line {_line_of(self._text, at)}: {sentence}")
