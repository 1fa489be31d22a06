"""Normal forms: every recorded vector, and any text at all."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.destinations.meta import normalise
from adapters.destinations.meta.countries import find_country
from adapters.destinations.meta.money import currency
from adapters.destinations.meta.normalise import hashed
from adapters.destinations.meta.phones import phone

TODAY = date(2026, 11, 23)
FILE = Path(__file__).parents[3] / "vectors" / "meta-normalisation.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))["vectors"]
PLAIN: dict[str, Callable[..., str | None]] = {
    "em": normalise.email,
    "fn": normalise.name,
    "ln": normalise.name,
    "ge": normalise.gender,
    "ct": normalise.city,
    "country": normalise.country,
    "external_id": normalise.external_id,
}
WITH_COUNTRY: dict[str, Callable[..., str | None]] = {
    "ph": phone,
    "st": normalise.region,
    "zp": normalise.postcode,
}
SHA256 = re.compile(r"[0-9a-f]{64}(\.[\w-]+)?")
EMPTY = hashlib.sha256(b"").hexdigest()
ANY = st.text(st.characters(codec=None)) | st.text("0123456789+()-./ aAéßİ\u200d@.\x00\ud800")
COUNTRIES = st.sampled_from([None, "us", "ca", "gb", "de", "it", "jp", "xk"])


def sent(field: str, raw: str, country: str | None) -> str | None:
    """Return what our adapter sends for a field; a field that it does not have is not sent."""
    if field == "currency":
        return currency(raw)
    if field == "db":
        return hashed(raw, normalise.birthday, TODAY)
    if field in WITH_COUNTRY:
        return hashed(raw, WITH_COUNTRY[field], country)
    return hashed(raw, PLAIN[field]) if field in PLAIN else None


def country_of(vector: dict[str, Any]) -> str | None:
    context = vector["context"]
    return find_country(context["country"]) if context else None


def sent_by_vector(kind: str) -> dict[str, str | None]:
    """Return what we send of each vector that has an opinion of this *kind*, by its id."""
    return {
        each["id"]: sent(each["field"], each["raw"], country_of(each))
        for each in VECTORS
        if each[kind]
    }


def test_each_hash_is_the_one_meta_documents():
    wanted = {each["id"]: each["docs_expected"] for each in VECTORS if each["docs_expected"]}

    assert sent_by_vector("docs_expected") == {name: one["hash"] for name, one in wanted.items()}


def test_each_value_is_the_recommended_one():
    wanted = {each["id"]: each["recommended"] for each in VECTORS if each["recommended"]}

    assert sent_by_vector("recommended") == {
        name: one["value"] if one["send"] else None for name, one in wanted.items()
    }


@settings(deadline=None)
@given(raw=ANY, country=COUNTRIES, field=st.sampled_from(["db", *PLAIN, *WITH_COUNTRY]))
def test_any_text_gives_a_hash_or_nothing(raw, country, field):
    value = sent(field, raw, country)

    assert value is None or (SHA256.fullmatch(value) and value != EMPTY)


@settings(deadline=None)
@given(raw=ANY, country=COUNTRIES, field=st.sampled_from(["em", "fn", "ct", "st", "external_id"]))
def test_a_normal_form_is_its_own_normal_form(raw, country, field):
    form = PLAIN.get(field, normalise.region)
    context = (country,) if field == "st" else ()
    once = form(raw, *context)

    assert once is None or form(once, *context) == once


@pytest.mark.parametrize("field", ["em", "fn", "ct", "st", "zp", "ph", "external_id"])
def test_a_text_beyond_reason_is_not_sent(field):
    assert sent(field, "a" * 10_000 + "@example.com", "us") is None


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("75018 Paris", "paris"),
        ("Paris 1er", "pariser"),
        ("a\u200bb", "ab"),
        ("❤\ufe0f", None),
        ("١٢", None),
    ],
)
def test_a_city_has_letters_only(raw, normal):
    assert normalise.city(raw) == normal


@pytest.mark.parametrize(
    ("raw", "country", "normal"),
    [
        ("94035-1234", "us", "94035"),
        ("940351234", "us", "94035"),
        ("2134", "us", None),
        ("D-10115", "de", "10115"),
        ("LV-1010", "lv", "1010"),
        ("AB12", "de", "ab12"),
    ],
)
def test_a_postcode_is_read_by_its_country(raw, country, normal):
    assert normalise.postcode(raw, country) == normal


@pytest.mark.parametrize(
    ("raw", "country", "normal"),
    [
        ("Washington D.C.", "us", "dc"),
        ("06", "us", None),
        ("Bayern", "us", None),
        ("CA-ON", "ca", "on"),
        ("CA-ON", "us", None),
        ("Atlantis", "ca", None),
        ("US-CA", None, "ca"),
        ("California", None, "california"),
        ("中California", "us", None),
    ],
)
def test_a_region_is_read_by_its_country(raw, country, normal):
    assert normalise.region(raw, country) == normal


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("19970216", "19970216"),
        ("2/16/1997", "19970216"),
        ("05/05/1997", "19970505"),
        ("1997-02-30", None),
        ("1899-12-31", None),
        ("16/02/97", None),
        ("2026-11-24", None),
        ("2026-11-23", "20261123"),
    ],
)
def test_a_birthday_is_one_certain_day_of_the_past(raw, normal):
    assert normalise.birthday(raw, TODAY) == normal


@pytest.mark.parametrize(
    "raw", ["a@b@example.com", "user@example", "user@192.168.0.1", "a@-,b.com", "Jo <jo@b.com>"]
)
def test_what_is_no_address_is_not_sent(raw):
    assert normalise.email(raw) is None


def test_an_id_that_looks_like_another_hash_is_still_an_id():
    uuid = "3f2504e04f8911d39a0c0305e82c3301"

    assert hashed(uuid, normalise.external_id) == hashlib.sha256(uuid.encode()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("uk", "gb"),
        ("U.S.A.", "us"),
        ("XX", None),
        ("Österreich", None),
        ("", None),
        ("中us", None),
    ],
)
def test_a_country_is_found_by_code_or_english_name(raw, code):
    assert normalise.country(raw) == code
