"""``source``, ``destination`` and ``route``: what is connected, and no secret shown."""

import time

import pytest

from bridge.sandbox import Sandbox
from bridge.store import moment
from tests.fakes.server import FakeServer
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import rows

from .conftest import HUSH, TOKEN, assert_one_sentence

SOURCE_KEYS = {"id", "webhook_url", "webhook_key", "collect_url", "collect_key"}


def test_a_source_is_added_and_its_addresses_are_told(cli):
    added = cli("source", "add", "woocommerce", "--name", "shop", "--secret", HUSH, "--json").json

    assert set(added) == SOURCE_KEYS
    assert added["webhook_url"] == f"https://bridge.example/webhooks/{added['webhook_key']}"
    assert added["collect_url"] == f"https://bridge.example/collect/{added['collect_key']}"
    assert len(added["webhook_key"]) >= 22


@pytest.mark.parametrize("kind", ["shopify", "woocommerce"])
def test_a_person_is_told_how_to_connect_the_shop(cli, kind):
    ended = cli("source", "add", kind, "--name", "shop", "--secret", HUSH)

    assert ended.code == 0
    assert "https://bridge.example/webhooks/" in ended.out
    assert HUSH not in ended.out


def test_two_secrets_are_both_kept(cli, store):
    cli("source", "add", "shopify", "--name", "shop", "--secret", "new", "--secret", "old")

    assert store.connections.source("shop").settings["secret"] == "new\nold"


def test_sources_are_listed_and_shown_without_their_secrets(connected, cli):
    listed = cli("source", "list", "--json")
    shown = cli("source", "show", "shop", "--json")
    tables = cli("source", "list").out + cli("source", "show", "shop").out

    assert [one["name"] for one in listed.json] == ["shop"]
    assert shown.json["word"] == "w1"
    assert shown.json["settings"]["secret"] == "(set)"
    assert shown.json.keys() >= SOURCE_KEYS
    assert "shop" in tables
    for text in (listed.out, shown.out, tables):
        assert HUSH not in text


def test_a_setting_that_nobody_declares_is_not_shown(connected, cli, store):
    source = store.connections.source("shop")
    settings = {**source.settings, "renewed_token": "canary-token"}
    store.connections.set_source(source.id, settings=settings)

    ended = cli("source", "show", "shop", "--json")

    assert "canary-token" not in ended.out
    assert ended.json["settings"]["renewed_token"] == "(set)"


def test_a_source_is_paused_goes_on_and_is_removed(connected, cli):
    states = []
    for command in (("pause", "shop"), ("pause", "shop", "--off"), ("remove", "shop")):
        assert cli("source", *command).code == 0
        states.append(cli("source", "show", "shop", "--json").json["state"])

    assert states == ["paused", "active", "removed"]


def test_every_change_is_noted_without_a_secret(connected, cli, store):
    cli("source", "pause", "shop")
    cli("destination", "resume", "dataset", "--token", f"{TOKEN}-2")

    noted = rows(store, "audit", "actor", "action", "subject", "detail")

    assert [row[1] for row in noted] == [
        "source.added",
        "destination.added",
        "route.set",
        "source.paused",
        "destination.active",
    ]
    assert TOKEN not in str(noted)
    assert HUSH not in str(noted)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("add", "nothing", "--name", "x", "--secret", HUSH), "nothing"),
        (("add", "shopify", "--name", "shop", "--secret", HUSH), "shop"),
        (("add", "shopify", "--name", "x", "--secret", HUSH, "--word", "w1"), "w1"),
        (("add", "shopify", "--name", "x", "--secret", HUSH, "--set", "shape=1"), "shape"),
        (("add", "shopify", "--name", "x", "--secret", HUSH, "--set", HUSH), "--set"),
        (("show", "nowhere"), "nowhere"),
        (("pause", "nowhere"), "nowhere"),
        (("remove", "999"), "999"),
    ],
)
def test_a_wrong_source_command_says_one_sentence(connected, cli, arguments, word):
    ended = cli("source", *arguments)

    assert_one_sentence(ended, word)


def test_a_file_that_cannot_be_written_is_told_in_one_sentence(cli):
    cli("source", "add", "woocommerce", "--name", "shop", "--secret", HUSH)

    ended = cli("source", "companion", "shop", "--output", "/nowhere/companion.php")

    assert_one_sentence(ended, "/nowhere/companion.php")


def test_the_database_is_not_there_in_one_sentence(cli, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgres://root:{HUSH}@127.0.0.1:1/x")

    ended = cli("source", "list", "--json")

    assert_one_sentence(ended, "DATABASE_URL")
    assert HUSH not in ended.complaint


def test_a_destination_is_added_and_listed_without_its_token(cli):
    added = cli(
        *("destination", "add", "meta", "--name", "d", "--dataset-id", "77", "--token", TOKEN),
        "--json",
    )
    listed = cli("destination", "list", "--json")
    table = cli("destination", "list")

    assert set(added.json) == {"id"}
    assert [(one["name"], one["state"]) for one in listed.json] == [("d", "active")]
    assert listed.json[0]["settings"] == {"dataset_id": "77", "access_token": "(set)"}
    assert "active" in table.out
    assert TOKEN not in added.out + listed.out + table.out


def test_a_destination_is_paused_resumed_with_a_new_token_and_removed(connected, cli, store):
    codes = [cli("destination", "pause", "dataset").code]
    paused = store.connections.destination("dataset").state
    codes.append(cli("destination", "resume", "dataset", "--token", f"{TOKEN}-2").code)
    resumed = store.connections.destination("dataset")
    codes.append(cli("destination", "remove", "dataset").code)

    assert codes == [0, 0, 0]
    assert paused == "paused"
    assert (resumed.state, resumed.settings["access_token"]) == ("active", f"{TOKEN}-2")
    assert cli("destination", "list", "--json").json == []
    assert cli("route", "list", "--json").json == []


def test_a_test_event_is_sent_and_its_answer_told(connected, cli, monkeypatch):
    with Sandbox() as graph:
        monkeypatch.setenv("GRAPH_URL", graph.url)
        told = cli("destination", "test", "dataset", "--test-event-code", "TEST1", "--json").json
        person = cli("destination", "test", "dataset")
        accepted = graph.accepted()

    assert told["outcome"] == "accepted"
    assert person.code == 0
    assert [one["event_name"] for one in accepted] == ["BridgeTest", "BridgeTest"]
    assert [one["test_event_code"] for one in accepted] == ["TEST1", ""]
    assert accepted[0]["dataset"] == "77"


def test_a_refused_test_event_is_an_exit_of_1(connected, cli, monkeypatch):
    with Sandbox("code=190") as graph:
        monkeypatch.setenv("GRAPH_URL", graph.url)
        ended = cli("destination", "test", "dataset")

    assert ended.code == 1
    assert "parked" in ended.out
    assert TOKEN not in ended.out + ended.complaint


def test_a_graph_api_that_is_not_there_is_one_sentence(connected, cli, monkeypatch):
    monkeypatch.setenv("GRAPH_URL", "http://127.0.0.1:1")

    assert_one_sentence(cli("destination", "test", "dataset"), "not sent")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("add", "meta", "--name", "x", "--token", TOKEN), "dataset_id"),
        (("add", "meta", "--name", "x", "--dataset-id", "7"), "access_token"),
        (("add", "tiktok", "--name", "x"), "tiktok"),
        (("add", "meta", "--name", "dataset", "--dataset-id", "7", "--token", TOKEN), "dataset"),
        (("test", "nowhere"), "nowhere"),
        (("pause", "nowhere"), "nowhere"),
        (("resume", "nowhere"), "nowhere"),
        (("remove", "nowhere"), "nowhere"),
    ],
)
def test_a_wrong_destination_command_says_one_sentence(connected, cli, arguments, word):
    ended = cli("destination", *arguments)

    assert_one_sentence(ended, word)
    assert TOKEN not in ended.complaint


def live_since(store) -> float:
    (route,) = store.connections.routes()
    assert route.live_since is not None
    return moment(route.live_since).timestamp()


def test_a_new_live_route_counts_from_now(connected, cli, store):
    cli("source", "add", "shopify", "--name", "second", "--secret", HUSH)
    before = time.time()
    cli("route", "set", "second", "dataset", "--mode", "live")
    (route,) = store.connections.routes(store.connections.source("second").id)

    assert before <= moment(route.live_since).timestamp() <= time.time()


def test_live_since_is_kept_until_it_is_named_or_the_mode_changes(connected, cli, store):
    cli("route", "set", "shop", "dataset", "--mode", "live", "--off", "AddToCart")
    kept = live_since(store)
    cli("route", "set", "shop", "dataset", "--mode", "live", "--live-since", "2026-02-01T00:00:00Z")
    named = live_since(store)
    cli("route", "set", "shop", "dataset", "--mode", "shadow")
    cli("route", "set", "shop", "dataset", "--mode", "live")

    assert kept == 1767225600
    assert named == 1769904000
    assert live_since(store) > 1769904000


def test_toggles_add_up_over_commands(connected, cli):
    cli("route", "set", "shop", "dataset", "--mode", "live", "--off", "Purchase", "--off", "Lead")
    cli("route", "set", "shop", "dataset", "--mode", "live", "--on", "Purchase")

    (listed,) = cli("route", "list", "--json").json

    assert listed["off"] == ["Lead"]
    assert (listed["source"], listed["destination"], listed["mode"]) == ("shop", "dataset", "live")
    assert "shop" in cli("route", "list").out


def test_test_mode_needs_its_code_and_keeps_it(connected, cli, store):
    without = cli("route", "set", "shop", "dataset", "--mode", "test")
    with_code = cli("route", "set", "shop", "dataset", "--mode", "test", "--test-event-code", "T1")

    assert_one_sentence(without, "--test-event-code")
    assert with_code.code == 0
    assert store.connections.routes()[0].test_event_code == "T1"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("nowhere", "dataset", "--mode", "live"), "nowhere"),
        (("shop", "nowhere", "--mode", "live"), "nowhere"),
        (("shop", "dataset", "--mode", "live", "--live-since", "yesterday"), "yesterday"),
    ],
)
def test_a_wrong_route_says_one_sentence(connected, cli, store, arguments, word):
    before = store.connections.routes()

    ended = cli("route", "set", *arguments)

    assert_one_sentence(ended, word)
    assert store.connections.routes() == before


def test_a_shop_whose_few_settings_are_given_gets_its_webhooks_and_loses_them_again(
    cli, store, monkeypatch
):
    monkeypatch.setenv("ALLOW_PRIVATE_SHOPS", "1")
    with WooCommerceFake() as woo:
        pairs = [f"{name}={value}" for name, value in {**woo.key, "shop_url": woo.url}.items()]
        options = [part for pair in pairs for part in ("--set", pair)]
        added = cli("source", "add", "woocommerce", "--name", "shop", *options)
        made = {one["_secret"] for one in woo.webhooks.values()}
        removed = cli("source", "remove", "shop")

    assert added.out.startswith("6 webhooks made")
    assert made == {store.connections.source("shop").settings["secret"]}
    assert all(secret.isalnum() and len(secret) > 30 for secret in made)
    assert removed.out == "6 webhooks deleted in the shop\n"
    assert woo.webhooks == {}
    for verb in ("pause", "subscribe", "check", "reconcile", "remove"):
        assert_one_sentence(cli("source", verb, "shop"), "source shop: was removed")


def test_the_address_of_a_shop_alone_leads_to_its_own_page(cli):
    ended = cli(
        "source", "add", "woocommerce", "--name", "a", "--set", "shop_url=https://shop.test"
    )

    assert "https://shop.test/wc-auth/v1/authorize?" in ended.out
    assert "scope=read_write" in ended.out


def test_a_shop_that_refuses_is_kept_and_the_sentence_tells_it(cli, store):
    with FakeServer() as closed:
        url = closed.url
    options = ["--set", f"shop_url={url}", "--set", "consumer_key=ck_1"]
    ended = cli("source", "add", "woocommerce", "--name", "a", *options,
                "--set", "consumer_secret=cs_1")  # fmt: skip

    assert_one_sentence(ended, "source a is kept, but the shop says: 127.0.0.1")
    assert store.connections.source("a").state == "active"


@pytest.mark.parametrize(
    ("kind", "pair", "sentence"),
    [
        ("shopify", "shop_domain=www.brand.com", "shop_domain: write the shop's own name"),
        ("woocommerce", "shop_url=shop.example", "shop_url: write the shop's whole address"),
        ("magneto", "shop_url=x", "source: magneto is none of forms, shopify, woocommerce"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused_at_once(cli, store, kind, pair, sentence):
    ended = cli("source", "add", kind, "--name", "a", "--secret", HUSH, "--set", pair)

    assert_one_sentence(ended, sentence)
    assert store.connections.sources() == []
