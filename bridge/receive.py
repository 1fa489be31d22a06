"""First verb: a verified request becomes a delivery on disk."""

from enum import StrEnum

from bridge import registry
from bridge.events import Delivery, Request, fingerprint
from bridge.store import COLLECTED_KEY, Source, Store
from bridge.visitors import COLLECTED

SOFT_LIMIT = 2 * 1024 * 1024  # a body above this is kept as a line, not as bytes
HARD_LIMIT = 16 * 1024 * 1024  # a body above this is not read


class Received(StrEnum):
    """What became of the request; the shop gets 200 for each of these."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    PING = "ping"
    DEAD = "dead"


def receive(store: Store, source: Source, request: Request) -> Received:
    """Store what *request* brings and return only when it is on disk.

    Raises VerificationError (nothing was stored) or StoreError (the shop is to try again).
    """
    delivery = registry.source(source.kind).verify(request, source.settings)
    now = store.database.local_now()
    if delivery is None:
        store.connections.ping_seen(source.id, now)
        return Received.PING
    too_large = len(request.body) > SOFT_LIMIT
    if too_large:
        delivery = type(delivery)(topic=delivery.topic, key=delivery.key, body=b"")
    is_new = store.intake.put(source.id, delivery, now, "too_large" if too_large else "")
    if not is_new:
        return Received.DUPLICATE
    return Received.DEAD if too_large else Received.STORED


def collect(store: Store, source: Source, body: bytes, *, address: str, agent: str) -> None:
    """Store what a browser posted, with the browser's own *address* and *agent*.

    A body that the same browser posts twice within a second is stored once.
    """
    now = store.database.local_now()
    second = str(now // 1_000_000)
    delivery = Delivery(
        topic=COLLECTED,
        key=COLLECTED_KEY + fingerprint(second.encode(), address.encode(), body),
        body=body,
        headers={"ip": address, "user-agent": agent},
    )
    store.intake.put(source.id, delivery, now)
