"""Who an event is about, as keyed hashes: found again however it is written, never read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import UserData
from bridge.subjects import SubjectKeys, keys_of, subject_keys

KEY = b"k" * 32


def keys(**who):
    return subject_keys(KEY, "shop", **who)


def test_nobody_has_no_keys():
    assert keys() == SubjectKeys()
    assert keys(email="", phone="", customer_id="") == SubjectKeys()
    assert keys().all() == []


@pytest.mark.parametrize("blank", [" ", "\t\n"])
def test_a_blank_is_nobody(blank):
    assert keys(email=blank, phone=blank, customer_id=blank) == SubjectKeys()


@pytest.mark.parametrize("email", ["ann@example.com", " Ann@Example.COM ", "ANN@EXAMPLE.COM\n"])
def test_an_email_address_is_the_same_however_it_is_written(email):
    assert keys(email=email).email_key == keys(email="ann@example.com").email_key


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        ("+49 89 123456", None),
        ("+49 (0)89 / 123-456", None),
        ("089 123456", "DE"),
        ("089 123456", "de"),
        ("0049 89 123456", "DE"),
        ("tel:+49-89-123456", "US"),
    ],
)
def test_a_phone_number_is_the_same_however_it_is_written(phone, country):
    expected = keys(phone="+4989123456").phone_key

    assert expected
    assert keys(phone=phone, phone_country=country).phone_key == expected


def test_a_national_number_without_its_country_is_nobodys():
    assert keys(phone="089 123456").phone_key is None
    assert keys(phone="089 123456", phone_country="XX").phone_key is None


def test_customers_of_two_shops_are_two_people():
    one, other = (subject_keys(KEY, word, customer_id="7") for word in ("one", "other"))

    assert one.customer_key != other.customer_key


def test_an_address_and_an_id_of_the_same_letters_are_not_one_key():
    found = subject_keys(KEY, "a", email="a", customer_id="a").all()

    assert len(set(found)) == 2


def test_another_key_hashes_to_something_else():
    first, second = (subject_keys(key, "shop", email="a@b.de") for key in (KEY, b"z" * 32))

    assert first.email_key != second.email_key


def test_the_number_of_an_event_is_read_in_its_own_country_first():
    abroad = UserData(phone="089 123456", phone_country="DE", country="US")
    at_home = UserData(phone="089 123456", country="DE")

    assert keys_of(abroad, KEY, "shop") == keys_of(at_home, KEY, "shop")
    assert keys_of(at_home, KEY, "shop").phone_key == keys(phone="+4989123456").phone_key


def test_a_redaction_finds_what_the_order_told():
    told = UserData(email="Ann@example.com", phone="089 123456", country="DE", customer_id="7")
    asked = keys(email="ann@example.com", phone="+4989123456", customer_id="7")

    assert keys_of(told, KEY, "shop") == asked


@settings(deadline=None, derandomize=True)
@given(
    email=st.none() | st.text(),
    phone=st.none() | st.text(max_size=60),
    country=st.none() | st.text(max_size=4),
    customer_id=st.none() | st.text(),
)
def test_nothing_that_a_person_writes_breaks_it_or_shows_in_it(email, phone, country, customer_id):
    found = keys(email=email, phone=phone, phone_country=country, customer_id=customer_id)

    assert {len(key) for key in found.all()} <= {16}
