"""Phone numbers: what an address's country makes of them."""

import pytest

from adapters.destinations.meta.phones import phone


@pytest.mark.parametrize(
    ("raw", "country", "digits"),
    [
        ("06 12 34 56 78", "fr", "33612345678"),
        ("447911123456", "gb", "447911123456"),
        ("+44 (0)20 7946 0018", "us", "442079460018"),
        ("0011 44 20 7946 0018", "au", "442079460018"),
        ("0044 20 7946 0018", None, "442079460018"),
        ("+1(650)555\u20111212", None, "16505551212"),
        ("tel:+1-650-555-1212", "us", "16505551212"),
    ],
)
def test_a_number_is_read_where_it_was_written(raw, country, digits):
    assert phone(raw, country) == digits


@pytest.mark.parametrize(
    ("raw", "country"),
    [
        ("650-555-1212", None),  # no country: the number could be anyone's
        ("16505551212", None),
        ("6505551212", "xx"),
        ("555-1212", "us"),  # local: the town is missing
        ("+0", None),
        ("call me", "us"),
    ],
)
def test_what_cannot_be_read_for_certain_is_not_sent(raw, country):
    assert phone(raw, country) is None
