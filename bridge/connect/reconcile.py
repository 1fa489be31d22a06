"""Reading the shop's own order list, so that what never came is received after all."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bridge import registry
from bridge.events import ConfigError, Shop, ShopAdmin
from bridge.store import RECONCILED, Source, Store, Watch, micros, moment

OVERLAP = timedelta(minutes=10)
HORIZON = timedelta(days=7)  # what is older Meta would not take
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one reading brought: orders listed, deliveries that were new to us."""

    orders: int = 0
    new: int = 0
    finished: bool = True
    notes: tuple[str, ...] = ()


def admin_of(source: Source) -> ShopAdmin:
    """Return the adapter's admin; raises ConfigError where the shop has no access for us."""
    admin = registry.source(source.kind).admin
    if admin is None or not admin.topics(source.settings):
        raise ConfigError(
            f"source {source.name}: has no access to the shop's API; its webhooks are made by hand"
        )
    return admin


def reconcile(
    store: Store,
    source: Source,
    shop: Shop,
    *,
    since: int | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Read:
    """Read the orders changed since then and put each as a delivery; return what came.

    Without *since* a reading that broke off goes on, else it begins where the last whole one
    ended, with an overlap.  The cursor is kept only after its page is on disk, and a delivery
    read twice is stored once, so that a crash costs nothing but a page.
    """
    admin, watch = admin_of(source), store.watches.watch(source.id)
    began = store.now()
    if since is not None or watch.read_since is None:
        watch = _note(store, watch, read_since=_start(watch, since, began), cursor=None)
    result = Read()
    while not should_stop():
        page = admin.orders_since(shop, moment(watch.read_since or began), watch.cursor)
        now = store.database.local_now()
        new = 0
        for delivery in page.deliveries:
            ours = replace(delivery, key=f"{RECONCILED}{delivery.key}")
            new += store.intake.put(source.id, ours, now)
        store.watches.listed(
            source.id,
            [(order_id, micros(changed)) for order_id, changed in page.listed],
            now,
            {order_id: f"{RECONCILED}{key}" for order_id, key in page.keys.items()},
        )
        result = Read(
            orders=result.orders + len(page.listed),
            new=result.new + new,
            finished=page.cursor is None,
            notes=tuple(dict.fromkeys((*result.notes, *page.notes))),
        )
        if page.cursor is None:
            until = _until(watch, began)
            watch = _note(store, watch, read_since=None, cursor=None, read_until=until)
            break
        watch = _note(store, watch, read_since=watch.read_since, cursor=page.cursor)
    log.info(
        "orders.reconciled",
        extra={
            "source": source.id,
            "orders": result.orders,
            "new": result.new,
            "notes": list(result.notes),
        },
    )
    return result if watch.read_since is None else replace(result, finished=False)


def _note(store: Store, watch: Watch, **changes: Any) -> Watch:
    store.watches.change_watch(watch.source_id, **changes)
    return replace(watch, **changes)


def _start(watch: Watch, since: int | None, now: int) -> int:
    """Return from when to read, never beyond what could still be sent."""
    oldest = now - _span(HORIZON)
    if since is not None:
        return max(since, oldest)
    until = watch.read_until if watch.read_until is not None else oldest
    return max(until - _span(OVERLAP), oldest)


def _until(watch: Watch, began: int) -> int:
    """Return up to when all is read; a reading that leaves a gap before it moves nothing."""
    reached, since = watch.read_until, watch.read_since
    if reached is None or since is None or since <= max(reached, began - _span(HORIZON)):
        return began
    return reached


def _span(delta: timedelta) -> int:
    return delta // timedelta(microseconds=1)
