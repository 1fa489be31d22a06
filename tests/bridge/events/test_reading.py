"""Reading foreign JSON: the wanted kind or None, whatever the shop sends."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import TranslationError, reading

ANY_TEXT = st.text(st.characters(codec=None))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | ANY_TEXT
ANYTHING = st.recursive(
    SCALARS, lambda below: st.lists(below) | st.dictionaries(st.text(), below), max_leaves=10
)


def refused(body):
    with pytest.raises(TranslationError) as caught:
        reading.parse_json(body)
    return caught.value.reason


def test_fractions_become_decimals_and_lose_nothing():
    assert reading.parse_json(b'{"a":19.99,"b":3}') == {"a": Decimal("19.99"), "b": 3}


def test_a_byte_order_mark_is_no_fault():
    assert reading.parse_json(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a':1}",
        b'{"a":NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e21]",
        b"[1e999]",
        b"[0E+99999999]",
        b"[1E+99999999999999999999]",
        b"[1.0E-99999999999999999999]",
        b"[" + b"9" * 10_000 + b"]",
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
    ids=range(14),
)
def test_what_is_not_sound_json_is_refused(body):
    assert refused(body) == "not_json"


@pytest.mark.parametrize("body", [b"\xff", '{"a":1}'.encode("utf-16"), b'"\xc3"'])
def test_what_is_not_utf_8_is_refused(body):
    assert refused(body) == "not_utf8"


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"'])
def test_an_object_is_asked_for_and_nothing_else_taken(body):
    with pytest.raises(TranslationError) as caught:
        reading.parse_object(body)

    assert caught.value.reason == "not_object"


@given(st.binary())
def test_any_bytes_are_parsed_or_refused(body):
    reasons = []
    try:
        reading.parse_json(body)
    except TranslationError as error:
        reasons.append(error.reason)

    assert set(reasons) <= {"not_utf8", "not_json"}


def test_a_refusal_does_not_repeat_the_body():
    with pytest.raises(TranslationError) as caught:
        reading.parse_json(b'{"email":"ada@example.com"')

    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(ANYTHING)
def test_a_text_is_clean_and_bounded_or_none(value):
    result = reading.text(value)

    if result is not None:
        assert result == result.strip()
        assert 0 < len(result) <= reading.MAX_TEXT
        assert result.encode()
        assert "\0" not in result


def test_a_text_keeps_its_letters_and_lines():
    assert reading.text("  Grüße\naus Köln \x00\x7f") == "Grüße\naus Köln"
    assert reading.text(" \n ") is None
    assert reading.text("x" * 10_000) == "x" * reading.MAX_TEXT


@given(ANYTHING)
def test_an_id_has_no_white_space_or_is_none(value):
    result = reading.identifier(value)

    if result is not None:
        assert result == str(value)
        assert not any(letter.isspace() for letter in result)
        assert result.encode()


@pytest.mark.parametrize("value", [0, "0", -1, True, "", " 7", "7 ", "a b", "x" * 201, 1.5, None])
def test_what_is_no_id_is_none(value):
    assert reading.identifier(value) is None


def test_ids_are_texts_whatever_they_were():
    assert reading.identifier(5678901234) == "5678901234"
    assert reading.identifier("gid://shop/Order/7") == "gid://shop/Order/7"


@given(ANYTHING)
def test_a_number_is_finite_and_of_sane_size_or_none(value):
    result = reading.number(value)

    if result is not None:
        assert result.is_finite()
        assert abs(result) < Decimal(10) ** 21


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**9))
def test_an_amount_reads_the_same_from_text_and_from_json(value):
    assert reading.number(str(value)) == value
    assert reading.number(reading.parse_json(f"[{value}]".encode())[0]) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [("19.99", "19.99"), (" -3 ", "-3"), ("1e2", "100"), (".5", ".5"), (7, "7"), ("0.00", "0")],
)
def test_what_is_a_number_is_read(value, expected):
    assert reading.number(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    ["", "1,99", "1_000", "٣", "NaN", "sNaN", "Infinity", "1e30", "0E+999", "9" * 41, 1.5, True],
)
def test_what_is_no_number_is_none(value):
    assert reading.number(value) is None


@given(ANYTHING)
def test_a_whole_number_is_one_or_none(value):
    result = reading.whole(value)

    assert result is None or result == reading.number(value)


def test_a_fraction_is_not_whole():
    assert reading.whole("2.0") == 2
    assert reading.whole("2.5") is None


@given(ANYTHING, st.sampled_from(["", "+00:00", "+05:30"]))
def test_a_moment_is_aware_utc_or_none(value, zone):
    result = reading.moment(value, zone)

    assert result is None or result.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T09:00:00Z",
        "2026-11-23T10:00:00+01:00",
        "2026-11-23 04:00:00-05:00",
        "2026-11-23T09:00:00.000000000Z",
    ],
)
def test_one_moment_in_many_spellings(value):
    assert reading.moment(value) == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_time_without_a_zone_is_never_guessed():
    assert reading.moment("2026-11-23T09:00:00") is None
    assert reading.moment("2026-11-23T09:00:00", "+00:00") == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert reading.moment("2026-11-23T09:00:00", "nowhere") is None


@pytest.mark.parametrize(
    "value",
    ["2026-11-23", "0000-00-00T00:00:00Z", "0001-01-01T00:00:00+23:00", "1970-01-01T00:00:00Z"],
)
def test_a_day_and_an_impossible_time_are_none(value):
    assert reading.moment(value) is None


@given(ANYTHING)
def test_milliseconds_become_a_moment_or_none(value):
    result = reading.moment_ms(value)

    assert result is None or result.utcoffset() == timedelta(0)


def test_milliseconds_are_not_seconds():
    assert reading.moment_ms(1763888400123) == datetime(2025, 11, 23, 9, 0, 0, 123_000, tzinfo=UTC)
    assert reading.moment_ms(1763888400) is None


@given(ANYTHING)
def test_objects_are_objects_or_empty(value):
    assert reading.mapping(value) == (value if isinstance(value, dict) else {})
    assert all(isinstance(item, dict) for item in reading.mappings(value))


def test_a_list_of_objects_is_bounded():
    assert reading.mappings([{}, 1, None, {"a": 1}]) == [{}, {"a": 1}]
    assert len(reading.mappings([{}] * 10_000)) == reading.MAX_ITEMS
    assert json.dumps(reading.mappings("x")) == "[]"
