"""Orders: state, channel, person, money and what the browser left."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.sources.woocommerce import adapter
from bridge.events import Channel, Consent, Delivery, OrderState, TranslationError


def add_meta(order, **values):
    order["meta_data"] += [{"id": 1, "key": key, "value": value} for key, value in values.items()]


def drop_meta(order, *keys):
    order["meta_data"] = [meta for meta in order["meta_data"] if meta["key"] not in keys]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("auto-draft", OrderState.DRAFT),
        ("checkout-draft", OrderState.DRAFT),
        ("pending", OrderState.PLACED),
        ("failed", OrderState.PLACED),
        ("on-hold", OrderState.PLACED),
        ("processing", OrderState.PAID),
        ("completed", OrderState.PAID),
        ("refunded", OrderState.REFUNDED),
        ("cancelled", OrderState.CANCELLED),
        ("trash", OrderState.CANCELLED),
        ("shipped", None),
        (None, None),
    ],
)
def test_the_status_in_the_body_decides(status, state, order, tell):
    assert tell({**order, "status": status}).order_state is state


def test_a_shop_explains_its_own_statuses(order, tell):
    lines = "wc-shipped = paid\nnonsense\nlost=gone\n on-hold=authorized "

    assert tell({**order, "status": "shipped"}, custom_states=lines).order_state == "paid"
    assert tell({**order, "status": "on-hold"}, custom_states=lines).order_state == "authorized"
    assert tell({**order, "status": "lost"}, custom_states=lines).order_state is None


@pytest.mark.parametrize(
    ("status", "method", "setting", "said"),
    [
        ("on-hold", "cod", {}, True),
        ("processing", "cod", {}, True),
        ("completed", "cod", {}, True),
        ("pending", "cod", {}, False),
        ("cancelled", "cod", {}, False),
        ("processing", "bacs", {}, False),
        ("processing", "", {}, False),
        ("processing", "cod", {"cash_on_delivery_methods": "post\nporter"}, False),
        ("processing", "porter", {"cash_on_delivery_methods": "post\nporter"}, True),
    ],
)
def test_cash_on_delivery_is_a_method_and_a_status(status, method, setting, said, order, tell):
    changed = {**order, "status": status, "payment_method": method}

    assert tell(changed, **setting).cash_on_delivery is said


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("checkout", Channel.WEB),
        ("store-api", Channel.WEB),
        ("admin", Channel.ADMIN),
        ("subscription", Channel.RENEWAL),
        ("pos-rest-api", Channel.POS),
        ("woocommerce-pos", Channel.POS),
        ("wcpos", Channel.POS),
        ("point-of-sale", Channel.POS),
        ("rest-api", Channel.IMPORT),
        ("wc_deposits", Channel.IMPORT),
        ("postponed", Channel.IMPORT),
        ("", None),
        (7, None),
    ],
)
def test_the_channel_is_where_the_order_was_made(word, channel, order, tell):
    assert tell({**order, "created_via": word}).channel is channel


def test_only_the_shops_own_checkout_keeps_what_the_browser_left(order, tell):
    add_meta(order, _meta_event_id="5f0c3a52")
    drop_meta(order, "_bridge_consent")
    add_meta(order, _bridge_consent="granted")
    here = tell(order)
    web = here.user_data

    assert (web.fbp, web.fbclid, here.event_id) == (
        "fb.0.1795442000000.1234567890",
        "IwAR0abc",
        "5f0c3a52",
    )
    assert web.fbclid_at == datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert here.consent.marketing is True
    for word in ("admin", "rest-api", "pos-rest-api", "subscription", ""):
        there = tell({**order, "created_via": word})
        person = there.user_data
        assert (person.fbp, person.fbc, person.fbclid, person.fbclid_at) == (None,) * 4
        assert (person.client_ip_address, person.client_user_agent) == (None, None)
        assert (there.event_id, there.consent) == (None, None)
        assert there.event_source_url == "http://127.0.0.1:8090/"


@pytest.mark.parametrize("mark", ["_subscription_renewal", "_subscription_renewal_early"])
def test_a_renewal_paid_in_the_checkout_is_a_renewal(mark, order, tell):
    add_meta(order, **{mark: "987"}, _meta_purchase_tracked_server="1")
    event = tell(order)

    assert event.channel is Channel.RENEWAL
    assert event.user_data.fbp is None
    assert not event.sent_elsewhere


def test_the_companion_tells_the_role_and_the_start_of_a_subscription(order, tell):
    add_meta(order, _bridge_role="wholesale", _bridge_subscription="1")
    sale, renewal = tell(order), tell({**order, "created_via": "subscription"})

    assert (sale.customer_role, sale.subscription) == ("wholesale", True)
    assert (renewal.customer_role, renewal.subscription) == (None, False)


@pytest.mark.parametrize(
    ("key", "cost", "unit"),
    [
        ("_wc_cog_item_cost", "4.10", Decimal("4.10")),
        ("_alg_wc_cog_item_cost", 4.1, Decimal("4.1")),
        ("_wc_cog_item_cost", "0", None),
        ("_wc_cog_item_cost", "", None),
        ("_reduced_stock", "2", None),
    ],
)
def test_a_plug_in_of_costs_tells_what_a_line_costs(key, cost, unit, order, tell):
    order["line_items"][0] |= {"meta_data": [{"key": key, "value": cost}], "quantity": 2}

    assert tell(order).basket.contents[0].cost == unit


def test_a_denial_is_never_dropped(order, tell):
    drop_meta(order, "_bridge_consent")
    add_meta(order, **{f"noise{i}": "x" for i in range(600)}, _bridge_consent="denied")

    for word in ("checkout", "admin", "subscription", "rest-api"):
        assert tell({**order, "created_via": word}).consent.marketing is False


@pytest.mark.parametrize(
    ("value", "marketing", "sale", "at"),
    [
        ("granted", True, None, None),
        ("denied", False, None, None),
        ("unknown", None, None, None),
        ("", None, None, None),
        ({"marketing": 1}, None, None, None),
        ("v1;marketing=1;sale=0;ts=1795426815000", True, False, "2026-11-23T09:40:15+00:00"),
        ("v1;marketing=0;ts=soon", False, None, None),
        ("v1;marketing", None, None, None),
        ("v2;marketing=1", None, None, None),
    ],
)
def test_consent_is_granted_denied_or_not_said(value, marketing, sale, at, order, tell):
    drop_meta(order, "_bridge_consent")
    add_meta(order, _bridge_consent=value)

    assert tell(order).consent == Consent(
        marketing=marketing,
        sale_of_data=sale,
        at=at and datetime.fromisoformat(at),
        source="meta_data:_bridge_consent",
    )


def test_of_a_repeated_key_the_first_value_counts_as_in_the_shop(order, tell):
    drop_meta(order, "_bridge_fbp")
    add_meta(order, _bridge_fbp="fb.1.1795426800000.1")
    add_meta(order, _bridge_fbp="fb.1.1795426800000.2")

    assert tell(order).user_data.fbp == "fb.1.1795426800000.1"


@pytest.mark.parametrize(
    ("flag", "said"),
    [("1", True), ("yes", True), (True, True), (1, True), ("", False), ("no", False), (0, False),
     (False, False), (None, False), ([], False)],
)  # fmt: skip
def test_the_mark_of_metas_plugin_is_read(flag, said, order, tell):
    add_meta(order, _meta_purchase_tracked_server=flag)

    assert tell(order).sent_elsewhere is said


@pytest.mark.parametrize(
    ("page", "url"),
    [
        (
            "/checkout/?utm_source=a&key=wc_order_x#pay",
            "http://127.0.0.1:8090/checkout/?utm_source=a",
        ),
        ("https://shop.example/kasse?email=a%40b.example", "https://shop.example/kasse"),
        ("https://me:pw@shop.example/kasse/", "https://shop.example/kasse/"),
        ("https://shop.example", "https://shop.example/"),
        ("/x/wc_order_abc/", "http://127.0.0.1:8090/"),
        ("javascript:alert(1)", "http://127.0.0.1:8090/"),
        ("http://[bad", "http://127.0.0.1:8090/"),
        (None, "http://127.0.0.1:8090/"),
        (["/checkout/"], "http://127.0.0.1:8090/"),
    ],
)
def test_a_page_keeps_nothing_but_its_campaign(page, url, order, tell):
    drop_meta(order, "_bridge_url")
    add_meta(order, _bridge_url=page)

    assert tell(order).event_source_url == url


def test_the_shop_address_of_the_settings_is_the_last_resort(order, tell):
    drop_meta(order, "_bridge_url")
    del order["_links"]

    assert tell(order).event_source_url is None
    assert tell(order, shop_url="https://shop.example").event_source_url == "https://shop.example/"


def test_the_address_is_billing_else_shipping_and_never_a_mix(order, tell):
    order["shipping"] = {**order["shipping"], "city": "Lyon", "country": "fr", "phone": ""}
    assert tell(order).user_data.city == "München"

    order["billing"] = {**dict.fromkeys(order["billing"], ""), "email": "a@b.example"}
    person = tell(order).user_data

    assert (person.email, person.city, person.country) == ("a@b.example", "Lyon", "FR")
    assert person.phone is None


def test_a_guest_has_no_customer_id(order, tell):
    assert tell({**order, "customer_id": 0}).user_data.customer_id is None
    assert tell({**order, "customer_id": 41}).user_data.customer_id == "41"


def test_one_odd_field_costs_that_field_alone(order, tell):
    order["billing"]["first_name"] = {"a": 1}
    order["customer_ip_address"] = ""
    order["line_items"][0]["quantity"] = 0
    order["line_items"][1]["total"] = "x"
    order["currency"] = ""
    event = tell(order)

    assert event.user_data.first_name is None
    assert event.user_data.last_name == "O'Müller"
    assert event.user_data.client_ip_address is None
    assert event.basket.amounts is None
    assert event.basket.contents[0].quantity == 1
    assert event.basket.contents[1].price is None


def test_quantity_times_price_is_what_was_paid(order, tell):
    for quantity, whole in ((0.4, 1), (2.5, 3), (3, 3), (-2, 1)):
        order["line_items"] = [
            {"product_id": 1, "quantity": quantity, "total": "50.00", "total_tax": "4.00"}
        ]
        (content,) = tell(order).basket.contents
        assert content.quantity == whole
        assert content.price * whole == Decimal("54.00")


def test_items_are_unknown_when_a_line_does_not_tell(order, tell):
    del order["line_items"][0]["subtotal"]

    assert tell(order).basket.amounts.items is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": 0}, "no_id"),
        ({"id": None}, "no_id"),
        ({"date_created_gmt": None}, "no_time"),
        ({"date_created_gmt": "yesterday"}, "no_time"),
        ({"code": "rest_x", "data": {"status": 500}}, "shop_error_500"),
    ],
)
def test_without_id_or_time_an_order_is_dead(change, reason, order, tell):
    with pytest.raises(TranslationError) as caught:
        tell({**order, **change})

    assert caught.value.reason == reason


def test_a_lost_right_says_who_must_act():
    body = json.dumps({"code": "woocommerce_rest_cannot_view", "data": {"status": 401}}).encode()

    with pytest.raises(TranslationError, match="save the webhook again"):
        adapter.translate(Delivery(topic="order.updated", key="k", body=body), {})
