"""A shop hands over keys once, under a state of ours, and hears 200 only if they are kept."""

import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from bridge.connect import TERMINAL, authorise_url
from bridge.events import ConfigError
from bridge.store import StoreError, schema
from bridge.store.connections import Connections, key_hash
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import rows

SESSION = TERMINAL  # whoever may run commands
BASE = "https://bridge.example"
KEYS = {
    "consumer_key": "ck_" + "1a2b3c4d" * 5,
    "consumer_secret": "cs_" + "5e6f7a8b" * 5,
    "key_permissions": "read_write",
}


@pytest.fixture
def source(store):
    settings = {"secret": "hush", "shop_url": "https://shop.example"}
    return store.connections.add_source("woocommerce", "shop", settings, "w1")


@pytest.fixture
def asked(store, source):
    """Return the state that the operator's browser was sent away with."""
    return state_in(authorise_url(store, source, BASE, session=SESSION))


def state_in(url):
    return parse_qs(urlsplit(url).query)["user_id"][0]


def call(client, state, told=None, **changes):
    body = {**KEYS, "user_id": state if told is None else told, **changes}
    return client.post(f"/connect/{state}", data=json.dumps(body)).status_code


def settings(store):
    return store.connections.source("shop").settings


def test_the_browser_is_sent_to_the_shop_with_a_state_that_leads_back(store, source):
    url = authorise_url(store, source, BASE, session=SESSION)

    assert url.startswith("https://shop.example/wc-auth/v1/authorize?")
    query = parse_qs(urlsplit(url).query)
    assert query["callback_url"] == [f"{BASE}/connect/{state_in(url)}"]
    assert len(state_in(url)) >= 22


def test_neither_state_nor_session_is_stored_as_it_is(store, asked):
    table = schema.grant
    with store.database.read() as connection:
        [row] = connection.execute(select(table)).all()

    assert row.state_hash == key_hash(asked)
    assert row.session_hash == key_hash(SESSION)


def test_keys_are_kept_and_the_shop_is_looked_after_at_once(store, client, source, asked):
    before = settings(store)
    assert call(client, asked) == 200

    known = {name: KEYS[name] for name in ("consumer_key", "consumer_secret")}
    assert settings(store) == {**before, **known}
    assert rows(store, "audit", "action", "actor") == [("source.granted", "shop")]
    assert store.watches.watch(source.id).next_at == 0


def test_a_call_that_is_replayed_is_refused(store, client, asked):
    assert call(client, asked) == 200

    assert call(client, asked, consumer_key="ck_" + "evil" * 9) == 404
    assert settings(store)["consumer_key"] == KEYS["consumer_key"]


def test_a_state_is_too_old_after_a_quarter_of_an_hour(store, client, clock, asked):
    clock.move(15 * 60 + 1)

    assert call(client, asked) == 404
    assert "consumer_key" not in settings(store)


def test_a_state_of_nobody_and_a_state_that_differs_in_the_body_are_refused(
    store, client, source, asked
):
    other = state_in(authorise_url(store, source, BASE, session=SESSION))

    assert call(client, "made-up") == 404
    assert call(client, asked, told=other) == 404
    assert "consumer_key" not in settings(store)
    assert call(client, asked) == 404  # it counted once, whatever came
    assert call(client, other) == 200


def test_a_state_lasts_no_longer_than_the_session_that_asked_for_it(store, client, source):
    operator = store.accounts.set_up("olga", "no hash")
    token = store.accounts.open_session(operator.id, "Test")
    states = [state_in(authorise_url(store, source, BASE, session=token)) for _ in range(2)]

    assert call(client, states[0]) == 200
    store.connections.set_source(source.id, settings={"secret": "hush"})
    store.accounts.end_sessions(operator.id)

    assert call(client, states[1]) == 404
    assert "consumer_key" not in settings(store)


@pytest.mark.parametrize(
    "changes",
    [{"key_permissions": "read"}, {"consumer_key": "x"}, {"consumer_secret": None},
     {"consumer_key": ["ck_1"]}, {"user_id": 7}],
)  # fmt: skip
def test_what_is_no_sound_grant_is_refused(store, client, asked, changes):
    assert call(client, asked, **changes) == 404
    assert "consumer_key" not in settings(store)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"\xff", b"x" * 9_000])
def test_odd_bodies_are_refused(store, client, asked, body):
    assert client.post(f"/connect/{asked}", data=body).status_code in {404, 413}
    assert "consumer_key" not in settings(store)


def test_two_calls_at_once_store_one(store, application, asked):
    answers, start = [], threading.Barrier(2)

    def post(number):
        start.wait()
        key = f"ck_{str(number) * 40}"
        answers.append(call(application.flask.test_client(), asked, consumer_key=key))

    threads = [threading.Thread(target=post, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200, 404]


def test_a_database_that_fails_is_no_200(store, client, asked, monkeypatch):
    def fail(*_):
        raise StoreError("database: locked")

    monkeypatch.setattr(Connections, "remember", fail)

    assert call(client, asked) == 503
    assert "consumer_key" not in settings(store)


def test_the_whole_way_by_one_click(store, application, source):
    from tests.bridge.connect.connected import Bridge

    with WooCommerceFake() as shop, Bridge(store) as bridge:
        store.connections.remember(source.id, {"shop_url": shop.url})
        known = store.connections.source("shop")
        url = authorise_url(store, known, bridge.url, session=SESSION)
        with requests.Session() as browser:
            assert "Approve" in browser.get(url).text
            form = parse_qs(urlsplit(url).query)
            answer = browser.post(
                f"{shop.url}/wc-auth/v1/approve", data=form, allow_redirects=False
            )

    assert answer.status_code == 302
    assert settings(store)["consumer_key"] == shop.keys.key


def test_a_shop_system_without_such_a_page_says_so(store):
    other = store.connections.add_source("shopify", "second", {"secret": "x"}, "w2")

    with pytest.raises(ConfigError, match="no page to grant access"):
        authorise_url(store, other, BASE, session=SESSION)
    assert rows(store, "grant_expected") == []
