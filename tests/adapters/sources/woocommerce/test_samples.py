"""The samples show the product: every case once, with people who do not exist."""

from decimal import Decimal

from adapters.sources.woocommerce import adapter
from bridge.events import Channel, Delivery, Event, OrderCancelled

SETTINGS = {"secret": "x"}


def facts():
    for sample in adapter.samples():
        delivery = Delivery(topic=sample.topic, key=sample.name, body=sample.body)
        for fact in adapter.translate(delivery, SETTINGS):
            yield sample.name, fact


def test_the_samples_show_each_case_once():
    told = dict(facts())

    assert list(told) == [
        "paid in the US no signal",
        "paid in Germany consent granted",
        "waits for a transfer",
        "the transfer came",
        "cash on delivery",
        "made by the merchant",
        "subscription renewal",
        "nothing to pay",
        "paid in France consent denied",
        "cancelled",
        "trashed",
        "two mugs added",
        "a shirt added",
        "their checkout",
        "their order paid",
    ]
    assert told["paid in the US no signal"].consent is None
    assert told["paid in Germany consent granted"].consent.marketing is True
    assert told["waits for a transfer"].order_state == "placed"
    assert told["the transfer came"].order_id == told["waits for a transfer"].order_id
    assert told["cash on delivery"].cash_on_delivery
    assert told["made by the merchant"].channel is Channel.ADMIN
    assert told["subscription renewal"].channel is Channel.RENEWAL
    assert told["nothing to pay"].basket.amounts.total == 0
    assert told["paid in France consent denied"].consent.marketing is False
    assert told["cancelled"].order_state == "cancelled"
    assert told["trashed"] == OrderCancelled(order_id=told["cancelled"].order_id)


def test_one_visit_is_shown_from_its_cart_to_its_order():
    visit = [fact for _, fact in facts()][-4:]
    order = visit[-1]

    assert [fact.occasion for fact in visit] == [
        "cart_added",
        "cart_added",
        "checkout_started",
        "purchase",
    ]
    assert {fact.visitor_keys[-1] for fact in visit} == {"cart:7b1f6e0c94d84a35b2e8c1d07f3a9652"}
    assert all(fact.consent.marketing for fact in visit)
    assert visit[2].basket.amounts == order.basket.amounts
    assert sum(fact.basket.amounts.total for fact in visit[:2]) == Decimal("49.70")
    assert [fact.event_time for fact in visit] == sorted(fact.event_time for fact in visit)


def test_the_people_of_the_samples_do_not_exist():
    told = [fact for _, fact in facts() if isinstance(fact, Event) and fact.order_id]

    assert len(told) == 11
    for email in (fact.user_data.email for fact in told):
        assert email.split("@")[1] in {"example.com", "example.net", "example.org"}
