"""The doctor says what is wrong and what to do, never raises, and sends no event."""

import json
import socket
from dataclasses import replace
from email.utils import formatdate
from types import SimpleNamespace

import pytest

from adapters.sources.woocommerce import adapter
from bridge import config, doctor
from bridge.doctor import examine
from bridge.events import Finding, Response, ShopError
from bridge.net import NotSent
from bridge.secrets import Vault
from bridge.store import Store
from tests.stores import SECOND, SECRET_KEY, commit, rows

WOO = {"secret": "hush", "shop_url": "https://shop.example", "consumer_key": "ck_1",
       "consumer_secret": "cs_1"}  # fmt: skip


@pytest.fixture
def poisoned(monkeypatch):
    """Let every connection of this process fail, and count them."""
    tried = []

    def connect(self, address):
        tried.append(address)
        raise OSError("poisoned")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: tried.append(host) or _fail())
    return tried


def _fail():
    raise socket.gaierror(-2, "poisoned")


def environment(**more):
    known = {"DATABASE_URL": "sqlite:///unused", "SECRET_KEY": SECRET_KEY}
    return config.load(known | more)


def found(store, *, shop_of=lambda source: SimpleNamespace(settings=source.settings), post=None,
          **more):  # fmt: skip
    """Return (status, message) by check."""
    asked = post or (lambda request: Response(status=200, body=b'{"id":"1"}'))
    findings = examine(environment(**more), store, shop_of, asked)
    return {one.name: (one.status, one.message) for one in findings}


def test_a_database_that_is_not_migrated_is_the_only_finding(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/empty.db", Vault(SECRET_KEY))

    checks = found(store)

    assert list(checks) == ["database"]
    assert checks["database"][0] == "fail"
    assert "capi-bridge migrate" in checks["database"][1]


def test_a_database_out_of_reach_is_a_finding():
    url = "postgresql+psycopg://nobody:canary-password@127.0.0.1:9/none"

    [finding] = examine(environment(), Store(url, Vault(SECRET_KEY)))

    assert (finding.name, finding.status) == ("database", "fail")
    assert "canary" not in finding.message


def test_a_fresh_installation_is_told_what_to_do_next(store):
    checks = found(store)

    assert checks["database"][0] == "ok"
    assert checks["worker"][0] == "fail"
    assert "run `capi-bridge serve` or `worker`" in checks["worker"][1]
    for name, word in (
        ("public_url", "PUBLIC_URL"), ("destinations", "destination add"), ("sources", "source add")
    ):  # fmt: skip
        assert checks[name][0] == "warn"
        assert word in checks[name][1]
    assert checks["plan"] == ("ok", "the built-in one")


def test_a_worker_that_was_seen_is_fine_and_one_that_fell_silent_is_not(store, clock):
    store.history.beat("w", clock())
    assert found(store)["worker"][0] == "ok"
    clock.move(61)

    status, message = found(store)["worker"]
    assert status == "fail"
    assert message.startswith("last seen 2026-11-23 12:00 UTC")


def test_a_clock_that_disagrees_with_the_databases_is_told(store):
    assert found(store)["clock"][0] == "warn"  # the fake clock stands still


@pytest.mark.parametrize(
    ("state", "status", "word"),
    [("active", "ok", "accepts"), ("paused", "warn", "paused"), ("parked", "fail", "token")],
)
def test_a_destination_is_told_as_it_is(store, destination, state, status, word):
    store.connections.set_destination(destination.id, state=state, reason="token")

    assert found(store)["destination dataset"][0] == status
    assert word in found(store)["destination dataset"][1]


def test_a_plan_that_is_unsound_is_a_fail(store):
    store.history.apply_plan("[purchase]\nhold_minutes = -", "digest")

    assert found(store)["plan"][0] == "fail"


def test_open_alerts_are_told(store):
    store.watches.raise_alert("shop", "shop", "the key is wrong")

    assert found(store)["alert shop shop"] == ("warn", "the key is wrong")


def test_a_source_without_route_or_delivery_is_told(store, monkeypatch):
    store.connections.add_source("woocommerce", "shop", {"secret": "hush"}, "w")

    messages = [one.message for one in examine(environment(), store) if one.name == "source shop"]

    assert any("route set" in message for message in messages)
    assert any("no delivery has arrived" in message for message in messages)


def test_a_source_connected_by_hand_opens_no_connection(store, poisoned):
    store.connections.add_source("woocommerce", "shop", {"secret": "hush"}, "w")
    examine(environment(), store)

    assert poisoned == []
    assert "webhooks are made by hand" in found(store)["source shop: key"][1]


def test_shops_and_platforms_out_of_reach_are_findings(store, poisoned):
    store.connections.add_source("woocommerce", "shop", WOO, "w")
    store.connections.add_source(
        "shopify", "second", {"secret": "x", "admin_token": "t", "shop_domain": "x.myshopify.com"}
    )
    store.connections.add_destination("meta", "data", {"dataset_id": "1", "access_token": "x"})

    checks = {one.name: one for one in examine(environment(), store)}

    assert checks["source shop: REST API"].status == "fail"
    assert checks["source second: token"].status == "fail"
    assert poisoned


def test_shops_that_take_too_long_hide_nothing_else(store, monkeypatch):
    monkeypatch.setattr(doctor, "PATIENCE_S", -1)
    store.connections.add_source("woocommerce", "shop", WOO, "w")

    def shop_of(source):
        raise AssertionError("it was asked")

    checks = found(store, shop_of=shop_of)

    assert "`capi-bridge source check shop`" in checks["source shop"][1]


def test_a_shop_that_left_is_not_asked(store):
    made = store.connections.add_source("woocommerce", "shop", WOO, "w")
    store.connections.set_source(made.id, state="disconnected")

    def shop_of(source):
        raise AssertionError("it was asked")

    checks = found(store, shop_of=shop_of)

    assert checks["source shop"] == (
        "fail", "the shop revoked our access: connect it again, or remove it"
    )  # fmt: skip


def test_a_clock_that_disagrees_with_the_platforms_is_told(store):
    store.connections.add_destination("meta", "data", {"dataset_id": "1", "access_token": "x"})

    def post(request, date):
        return Response(status=200, body=b'{"id":"1"}', headers={"Date": date})

    wrong = found(store, post=lambda one: post(one, "Mon, 23 Nov 2020 12:00:00 GMT"))
    right = found(store, post=lambda one: post(one, formatdate(usegmt=True)))
    odd = found(store, post=lambda one: post(one, "yesterday"))

    assert wrong["platform clock"][0] == "fail"
    assert "platform clock" not in right | odd


@pytest.mark.parametrize(
    ("sources", "status", "sentence"),
    [
        ([None, None], "warn", "0 of the last 2 orders of the web say"),
        ([None, "cart"], "ok", "1 of the last 2 orders of the web say"),
    ],
)
def test_whether_a_consent_signal_was_seen_is_told(
    store, source, outbox_row, sources, status, sentence
):
    proofs = [{"consent": {"source": one}} for one in sources]
    made = [
        outbox_row(event_id=f"e{place}", order_id=str(place), channel="web",
                   trace=json.dumps(proof))
        for place, proof in enumerate([*proofs, {}])
    ]  # fmt: skip
    assert commit(store, source, *made)

    told = found(store)["source shop: consent"]

    assert told[0] == status
    assert sentence in told[1]


def test_other_tools_of_the_shop_system_are_asked_for_until_they_are_told(store):
    settings = {"secret": "x", "shop_domain": "x.myshopify.com"}
    made = store.connections.add_source("shopify", "shop", settings, "w")
    status, message = found(store)["source shop: who else sends"]
    assert status == "warn"
    assert f"/admin/start/senders/{made.id}" in message
    assert "Facebook & Instagram" in message

    store.overview.set_answer(f"senders.{made.id}", {})

    assert "source shop: who else sends" not in found(store)


def test_what_an_adapter_finds_is_told_under_its_source(store, monkeypatch):
    store.connections.add_source("woocommerce", "shop", WOO, "w")
    sentence = "the key's owner lost its rights"
    admin = SimpleNamespace(
        topics=lambda settings: ("order.updated",),
        check=lambda shop: [Finding(name="rights", status="fail", message=sentence)],
        subscriptions=lambda shop, webhook_url: [],
    )
    monkeypatch.setattr(adapter, "admin", admin)

    assert found(store)["source shop: rights"] == ("fail", sentence)


def test_an_adapter_that_is_gone_hides_no_other_finding(store):
    store.connections.add_source("prestashop9", "shop", {"secret": "x"}, "w")
    store.watches.raise_alert("shop", "other", "wrong")

    checks = found(store)

    assert checks["source shop"][0] == "fail"
    assert "alert shop other" in checks


def test_a_shop_error_is_a_finding(store):
    store.connections.add_source("woocommerce", "shop", WOO, "w")

    def shop_of(source):
        raise ShopError("certificate", "its certificate is not trusted")

    assert found(store, shop_of=shop_of)["source shop"] == (
        "fail",
        "its certificate is not trusted",
    )


def test_a_changed_secret_key_is_a_finding_and_not_the_end(store, store_url, clock):
    store.connections.add_source("woocommerce", "shop", WOO, "w")
    other = Store(store_url, Vault("another key that nobody keeps secret"), clock)

    checks = found(other)
    other.close()

    assert "SECRET_KEY_PREVIOUS" in checks["sources"][1]
    assert "plan" in checks


def test_nothing_is_sent(store, source, route, outbox_row):
    assert commit(store, source, outbox_row(expires_at=store.now() + SECOND * 9999))
    before = rows(store, "outbox")
    asked = []

    def post(request):
        asked.append(request)
        raise NotSent("not sent: poisoned")

    found(store, post=post)

    assert rows(store, "outbox") == before
    assert {request.method for request in asked} <= {"GET"}


def test_a_removed_source_is_not_spoken_of(store):
    made = store.connections.add_source("woocommerce", "shop", WOO, "w")
    store.connections.set_source(made.id, state="removed")

    assert not [name for name in found(store) if name.startswith("source ")]


def test_a_finding_of_the_machine_holds_no_password(store):
    url = "postgres://me:canary-password@127.0.0.1/db"
    findings = examine(replace(environment(), database_url=url), store)

    assert "canary" not in str(findings)
