"""Forms: who it was, in what browser, and what they said."""

from datetime import UTC, datetime

import pytest

from .sender import LEAD, lead, refusal


def test_a_person_is_told_in_plain_text():
    person = lead(user_data={**LEAD["user_data"], "zip": 50667, "customer_id": 12}).user_data

    assert (person.email, person.first_name) == ("tom.beispiel@example.com", "Tom")
    assert (person.zip, person.customer_id) == ("50667", "12")


@pytest.mark.parametrize("country", ["Germany", "D", "DEU", "1A", "Ää"])
def test_a_country_in_words_would_pass_consent_by_and_is_refused(country):
    assert refusal(user_data={"country": country}).reason == "bad_country"


def test_a_country_may_be_in_lower_case_or_missing():
    assert lead(user_data={"country": "de"}).user_data.country == "DE"
    assert lead(user_data=None).user_data.country is None


def test_the_browser_is_the_visitors():
    person = lead(browser={**LEAD["browser"], "fbclid": "IwAR_1"}).user_data

    assert person.client_ip_address == "203.0.113.24"
    assert person.client_user_agent.startswith("Mozilla/5.0")
    assert person.fbp == "fb.1.1795166067000.1594873326"
    assert (person.fbclid, person.fbclid_at) == ("IwAR_1", lead().event_time)


@pytest.mark.parametrize("odd", [7, ["x"], {}, True, " ", "\x00"])
def test_odd_cookies_of_a_visitor_cost_no_lead(odd):
    names = ("ip", "user_agent", "fbp", "fbc", "fbclid")

    person = lead(browser=dict.fromkeys(names, odd)).user_data

    assert (person.fbp, person.fbc, person.fbclid, person.fbclid_at) == (None, None, None, None)
    assert (person.client_ip_address, person.client_user_agent) == (None, None)


def test_consent_is_told_with_its_time():
    consent = lead(
        consent={"marketing": True, "sale_of_data": False, "at": "2026-11-23T08:00:00Z"}
    ).consent

    assert (consent.marketing, consent.sale_of_data) == (True, False)
    assert consent.at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert consent.source == "body:consent"


@pytest.mark.parametrize("said", [None, {}, {"marketing": None}, {"at": "2026-11-23T08:00:00Z"}])
def test_a_question_that_was_not_asked_is_no_consent(said):
    assert lead(consent=said).consent is None


@pytest.mark.parametrize("word", ["yes", "no", "true", 0, 1, [], {}])
@pytest.mark.parametrize("name", ["marketing", "sale_of_data"])
def test_an_answer_in_words_is_refused_and_not_guessed(name, word):
    assert refusal(consent={name: word}).reason == f"bad_{name}"
