"""Where we send something else than Meta's own library, for which input, and why.

The library is facebook-business 26.0.3; what it does is seen in its file
adobjects/serverside/normalize.py (read 2026-11-23).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from unicodedata import category, normalize

from bridge.events import Conversion, Item, UserData


@dataclass(frozen=True, kw_only=True)
class Deviation:
    """A kind of input in some fields, told by `fits`(raw, country), with an example."""

    fields: tuple[str, ...]
    kind: str
    example: str
    country: str | None = None
    fits: Callable[[str, str | None], object]
    reason: str

    def explains(self, field: str, raw: str, country: str | None) -> bool:
        return field in self.fields and bool(self.fits(raw, country))


def _has(raw: str, kinds: str, but: str = "") -> bool:
    """Return whether a character of such a category stands within, or a split accent."""
    inner = raw.strip()
    return inner != normalize("NFC", inner) or any(
        category(char)[0] in kinds and char not in but for char in inner
    )


def _is_code(raw: str) -> bool:
    return re.fullmatch("[A-Za-z]{2}", raw.strip()) is not None


def _is_local(raw: str, _: str | None) -> bool:
    return not raw.strip().startswith(("+", "00"))


DEVIATIONS = (
    Deviation(
        fields=("em",),
        kind="more than an address: spaces, brackets, a scheme, a number for a host, a dot",
        example="user@example.com.",
        fits=lambda raw, _: re.search(r"[\s<>()\[\],;:\"]|\.$", raw.strip()),
        reason="no mailbox has it, so its hash finds nobody; the library takes nearly any text",
    ),
    Deviation(
        fields=("em",),
        kind="no address at all",
        example="userexample.com",
        fits=lambda raw, _: not re.fullmatch(r".+@[^.].*\..+", raw.strip()),
        reason="the key is left out; the library raises, and the whole request is lost",
    ),
    Deviation(
        fields=("em", "ph", "fn", "ln"),
        kind="an MD5 hash",
        example="d41d8cd98f00b204e9800998ecf8427e",
        fits=lambda raw, _: re.fullmatch("[0-9A-Fa-f]{32}", raw),
        reason="Meta documents SHA-256 alone; the library sends it on",
    ),
    Deviation(
        fields=("em", "ph", "fn", "ln"),
        kind="a SHA-256 hash with the appendix of Meta's parameter builder",
        example="62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f.AQQCAQIB",
        fits=lambda raw, _: re.fullmatch(r"[0-9A-Fa-f]{64}\.[\w-]{2,8}", raw),
        reason="it is hashed already; the library does not know the builder's form",
    ),
    Deviation(
        fields=("ph",),
        kind="a number without its country",
        example="020 7946 0018",
        country="GB",
        fits=_is_local,
        reason="we read it by the address it came with; the library hashes it as it stands",
    ),
    Deviation(
        fields=("ph",),
        kind="nothing but zeros",
        example="0000000000",
        country="US",
        fits=lambda raw, _: not raw.strip(" 0"),
        reason="the key is left out; the library raises, and the whole request is lost",
    ),
    Deviation(
        fields=("ph",),
        kind="a national zero within an international number",
        example="00 44 (0) 20 7946 0018",
        country="GB",
        fits=lambda raw, _: "(0)" in raw,
        reason="nobody dials both; the library keeps the zero",
    ),
    Deviation(
        fields=("ph",),
        kind="dots, slashes, an extension, two numbers",
        example="+1 650 555 1212 x5",
        country="US",
        fits=lambda raw, _: re.search(r"[A-Za-z./;#]", raw),
        reason="one number without its extension is sent, two are not; the library raises",
    ),
    Deviation(
        fields=("fn", "ln"),
        kind="spaces, punctuation, symbols or a split accent",
        example="van der Berg",
        fits=lambda raw, _: _has(raw, "PSZC"),
        reason="Meta documents no punctuation, the Pixel takes out spaces; the library keeps all",
    ),
    Deviation(
        fields=("ct",),
        kind="punctuation but dots, dashes and brackets; symbols; a split accent",
        example="L'Aquila",
        fits=lambda raw, _: _has(raw, "PSC", but=".-()"),
        reason="Meta documents no punctuation; the library takes out only some",
    ),
    Deviation(
        fields=("st",),
        kind="a state of the US or Canada, by name or with the country's code",
        example="California",
        country="US",
        fits=lambda raw, country: country in {"US", "CA"} and not _is_code(raw),
        reason="Meta documents the two-letter code; the library does not know the names",
    ),
    Deviation(
        fields=("st",),
        kind="an ISO 3166-2 code with its country",
        example="DE-BY",
        country="DE",
        fits=lambda raw, country: country and raw.upper().startswith(f"{country}-"),
        reason="the country has a key of its own; the library keeps both as one word",
    ),
    Deviation(
        fields=("st",),
        kind="digits, or punctuation but dots, dashes and brackets",
        example="13",
        country="JP",
        fits=lambda raw, _: _has(raw, "NPSC", but=".-()"),
        reason="a code of digits is a code; the library hashes the empty text",
    ),
    Deviation(
        fields=("zp",),
        kind="a dash outside the US",
        example="100-0001",
        country="JP",
        fits=lambda raw, country: "-" in raw and country != "US",
        reason="Meta documents that the dash goes; the library cuts the code there",
    ),
    Deviation(
        fields=("country",),
        kind="a name, a three-letter code, or Kosovo",
        example="AUT",
        fits=lambda raw, _: not _is_code(raw) or raw.upper() == "XK",
        reason="found by name or left out; the library raises, and the whole request is lost",
    ),
    Deviation(
        fields=("db",),
        kind="any writing but YYYYMMDD",
        example="1997-02-16",
        fits=lambda raw, _: not re.fullmatch("[0-9]{8}", raw),
        reason="Meta documents YYYYMMDD; the library hashes the day as it is written",
    ),
    Deviation(
        fields=("ge",),
        kind="words and capitals",
        example="Male",
        fits=lambda raw, _: raw not in {"f", "m"},
        reason="female and male are read, others left out; the library takes its own two words",
    ),
    Deviation(
        fields=("external_id",),
        kind="every id",
        example="207119551",
        fits=lambda _raw, _country: True,
        reason="Meta recommends to hash it; the library sends it in plain",
    ),
)


@dataclass(frozen=True, kw_only=True)
class EventDeviation:
    """Where a whole event differs: what `change` makes of it, and both sides at `path`."""

    kind: str
    change: Callable[[Conversion], Conversion]
    path: str
    ours: object
    theirs: object
    reason: str


def _person(**changes: Any) -> Callable[[Conversion], Conversion]:
    return lambda told: replace(told, user_data=replace(told.user_data, **changes))


def _custom(**changes: Any) -> Callable[[Conversion], Conversion]:
    return lambda told: replace(told, custom_data=replace(told.custom_data, **changes))


_LANDING = "https://shop.example/order?key=wc_order_1&utm_source=ig#top"
_TWICE = (Item(id="11", quantity=1), Item(id="11", quantity=2))

EVENT_DEVIATIONS = (
    EventDeviation(
        kind="the currency",
        change=_custom(currency="eur"),
        path="custom_data.currency",
        ours="EUR",
        theirs="eur",
        reason="ISO 4217 is written in capitals, as Meta's own examples are; Meta takes both",
    ),
    EventDeviation(
        kind="a negative value",
        change=_custom(value=Decimal(-5)),
        path="custom_data.value",
        ours="refused: value",
        theirs=-5.0,
        reason="Meta documents no meaning for it, and one bad event costs its whole batch",
    ),
    EventDeviation(
        kind="a purchase without a currency",
        change=_custom(currency=None),
        path="custom_data.currency",
        ours="refused: currency",
        theirs=None,
        reason="Meta refuses it (2804010), and with it the batch",
    ),
    EventDeviation(
        kind="one id on two lines",
        change=_custom(contents=_TWICE),
        path="custom_data.content_ids",
        ours=["11"],
        theirs=["11", "11"],
        reason="content_ids name what was bought; contents have the lines",
    ),
    EventDeviation(
        kind="an e-mail address among custom properties",
        change=_custom(extra={"note": "jane@example.com"}),
        path="custom_data.note",
        ours=None,
        theirs="jane@example.com",
        reason="plain contact data must not be sent",
    ),
    EventDeviation(
        kind="the query of a page",
        change=lambda told: replace(told, event_source_url=_LANDING),
        path="event_source_url",
        ours="https://shop.example/order?utm_source=ig",
        theirs=_LANDING,
        reason="queries hold keys to orders, tokens and e-mail addresses",
    ),
    EventDeviation(
        kind="an address of a private network",
        change=_person(client_ip_address="10.0.0.7"),
        path="user_data.client_ip_address",
        ours=None,
        theirs="10.0.0.7",
        reason="it is the shop's proxy, not the buyer",
    ),
    EventDeviation(
        kind="a browser id of another form",
        change=_person(fbp="GA1.2.3.4"),
        path="user_data.fbp",
        ours=None,
        theirs="GA1.2.3.4",
        reason="Meta reports such ids as faulty",
    ),
    EventDeviation(
        kind="a website event without a user agent",
        change=lambda told: replace(
            _person(client_user_agent=None)(told),
            custom_data=replace(told.custom_data, order_id=None),
        ),
        path="user_data.client_user_agent",
        ours="refused: client_user_agent",
        theirs=None,
        reason="Meta answers 200 and makes nothing of it; only an order is sent without",
    ),
    EventDeviation(
        kind="a person by city and country alone",
        change=lambda told: replace(
            told,
            action_source="other",
            external_id=None,
            user_data=UserData(city="münchen", country="DE"),
        ),
        path="user_data.em",
        ours="refused: user_data",
        theirs=None,
        reason="Meta refuses what is too weak to find anybody (2804050), and with it the batch",
    ),
)
