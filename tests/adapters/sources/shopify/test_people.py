"""Shopify: who bought, from one address and as the shop sent it."""

import pytest

from .shop import ABSENT, order, recorded

PERSONAL = ("email", "contact_email", "phone", "billing_address", "shipping_address", "customer")
EMPTY = dict.fromkeys(PERSONAL)


def address(**fields: object) -> dict[str, object]:
    return {**dict.fromkeys(recorded("orders_create")["billing_address"]), **fields}


def test_all_address_fields_are_of_one_address():
    billing = address(city="Wien", country_code="AT")
    shipping = address(city="Bern", country_code="CH", zip="3011", first_name="Toni")

    person = order(**{**EMPTY, "billing_address": billing, "shipping_address": shipping}).user_data

    assert (person.city, person.country) == ("Wien", "AT")
    assert (person.zip, person.first_name) == (None, None)


def test_an_address_of_blanks_gives_way_to_the_next():
    event = order(billing_address=address(city=" "), shipping_address=address(city="Bern"))

    assert event.user_data.city == "Bern"


def test_the_customers_name_stands_in_for_an_address_without_one():
    person = order("orders_create_pos").user_data

    assert (person.first_name, person.last_name, person.city) == ("Anna", "Beispiel", None)


@pytest.mark.parametrize(
    ("change", "email"),
    [
        ({"email": "a@example.com"}, "a@example.com"),
        ({"email": "", "contact_email": "b@example.com"}, "b@example.com"),
        ({"email": None, "customer": {"email": "c@example.com"}}, "c@example.com"),
        ({"email": "no address", "contact_email": "d@example.com"}, "d@example.com"),
        ({"email": "x" * 1_000_000 + "@example.com"}, None),
        ({}, None),
    ],
)
def test_the_first_sound_email_is_taken(change, email):
    assert order(**{**EMPTY, **change}).user_data.email == email


def test_a_phone_is_read_in_the_country_of_its_own_address():
    billing = address(city="Bern", country_code="CH")
    shipping = address(phone="0664 5550123", country_code="AT")

    person = order(**{**EMPTY, "billing_address": billing, "shipping_address": shipping}).user_data

    assert (person.phone, person.phone_country, person.country) == ("0664 5550123", "AT", "CH")


def test_the_orders_phone_comes_before_that_of_addresses():
    person = order(phone="+43 664 5550123").user_data

    assert (person.phone, person.phone_country) == ("+43 664 5550123", None)


def test_the_residence_is_of_the_first_address_that_names_a_country():
    event = order(
        billing_address=address(city="Portland", province_code="OR"),
        shipping_address=address(country_code="us", province_code="CA"),
    )

    assert (event.country, event.state) == ("US", "CA")
    assert (event.user_data.country, event.user_data.state) == (None, "OR")


@pytest.mark.parametrize("code", ["Germany", "D", "1A", "ÄÖ", None, ["DE"]])
def test_a_country_is_two_letters_or_nothing(code):
    lost = {**EMPTY, "billing_address": address(city="Köln", country_code=code)}

    assert order(**lost).country is None


@pytest.mark.parametrize("customer", [None, [], "x", {}, {"default_address": []}, ABSENT])
def test_a_guest_has_no_customer(customer):
    assert order(customer=customer).user_data.customer_id is None


def test_nothing_is_known_of_an_order_without_anybody():
    person = order(**EMPTY, source_name="pos").user_data

    assert person == type(person)()
