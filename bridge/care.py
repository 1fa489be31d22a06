"""Care for what is kept: erasing people and shops, dropping what grew old."""

import json
import logging
import re
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta

from bridge import registry
from bridge.config import Config
from bridge.events import (
    BridgeError,
    DataRequest,
    Event,
    Fact,
    Redaction,
    SourceAdapter,
    UserData,
    Visitor,
)
from bridge.store import Ages, Erasure, Source, Store, StoredDelivery, StoreError
from bridge.subjects import SubjectKeys, keys_of, subject_keys, token_key

LEDGER = timedelta(days=400)
SHORTEST_PHONE = 7
log = logging.getLogger(__name__)


def erase_asked(store: Store) -> int:
    """Carry out all erasures that were asked for; return how many.

    One that cannot be carried out now, for want of a key or an adapter, stays asked for.
    """
    done = 0
    for erasure in store.subjects.asked():
        try:
            count = erase(store, erasure)
        except StoreError:
            raise
        except BridgeError as error:
            extra = {"erasure": erasure.id, "reason": str(error)}
            log.error("privacy.erasure_failed", extra=extra)
            continue
        subject = "everywhere" if erasure.source_id is None else f"source {erasure.source_id}"
        store.history.audit(erasure.actor, "privacy.erased", subject, f"{count} records")
        store.subjects.done(erasure.id)
        log.info("privacy.erased", extra={"records": count})
        done += 1
    return done


def erase(store: Store, erasure: Erasure) -> int:
    """Erase a person, or a shop, from events and raw deliveries; return how many records.

    Ids, amounts and the purchase ledger stay: they name nobody, and without them the same
    purchase would be sent again.
    """
    return sum(_erase_in(store, source, erasure.redaction) for source in _scope(store, erasure))


def count(store: Store, erasure: Erasure) -> int:
    """Return how many records `erase` would erase."""
    redaction = erasure.redaction
    return sum(
        sum(map(len, _Subject(store, source, redaction).bodies()))
        + store.subjects.count_events(source.id, redaction, keys_for(store, source, redaction))
        for source in _scope(store, erasure)
    )


def keys_for(store: Store, source: Source, person: Redaction | DataRequest) -> SubjectKeys:
    """Return the hashes under which *source*'s rows about the person are found."""
    return subject_keys(
        store.subject_key(),
        source.word,
        email=person.email,
        phone=person.phone,
        phone_country=source.settings.get("shop_country") or None,
        customer_id=person.customer_id,
    )


def _scope(store: Store, erasure: Erasure) -> list[Source]:
    sources = store.connections.sources()
    return [source for source in sources if erasure.source_id in {None, source.id}]


def _erase_in(store: Store, source: Source, redaction: Redaction) -> int:
    now = store.now()
    erased = 0
    subject = _Subject(store, source, redaction)
    for ids in subject.bodies():
        store.subjects.erase_bodies(ids, now)
        erased += len(ids)
    # What was translated meanwhile is found among the events, which are erased last.
    keys = keys_for(store, source, redaction)
    if redaction.whole_shop:
        store.visits.erase(source.id)
    elif subject.tokens:
        store.visits.forget(source.id, subject.tokens)
    return erased + store.subjects.erase_events(source.id, redaction, keys, now)


class _Subject:
    """Who is to be erased in one source, and which raw deliveries speak of them.

    `tokens` are the keyed hashes by which visitors belong to the orders found so far.
    """

    def __init__(self, store: Store, source: Source, redaction: Redaction) -> None:
        self.tokens: set[bytes] = set()
        self._store = store
        self._source = source
        self._redaction = redaction
        self._keys = set(keys_for(store, source, redaction).all())
        self._order_ids = set(redaction.order_ids)
        self._words = _words(redaction)

    def bodies(self) -> Iterator[list[int]]:
        """Yield the ids of the raw deliveries that speak of the person, or of the shop."""
        if self._redaction.whole_shop:
            yield from self._store.subjects.bodies(self._source.id)
            return
        adapter = registry.source(self._source.kind)
        for chunk in self._store.subjects.raw(self._source.id):
            yield [stored.id for stored in chunk if self._is_in(stored, adapter)]

    def _is_in(self, stored: StoredDelivery, adapter: SourceAdapter) -> bool:
        texts = _texts(stored.delivery.body)
        try:
            facts = list(adapter.translate(stored.delivery, self._source.settings))
        except Exception:  # noqa: BLE001  what an adapter cannot read may name somebody all the same
            return self._redaction.customer_id in texts or self._is_named(texts)
        if any(isinstance(fact, Redaction) for fact in facts):
            return False  # still to be carried out; its own body goes when it is translated
        found = any(map(self._is_told, facts)) or self._is_named(texts)
        if found:
            self.tokens.update(*(self._tokens_of(fact) for fact in facts))
        return found

    def _tokens_of(self, fact: Fact) -> set[bytes]:
        tokens = fact.visitor_keys if isinstance(fact, Event) else ()
        key, word = self._store.subject_key(), self._source.word
        return {token_key(key, word, token) for token in tokens}

    def _is_named(self, texts: Collection[str]) -> bool:
        return any(pattern.search(text) for text in texts for pattern in self._words)

    def _is_told(self, fact: Fact) -> bool:
        match fact:
            case Event():
                return fact.order_id in self._order_ids or self._is_theirs(fact.user_data)
            case Visitor():
                return self._is_theirs(fact.user_data)
            case DataRequest():
                return self._shares(keys_for(self._store, self._source, fact))
            case _:
                return False

    def _is_theirs(self, user_data: UserData) -> bool:
        return self._shares(keys_of(user_data, self._store.subject_key(), self._source.word))

    def _shares(self, keys: SubjectKeys) -> bool:
        return not self._keys.isdisjoint(keys.all())


def _words(redaction: Redaction) -> list[re.Pattern[str]]:
    """Return what finds a person's e-mail address or phone number within any text.

    Whole ones only: ann@ is not joann@.  A number may be written with or without its country
    and with any separators.
    """
    found = []
    if redaction.email:
        address = re.escape(redaction.email.strip().casefold())
        found.append(re.compile(rf"(?<![\w.+-]){address}(?![\w-]|\.\w)"))
    digits = "".join(filter(str.isdigit, redaction.phone or ""))
    if len(digits) >= SHORTEST_PHONE:
        found.append(re.compile(r"[\s()./-]*".join(digits[-9:]) + r"(?!\d)"))
    return found


def _texts(body: bytes) -> set[str]:
    """Return all texts and numbers of a raw body, case-folded; of no JSON the whole of it."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {body.decode("utf-8", "replace").casefold()}
    found, open_ = set(), [value]
    while open_:
        match open_.pop():
            case dict() as mapping:
                open_ += mapping.values()
            case list() as items:
                open_ += items
            case str() | int() as text:
                found.add(str(text).casefold())
    return found


def purge(store: Store, config: Config, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Drop all that is over its age; return how many rows went."""
    now = store.now()
    ages = Ages(
        now=now,
        raw=now - _micros(config.retention_raw),
        undecided=now - _micros(config.retention_dead),
        payload=now - _micros(config.retention_payload),
        trace=now - _micros(config.retention_trace),
        ledger=now - _micros(LEDGER),
    )
    count = 0
    while not should_stop() and (dropped := store.retention.purge(ages)):
        count += dropped
    while not should_stop() and (dropped := store.visits.purge(now)):
        count += dropped
    return count


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
