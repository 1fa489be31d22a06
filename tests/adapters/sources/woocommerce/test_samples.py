"""The samples show the product: every case once, with people who do not exist."""

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


def test_the_people_of_the_samples_do_not_exist():
    people = [fact.user_data for _, fact in facts() if isinstance(fact, Event)]

    assert len(people) == 10
    for person in people:
        assert person.email.split("@")[1] in {"example.com", "example.net", "example.org"}
