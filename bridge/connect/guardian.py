"""The guardian: webhooks of ours that are missing or broken are repaired, and it is told."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.events import ConfigError, Shop, ShopAdmin, ShopError, Subscription
from bridge.store import Source, Store

from .reconcile import admin_of, reconcile
from .shop import LiveShop

HOURLY = timedelta(hours=1)
NIGHTLY = timedelta(hours=24)
NIGHTLY_DEPTH = timedelta(hours=48)
BEFORE_SILENCE = timedelta(hours=1)
BROKEN = {"disabled", "changed"}
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
    shops keep counting its failures.  Raises ShopError.
    """
    admin = admin_of(source)
    with shop.lock("webhooks"):
        found = admin.subscriptions(shop, webhook_url)
        repairs = []
        for topic in admin.topics(shop.settings):
            if repair := _mend(admin, shop, webhook_url, topic, found):
                repairs.append(repair)
                store.history.audit("guardian", "webhook.made", source.name, repair.topic)
        for stray in found:
            if stray.url != webhook_url and stray.id:
                admin.unsubscribe(shop, stray)
                repairs.append(Repair(topic=stray.topic, reason="it pointed elsewhere"))
                store.history.audit("guardian", "webhook.removed", source.name, stray.topic)
    return repairs


def _mend(
    admin: ShopAdmin, shop: Shop, webhook_url: str, topic: str, found: Sequence[Subscription]
) -> Repair | None:
    ours = [one for one in found if one.topic == topic and one.url == webhook_url]
    sound = [one for one in ours if one.state not in BROKEN]
    if sound:
        return None
    made = admin.subscribe(shop, webhook_url, topic)
    if made.state == "unavailable":
        return None
    for broken in ours:
        admin.unsubscribe(shop, broken)
    return Repair(topic=topic, reason=ours[0].state if ours else "missing")


def unsubscribe(source: Source, shop: Shop, webhook_url: str) -> int:
    """Delete all webhooks of ours in the shop; return how many there were."""
    admin = admin_of(source)
    found = [one for one in admin.subscriptions(shop, webhook_url) if one.id]
    for one in found:
        admin.unsubscribe(shop, one)
    return len(found)


def after_outage(store: Store) -> None:
    """Let every source be looked after at once, its orders read: we were away."""
    for source in store.connections.sources():
        watch = store.watches.watch(source.id)
        store.watches.set_watch(replace(watch, next_at=0, nightly_at=0))


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

    What goes wrong becomes an alert; the next look is an hour later whatever happens.
    """
    watch = store.watches.watch(source.id)
    next_at = store.now() + int(_span(HOURLY) * random.uniform(0.9, 1.1))  # noqa: S311  spread
    store.watches.set_watch(replace(watch, next_at=next_at))
    try:
        admin_of(source)
    except ConfigError:
        return []  # connected by hand: nothing to look after
    try:
        webhook_url = f"{base_url}/webhooks/{source.webhook_key}"
        repairs = subscribe(store, source, shop, webhook_url)
        _tell(store, source, repairs)
        _tell_silent(store, source, admin_of(source).subscriptions(shop, webhook_url))
        _read_orders(store, source, shop, repairs, should_stop)
    except ShopError as error:
        store.watches.raise_alert("shop", source.name, str(error))
        log.warning("shop.unwatched", extra={"source": source.id, "kind": error.kind})
        return []
    store.watches.recover("shop", source.name)
    return repairs


def _tell(store: Store, source: Source, repairs: Sequence[Repair]) -> None:
    first = source.delivery_at is None and source.ping_at is None
    if repairs and not first:
        topics = ", ".join(repair.topic for repair in repairs)
        store.watches.raise_alert(
            "webhooks", source.name, f"{source.name}: webhooks were made anew: {topics}"
        )
        log.error("webhooks.repaired", extra={"source": source.id, "count": len(repairs)})
    else:
        store.watches.recover("webhooks", source.name)


def _tell_silent(store: Store, source: Source, found: Sequence[Subscription]) -> None:
    details = {one.detail for one in found if one.state == "silent" and one.detail}
    if details:
        store.watches.raise_alert("silent", source.name, " ".join(sorted(details)))
    else:
        store.watches.recover("silent", source.name)


def _read_orders(
    store: Store,
    source: Source,
    shop: Shop,
    repairs: Sequence[Repair],
    should_stop: Callable[[], bool],
) -> None:
    """Read the order list where something may be missing, and once a night anyway."""
    watch, now = store.watches.watch(source.id), store.now()
    if watch.read_since is not None:
        reconcile(store, source, shop, should_stop=should_stop)
    elif repairs or watch.nightly_at <= now:
        since = min(now - _span(NIGHTLY_DEPTH), watch.read_until or now)
        if repairs:
            heard = source.delivery_at or source.ping_at or source.created_at
            since = min(since, heard - _span(BEFORE_SILENCE))
        reconcile(store, source, shop, since=since, should_stop=should_stop)
        done = store.watches.watch(source.id)
        store.watches.set_watch(replace(done, nightly_at=now + _span(NIGHTLY)))
    elif _is_silent(store, source, now):
        reconcile(store, source, shop, should_stop=should_stop)


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
