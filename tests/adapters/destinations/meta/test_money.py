"""Amounts: exact, short, and never beyond reason."""

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.destinations.meta.money import amount


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("29.90", b"29.9"),
        ("30.00", b"30"),
        ("100", b"100"),
        ("1E+3", b"1000"),
        ("0.1", b"0.1"),
        ("-0.00", b"0"),
        ("0E-400", b"0"),
        ("1000000000", b"1000000000"),
        ("0.00000000012345678901234567890123456789", b"0.00000000012345678901234567890123456789"),
    ],
)
def test_an_amount_is_the_shortest_exact_number(value, text):
    fragment = amount(Decimal(value))

    assert fragment is not None
    assert orjson.dumps(fragment) == text


@pytest.mark.parametrize(
    "value", ["-0.01", "NaN", "sNaN", "Infinity", "-Infinity", "1000000000.01", "1E-999999"]
)
def test_what_is_no_amount_is_none(value):
    assert amount(Decimal(value)) is None


@settings(deadline=None)
@given(st.decimals())
def test_any_decimal_keeps_its_value_or_is_none(value):
    fragment = amount(value)

    assert fragment is None or json.loads(orjson.dumps(fragment), parse_float=Decimal) == value
