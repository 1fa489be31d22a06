"""Our hashes against those of Meta's own library: what differs is listed, with its reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from .both import FIELDS, ours, sha256, theirs
from .deviations import DEVIATIONS
from .generated import people

FILE = Path(__file__).parents[1] / "vectors" / "meta-normalisation.json"
VECTORS = [
    vector for vector in json.loads(FILE.read_text("utf-8"))["vectors"] if vector["field"] in FIELDS
]


def country_of(vector):
    return (vector["context"] or {}).get("country")


def unexplained(field, raw, country):
    """Return what differs without a listed reason: (field, raw, country), or nothing."""
    if ours(field, raw, country) == theirs(field, raw):
        return []
    if any(deviation.explains(field, raw, country) for deviation in DEVIATIONS):
        return []
    return [(field, raw, country)]


def test_each_recorded_value_is_hashed_as_by_the_library_or_for_a_listed_reason():
    differ = [unexplained(one["field"], one["raw"], country_of(one)) for one in VECTORS]

    assert [one for found in differ for one in found] == []


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(people())
def test_a_person_is_hashed_as_by_the_library_or_for_a_listed_reason(person):
    country, told = person

    differ = [unexplained(field, raw, country) for field, (raw, _) in told.items()]
    assert [one for found in differ for one in found] == []


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(people())
def test_where_we_differ_we_send_the_normal_form_that_meta_documents(person):
    country, told = person

    sent = {field: ours(field, raw, country) for field, (raw, _) in told.items()}
    assert sent == {field: sha256(normal) for field, (_, normal) in told.items()}


@pytest.mark.parametrize(
    ("deviation", "field"),
    [(deviation, field) for deviation in DEVIATIONS for field in deviation.fields],
    ids=lambda part: part if isinstance(part, str) else part.kind,
)
def test_each_listed_deviation_is_one(deviation, field):
    raw, country = deviation.example, deviation.country

    assert ours(field, raw, country) != theirs(field, raw)
    assert deviation.explains(field, raw, country)
    assert deviation.reason


def test_most_of_what_is_recorded_does_not_differ_at_all():
    same = [
        vector["id"]
        for vector in VECTORS
        if ours(vector["field"], vector["raw"], country_of(vector))
        == theirs(vector["field"], vector["raw"])
    ]

    assert len(same) > 60
