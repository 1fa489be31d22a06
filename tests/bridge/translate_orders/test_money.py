"""Costs that the operator gave, and markets that go to one dataset alone."""

from decimal import Decimal

import pytest
from click.testing import CliRunner

from bridge.cli import cli
from bridge.cli import source as source_command
from bridge.events import ConfigError
from tests.bridge.translate.line import apply, connect
from tests.bridge.translate.shops import order, recorded
from tests.stores import rows

from .sight import payload, states

MARGIN = '[value]\nbasis = "margin"\n'


@pytest.fixture
def line(memory):
    return connect(memory, "shopify")


@pytest.fixture
def load(memory, line, monkeypatch, tmp_path):
    """Return a function that loads a CSV file of costs."""
    monkeypatch.setattr(source_command, "open_store", lambda: memory)

    def call(content):
        path = tmp_path / "costs.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        arguments = ["source", "costs", "shop", str(path)]
        return CliRunner().invoke(cli, arguments, catch_exceptions=False).output

    return call


def lines_of(body):
    return [(line["sku"], line["variant_id"], line["quantity"]) for line in body["line_items"]]


def test_costs_by_sku_or_id_become_margin_and_net_revenue(load, line):
    topic, body = order("shopify", 1, "paid")
    goods = lines_of(body)
    keys = [sku or str(variant) for sku, variant, _ in goods]
    told = load("SKU,cost\n" + "".join(f"{key},1.25\n" for key in keys))
    apply(line.store, MARGIN + "net_revenue = true\n")
    line.tell(topic, body)

    custom_data = payload(line, "purchase.1")["custom_data"]
    cost = Decimal("1.25") * sum(quantity for _, _, quantity in goods)
    total, tax = Decimal(body["total_price"]), Decimal(body["total_tax"])
    shipping = Decimal(body["total_shipping_price_set"]["shop_money"]["amount"])
    assert told == f"{len(keys)} costs are kept for shop\n"
    assert Decimal(str(custom_data["value"])) == total - cost
    net = Decimal(str(custom_data["net_revenue"]))
    assert total - tax - shipping - cost <= net <= total - tax - cost
    assert "cost" not in str(line.store.history.events()[0]["trace"]["notes"])


def test_without_costs_the_plans_percentage_counts_and_a_note_says_so(line):
    apply(line.store, MARGIN + "margin_percent = 30\nnet_revenue = true\n")
    line.tell(*order("shopify", 1, "paid"))

    notes = line.store.history.events()[0]["trace"]["notes"]
    assert any("margin_percent counts" in note for note in notes)
    assert "net_revenue" not in payload(line, "purchase.1")["custom_data"]


def test_costs_of_one_shop_are_not_anothers(memory, line):
    other = connect(memory, "shopify", word="other", datasets=("other",), plan=MARGIN)
    topic, body = order("shopify", 1, "paid")
    keys = [key for sku, variant, _ in lines_of(body) for key in (sku, str(variant)) if key]
    memory.subjects.set_costs(other.source.id, dict.fromkeys(keys, Decimal(5)))
    line.tell(topic, body)
    other.tell(topic, body)

    values = [payload(one, "purchase.1")["custom_data"]["value"] for one in (line, other)]
    assert values[0] > values[1]


def test_a_new_list_takes_the_place_of_the_old_one(load, line):
    load("A,1\nB,2\n")
    load("B,3.50\n")

    assert rows(line.store, "cost", "item", "cost") == [("B", "3.50")]
    assert rows(line.store, "audit", "action", "subject", "detail") == [
        ("source.costs", "shop", "2 costs"),
        ("source.costs", "shop", "1 costs"),
    ]


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ("sku,cost\nA,1\n", ["A"]),
        ("A,1\n", ["A"]),
        (b"\xef\xbb\xbfA,1\r\n\r\n B , 2 \r\n", ["A", "B"]),
        ('"A, large",1,ignored\n', ["A, large"]),
        ("A,0\n", ["A"]),
        ("", []),
    ],
)
def test_a_list_is_read_as_spreadsheets_write_it(load, line, content, kept):
    load(content)

    assert rows(line.store, "cost", "item") == kept


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("A,1\nB,two\n", "costs.csv, line 2"),
        ("A,1\nB;2\n", "line 2"),
        ("A,1\nB,-2\n", "line 2"),
        ("A,1\n,2\n", "line 2"),
        ("A,1\nB,NaN\n", "line 2"),
        ("A,1\nGr\xfcn,2\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_mistake_in_the_list_is_named_and_nothing_is_changed(load, line, content, sentence):
    load("OLD,1\n")

    with pytest.raises(ConfigError, match=sentence):
        load(content)
    assert rows(line.store, "cost", "item") == ["OLD"]


MARKETS = """
[destinations.euro]
currencies = ["eur"]
[destinations.germany]
countries = ["DE"]
"""


def sold(line, order_id, currency, country):
    topic, body = order("shopify", order_id, "paid")
    body = with_currency(body, body["currency"], currency)
    for address in ("billing_address", "shipping_address"):
        body[address] |= {"country_code": country, "province_code": None}
    line.tell(topic, body)


def with_currency(value, old, new):
    """Return a body with every mention of a currency changed."""
    if isinstance(value, dict):
        return {key: with_currency(part, old, new) for key, part in value.items()}
    if isinstance(value, list):
        return [with_currency(part, old, new) for part in value]
    return new if value == old else value


@pytest.mark.parametrize(
    ("currency", "country", "goes_to"),
    [
        ("EUR", "DE", {"euro", "germany", "all"}),
        ("EUR", "FR", {"euro", "all"}),
        ("CHF", "DE", {"germany", "all"}),
        ("CHF", "CH", {"all"}),
    ],
)
def test_a_market_goes_where_the_plan_sends_it(store, currency, country, goes_to):
    names = ("euro", "germany", "all")
    line = connect(store, "shopify", plan=MARKETS, datasets=names)
    sold(line, 1, currency, country)

    ends = {row[0]: row[1:] for row in rows(store, "outbox", "destination_id", "state", "reason")}
    sent = {one.name for one in line.destinations if ends[one.id] == ("pending", "")}
    others = {end for end in ends.values() if end != ("pending", "")}
    assert sent == goes_to
    assert others <= {("skipped", "other_market")}


def test_what_has_no_currency_is_no_other_market(store):
    plan = MARKETS + '[events]\noff = []\n[consent]\nunknown_optin = "send"\n'
    plan += '[channels.web]\naction_source = "other"\n'
    line = connect(store, "woocommerce", plan=plan, datasets=("euro",))
    line.tell("customer.created", recorded("woocommerce/11.0.1/160-customer.created"))

    assert [end[1:] for end in states(line).values()] == [("pending", "")]
