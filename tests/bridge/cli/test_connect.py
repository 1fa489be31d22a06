"""``source subscribe``, ``check``, ``reconcile``, ``coverage``, ``doctor``: what operators see."""

import json

import pytest

from bridge.secrets import Vault
from bridge.store import Store, moment
from tests.bridge.connect.connected import Bridge
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import rows

from .conftest import SECRET_KEY, TOKEN, assert_one_sentence


@pytest.fixture
def woo():
    with WooCommerceFake() as fake:
        yield fake


@pytest.fixture
def bridge(store):
    with Bridge(store) as running:
        yield running


@pytest.fixture
def shop(cli, store, woo, bridge, monkeypatch):
    """Connect the shop with its key, and return the command."""
    monkeypatch.setenv("ALLOW_PRIVATE_SHOPS", "1")
    monkeypatch.setenv("PUBLIC_URL", bridge.url)
    pairs = {**woo.key, "shop_url": woo.url}
    settings = [part for name, value in pairs.items() for part in ("--set", f"{name}={value}")]
    for step in (
        ("source", "add", "woocommerce", "--name", "shop", "--secret", "hush", *settings),
        ("destination", "add", "meta", "--name", "data", "--dataset-id", 77, "--token", TOKEN),
        ("route", "set", "shop", "data", "--mode", "live", "--live-since", "2026-01-01"),
    ):
        assert cli(*step).code == 0
    return cli


def sold(woo, store, count, **changes):
    woo.time = moment(store.now())
    return [woo.add_order(changed_at=woo.time, **changes)["id"] for _ in range(count)]


def test_webhooks_are_made_once(shop, woo):
    woo.webhooks.clear()  # those that were made when it was added

    first, second = shop("source", "subscribe", "shop"), shop("source", "subscribe", "shop")

    assert "order.created: made (missing)" in first.out
    assert first.out.endswith("6 webhooks made; all that are wanted are there\n")
    assert second.out == "0 webhooks made; all that are wanted are there\n"
    assert len(woo.webhooks) == 6


def test_without_a_public_address_no_webhook_is_made(shop, woo, monkeypatch):
    woo.webhooks.clear()
    monkeypatch.delenv("PUBLIC_URL")

    assert_one_sentence(shop("source", "subscribe", "shop"), "PUBLIC_URL")
    assert woo.webhooks == {}


def test_a_shop_that_is_well_passes_the_check(shop, woo):
    shop("source", "subscribe", "shop")

    ended = shop("source", "check", "shop", "--json").json

    assert {one["status"] for one in ended["checks"]} <= {"ok", "warn"}
    assert {one["state"] for one in ended["webhooks"]} == {"active"}
    assert "order.created" in shop("source", "check", "shop").out


@pytest.mark.parametrize(
    ("trouble", "name", "sentence"),
    [
        (lambda woo: setattr(woo, "permalinks", "plain"), "REST API", "permalinks are Plain"),
        (lambda woo: setattr(woo.keys, "secret", "cs_other"), "key", "wrong or revoked"),
        (lambda woo: setattr(woo.keys, "owner", "customer"), "key", "needs the role"),
        (lambda woo: setattr(woo, "active", False), "REST API", "WooCommerce is not active"),
        (lambda woo: woo.redirect_all("https://x.example"), "REST API", "redirects"),
    ],
)
def test_a_trouble_is_told_in_its_own_sentence_by_check_and_doctor(
    shop, woo, trouble, name, sentence
):
    trouble(woo)

    ended = shop("source", "check", "shop", "--json")
    doctor = shop("doctor", "--json")

    assert (ended.code, doctor.code) == (1, 1)
    checks = {one["name"]: one for one in json.loads(ended.out)["checks"]}
    assert checks[name]["status"] == "fail"
    assert sentence in checks[name]["message"]
    told = {one["name"]: one["message"] for one in json.loads(doctor.out)["checks"]}
    assert sentence in told[f"source shop: {name}"]
    for secret in (woo.keys.key, woo.keys.secret, "hush"):
        assert secret not in ended.out + ended.complaint + doctor.out


def test_a_private_address_is_a_finding_that_says_what_to_set(shop, store, monkeypatch):
    monkeypatch.delenv("ALLOW_PRIVATE_SHOPS")
    store.connections.remember(1, {"shop_url": "http://127.0.0.1:8080"})

    ended = shop("source", "check", "shop")

    assert ended.code == 1
    assert "ALLOW_PRIVATE_SHOPS=1" in ended.out


def test_orders_that_never_came_are_read_and_covered(shop, woo, store):
    sold(woo, store, 3)

    read = shop("source", "reconcile", "shop", "--json").json
    covered = shop("coverage", "shop", "--json", "--orders").json

    assert (read["orders"], read["new"], read["finished"]) == (3, 3, True)
    assert covered["by_state"] == {"waiting": 3}  # not translated yet
    assert len(covered["orders"]) == 3
    assert shop("source", "reconcile", "shop").out.startswith("3 orders read, 0 not received")
    assert rows(store, "audit", "action")[-2:] == ["source.reconciled"] * 2


def test_who_reads_from_a_time_is_told_how_many_and_asked(shop, woo, store):
    sold(woo, store, 2)

    refused = shop("source", "reconcile", "shop", "--since", "2020-01-01")
    read = shop("source", "reconcile", "shop", "--since", "2020-01-01", "--yes", "--json")

    assert refused.code == 1
    assert "older than seven days" in refused.complaint
    assert "2 orders changed since " in refused.complaint
    assert read.json["new"] == 2


def test_coverage_is_a_table_for_people(shop, woo, store):
    sold(woo, store, 1)
    shop("source", "reconcile", "shop")

    ended = shop("coverage", "shop", "--orders")

    assert "sent / eligible: 0 / 1 (0.0%)" in ended.out
    assert "untranslated" in ended.out


def test_a_shop_connected_by_hand_has_nothing_to_check(connected):
    for verb in ("check", "reconcile", "subscribe"):
        assert_one_sentence(connected("source", verb, "shop"), "made by hand")


def test_the_doctor_prints_one_shape_migrated_or_not(cli, database):
    before = cli("doctor", "--json")
    Store(database, Vault(SECRET_KEY)).migrate()
    after = cli("doctor", "--json")

    for ended in (before, after):
        assert ended.code == 1
        checks = json.loads(ended.out)["checks"]
        assert checks
        for check in checks:
            assert set(check) == {"name", "status", "message"}
            assert check["status"] in {"ok", "warn", "fail"}
    assert "capi-bridge migrate" in before.out


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", "short"), ("PORT", "x"), ("DATABASE_URL", "mysql://x")]
)
def test_a_wrong_environment_is_a_finding_of_the_doctor(cli, monkeypatch, name, value):
    monkeypatch.setenv(name, value)

    ended = cli("doctor", "--json")

    [check] = json.loads(ended.out)["checks"]
    assert (ended.code, check["status"]) == (1, "fail")
    assert check["message"].startswith(f"{name}:")


def test_the_doctor_is_content_with_a_shop_that_is_well(shop, woo):
    woo.companion = True
    shop("source", "subscribe", "shop")

    checks = json.loads(shop("doctor", "--json").out)["checks"]

    of_shop = [one for one in checks if one["name"].startswith("source shop")]
    assert [one["message"] for one in of_shop if one["status"] == "fail"] == []
