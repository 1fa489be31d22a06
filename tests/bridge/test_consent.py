"""Consent: the region and what the buyer said become a decision."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.consent import META_STATES, Decision, judge
from bridge.events import Consent, LimitedDataUse
from bridge.plan import Plan, parse

CHOICES = {
    "mode": ["enforce", "off"],
    "unknown_optin": ["skip", "send"],
    "unknown_elsewhere": ["skip", "send"],
    "no_browser": ["skip", "send"],
    "us_opt_out": ["skip", "ldu"],
}
CONSENT_TABLES = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(words) for key, words in CHOICES.items()}
).map(lambda words: "\n".join(f'{key} = "{word}"' for key, word in words.items()))
PLANS = st.tuples(CONSENT_TABLES, CONSENT_TABLES).map(
    lambda tables: parse("[consent]\n{}\n[consent.Purchase]\n{}".format(*tables)).base
)
COUNTRIES = st.sampled_from(["DE", "us", "GB", "UK", "BR", "", "Germany", None])
STATES = st.sampled_from(["CA", "US-TX", "california", "NY", "", None])


def said(marketing=None, sale_of_data=None):
    return Consent(marketing=marketing, sale_of_data=sale_of_data, source="cookie")


def decided(consent, country="DE", state=None, plan="", browser=True, event_name="Purchase"):
    rules = parse(plan).base
    return judge(consent, country, state, rules, event_name=event_name, browser=browser)


def verdict(*args, **kwargs):
    decision = decided(*args, **kwargs)
    return decision.reason or "send", decision.rule


@pytest.mark.parametrize("country", ["DE", "is", "GB", "UK", "CH", "RE", None, "", "Germany"])
def test_where_consent_is_asked_for_first_no_answer_is_a_skip(country):
    assert verdict(None, country) == ("consent_unknown", "unknown_optin")
    assert verdict(said(), country) == ("consent_unknown", "unknown_optin")


@pytest.mark.parametrize("country", ["US", "BR", "AU"])
def test_elsewhere_no_answer_is_sent(country):
    assert verdict(None, country) == ("send", "unknown_elsewhere")


@pytest.mark.parametrize("country", ["DE", "US", "BR", None])
def test_a_grant_is_sent_anywhere(country):
    assert verdict(said(True), country) == ("send", "granted")
    assert verdict(said(True, True), country) == ("send", "granted")


@pytest.mark.parametrize("country", ["DE", "US", "BR", None])
def test_a_denial_is_a_skip_anywhere(country):
    assert verdict(said(False), country, "CA") == ("consent_denied", "denied")
    assert verdict(said(False, True), country, "CA") == ("consent_denied", "denied")


@pytest.mark.parametrize("country", ["DE", "BR", None])
def test_outside_the_us_a_no_to_the_sale_of_data_is_a_denial(country):
    assert verdict(said(True, False), country, "CA") == ("consent_denied", "sale_denied")


@pytest.mark.parametrize("state", ["CA", "ca", "US-CA", " California "])
def test_in_a_listed_state_an_opt_out_limits_data_use(state):
    decision = decided(said(True, False), "US", state)

    assert decision.allowed
    assert decision.rule == "us_opt_out"
    assert decision.limited_data_use == LimitedDataUse(country=1, state=1000)


def test_the_states_have_metas_codes():
    assert sorted(META_STATES.values()) == list(range(1000, 1014))
    assert META_STATES["RI"] == 1013


@pytest.mark.parametrize("state", ["NY", "", None])
def test_in_a_state_not_listed_an_opt_out_is_a_skip(state):
    assert verdict(said(None, False), "US", state) == ("consent_denied", "sale_denied")


def test_an_opt_out_may_always_be_a_skip():
    plan = '[consent]\nus_opt_out = "skip"'

    assert verdict(said(True, False), "US", "CA", plan) == ("consent_denied", "sale_denied")


def test_the_us_may_be_made_opt_in():
    plan = '[consent]\nopt_in_countries = ["US"]'

    assert verdict(None, "US", "CA", plan) == ("consent_unknown", "unknown_optin")
    assert verdict(said(True, False), "US", "CA", plan) == ("consent_denied", "sale_denied")


def test_with_consent_off_no_answer_is_sent():
    assert verdict(None, "DE", plan='[consent]\nmode = "off"') == ("send", "mode_off")


def test_where_no_browser_was_there_to_ask_its_own_rule_counts():
    plan = '[consent]\nno_browser = "send"'

    assert verdict(None, "US", browser=False) == ("consent_unknown", "no_browser")
    assert verdict(None, "DE", plan=plan, browser=False) == ("send", "no_browser")


def test_an_event_may_have_a_rule_of_its_own():
    plan = '[consent.AddToCart]\nunknown_optin = "send"'

    assert verdict(None, plan=plan, event_name="AddToCart") == ("send", "unknown_optin")
    assert verdict(None, plan=plan) == ("consent_unknown", "unknown_optin")


def test_the_proof_names_signal_source_time_and_rule():
    at = datetime(2026, 11, 23, tzinfo=UTC)
    consent = Consent(marketing=True, sale_of_data=False, at=at, source="cookie")

    proof = decided(consent, "US", "TX").proof()

    assert json.loads(json.dumps(proof)) == {
        "marketing": "granted",
        "sale_of_data": "denied",
        "source": "cookie",
        "at": "2026-11-23T00:00:00+00:00",
        "region": "opt_out",
        "rule": "us_opt_out",
        "limited_data_use": [1, 1005],
    }
    assert Decision.proven(proof) == decided(consent, "US", "TX")


def test_the_proof_of_silence_says_so():
    proof = decided(None, None).proof()

    assert (proof["marketing"], proof["source"], proof["region"]) == ("unknown", None, "unknown")


@given(PLANS, COUNTRIES, STATES, st.sampled_from([True, False, None]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_under_every_plan_a_denial_wins(rules, country, state, sale, browser):
    decision = judge(
        said(False, sale), country, state, rules, event_name="Purchase", browser=browser
    )

    assert (decision.allowed, decision.reason) == (False, "consent_denied")


@given(PLANS, COUNTRIES, STATES, st.sampled_from([True, None]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_under_every_plan_an_opt_out_is_limited_or_skipped(rules, country, state, yes, browser):
    decision = judge(
        said(yes, False), country, state, rules, event_name="Purchase", browser=browser
    )

    assert not decision.allowed or decision.limited_data_use
    assert decision.region == "opt_out" or not decision.allowed


@given(CONSENT_TABLES, COUNTRIES, STATES, st.booleans())
@settings(max_examples=100, deadline=None)
def test_to_know_less_of_the_country_never_allows_more(table, country, state, browser):
    # A plan that is stricter elsewhere than in opt-in countries has nothing to protect here.
    rules = parse(f'[consent]\n{table}\n[consent.Purchase]\nunknown_optin = "skip"').base

    def allowed(country, state):
        return judge(None, country, state, rules, event_name="Purchase", browser=browser).allowed

    assert allowed(country, state) or not allowed(None, None)


def test_the_default_plan_is_the_one_that_is_promised():
    own = Plan().base.consent

    assert (own.mode, own.unknown_optin, own.unknown_elsewhere) == ("enforce", "skip", "send")
