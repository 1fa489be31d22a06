"""Reading a sender's own JSON strictly: what is told in a wrong form is refused by its name.

Here, unlike with a shop, whoever made the mistake can mend it, and a lead that is dead with
the field's name is worth more than one sent without it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.events import TranslationError, reading

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECONDS = (10**9, 10**10)  # Unix times from 2001 on; what is above is milliseconds


@dataclass(frozen=True, kw_only=True)
class Fields:
    """One object of the body and the path it stands at, such as ``events[3].user_data.``.

    All readers return None for a field that is missing, null or empty, and raise
    TranslationError (``bad_<field>``) for one in a wrong form.
    """

    values: Mapping[str, Any]
    path: str = ""

    def refusal(self, name: str, wanted: str) -> TranslationError:
        """Return the error that says that the field *name* is not *wanted*."""
        return TranslationError(f"bad_{name}", f"{self.path}{name} is not {wanted}")

    def told(self, name: str) -> Any:
        """Return the field as it came."""
        value = self.values.get(name)
        return None if value == "" else value

    def text(self, name: str) -> str | None:
        """Return a text; a whole number, such as a postcode, is taken for one."""
        value = self.told(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value) if abs(value) < 10**30 else None
        if value is not None and not isinstance(value, str):
            raise self.refusal(name, "a text")
        return reading.text(value)

    def identifier(self, name: str) -> str | None:
        """Return an id."""
        value = self.told(name)
        found = reading.identifier(value)
        if value is not None and found is None:
            raise self.refusal(name, "an id: a text of at most 200 letters without spaces")
        return found

    def flag(self, name: str) -> bool | None:
        """Return true or false; words and numbers for them are refused, not guessed."""
        value = self.told(name)
        if value is not None and not isinstance(value, bool):
            raise self.refusal(name, "true, false or null")
        return value

    def number(self, name: str) -> Decimal | None:
        """Return an amount, from a number or a decimal text."""
        value = self.told(name)
        found = reading.number(value)
        if value is not None and found is None:
            raise self.refusal(name, "a number")
        return found

    def moment(self, name: str) -> datetime | None:
        """Return a time from ISO 8601 with a zone, or from Unix seconds."""
        value = self.told(name)
        found = reading.moment(value) or _from_seconds(value)
        if value is not None and found is None:
            raise self.refusal(name, "a time: ISO 8601 with its zone, or Unix seconds")
        return found

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """Return one of *choices*."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise self.refusal(name, f"one of {', '.join(choices)}")
        return value

    def below(self, name: str) -> "Fields":
        """Return the object *name*, empty if it is missing."""
        value = self.told(name)
        if value is not None and not isinstance(value, dict):
            raise self.refusal(name, "an object")
        return Fields(values=value or {}, path=f"{self.path}{name}.")

    def each(self, name: str, at_most: int) -> list["Fields"]:
        """Return the objects of the list *name*."""
        value = self.told(name)
        if not isinstance(value, list) or len(value) > at_most:
            raise self.refusal(name, f"a list of at most {at_most} objects")
        return [self._item(name, place, item) for place, item in enumerate(value)]

    def _item(self, name: str, place: int, item: object) -> "Fields":
        if not isinstance(item, dict):
            raise self.refusal(name, f"a list of objects: see place {place}")
        return Fields(values=item, path=f"{self.path}{name}[{place}].")


def _from_seconds(value: object) -> datetime | None:
    seconds = reading.number(value)
    if seconds is None or not SECONDS[0] <= seconds < SECONDS[1]:
        return None
    return EPOCH + timedelta(seconds=int(seconds))
