"""The collector: public, small, silent about what it thinks of a body, and never a purchase."""

import io
import itertools
import json

import pytest
from werkzeug.test import Client

from bridge import config, plan
from bridge.events import ConfigError
from bridge.store import Route, StoreError, moment
from bridge.subjects import token_key
from bridge.translate import translate_due
from bridge.visitors import COLLECTED
from bridge.web import Application
from bridge.web.collect import MAX_BODY, Throttle
from tests.stores import SECRET_KEY, rows

AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"
KEY = "checkout:1483d7a598ac5d960c71"
GRANTED = {"keys": [KEY], "consent": {"marketing": True}, "fbp": "fb.1.1795166067000.77canary"}
_addresses = (f"198.51.{high}.{low}" for high, low in itertools.product(range(100), range(1, 255)))


@pytest.fixture
def path(shopify):
    return f"/collect/{shopify.source.collect_key}"


@pytest.fixture
def post(client, path):
    """Return a function that posts as a browser of its own would."""

    def send(body=None, *events, to=path, app=client, headers=None, address=None, **told):
        raw = json.dumps({"events": events, "visitor": {**GRANTED, **told}}).encode()
        return app.open(
            to,
            method="POST",
            data=raw if body is None else body,
            headers={"User-Agent": AGENT, "Content-Type": "text/plain", **(headers or {})},
            environ_overrides={"REMOTE_ADDR": address or next(_addresses)},
        )

    return send


@pytest.fixture
def route(store, shopify):
    end = store.connections.add_destination("meta", "d", {"dataset_id": "1", "access_token": "x"})
    store.connections.set_route(
        Route(source_id=shopify.source.id, destination_id=end.id, mode="live", toggles={},
              live_since=None)
    )  # fmt: skip


def told(name, event_id="id.1"):
    return {"event_name": name, "event_id": event_id, "event_source_url": "https://s.example/"}


def deliveries(store):
    return store.history.deliveries(limit=99)


def test_what_a_browser_posts_is_kept_and_nothing_is_said(post, store):
    answer = post()

    assert (answer.status_code, answer.data) == (204, b"")
    [kept] = deliveries(store)
    assert (kept["topic"], kept["state"]) == (COLLECTED, "received")
    assert "Set-Cookie" not in answer.headers


def test_pages_of_any_origin_may_post_without_credentials(client, path, post):
    preflight = client.open(path, method="OPTIONS", headers={"Origin": "null"})

    assert preflight.status_code == 204
    for answer in (preflight, post(headers={"Origin": "null"})):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 204), (MAX_BODY + 1, 413)])
def test_a_body_over_eight_kibibytes_is_refused(post, store, size, status):
    assert post(b"{}".ljust(size)).status_code == status
    assert len(deliveries(store)) == (status == 204)


def test_a_body_that_does_not_tell_its_length_is_refused(client, path, store):
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.open(
        path, method="POST", input_stream=io.BytesIO(b"{}"), environ_overrides=environ,
        headers={"User-Agent": AGENT},
    )  # fmt: skip

    assert answer.status_code == 413
    assert deliveries(store) == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_posts_are_taken(client, path, method, store):
    assert client.open(path, method=method).status_code == 405
    assert deliveries(store) == []


@pytest.mark.parametrize(
    "path", ["/collect/unknown", "/collect/", "/collect/unknown.js", "/collect/a/b"]
)
def test_an_unknown_key_is_not_found(post, path):
    assert post(to=path).status_code == 404


def test_the_webhooks_key_is_none_of_the_collectors(post, shopify):
    assert post(to=f"/collect/{shopify.source.webhook_key}").status_code == 404


@pytest.mark.parametrize("state", ["paused", "disconnected", "removed"])
def test_a_shop_that_is_not_active_collects_nothing(post, store, shopify, state):
    store.connections.set_source(shopify.source.id, state=state)

    assert post().status_code == 404
    assert deliveries(store) == []


@pytest.mark.parametrize(
    ("agent", "kept"),
    [
        (AGENT, True),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT NOTE 20) AppleWebKit/537.36 Mobile", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", False),
        ("AdsBot-Google (+http://www.google.com/adsbot.html)", False),
        ("facebookexternalhit/1.1 bot", False),
        ("Mozilla/5.0 HeadlessChrome/142.0", False),
        ("Chrome-Lighthouse", False),
        ("curl/8.5.0", False),
        ("", False),
    ],
)
def test_robots_are_answered_and_not_kept(post, store, agent, kept):
    assert post(headers={"User-Agent": agent}).status_code == 204
    assert bool(deliveries(store)) is kept


def test_who_posts_too_often_is_told_so_and_others_are_not(post, store, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("bridge.web.collect._throttle", Throttle(3, lambda: now[0]))

    assert [post(address="203.0.113.200").status_code for _ in range(4)] == [204, 204, 204, 429]
    assert post(address="203.0.113.201").status_code == 204
    now[0] = 60
    assert post(address="203.0.113.200").status_code == 204


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("::ffff:203.0.113.7", "::ffff:203.0.113.8", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("unix:", "", False),
    ],
)
def test_addresses_of_one_line_count_together(one, other, together):
    throttle = Throttle(1, lambda: 0)

    assert throttle.allows(one)
    assert throttle.allows(other) is not together


def test_the_throttle_forgets_when_it_holds_too_many():
    throttle = Throttle(1, lambda: 0)
    for number in range(25_000):
        throttle.allows(str(number))

    assert len(throttle._counts) <= 10_002
    assert throttle.allows("new")
    assert not throttle.allows("new")


def test_a_body_posted_twice_at_once_is_kept_once(post, store, clock):
    for _ in range(2):
        post(address="198.51.100.9")
    assert len(deliveries(store)) == 1

    clock.move(1)
    post(address="198.51.100.9")
    assert len(deliveries(store)) == 2


@pytest.mark.parametrize("body", [b" ", b"{", b"[]", b"\xff\xfe", b"null", b"NaN", b"[" * 8000])
def test_a_broken_body_is_refused_and_not_kept(post, store, body):
    answer = post(body)

    assert (answer.status_code, answer.data) == (400, b"")
    assert deliveries(store) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{}", "nothing_told"),
        (b'{"events":5,"visitor":[]}', "nothing_told"),
        (b'{"events":[{"event_name":"Purchase"}]}', "nothing_told"),  # it has no id
        (b'{"visitor":{"keys":["order:1001"]}}', "nothing_told"),
    ],
)
def test_a_body_of_no_use_is_ignored_and_fills_no_list_of_dead_letters(post, store, body, reason):
    assert post(body).status_code == 204
    translate_due(store)

    [kept] = deliveries(store)
    assert (kept["state"], kept["reason"]) == ("ignored", reason)


@pytest.mark.parametrize("name", ["Purchase", "purchase", "AddToCart", "InitiateCheckout", "Lead"])
def test_what_webhooks_own_a_browser_cannot_tell(post, store, route, name):
    assert post(None, told(name)).status_code == 204
    translate_due(store)

    [kept] = deliveries(store)
    [verdict] = store.history.verdicts(kept["id"])
    assert (verdict["verdict"], verdict["reason"]) == ("skip", "owner_webhook")
    assert rows(store, "outbox") == []


def test_no_plan_lets_a_browser_tell_a_purchase(post, store, route):
    for name in ("Purchase", "purchase"):
        with pytest.raises(ConfigError, match="unknown event"):
            plan.parse(f'[collector]\nevents = ["{name}"]')
    post(None, told("Purchase"), told("purchase", "id.2"))
    translate_due(store)

    assert {row[0] for row in rows(store, "verdict", "verdict", "reason")} == {"skip"}
    assert rows(store, "outbox") == []


@pytest.mark.parametrize("name", ["ViewContent", "Search", "AddToWishlist", "AddPaymentInfo"])
def test_what_a_browser_owns_is_sent(post, store, route, name):
    post(None, told(name))
    translate_due(store)

    assert rows(store, "outbox", "event_name", "event_id", "state") == [(name, "id.1", "pending")]


def test_a_body_signed_like_a_webhook_is_a_browsers_all_the_same(post, store, shopify, route):
    body = json.dumps({"id": 1, "financial_status": "paid", "total_price": "9.90"}).encode()
    assert post(body, headers=shopify.signed(body)).status_code == 204
    translate_due(store)

    [kept] = deliveries(store)
    assert kept["topic"] == COLLECTED
    assert rows(store, "outbox") == []


def visitor_of(store, key):
    [source] = store.connections.sources()
    hashed = token_key(store.subject_key(), source.word, key)
    return store.visits.visitors(source.id, {hashed})[hashed].visitor


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.5", "10.0.0.9"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),  # the client wrote the first itself
        (2, "203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (1, "", "10.0.0.9"),
    ],
)
def test_a_forwarded_address_counts_only_behind_proxies_we_trust(
    post, store, store_url, path, proxies, forwarded, address
):
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY}
    behind = Application(config.load({**environment, "TRUSTED_PROXIES": str(proxies)}), store)
    sent = {"X-Forwarded-For": forwarded} if forwarded else {}
    post(app=Client(behind), headers=sent, address="10.0.0.9")
    translate_due(store)

    found = visitor_of(store, KEY)
    assert found.user_data.client_ip_address == address
    assert found.user_data.client_user_agent == AGENT
    assert found.at == moment(store.now())


def test_a_store_that_is_away_asks_for_another_try(post, store, monkeypatch):
    def away(*_):
        raise StoreError("the database is away")

    monkeypatch.setattr(store.intake, "put", away)
    assert post().status_code == 503


def test_a_page_reads_the_script_with_the_right_address(client, connect, store, store_url):
    for kind, topic in (("shopify", "x"), ("woocommerce", "x"), ("forms", "x")):
        key = connect(kind, topic).source.collect_key
        answer = client.get(f"/collect/{key}.js")

        assert answer.status_code == 200
        assert answer.mimetype == "text/javascript"
        assert f'/collect/{key}"' in answer.text
        assert "bridge.example" not in answer.text
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_script_names_the_public_address(connect, store, store_url):
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY}
    public = Application(config.load({**environment, "PUBLIC_URL": "https://capi.example"}), store)
    key = connect("woocommerce", "x").source.collect_key

    text = Client(public).get(f"/collect/{key}.js", headers={"Host": "evil.example"}).text
    assert f'"https://capi.example/collect/{key}"' in text
    assert "evil" not in text


def test_the_script_posts_to_the_address_that_the_setup_learnt(client, path, store):
    store.accounts.set_up("anna", "no hash", "https://bridge.example")

    assert f'"https://bridge.example{path}"' in client.get(f"{path}.js").text
