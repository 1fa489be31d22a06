"""What lies on the disk: nothing of a person and no secret can be read there."""

from pathlib import Path

import pytest

from bridge.events import Outcome, Receipt
from bridge.secrets import Vault
from bridge.store import Settled, Store, schema
from tests.stores import SECRET_KEY, START, claim, commit, put, rows

CANARIES = {
    "body": b"jane.canary@example.com",
    "header": b"canary-header-value",
    "payload": b"canary-payload-hash",
    "held": b"canary-held-person",
    "source setting": b"canary-webhook-secret",
    "destination setting": b"canary-access-token",
    "key": SECRET_KEY.encode(),
}


@pytest.fixture
def full(store, source, outbox_row, lane):
    """Return a store that holds a canary wherever personal data or a secret may go."""
    text = {name: value.decode() for name, value in CANARIES.items()}
    store.connections.set_source(source.id, settings={"secret": text["source setting"]})
    dataset = {"access_token": text["destination setting"]}
    store.connections.set_destination(lane.destination_id, settings=dataset)
    put(store, source, "k1", CANARIES["body"], headers={"x-note": text["header"]})
    commit(
        store,
        source,
        outbox_row(order_id="1", payload=CANARIES["payload"], email_key=b"\x01" * 16),
        outbox_row(order_id="2", state="waiting", curable=True, held_event=CANARIES["held"]),
    )
    claimed = claim(store, lane)
    settled = [Settled(id=event.id, state="sent") for event in claimed.events]
    receipt = Receipt(outcome=Outcome.ACCEPTED, status=200)
    store.outbox.settle(claimed, settled, receipt, sent_at=START, duration_ms=1, now=START)
    store.history.audit("operator", "source.settings", "shop")
    store.subject_key()
    return store


def everything(store) -> bytes:
    """Return all columns of all tables, and the database's files where it has some."""
    text = "\n".join(str(row) for table in schema.metadata.tables for row in rows(store, table))
    values = [
        value
        for table in schema.metadata.tables
        for row in rows(store, table)
        for value in row
        if isinstance(value, bytes)
    ]
    found = [text.encode(), *values]
    if store.database.is_sqlite:
        path = Path(store.database.engine.url.database)
        files = sorted(path.parent.glob(f"{path.name}*"))
        assert {file.name.removeprefix(path.name) for file in files} >= {"", "-wal"}
        found += [file.read_bytes() for file in files]
    return b"\n".join(found)


@pytest.mark.parametrize("what", CANARIES)
def test_nothing_personal_and_no_secret_lies_plain(full, what):
    stored = everything(full)

    assert b"purchase.1" in stored  # what is looked for would be found
    assert CANARIES[what] not in stored
    assert CANARIES[what].hex().encode() not in stored


def test_the_keys_in_addresses_lie_there_only_sealed_and_hashed(full, source):
    stored = everything(full)

    assert source.webhook_key.encode() not in stored
    assert source.collect_key.encode() not in stored


def test_the_subject_key_survives_a_change_of_the_secret_key(full, store_url):
    before = full.subject_key()
    rotated = Store(store_url, Vault("the new key, with characters enough", [SECRET_KEY]))
    again = rotated.subject_key()
    rotated.close()

    assert again == before
    assert len(before) == 32
    assert before not in everything(full)


def test_two_stores_make_one_subject_key(store, store_url):
    other = Store(store_url, Vault(SECRET_KEY))
    made = other._make_subject_key()

    assert store.subject_key() == store._make_subject_key() == made
    other.close()


def test_what_was_sealed_before_a_rotation_is_sent_after_it(full, store_url, source, outbox_row):
    commit(full, source, outbox_row(order_id="3", payload=b"sealed before"))
    rotated = Store(
        store_url, Vault("the new key, with characters enough", [SECRET_KEY]), lambda: START
    )
    (lane,) = rotated.outbox.lanes(START)
    (event,) = claim(rotated, lane).events
    rotated.close()

    assert event.payload == b"sealed before"
    assert "sealed before" not in repr(event)
