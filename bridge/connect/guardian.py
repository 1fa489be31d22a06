"""The guardian: webhooks of ours that are missing or broken are repaired, and it is told."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.events import BridgeError, ConfigError, Shop, ShopAdmin, ShopError, Subscription
from bridge.store import Source, Store, StoreError, Watch

from .reconcile import admin_of, reconcile
from .shop import LiveShop

HOURLY = timedelta(hours=1)
SOON = timedelta(minutes=10)  # after a fault that may pass by itself
NIGHTLY = timedelta(hours=24)
NIGHTLY_DEPTH = timedelta(hours=48)
BEFORE_SILENCE = timedelta(hours=1)
BROKEN = {"disabled", "changed"}
OF_ONE_TOPIC = {"scope", "refused", "not_found"}  # the shop may take the other topics
log = logging.getLogger(__name__)

ShopOf = Callable[[Source], Shop]


@dataclass(frozen=True, kw_only=True)
class Repair:
    """One webhook that was made anew, and why."""

    topic: str
    reason: str


def subscribe(store: Store, source: Source, shop: Shop, webhook_url: str) -> list[Repair]:
    """Make every webhook that is wanted and not there, replace those that are broken.

    Only webhooks of ours are touched.  A failing one is replaced, not switched on again: some
    shops keep counting its failures.  Raises ShopError, where a single topic is refused only
    after the others were seen to.
    """
    repairs: list[Repair] = []
    if refused := _subscribe(store, source, shop, webhook_url, repairs):
        raise refused
    return repairs


def _subscribe(
    store: Store, source: Source, shop: Shop, webhook_url: str, repairs: list[Repair]
) -> ShopError | None:
    """Add to *repairs* what was mended; return the last refusal of a single topic."""
    admin, refused = admin_of(source), None
    with shop.lock("webhooks"):
        found = admin.subscriptions(shop, webhook_url)
        for topic in admin.topics(shop.settings):
            try:
                repair = _mend(admin, shop, webhook_url, topic, found)
            except ShopError as error:
                if error.kind not in OF_ONE_TOPIC:
                    raise
                refused = error
                continue
            if repair:
                _note_repair(store, source, "webhook.made", repair, repairs)
        for stray in _strays(store, source, webhook_url, found):
            admin.unsubscribe(shop, stray)
            repair = Repair(topic=stray.topic, reason="it pointed elsewhere")
            _note_repair(store, source, "webhook.removed", repair, repairs)
    return refused


def _note_repair(
    store: Store, source: Source, action: str, repair: Repair, repairs: list[Repair]
) -> None:
    """Note the repair, and that orders may be missing until the shop's list was read."""
    repairs.append(repair)
    store.history.audit("guardian", action, source.name, repair.topic)
    store.watches.change_watch(source.id, nightly_at=0)


def _mend(
    admin: ShopAdmin, shop: Shop, webhook_url: str, topic: str, found: Sequence[Subscription]
) -> Repair | None:
    ours = [one for one in found if one.topic == topic and one.url == webhook_url]
    if any(one.state not in BROKEN for one in ours):
        return None
    made = admin.subscribe(shop, webhook_url, topic)
    if made.state == "unavailable":
        return None
    for broken in ours:
        admin.unsubscribe(shop, broken)
    if any(made.id == broken.id for broken in ours):
        admin.subscribe(shop, webhook_url, topic)  # the shop takes one of each: its place is free
    return Repair(topic=topic, reason=ours[0].state if ours else "missing")


def _strays(
    store: Store, source: Source, webhook_url: str, found: Sequence[Subscription]
) -> list[Subscription]:
    """Return webhooks under a key that no source has any more, or under an earlier address."""
    keys = {
        one.webhook_key
        for one in store.connections.sources()
        if one.state != "removed" and one.id != source.id
    }
    return [
        one
        for one in found
        if one.id and one.url != webhook_url and one.url.rpartition("/")[2] not in keys
    ]


def unsubscribe(source: Source, shop: Shop, webhook_url: str) -> int:
    """Delete the source's webhooks in the shop; return how many there were.

    Another source may have the same shop: its webhooks stay.
    """
    admin, end = admin_of(source), f"/webhooks/{source.webhook_key}"
    found = [
        one for one in admin.subscriptions(shop, webhook_url) if one.id and one.url.endswith(end)
    ]
    for one in found:
        admin.unsubscribe(shop, one)
    return len(found)


def after_outage(store: Store) -> None:
    """Let every source be looked after at once, its orders read: we were away."""
    for source in store.connections.sources():
        store.watches.change_watch(source.id, next_at=0, nightly_at=0)


def watch_due(
    store: Store,
    base_url: str,
    shop_of: ShopOf,
    should_stop: Callable[[], bool] = lambda: False,
) -> int:
    """Look after every source whose time has come; return how many there were."""
    count = 0
    for source in store.connections.sources():
        if should_stop():
            break
        watch = store.watches.watch(source.id)
        if source.state != "active" or watch.next_at > store.now():
            continue
        with store.watches.lock(f"guardian {source.id}") as taken:
            if taken and store.watches.watch(source.id).next_at <= store.now():
                look_after(store, source, shop_of(source), base_url, should_stop)
                count += 1
    return count


def look_after(
    store: Store,
    source: Source,
    shop: Shop,
    base_url: str,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Repair]:
    """Check and repair one source's webhooks, then read the orders that may be missing.

    What goes wrong becomes an alert; the next look is at most an hour later whatever happens.
    """
    _look_again(store, source, HOURLY)
    try:
        admin_of(source)
    except ConfigError:
        return []  # connected by hand: nothing to look after
    repairs: list[Repair] = []
    try:
        webhook_url = f"{base_url}/webhooks/{source.webhook_key}"
        try:
            refused = _subscribe(store, source, shop, webhook_url, repairs)
        finally:
            _tell(store, source, repairs)
        _tell_silent(store, source, admin_of(source).subscriptions(shop, webhook_url))
        _read_orders(store, source, shop, should_stop)
        if refused:
            raise refused
    except ShopError as error:
        _note_fault(store, source, str(error), error.kind)
        if error.again:
            _look_again(store, source, SOON)
    except StoreError:
        raise
    except BridgeError as error:
        _note_fault(store, source, str(error), type(error).__name__)
    except Exception as error:  # noqa: BLE001  an adapter's fault stops here, with its source
        kind = type(error).__name__
        _note_fault(store, source, f"its adapter has a fault ({kind})", kind)
    else:
        store.watches.recover("shop", source.name)
    return repairs


def _look_again(store: Store, source: Source, within: timedelta) -> None:
    spread = random.uniform(0.8, 1.0)  # noqa: S311  so that not all shops are asked at once
    store.watches.change_watch(source.id, next_at=store.now() + int(_span(within) * spread))


def _note_fault(store: Store, source: Source, sentence: str, kind: str) -> None:
    store.watches.raise_alert("shop", source.name, f"{source.name}: {sentence}")
    log.warning("shop.unwatched", extra={"source": source.id, "kind": kind})


def _tell(store: Store, source: Source, repairs: Sequence[Repair]) -> None:
    first = store.watches.watch(source.id).read_until is None  # not one whole look yet
    if repairs and not first:
        topics = ", ".join(repair.topic for repair in repairs)
        store.watches.raise_alert(
            "webhooks",
            source.name,
            f"{source.name}: webhooks were made anew: {topics}. Orders that were missed meanwhile"
            " are read from the shop's list.",
        )
        log.error("webhooks.repaired", extra={"source": source.id, "count": len(repairs)})
    else:
        store.watches.recover("webhooks", source.name)


def _tell_silent(store: Store, source: Source, found: Sequence[Subscription]) -> None:
    details = {one.detail for one in found if one.state == "silent" and one.detail}
    if details:
        told = f"{source.name}: {' '.join(sorted(details))}"
        store.watches.raise_alert("silent", source.name, told)
    else:
        store.watches.recover("silent", source.name)


def _read_orders(store: Store, source: Source, shop: Shop, should_stop: Callable[[], bool]) -> None:
    """Read the order list where something may be missing, and once a night anyway."""
    watch, now = store.watches.watch(source.id), store.now()
    due, since = watch.nightly_at <= now, None
    if watch.read_since is None:
        if due:
            since = min(now - _span(NIGHTLY_DEPTH), _complete_until(source, watch))
        elif not _is_silent(store, source, now):
            return
    reconcile(store, source, shop, since=since, should_stop=should_stop)
    read_until = store.watches.watch(source.id).read_until
    if due and read_until is not None and read_until >= now:
        store.watches.change_watch(source.id, nightly_at=now + _span(NIGHTLY))


def _complete_until(source: Source, watch: Watch) -> int:
    """Return up to when no order can be missing: it was read, or the shop told it itself."""
    heard = source.delivery_at or source.ping_at or source.created_at
    return watch.read_until if watch.read_until is not None else heard - _span(BEFORE_SILENCE)


def _is_silent(store: Store, source: Source, now: int) -> bool:
    """Return whether the shop is quiet for longer than is usual for it."""
    usual = store.history.longest_gap(source.id, now - _span(timedelta(days=7)))
    heard = source.delivery_at
    return heard is not None and usual is not None and now - heard > 2 * usual


def _span(delta: timedelta) -> int:
    return delta // timedelta(microseconds=1)


def live_shops(store: Store, *, private: bool) -> ShopOf:
    """Return how to reach a source's shop over the network."""
    return lambda source: LiveShop(store, source, private=private)
