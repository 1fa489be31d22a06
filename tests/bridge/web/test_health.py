"""Alive, ready, and nothing more."""

import pytest
from werkzeug.test import Client

from bridge import config
from bridge.secrets import Vault
from bridge.store import Store
from bridge.web import Application
from tests.stores import SECRET_KEY


def test_alive_says_nothing_more(client):
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_ready_with_a_database_and_a_worker(client, store, clock):
    store.history.beat("box:1", clock())

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"database": "ok", "worker": "ok"})


def test_not_ready_without_a_worker(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (503, {"database": "ok", "worker": "silent"})


def test_not_ready_a_minute_after_the_last_worker_was_seen(client, store, clock):
    store.history.beat("box:1", clock())
    clock.move(61)

    assert client.get("/readyz").status_code == 503


def test_not_ready_before_the_schema_is_there(tmp_path):
    url = f"sqlite:///{tmp_path}/empty.db"
    environment = {"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY}
    client = Client(Application(config.load(environment), Store(url, Vault(SECRET_KEY))))

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {"database": "not migrated", "worker": "silent"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read_and_never_redirected(client, path):
    assert client.post(path).status_code == 405
    assert client.get(f"{path}/").status_code in {200, 503}


def test_an_unknown_page_is_404_without_a_word_about_the_program(client):
    answer = client.get("/canary-path")

    assert answer.status_code == 404
    assert b"canary" not in answer.data
    assert b"Traceback" not in answer.data
