"""Second verb: a delivery becomes outbox rows, one per event and destination.

A worker leases one source, reads its oldest deliveries and what is known of their orders,
builds all rows in memory and writes them in one transaction under the lease.
"""

import logging
from collections.abc import Callable

from bridge.store import DeliveryEnd, Lease, Outcome, Store, StoreError, micros, moment

from .batch import Batch
from .examples import Example, examples
from .faults import blame
from .memory import Memory
from .preview import Preview, preview
from .rehearsal import rehearse
from .view import View, view_of

__all__ = [
    "Batch",
    "Example",
    "Memory",
    "Preview",
    "View",
    "blame",
    "examples",
    "preview",
    "rehearse",
    "translate_due",
    "view_of",
]

BATCH = 100
log = logging.getLogger(__name__)


def translate_due(store: Store, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Translate until nothing is due; return how many deliveries and held events were."""
    count = 0
    while not should_stop():
        now = store.now()
        lease = store.translations.lease(now)
        if lease is None:
            break
        done = _translate_leased(store, lease, now)
        count += done
        if not done:  # lost to another worker, or a source that has less than it seems
            break
    return count


def _translate_leased(store: Store, lease: Lease, now: int) -> int:
    """Translate the source's oldest deliveries; one that cannot be written goes alone."""
    try:
        return _translate_some(store, lease, now, BATCH)
    except StoreError as error:
        if not error.refused:
            raise
    try:
        return _translate_some(store, lease, now, 1)
    except StoreError as error:
        if not error.refused:
            raise
    log.error("delivery.not_writable", extra={"source": lease.source_id})
    return _bury_first(store, lease)


def _translate_some(store: Store, lease: Lease, now: int, limit: int) -> int:
    view = view_of(store, store.connections.source(str(lease.source_id)), moment(now))
    deliveries = store.translations.batch(lease, limit)
    # What waits is decided when all is known that was received while it waited.
    held = store.translations.held(lease, now, limit) if len(deliveries) < limit else []
    batch = Batch(view, deliveries, held, more=len(deliveries) == limit)
    first = deliveries[0].delivery.received_at if deliveries else None
    first_at = micros(first) if first else now
    batch.decide(Memory.read(store, view, batch.subjects, first_at))
    outcome = batch.outcome()
    if not store.translations.commit(lease, outcome, store.now()):
        log.warning("translate.lease_lost", extra={"source": lease.source_id})
        return 0
    log.info(
        "deliveries.translated",
        extra={
            "source": lease.source_id,
            "deliveries": len(deliveries),
            "dead": sum(end.state == "dead" for end in outcome.ends),
            "events": len(outcome.rows),
            "pending": sum(row.state == "pending" for row in outcome.rows),
        },
    )
    return len(deliveries) + len(held)


def _bury_first(store: Store, lease: Lease) -> int:
    """End the one delivery, or else the waiting events, that the database will never take."""
    now = store.now()
    ends = [
        DeliveryEnd(delivery_id=one.id, state="dead", reason="fault", detail="not writable")
        for one in store.translations.batch(lease, 1)
    ]
    held = [] if ends else store.translations.held(lease, now, BATCH)
    outcome = Outcome(
        ends=ends, rows=[], stopped={one.outbox_id: "fault" for one in held}, orders=[], verdicts=[]
    )
    return len(ends) + len(held) if store.translations.commit(lease, outcome, now) else 0
