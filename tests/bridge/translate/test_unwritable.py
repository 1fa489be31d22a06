"""A delivery whose rows the database will never take must not stop its source."""

import pytest

from bridge.store import StoreError
from bridge.translate import translate_due
from tests.stores import put


@pytest.mark.parametrize("bad", ["k2", None])
def test_a_delivery_that_cannot_be_written_goes_alone(store, monkeypatch, bad):
    source = store.connections.add_source("forms", "forms", {"secret": "s"})
    for key in ("k1", "k2", "k3"):
        put(store, source, key=key)
    commit = store.translations.commit
    keys = {one["id"]: one["key"] for one in store.history.deliveries()}

    def refusing(lease, outcome, now):
        real = [end for end in outcome.ends if end.detail != "not writable"]
        if bad in {keys[end.delivery_id] for end in real}:
            raise StoreError("database: DataError", refused=True)
        return commit(lease, outcome, now)

    monkeypatch.setattr(store.translations, "commit", refusing)

    assert translate_due(store) >= 3
    ends = store.history.deliveries()
    lost = {one["key"] for one in ends if one["detail"] == "not writable"}
    assert lost == ({bad} if bad else set())
    assert "received" not in {one["state"] for one in ends}
