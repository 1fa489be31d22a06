"""What the tests of the store run in processes of their own: ``children.py VERB URL ...``."""

import os
import sys
import time

from bridge.events import Delivery
from bridge.secrets import Vault
from bridge.store import DeliveryEnd, Outcome, Store

SECRET_KEY = "a key for tests that nobody keeps secret"


def migrate(store: Store) -> None:
    """Bring the schema up."""
    store.migrate()


def put_forever(store: Store, name: str) -> None:
    """Put one delivery after the other; tell the key of each that was acknowledged."""
    number = 0
    while True:
        number += 1
        key = f"{name}-{number}"
        store.intake.put(1, Delivery(topic="t", key=key, body=b"x" * 3000), time.time_ns() // 1000)
        os.write(1, f"{key}\n".encode())


def put_after_fork(store: Store) -> None:
    """Put in a parent, in two forked children at once, and in the parent again."""

    def put(key: str) -> None:
        assert store.intake.put(1, Delivery(topic="t", key=key, body=b"x"), 1)

    put("before")
    children = []
    for name in ("one", "two"):
        child = os.fork()
        if child == 0:
            for number in range(20):
                put(f"{name}-{number}")
            os._exit(0)
        children.append(child)
    for number in range(20):
        put(f"parent-{number}")
    for child in children:
        assert os.waitpid(child, 0)[1] == 0


def translate_all(store: Store, name: str) -> None:
    """Lease and finish one delivery at a time until nothing is left; tell which were ours."""
    while lease := store.translations.lease(store.now()):
        batch = store.translations.batch(lease, 1)
        outcome = Outcome(
            ends=[DeliveryEnd(delivery_id=one.id, state="translated") for one in batch],
            rows=(),
            stopped={},
            orders=(),
            verdicts=(),
        )
        if store.translations.commit(lease, outcome, store.now()):
            for one in batch:
                os.write(1, f"{name} {one.id}\n".encode())


def claim_all(store: Store, name: str) -> None:
    """Claim a few events at a time until none is left; tell which were ours."""
    while lanes := store.outbox.lanes(store.now()):
        for event in store.outbox.claim(lanes[0], 7, store.now()).events:
            os.write(1, f"{name} {event.id}\n".encode())


VERBS = {verb.__name__: verb for verb in (migrate, put_forever, put_after_fork, translate_all)}
VERBS["claim_all"] = claim_all

if __name__ == "__main__":
    verb, url, *rest = sys.argv[1:]
    VERBS[verb](Store(url, Vault(SECRET_KEY)), *rest)
