"""Connections: adding, watching, mending and removing shops; what is never shown."""

import io
import re
from html import unescape

import pytest

from bridge import config
from bridge.connect import watch_due
from bridge.web import Application
from tests.bridge.web.pages import CANARIES, SECRET, dataset, link, reached_by, shop, tell
from tests.fakes.browser import SECURE, Browser
from tests.fakes.shopify_admin import ShopifyFake
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import SECRET_KEY, rows

SOURCES = "/admin/connections/sources"
PUBLIC = "https://bridge.example"
WOO = "https://holz.example"
HOUR = 3600


@pytest.fixture(autouse=True)
def after_the_orders(clock):
    clock.move(4 * HOUR)


@pytest.fixture
def application(store, store_url):
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY, "PUBLIC_URL": PUBLIC}
    return Application(config.load(environment), store)


@pytest.fixture
def operator(application):
    return Browser(application, "bridge.example", "https").signed_in("operator", "olga")


@pytest.fixture
def reader(application, operator):
    return Browser(application, "bridge.example", "https").signed_in("reader", "ray")


@pytest.fixture
def shopify(application, store):
    with ShopifyFake() as fake:
        application.flask.config["SHOP_OF"] = reached_by(store, fake.routes)
        yield fake


@pytest.fixture
def woocommerce(application, store):
    with WooCommerceFake() as fake:
        application.flask.config["SHOP_OF"] = reached_by(store, {WOO: fake.url})
        yield fake


def actions(store):
    return [row[1] for row in rows(store, "audit", "actor", "action") if row[0] == "olga"]


def only(store):
    [found] = store.connections.sources()
    return found


def page(source):
    return f"{SOURCES}/{source.id}"


def test_nothing_yet_leads_to_adding(operator):
    text = operator.get("/admin/connections").text

    assert "No shop yet" in text
    assert f"{SOURCES}/new" in text


def test_a_shop_whose_api_is_open_gets_its_webhooks_at_once(operator, store, shopify):
    answer = operator.post(f"{SOURCES}/new/shopify", name="nord", **shopify.app)

    assert answer.status_code == 303
    source = only(store)
    uris = {one["uri"] for one in shopify.subscriptions.values()}
    assert uris == {f"{PUBLIC}/webhooks/{source.webhook_key}"}
    assert actions(store) == ["source.added", "source.subscribed"]
    assert shopify.client_secret not in operator.get(page(source)).text


def test_a_shop_is_kept_where_its_api_refuses(operator, store, shopify):
    wrong = {**shopify.app, "client_secret": "wrong"}
    answer = operator.post(f"{SOURCES}/new/shopify", name="nord", **wrong)

    assert answer.status_code == 303
    assert "It did not work" in operator.get(page(only(store))).text


def test_one_field_and_one_click_connect_a_shop(operator, store, woocommerce):
    operator.post(f"{SOURCES}/new/woocommerce", name="holz", shop_url=WOO)
    source = only(store)
    answer = operator.post(f"{page(source)}/authorise")
    [address] = re.findall(rf'href="({WOO}[^"]+)"', answer.text)

    assert len(source.settings["secret"]) > 30
    assert f"{PUBLIC}/connect/" in unescape(
        unescape(address).replace("%3A", ":").replace("%2F", "/")
    )
    state = re.search(r"user_id=([^&]+)", unescape(address))[1]
    granted = {
        "user_id": state, "key_permissions": "read_write",
        "consumer_key": woocommerce.keys.key, "consumer_secret": woocommerce.keys.secret,
    }  # fmt: skip
    told = operator.client.post(
        f"/connect/{state}", json=granted, base_url=PUBLIC, headers={"Sec-Fetch-Site": "none"}
    )
    assert told.status_code == 200
    reach = operator.application.flask.config["SHOP_OF"]
    assert watch_due(store, PUBLIC, reach) == 1
    assert {one["topic"] for one in woocommerce.webhooks.values()} >= {"order.updated"}
    assert "Grant access" not in operator.get(page(source)).text


def test_a_shop_by_hand_gets_its_instructions_and_a_lamp_that_waits(operator, store):
    operator.post(f"{SOURCES}/new/forms", name="crm", secret=SECRET)
    source = only(store)
    before = operator.get(page(source)).text
    store.connections.ping_seen(source.id, store.now())
    after = operator.get(page(source)).text

    assert source.webhook_key in before
    assert "Waiting for the first delivery" in before
    assert "The shop reaches us" in after


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("forms", {"name": "crm"}),
        ("forms", {"name": "", "secret": "s"}),
        ("forms", {"name": "77", "secret": "s"}),
        ("woocommerce", {"name": "x", "shop_url": ""}),
        ("woocommerce", {"name": "x", "hand": "1"}),
        ("woocommerce", {"name": "x", "hand": "1", "secret": "s", "draft_checkouts": "maybe"}),
    ],
)
def test_what_is_missing_or_wrong_is_told_and_nothing_is_made(operator, store, kind, form):
    answer = operator.post(f"{SOURCES}/new/{kind}", **form)

    assert answer.status_code == 422
    assert store.connections.sources() == []


def test_a_name_that_is_taken_is_told(operator, store):
    shop(store, name="nord")
    answer = operator.post(f"{SOURCES}/new/forms", name="nord", secret="typed-secret")

    assert answer.status_code == 422
    assert "is taken" in answer.text
    assert "typed-secret" not in answer.text


def test_a_shop_with_an_api_can_be_connected_by_hand_too(operator, store):
    form = operator.get(f"{SOURCES}/new?kind=woocommerce&hand=1").text
    operator.post(f"{SOURCES}/new/woocommerce", name="holz", hand="1", secret=SECRET)

    assert 'name="secret"' in form
    assert 'name="secret"' not in operator.get(f"{SOURCES}/new?kind=woocommerce").text
    assert only(store).settings["secret"] == SECRET


def test_an_unknown_kind_is_not_found(operator):
    assert operator.post(f"{SOURCES}/new/nothing", name="x").status_code == 404


def test_the_first_shop_and_dataset_are_linked_in_shadow(operator, store):
    dataset(store)
    operator.post(f"{SOURCES}/new/forms", name="crm", secret=SECRET)

    assert [one.mode for one in store.connections.routes()] == ["shadow"]


def test_others_are_linked_on_request_in_shadow(operator, store):
    shop(store)
    source, destination = shop(store, name="two"), dataset(store)
    form = {"source": source.id, "destination": destination.id}
    answer = operator.post("/admin/connections/routes", **form)

    assert answer.status_code == 303
    assert [one.mode for one in store.connections.routes(source.id)] == ["shadow"]


def test_a_secret_is_rotated_without_a_gap(operator, store):
    source = shop(store)
    operator.post(f"{page(source)}/secrets", secret="canary-new")
    both = only(store).settings["secret"]
    operator.post(f"{page(source)}/secrets/1/remove")

    assert both == f"canary-new\n{SECRET}"
    assert only(store).settings["secret"] == "canary-new"
    assert actions(store) == ["source.secret_added", "source.secret_removed"]
    assert operator.post(f"{page(source)}/secrets/0/remove").status_code == 404


def test_two_secrets_at_once_are_refused(operator, store):
    source = shop(store)

    assert operator.post(f"{page(source)}/secrets", secret="a\nb").status_code == 422
    assert only(store).settings["secret"] == SECRET


def test_settings_are_changed_and_secrets_stay(operator, store):
    source = shop(store, admin_token="canary-token")
    operator.post(f"{page(source)}/settings", shop_country="DE", api_version="2026-10")
    settings = only(store).settings

    assert settings["shop_country"] == "DE"
    assert (settings["secret"], settings["admin_token"]) == (SECRET, "canary-token")


def test_broken_webhooks_are_repaired_and_told(operator, store, shopify):
    source = shop(store, name="nord", **shopify.app)
    shopify.drop_webhooks()
    operator.post(f"{page(source)}/repair")
    text = operator.get(page(source)).text

    assert shopify.subscriptions
    assert "orders/paid" in text
    assert "Shopify accepts the token" in text


def test_a_check_changes_nothing_in_the_shop(operator, store, shopify):
    source = shop(store, name="nord", **shopify.app)
    operator.post(f"{page(source)}/check")

    assert shopify.subscriptions == {}
    assert "Shopify accepts the token" in operator.get(page(source)).text


def test_a_check_of_a_shop_that_is_away_is_told(operator, store, application):
    application.flask.config["SHOP_OF"] = reached_by(store, {})
    source = shop(store, "woocommerce", shop_url="https://127.0.0.1:9", consumer_key="ck_1",
                  consumer_secret="canary-cs")  # fmt: skip
    operator.post(f"{page(source)}/check")

    assert "Broken" in operator.get(page(source)).text


def test_the_order_list_is_read_by_the_worker_and_told(operator, store, shopify, clock):
    source = shop(store, name="nord", **shopify.app)
    operator.post(f"{page(source)}/repair")
    shopify.add_orders(3)
    answer = operator.post(f"{page(source)}/read", days="2")
    during = operator.get(page(source)).text
    clock.move(HOUR)
    watch_due(store, PUBLIC, operator.application.flask.config["SHOP_OF"])

    assert answer.status_code == 303
    assert "0 orders read" in during
    assert "It goes on." in during
    after = operator.get(page(source)).text
    assert "3 orders read, 3 not received before" in after
    assert "It is done." in after


def test_only_the_days_that_are_offered_are_read(operator, store, shopify):
    source = shop(store, name="nord", **shopify.app)
    by_hand = shop(store, name="hand")

    assert operator.post(f"{page(source)}/read", days="400").status_code == 400
    assert operator.post(f"{page(by_hand)}/read", days="2").status_code == 400


def test_the_last_week_is_told_order_by_order(operator, store):
    source = shop(store)
    link(store, source, dataset(store))
    tell(store, source, 4001, consent=None)
    text = operator.get(page(source)).text

    assert "Skipped for" in text


def test_a_shop_pauses_goes_on_and_is_removed(operator, store):
    source = shop(store)
    operator.post(f"{page(source)}/state", state="paused")
    paused = only(store).state
    operator.post(f"{page(source)}/state", state="active")
    active = only(store).state
    operator.post(f"{page(source)}/remove")
    unsure = only(store).state
    operator.post(f"{page(source)}/remove", sure="yes")

    assert (paused, active, unsure, only(store).state) == ("paused", "active", "active", "removed")
    assert operator.get(page(source)).status_code == 404
    assert operator.post(f"{page(source)}/state", state="wild").status_code == 404


def test_removing_deletes_our_webhooks_in_the_shop(operator, store, shopify):
    source = shop(store, name="nord", **shopify.app)
    operator.post(f"{page(source)}/repair")
    operator.post(f"{page(source)}/remove", sure="yes")

    assert shopify.subscriptions == {}


def upload(operator, source, content):
    form = {"csrf_token": operator.csrf(), "file": (io.BytesIO(content), "costs.csv")}
    return operator.client.post(
        f"{page(source)}/costs", base_url=PUBLIC, data=form, headers=SECURE, buffered=True
    )


def test_costs_are_uploaded(operator, store):
    source = shop(store)
    answer = upload(operator, source, b"sku,cost\nLH-M,12.50\nTL,40\n")

    assert answer.status_code == 303
    found = store.subjects.costs(source.id, {"LH-M", "TL"})
    assert {item: str(cost) for item, cost in found.items()} == {"LH-M": "12.50", "TL": "40"}
    assert "source.costs" in actions(store)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"sku,cost\nA,much\n"])
def test_a_file_that_is_none_is_told(operator, store, content):
    source = shop(store)
    upload(operator, source, content)

    assert "source.costs" not in actions(store)
    assert 'class="notice bad"' in operator.get(page(source)).text


def test_the_companion_is_downloaded(reader, store):
    answer = reader.get(f"{page(shop(store, 'woocommerce'))}/companion")

    assert answer.data[:2] == b"PK"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert reader.get(f"{page(shop(store, name='b'))}/companion").status_code == 404


def test_without_a_public_address_no_shop_is_asked(store, store_url):
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY}
    local = Browser(Application(config.load(environment), store)).signed_in("operator", "olga")
    source = shop(store, "woocommerce", shop_url=WOO)
    for action in ("repair", "authorise"):
        local.post(f"{page(source)}/{action}")

        assert "PUBLIC_URL" in local.get(page(source)).text


@pytest.mark.parametrize(
    "action",
    ["settings", "secrets", "secrets/0/remove", "state", "remove", "authorise", "repair", "check",
     "read", "costs"],
)  # fmt: skip
def test_a_reader_changes_nothing(reader, store, action):
    source = shop(store)

    assert reader.post(f"{page(source)}/{action}", sure="yes", state="paused").status_code == 403
    assert reader.get(f"{SOURCES}/new").status_code == 403
    assert only(store) == source


def test_a_reader_sees_neither_the_webhook_address_nor_the_settings(reader, store):
    source = shop(store)
    text = reader.get(page(source)).text

    assert source.webhook_key not in text
    assert "<form" not in text.split("<main")[1]


@pytest.mark.parametrize("kind", ["shopify", "woocommerce", "forms"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_secret_and_no_person_stands_in_a_page(operator, store, kind, language):
    keys = {"admin_token": "canary-a", "consumer_key": "ck", "consumer_secret": "canary-b"}
    source = shop(store, kind, **keys)
    link(store, source, dataset(store))
    if kind != "forms":
        tell(store, source, 4001)
    pages = (page(source), "/admin/connections", f"{SOURCES}/new?kind={kind}")
    answers = [operator.get(one, Accept_Language=language) for one in pages]

    assert [one.status_code for one in answers] == [200] * 3
    assert not [word for word in CANARIES for one in answers if word in one.text]
