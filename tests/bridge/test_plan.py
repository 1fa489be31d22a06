"""The tagging plan: what TOML may say, and what is said about a mistake."""

import re
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events import ConfigError, Occasion
from bridge.plan import Plan, default_text, diff, digest, parse

LINES = [
    *default_text().splitlines(),
    *("[value.Purchase]", "[source.a.value]", "[source]", "[events]", "[[who]]", "tax = 3"),
    *("x = 1e999999999999999999", "a = " + "[" * 3000, '"orders/made" = "Made"', "states = 1"),
]
FRAGMENTS = st.lists(st.sampled_from(LINES), max_size=12).map("\n".join)


def faults(text):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_the_default_text_says_the_very_defaults():
    assert parse(default_text()) == parse("") == Plan()


def test_every_key_of_the_default_text_says_what_it_does():
    bare = [
        line
        for line in default_text().splitlines()
        if re.match(r"\w+ = ", line) and "#" not in line and not line.startswith("action_source")
    ]

    assert bare == []


def test_the_default_text_names_every_key():
    text = default_text()
    keys = {path.split(":")[0].split(".")[-1] for path in diff(everything_changed(), Plan())}

    assert len(keys) > 40
    assert [key for key in keys if not re.search(rf"^{key} = ", text, re.M)] == []


def everything_changed():
    """Return a plan in which no key has its default."""
    return parse(
        """
        [consent]
        mode = "off"
        unknown_optin = "send"
        unknown_elsewhere = "skip"
        no_browser = "send"
        us_opt_out = "skip"
        opt_in_countries = ["BR"]
        [purchase]
        paid_states = ["paid"]
        cash_on_delivery = "paid"
        placed_payment_methods = ["bacs"]
        zero_value = "send"
        test_orders = "test"
        other_tool_shares_dataset = true
        hold_minutes = 60
        [channels.web]
        send = false
        action_source = "chat"
        event_name = "WebSale"
        states = ["placed"]
        payment_methods = ["card"]
        [events]
        purchase = "Sale"
        off = []
        [value]
        money = "shop"
        basis = "margin"
        tax = false
        shipping = false
        discounts = false
        fees = false
        margin_percent = 33.3
        multiplier = 2
        minimum = 1
        predicted_ltv = 3
        net_revenue = true
        [contents]
        id = "{sku}"
        prefix = "p"
        suffix = "s"
        country = "US"
        content_type = "product_group"
        gift_cards = false
        tips = true
        custom = false
        [who]
        exclude_tags = ["a"]
        exclude_emails = ["a@b.de"]
        exclude_domains = ["a"]
        exclude_payment_methods = ["a"]
        customers = "ledger"
        new_customers_only = true
        user_data = ["birthday", "client_user_agent"]
        external_id = "raw"
        restricted = true
        [ids]
        purchase = "{order_number}"
        order_id = "{order_number}"
        """
    )


def test_a_number_is_read_exactly():
    assert everything_changed().base.value.margin_percent == Decimal("33.3")


def test_a_sources_words_are_laid_over_the_plan_key_by_key():
    plan = parse("[value]\ntax = false\n[source.eu.value]\nfees = false")

    assert plan.rules("us").value.fees
    assert not plan.rules("eu").value.fees
    assert not plan.rules("eu").value.tax


def test_an_events_words_are_laid_over_its_section():
    rules = parse("[value.Subscribe]\npredicted_ltv = 3").rules("any")

    assert rules.value_for("Subscribe").predicted_ltv == 3
    assert rules.value_for("Purchase").predicted_ltv == 0


def test_a_source_may_add_to_an_events_words():
    plan = parse("[value.Purchase]\ntax = false\n[source.a.value.Purchase]\nfees = false")

    own = plan.rules("a").value_for("Purchase")

    assert (own.tax, own.fees) == (False, False)


@pytest.mark.parametrize(
    ("text", "line", "wrong", "right"),
    [
        ("[value]\n\ntaks = true", 3, "taks", "tax"),
        ('[consent]\nmode = "enforced"', 2, "enforced", "enforce"),
        ("\n[chanels.web]\nsend = true", 2, "chanels", "channels"),
        ("[channels.webb]\nsend = true", 1, "webb", "web"),
        ('[events]\npurchse = "Purchase"', 2, "purchse", "purchase"),
        ('[events]\n\n\noff = ["refnd"]', 4, "refnd", "refund"),
        ("[value.Purchas]\ntax = true", 1, "Purchas", "Purchase"),
        ("[value]\nPurchase = {taxx = true}", 2, "taxx", "tax"),
        ('[contents]\nid = "{skuu}"', 2, "skuu", "sku"),
        ('[who]\nuser_data = ["emial"]', 2, "emial", "email"),
        ('[purchase]\npaid_states = ["authorised"]', 2, "authorised", "authorized"),
        ("[source.a.who]\nrestrict = true", 2, "restrict", "restricted"),
        ("[source.a.valeu]\ntax = true", 1, "valeu", "value"),
        ('[value]\n"tex" = true', 2, "tex", "tax"),
        ("value.tex = true", 1, "tex", "tax"),
        ('[consent]\nus_opt_out = "LDU"', 2, "LDU", "ldu"),
        ('[collector]\nevents = ["viewcontent"]', 2, "viewcontent", "ViewContent"),
        ('[[custom]]\nname = "A"\n[[custom]]\nname = "B"\ntopic = []', 5, "topic", "topics"),
        ('[[custom]]\nname = "A"\noccasions = ["purchas"]', 1, "purchas", "purchase"),
    ],
)
def test_a_wrong_word_is_named_with_its_line_and_the_nearest_right_one(text, line, wrong, right):
    (fault,) = faults(text)

    assert fault.startswith(f"plan, line {line}: ")
    assert f'"{wrong}"' in fault
    assert f'did you mean "{right}"?' in fault


def test_a_word_like_no_other_gets_the_list_of_those_known():
    assert "known: presentment, shop" in faults('[value]\nmoney = "zzzzzz"')[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[value]\ntax = 1", "must be true or false"),
        ("[value]\nmultiplier = true", "must be a number"),
        ("[value]\nmultiplier = -1", "must be from 0 to 1000"),
        ("[value]\nmultiplier = nan", "must be from 0 to 1000"),
        ("[purchase]\nhold_minutes = 61", "must be from 0 to 60"),
        ("[purchase]\nhold_minutes = 1.5", "must be a whole number"),
        ("[who]\nexclude_tags = 'a'", "must be a list of texts"),
        ("[who]\nexclude_tags = [1]", "must be a text in quotes"),
        ("[consent]\nopt_in_countries = ['Germany']", "no two-letter country code"),
        ("[consent]\nopt_in_countries = 'DE'", "must be a list of texts"),
        ("[destinations.eu]\ncurrencies = ['EURO']", "no three-letter currency code"),
        ("[who]\nexclude_emails = ['b.de']", "no e-mail address"),
        ("[who]\nnew_customers_only = true", 'needs customers = "ledger"'),
        ("[who]\nsegmentation = true", 'needs customers = "ledger"'),
        ("[contents]\nid = '{country}_{sku}'", "{country} needs the key country"),
        ("[who]\nuser_data = ['email']", 'needs "client_user_agent"'),
        ("[collector]\nevents = ['Purchase']", 'unknown event "Purchase"'),
        ("[[custom]]\nname = 'A'\nmin_amount = 2\nmax_amount = 1", "min_amount is above"),
        ("[contents]\nid = 'fixed'", "must name at least one part"),
        ("[contents]\nid = '{sku'", "a brace that is not closed"),
        ("[events]\npurchase = '1'", "must be an event name"),
        ("[channels]\nweb = 1", "[channels.web] must be a table"),
        ("value = 1", "[value] must be a table"),
        ("source = 1", "[source] must hold a table for each source"),
        ("[source]\na = 1", "[source.a] must be a table"),
        ("[value", "at end of document"),
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = 1e999999999999999999999", "plan: "),
    ],
)
def test_a_wrong_value_is_explained(text, sentence):
    assert sentence in faults(text)[0]


def test_all_mistakes_are_told_at_once():
    assert len(faults("[value]\ntaks = 1\nmoney = 'x'\n[who]\nwhat = 1")) == 3


@given(st.one_of(st.text(), FRAGMENTS, FRAGMENTS.map(lambda text: text.replace('"', "", 1))))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_plan_or_a_config_error(text):
    try:
        outcome = parse(text)
    except ConfigError as error:
        outcome = error

    assert isinstance(outcome, Plan) or str(outcome).startswith("plan")
    assert re.fullmatch("[0-9a-f]{12}", digest(text))


@pytest.mark.parametrize(
    ("occasion", "name"),
    [
        (Occasion.PURCHASE, "Purchase"),
        (Occasion.CART_ADDED, "AddToCart"),
        (Occasion.CUSTOMER_REGISTERED, None),
        (Occasion.REFUND, None),
        ("ViewContent", "ViewContent"),
        ("AddToCart", "AddToCart"),  # the browser's name for an occasion that is on
        ("CompleteRegistration", None),  # ... and for one that is off
        ("PageView", None),
        ("orders/made", None),
        ("", None),
    ],
)
def test_by_default_an_occasion_has_this_name(occasion, name):
    assert Plan().base.events.name(occasion) == name


def test_a_topic_may_be_named_and_an_occasion_unnamed():
    events = parse('[events]\n"orders/made" = "Made"\npurchase = ""\noff = []').base.events

    assert events.name("orders/made") == "Made"
    assert events.name("purchase") is None
    assert events.name("refund") == "Refund"


@pytest.mark.parametrize(
    "text",
    [
        '[events]\noff = []\nsubscription_started = "Purchase"',
        '[events]\noff = []\n[channels.web]\nevent_name = "Subscribe"',
        '[[custom]]\nname = "Purchase"',
        '[[custom]]\nname = "Big"\n[[custom]]\nname = "Big"',
        '[channels.web]\nevent_name = "WebSale"\n[[custom]]\nname = "WebSale"',
        '[source.a.channels.web]\nevent_name = "Big"\n[[source.a.custom]]\nname = "Big"',
    ],
)
def test_no_two_events_of_one_order_have_one_name(text):
    with pytest.raises(ConfigError, match="needs a name"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        '[events]\nsubscription_started = "Purchase"',  # it is off
        '[channels.pos]\nevent_name = "Subscribe"\n[events]\noff = []',  # its sales are not sent
        '[channels.web]\nevent_name = "WebSale"\n[channels.pos]\nevent_name = "WebSale"',
    ],
)
def test_names_may_be_shared_where_no_order_has_both(text):
    parse(text)


def test_a_diff_reads_like_a_sentence():
    old = parse("[value.Purchase]\ntax = false")
    new = parse('[value]\nmoney = "shop"\n[who]\nexclude_tags = ["staff"]')

    assert diff(old, new) == [
        "value.Purchase.tax: false -> not set",
        'value.money: "presentment" -> "shop"',
        'who.exclude_tags: [] -> ["staff"]',
    ]


def test_a_diff_tells_of_a_source_only_what_is_its_own():
    new = parse("[value]\ntax = false\n[source.a.value]\nfees = false")

    assert diff(Plan(), new) == ["value.tax: true -> false", "source.a.value.fees: true -> false"]


def test_a_digest_changes_with_the_text():
    assert digest("a") != digest("b")
    assert digest("a") == digest("a")
