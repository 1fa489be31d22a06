"""People as shops write them, each value with the normal form that Meta documents for it."""

from datetime import date
from unicodedata import normalize

from hypothesis import strategies as st

Told = dict[str, tuple[str, str | None]]  # field -> as the shop wrote it, normal form

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüéèñçøåłšžβδжщ佐藤אב"
SEPARATORS = ("", "", "", " ", "-", "'", "\N{RIGHT SINGLE QUOTATION MARK}", ". ", ", ")
PHONES = {  # country -> its code, how a number is dialled at home, how many digits are free
    "DE": ("49", "0170 {}", "170{}", 7),
    "US": ("1", "(650) 555-{}", "650555{}", 4),
    "GB": ("44", "07911 {}", "7911{}", 6),
    "FR": ("33", "06.12.{}", "612{}", 6),
    "JP": ("81", "090-1234-{}", "901234{}", 4),
    "IT": ("39", "06 698 {}", "06698{}", 5),
}
ZIPS = {
    "DE": (("80331", "80331"), ("D-10115", "10115")),
    "US": (("94110", "94110"), ("94110-1234", "94110"), (" 10001 ", "10001")),
    "GB": (("SW1A 1AA", "sw1a1aa"), ("m1 1ae", "m11ae")),
    "FR": (("75001", "75001"),),
    "JP": (("100-0001", "1000001"),),
    "IT": (("00118", "00118"),),
}
STATES = {
    "DE": (("Bayern", "bayern"), ("DE-BY", "by"), ("Baden-Württemberg", "badenwürttemberg")),
    "US": (("CA", "ca"), ("California", "ca"), ("US-NY", "ny"), ("new york", "ny")),
    "GB": (("Greater London", "greaterlondon"),),
    "FR": (("Île-de-France", "îledefrance"), ("Val-d'Oise", "valdoise")),
    "JP": (("JP-13", "13"), ("13", "13"), ("Tokyo", "tokyo")),
    "IT": (("RM", "rm"), ("Valle d'Aosta", "valledaosta")),
}


def _cased(text: str) -> st.SearchStrategy[str]:
    padded = st.sampled_from(("{}", " {}", "{} ", "\t{}\n"))
    cased = st.sampled_from((text, text.upper(), text.title()))
    return st.builds(lambda pad, word: pad.format(word), padded, cased)


@st.composite
def _name(draw: st.DrawFn) -> tuple[str, str]:
    words = draw(st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=3))
    separator = draw(st.sampled_from(SEPARATORS))
    raw = draw(_cased(separator.join(words)))
    form = draw(st.sampled_from(("NFC", "NFD")))
    return normalize(form, raw), "".join(words)


@st.composite
def _city(draw: st.DrawFn) -> tuple[str, str]:
    raw, normal = draw(_name())
    return raw.strip() + draw(st.sampled_from(("", " 3", " (2)"))), normal


@st.composite
def _email(draw: st.DrawFn) -> tuple[str, str]:
    local = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=10)
    separator = draw(st.sampled_from((".", "+", "_", "-")))
    host = draw(st.sampled_from(("example.com", "mail.example.co.uk", "bücher.example")))
    normal = f"{draw(local)}{separator}{draw(local)}@{host}"
    return draw(_cased(normal)), normal


@st.composite
def _phone(draw: st.DrawFn, country: str) -> tuple[str, str]:
    code, home, national, free = PHONES[country]
    digits = draw(st.text("123456789", min_size=free, max_size=free))
    normal = code + national.format(digits)
    abroad = draw(st.sampled_from(("+{0}{1}", "+{0} {1}", "00{0}{1}", "")))
    if country in {"US", "JP"} and abroad.startswith("00"):  # nobody dials so from there
        abroad = ""
    raw = abroad.format(code, national.format(digits)) if abroad else home.format(digits)
    return raw, normal


@st.composite
def _birthday(draw: st.DrawFn) -> tuple[str, str]:
    day = draw(st.dates(date(1920, 1, 1), date(2010, 12, 31)))
    written = draw(st.sampled_from(("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d")))
    return day.strftime(written), day.strftime("%Y%m%d")


@st.composite
def people(draw: st.DrawFn) -> tuple[str, Told]:
    """Return a country, and what was told of somebody who lives there."""
    country = draw(st.sampled_from(sorted(PHONES)))
    first, last = draw(_name()), draw(_name())
    number = str(draw(st.integers(1, 10**13)))
    genders = (("f", "f"), ("Male", "m"), ("divers", None))
    return country, {
        "em": draw(_email()),
        "ph": draw(_phone(country)),
        "fn": first,
        "ln": last,
        "ct": draw(_city()),
        "st": draw(st.sampled_from(STATES[country])),
        "zp": draw(st.sampled_from(ZIPS[country])),
        "country": (draw(_cased(country.lower())), country.lower()),
        "db": draw(_birthday()),
        "ge": draw(st.sampled_from(genders)),
        "external_id": (f"shop:{number}", f"shop:{number}"),
    }
