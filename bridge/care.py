"""Care for what is kept: erasing people and shops, dropping what grew old."""

import logging
from collections.abc import Callable
from datetime import timedelta

from bridge import registry
from bridge.config import Config
from bridge.events import CartSnapshot, Disconnected, Event, OrderCancelled, Redaction
from bridge.store import Ages, Erasure, Source, Store, StoredDelivery
from bridge.subjects import SubjectKeys, keys_of, subject_keys

LEDGER = timedelta(days=400)
log = logging.getLogger(__name__)


def erase_asked(store: Store) -> int:
    """Carry out all erasures that were asked for; return how many."""
    asked = store.subjects.asked()
    for erasure in asked:
        count = erase(store, erasure)
        store.subjects.done(erasure.id)
        subject = "everywhere" if erasure.source_id is None else f"source {erasure.source_id}"
        store.history.audit(erasure.actor, "privacy.erased", subject, f"{count} records")
        log.info("privacy.erased", extra={"records": count})
    return len(asked)


def erase(store: Store, erasure: Erasure) -> int:
    """Erase a person, or a shop, from events and raw deliveries; return how many records.

    Ids, amounts and the purchase ledger stay: they name nobody, and without them the same
    purchase would be sent again.
    """
    count = 0
    for source in store.connections.sources():
        if erasure.source_id in {None, source.id}:
            keys = keys_for(store, source, erasure.redaction)
            count += _erase_in(store, source, erasure.redaction, keys)
    return count


def keys_for(store: Store, source: Source, redaction: Redaction) -> SubjectKeys:
    """Return the hashes under which *source*'s rows about the person are found."""
    return subject_keys(
        store.subject_key(),
        source.word,
        email=redaction.email,
        phone=redaction.phone,
        phone_country=source.settings.get("shop_country") or None,
        customer_id=redaction.customer_id,
    )


def _erase_in(store: Store, source: Source, redaction: Redaction, keys: SubjectKeys) -> int:
    now = store.now()
    found = [
        delivery_id
        for delivery_id, _ in store.subjects.bodies(source.id)
        if redaction.whole_shop
        or (
            (stored := store.translations.delivery(delivery_id))
            and _is_about(store, source, stored, redaction, keys)
        )
    ]
    store.subjects.erase_bodies(found, now)
    events = store.subjects.erase_events(
        source.id, keys, redaction.order_ids, now, whole_shop=redaction.whole_shop
    )
    return len(found) + events


def _is_about(
    store: Store,
    source: Source,
    stored: StoredDelivery,
    redaction: Redaction,
    keys: SubjectKeys,
) -> bool:
    """Return whether a raw delivery speaks of the person."""
    if _names(redaction, stored.delivery.body.lower()):
        return True
    wanted = set(keys.all())
    try:
        facts = list(registry.source(source.kind).translate(stored.delivery, source.settings))
    except Exception:  # noqa: BLE001  it cannot be read, and none of the person's words is in it
        return False
    for fact in facts:
        if isinstance(fact, Event):
            theirs = keys_of(fact.user_data, store.subject_key(), source.word)
            if wanted & set(theirs.all()) or fact.order_id in redaction.order_ids:
                return True
        elif not isinstance(fact, OrderCancelled | CartSnapshot | Disconnected):
            return True  # redactions and requests name a person; they are done with
    return False


def _names(redaction: Redaction, body: bytes) -> bool:
    """Return whether a lower-cased raw body holds one of the person's own words."""
    digits = "".join(filter(str.isdigit, redaction.phone or ""))[-8:]
    words = (redaction.email or "", redaction.customer_id or "", digits)
    return any(len(word) >= 5 and word.strip().casefold().encode() in body for word in words)


def purge(store: Store, config: Config, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Drop all that is over its age; return how many rows went."""
    now = store.now()
    ages = Ages(
        raw=now - _micros(config.retention_raw),
        undecided=now - _micros(config.retention_dead),
        payload=now - _micros(config.retention_payload),
        trace=now - _micros(config.retention_trace),
        ledger=now - _micros(LEDGER),
    )
    count = 0
    while not should_stop() and (dropped := store.retention.purge(ages)):
        count += dropped
    return count


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
