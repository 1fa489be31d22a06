"""Is all well?  Checks that read and send nothing, each with what to do."""

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from bridge import net, plan, registry
from bridge.config import Config
from bridge.connect import live_shops
from bridge.events import BridgeError, Finding, Request, Response, Shop, ShopAdmin
from bridge.store import Destination, Source, Store, StoreError, moment

SILENT_US = 60_000_000
SKEW_S = 120
LOW_MATCH = 4.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
RECENT = 20  # orders that are looked at
PATIENCE_S = 60.0  # so long shops may take in all; one that hangs hides no other finding

ShopOf = Callable[[Source], Shop]
Post = Callable[[Request], Response]


def examine(
    config: Config, store: Store, shop_of: ShopOf | None = None, post: Post = net.send
) -> list[Finding]:
    """Return the findings, most basic first; nothing raises and nothing is sent."""
    try:
        if not store.database.is_migrated():
            return [_fail("database", "the schema is not up to date: run `capi-bridge migrate`")]
    except StoreError as error:
        return [_out_of_reach(error)]
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "configuration": lambda: _configuration(config),
        "clock": lambda: _clock(store),
        "worker": lambda: _worker(store),
        "plan": lambda: _plan(store),
        "destinations": lambda: _destinations(config, store, post),
        "sources": lambda: _sources(
            config, store, shop_of or live_shops(store, private=config.allow_private_shops)
        ),
        "alerts": lambda: _alerts(store),
    }
    findings = [_ok("database", "reachable, schema up to date")]
    for name, look in looks.items():
        try:
            findings += look()
        except StoreError as error:
            return [*findings, _out_of_reach(error)]
        except BridgeError as error:  # a key that is not known, an adapter that is not there
            findings.append(_fail(name, str(error)))
    return findings


def _out_of_reach(error: StoreError) -> Finding:
    return _fail("database", f"{error}; look at DATABASE_URL and at the server itself")


def _configuration(config: Config) -> Iterator[Finding]:
    if urlsplit(config.public_url).hostname in LOOPBACK:
        yield _warn("public_url", f"only this machine itself reaches {config.public_url}")
    elif config.public_url:
        yield _ok("public_url", config.public_url)
    else:
        yield _warn("public_url", "PUBLIC_URL is not set: shops cannot reach this address")
    if config.database_url.startswith("sqlite"):
        yield _ok("engine", "SQLite: fine for one machine with a disk that lasts")


def _clock(store: Store) -> Iterator[Finding]:
    skew_s = abs(store.now() / 1_000_000 - time.time())
    if skew_s > SKEW_S:
        yield _warn("clock", f"this machine's clock is {skew_s:.0f} seconds off the database's")
    else:
        yield _ok("clock", "agrees with the database's")


def _worker(store: Store) -> Iterator[Finding]:
    beat = store.history.last_beat()
    if beat is not None and store.now() - beat < SILENT_US:
        yield _ok("worker", "seen within the last minute")
    else:
        seen = f"last seen {moment(beat):%Y-%m-%d %H:%M} UTC" if beat else "never seen"
        yield _fail(
            "worker",
            f"{seen}: nothing is translated or sent; run `capi-bridge serve` or `worker`, on a"
            " plan that does not sleep",
        )


def _plan(store: Store) -> Iterator[Finding]:
    text = store.history.plan()
    try:
        plan.parse(text or plan.default_text())
    except BridgeError as error:
        yield _fail("plan", str(error))
    else:
        yield _ok("plan", f"version {plan.digest(text)}" if text else "the built-in one")


def _destinations(config: Config, store: Store, post: Post) -> Iterator[Finding]:
    found = store.connections.destinations()
    if not found:
        yield _warn("destinations", "none yet: `capi-bridge destination add`")
    for one in found:
        name = f"destination {one.name}"
        if one.state == "parked":
            yield _fail(name, f"is parked ({one.reason}): mend it, then `destination resume`")
        elif one.state == "paused":
            yield _warn(name, "is paused: events wait, and expire after seven days")
        elif one.failures:
            yield _warn(name, f"{one.failures} requests failed in a row; it is tried again")
        else:
            yield _ok(name, "accepts events")
        yield from _dataset(config, one, post)


def _dataset(config: Config, destination: Destination, post: Post) -> Iterator[Finding]:
    """Ask the platform whether the access works; it only reads."""
    name = f"destination {destination.name}: access"
    adapter = registry.destination(destination.kind)
    try:
        request = adapter.dataset_request(destination.settings, config.endpoint)
        if request is None:
            return
        answer = post(request)
        found = adapter.read_dataset(answer)
    except BridgeError as error:
        yield _warn(name, str(error))
        return
    yield Finding(name=name, status=found.status, message=found.message)
    yield from _skew(answer)
    yield from _quality(config, destination, post)


def _skew(answer: Response) -> Iterator[Finding]:
    """Compare this machine's clock with the platform's, by which an event is in the future."""
    ahead_s = net.ahead_s(answer)
    if ahead_s is not None and abs(ahead_s) > SKEW_S:
        told = f"this machine's clock is {abs(ahead_s):.0f} seconds off the platform's"
        yield _fail("platform clock", f"{told}: let it keep time by NTP")


def _quality(config: Config, destination: Destination, post: Post) -> Iterator[Finding]:
    """Tell the match quality, where the token may read it."""
    adapter = registry.destination(destination.kind)
    try:
        request = adapter.quality_request(destination.settings, config.endpoint)
        rows = adapter.read_quality(post(request)) if request else None
    except BridgeError:
        return
    for row in rows or ():
        if row.match_score is None:
            continue
        name = f"destination {destination.name}: quality of {row.event_name}"
        told = f"match quality {row.match_score:.1f} of 10"
        if row.match_score >= LOW_MATCH:
            yield _ok(name, told)
        else:
            yield _warn(name, f"{told}: tell more of the buyer, or connect the storefront script")


def _sources(config: Config, store: Store, shop_of: ShopOf) -> Iterator[Finding]:
    found = [one for one in store.connections.sources() if one.state != "removed"]
    if not found:
        yield _warn("sources", "none yet: `capi-bridge source add`")
    ends = time.monotonic() + PATIENCE_S
    for source in found:
        name = f"source {source.name}"
        routes = store.connections.routes(source.id)
        if not routes:
            yield _warn(name, "has no route: `capi-bridge route set`")
        if source.state == "disconnected":
            yield _fail(name, "the shop revoked our access: connect it again, or remove it")
            continue
        if source.state != "active":
            yield _warn(name, "is paused: webhooks are kept; `capi-bridge source pause --off`")
        if source.delivery_at is None:
            yield _warn(name, "no delivery has arrived yet: look at the webhooks in the shop")
        else:
            yield _ok(name, f"last delivery {moment(source.delivery_at):%Y-%m-%d %H:%M} UTC")
        if time.monotonic() < ends:
            of_shop = list(_shop(config, store, source, shop_of))
            yield from of_shop
            if f"{name}: consent" not in {one.name for one in of_shop}:
                yield from _consent(store, source)
        else:
            told = f"was not asked, others took too long: `capi-bridge source check {source.name}`"
            yield _warn(name, told)


def _consent(store: Store, source: Source) -> Iterator[Finding]:
    """Tell whether the buyers' choice reaches us, by the last orders of the web."""
    said = store.overview.consents(source.id, RECENT)
    if not said:
        return
    name, count = f"source {source.name}: consent", sum(said)
    told = f"{count} of the last {len(said)} orders of the web say what the buyer chose"
    if count:
        yield _ok(name, told)
    else:
        yield _warn(
            name,
            f"{told}: connect the storefront script or the companion, and a consent banner; until"
            " then the plan's rules for unknown consent decide",
        )


def _other_senders(config: Config, store: Store, source: Source) -> Iterator[Finding]:
    """Ask for tools of the shop system that may report the same sales."""
    tools = registry.source(source.kind).other_senders
    if tools and store.overview.answer(f"senders.{source.id}") is None:
        known = "; ".join(tool.label["en"] for tool in tools)
        yield _warn(
            f"source {source.name}: who else sends",
            f"is any of these on ({known}), with the same dataset? Then sales count twice: answer"
            f" at {config.base_url}/admin/start/senders/{source.id}",
        )


def _shop(config: Config, store: Store, source: Source, shop_of: ShopOf) -> Iterator[Finding]:
    try:
        yield from _other_senders(config, store, source)
        admin = registry.source(source.kind).admin
        if admin is None:
            return
        shop = shop_of(source)
        status = "ok"
        for finding in admin.check(shop):
            name, status = f"source {source.name}: {finding.name}", finding.status
            yield Finding(name=name, status=status, message=finding.message)
        by_hand = not admin.topics(source.settings)
        if status != "fail" and not by_hand:  # one that came no further would say the same again
            yield _webhooks(config, source, admin, shop)
    except StoreError:
        raise
    except BridgeError as error:
        yield _fail(f"source {source.name}", str(error))


def _webhooks(config: Config, source: Source, admin: ShopAdmin, shop: Shop) -> Finding:
    """Compare the webhooks that are wanted with those that are there."""
    name = f"source {source.name}: webhooks"
    url = f"{config.base_url}/webhooks/{source.webhook_key}"
    found = admin.subscriptions(shop, url)
    sound = {one.topic for one in found if one.url == url and one.state in {"active", "silent"}}
    lacking = [one for one in admin.topics(source.settings) if one not in sound]
    silent = [one.detail for one in found if one.state == "silent" and one.detail]
    told = f"not there: {', '.join(lacking)}"
    if lacking and not sound:
        return _fail(name, f"{told}; `capi-bridge source subscribe {source.name}` makes them")
    if lacking:  # perhaps the shop knows them only with our companion
        return _warn(name, f"{told}; the guardian makes those that the shop knows")
    return _warn(name, silent[0]) if silent else _ok(name, "all that are wanted are there")


def _alerts(store: Store) -> Iterator[Finding]:
    for alert in store.watches.alerts():
        yield _warn(f"alert {alert.kind} {alert.subject}", alert.message)


def _ok(name: str, message: str) -> Finding:
    return Finding(name=name, status="ok", message=message)


def _warn(name: str, message: str) -> Finding:
    return Finding(name=name, status="warn", message=message)


def _fail(name: str, message: str) -> Finding:
    return Finding(name=name, status="fail", message=message)
