"""A week of a busy installation: all states and reasons that the pages have to show.

Three invented shops tell of what sells; one dataset takes it, another refuses its token.  It
runs down the real line by a clock of its own, so that every page tells one and the same story.
"""

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from bridge import alerts, net, plan, registry
from bridge.cli.demo import redated
from bridge.events import Endpoint, Finding, Request, Response, Sample
from bridge.receive import collect, receive
from bridge.routes import in_mode, new_route, with_toggles
from bridge.sandbox import Sandbox
from bridge.secrets import Vault
from bridge.send import Sender
from bridge.store import Destination, EventFilter, Store, moment
from bridge.translate import translate_due
from bridge.visitors import COLLECTED
from tests.stores import SECRET_KEY, FakeClock

SECOND = 1_000_000
HOUR_US = 3600 * SECOND
DAYS, STEP = 8, 3  # hours from one round of the worker to the next
OPEN_US = HOUR_US  # so long the worker counts as alive, though none runs
ORDERS_A_DAY = {"shopify": 26, "woocommerce": 4, "forms": 4}
REFUSED = "4100200300499"
PLAN = """\
[source."Nordlicht Studio".purchase]
hold_minutes = 30
"""
LONG_NAME = "Atelier de la Côte d’Émeraude – boutique officielle"
# How often each sample stands in a week.
MIX = {
    "shopify": {
        "the_same_order_paid": 24, "web_order_from_the_us": 9, "web_order_without_signal": 3,
        "denied_consent": 3, "pending_bank_transfer": 1, "point_of_sale": 2, "draft_order": 1,
        "subscription_renewal": 1, "test_order": 1, "free_sample": 1,
    },
    "woocommerce": {
        "paid in the US no signal": 5, "paid in Germany consent granted": 6,
        "waits for a transfer": 1, "nothing to pay": 1, "paid in France consent denied": 2,
        "cancelled": 1, "two mugs added": 2,
    },
    "forms": {"lead": 3, "qualified_lead": 1},
}  # fmt: skip
VISIT = (
    "visit_product_viewed", "visit_shirt_added", "visit_lamp_added", "visit_checkout_entered",
    "visit_checkout_started", "visit_order_paid",
)  # fmt: skip
_MONEY = re.compile(rb'("price": |")(\d+\.\d\d)(?=[",}])')
_VISITOR = (b"Z2NwLWV1cm9wZTpqdWxlLXByb2JlLXdhcmVua29yYg", b"9b7c1e5a4d2f48c6a1b0e3d7f5c28a94")


@dataclass(frozen=True)
class Told:
    """What a shop, or a browser in it, tells at a time."""

    at: int
    kind: str
    topic: str
    body: bytes


class Busy:
    """The installation, and the week that it lives through."""

    def __init__(self, store: Store, clock: FakeClock, graph: Sandbox) -> None:
        self._store, self._clock, self._graph = store, clock, graph
        self._random = random.Random(1042)
        self._sender = Sender(store, Endpoint(url=graph.url, version="v26.0"), self._post)
        self._refused: set[str] = set()
        self._now = clock.now
        self._start = clock.now - DAYS * 24 * HOUR_US

    def live_through(self) -> None:
        """Connect everything, and go on until now."""
        self._clock.now = self._start
        self._connect()
        told = sorted(self._tells(), key=lambda one: one.at)
        for hour in range(0, DAYS * 24 + 1, STEP):
            until = self._start + hour * HOUR_US
            while told and told[0].at <= until:
                self._receive(told.pop(0))
            self._clock.now = until
            self._work(hour)
        self._end()
        self._clock.now = self._now

    def _connect(self) -> None:
        connections = self._store.connections
        access = {"client_id": "app-4711", "client_secret": "invented"}
        settings = {"shop_domain": "nordlicht-studio.myshopify.com", **access}
        self._shops = {
            "shopify": connections.add_source("shopify", "Nordlicht Studio", settings),
            "woocommerce": connections.add_source(
                "woocommerce", LONG_NAME, {"secret": "invented-1\ninvented-0"}, "atelier"
            ),
            "forms": connections.add_source("forms", "Enquiries", {"secret": "invented"}, "web"),
        }
        self._left = connections.add_source("woocommerce", "Old shop", {"secret": "gone"}, "old")
        self._paused = connections.add_source("shopify", "Outlet", {"secret": "later"}, "outlet")
        main = self._dataset("Nordlicht EU", "4100200300400")
        self._agency = self._dataset("Agency, test dataset", REFUSED)
        self._route("shopify", main, "live")
        self._route("shopify", self._agency, "shadow")
        self._route("woocommerce", self._agency, "live")
        self._route("forms", main, "live")
        self._store.history.apply_plan(PLAN, plan.digest(PLAN))

    def _dataset(self, name: str, dataset_id: str) -> Destination:
        settings = {"dataset_id": dataset_id, "access_token": "invented"}
        return self._store.connections.add_destination("meta", name, settings)

    def _route(self, kind: str, end: Destination, mode: str) -> None:
        route = in_mode(new_route(self._shops[kind].id, end.id), mode, self._clock.now)
        if kind == "woocommerce":
            route = with_toggles(route, {"AddToCart": False})
        self._store.connections.set_route(route)

    def _tells(self) -> Iterator[Told]:
        """Yield what arrives in the week: more by day than by night, nothing like a metronome."""
        number = 2000
        for day in range(-1, DAYS):
            for kind, count in ORDERS_A_DAY.items():
                names = list(MIX[kind])
                usual = self._random.choices(names, MIX[kind].values(), k=count if day >= 0 else 1)
                for name in usual:
                    number += 1
                    yield from self._order(kind, name, number, self._at(day))
            if day >= 0:
                number += 1
                yield from self._visit(number, self._at(day))
        for ago in (0.02, 0.05, 0.1, 0.3, 0.7, 0.9):
            number += 1
            at = self._now - int(ago * HOUR_US)
            yield from self._order("shopify", "the_same_order_paid", number, at)

    def _at(self, day: int) -> int:
        hour = min(23.9, max(0.1, self._random.gauss(14, 5)))
        return min(self._start + int((day * 24 + hour) * HOUR_US), self._now)

    def _order(self, kind: str, name: str, number: int, at: int) -> Iterator[Told]:
        sample = _samples(kind)[name]
        zone = 2 if kind == "shopify" else 1  # of the sample's own notation, and an hour of room
        (moved,) = redated([sample], moment(at) + timedelta(hours=zone))
        factor = self._random.choice((40, 65, 80, 100, 100, 120, 165, 230))
        body = _MONEY.sub(lambda found: _scaled(found, factor), moved.body)
        values = json.loads(body)
        if kind == "forms":
            values |= {"event_id": f"enquiry-{number}"}
        else:
            values |= {"id": number, "name": f"#{number}", "order_number": number}
            values |= {"number": str(number), "checkout_token": f"checkout-{number}"}
        if name == "the_same_order_paid" and self._random.random() < 0.04:
            self._refused.add(str(number))
        at = max(at, self._start)  # an order from before the route went live comes with the first
        yield Told(at, kind, sample.topic, json.dumps(values).encode())

    def _visit(self, number: int, at: int) -> Iterator[Told]:
        """Yield what one visitor does from the first look to the order."""
        samples = redated([_samples("shopify")[name] for name in VISIT], moment(at))
        for minute, sample in enumerate(samples):
            body = sample.body.replace(b"62045322825012", b"%d" % number)
            body = body.replace(b'"#', b'"#%d' % number) if minute == len(samples) - 1 else body
            for token in _VISITOR:
                body = body.replace(token, b"%s%d" % (token[:-4], number))
            moved = min(at + minute * HOUR_US // 60, self._now)
            yield Told(moved, "shopify", sample.topic, body.replace(b"sh-5b1e", b"sh-%d" % number))

    def _receive(self, told: Told) -> None:
        self._clock.now = told.at
        source = self._shops[told.kind]
        if told.topic == COLLECTED:
            agent = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
            collect(self._store, source, told.body, address="203.0.113.7", agent=agent)
            return
        headers = registry.source(told.kind).sign(told.topic, told.body, source.settings)
        receive(self._store, source, Request(headers=dict(headers), body=told.body))

    def _work(self, hour: int) -> None:
        faults = {30: "status=500x2", 75: "code=4;retry_after=120x1", 180: "code=2x1"}
        refused = ",".join(f"refuse=id:purchase.{number}" for number in sorted(self._refused))
        self._faults = ",".join(filter(None, (faults.get(hour, ""), refused)))
        _translate(self._store)
        for _ in range(4):
            self._sender.send_due()
            self._clock.now += 60 * SECOND

    def _post(self, request: Request) -> Response:
        """Send to the sandbox; the agency's token counts for half a day and no longer."""
        ended = self._clock.now > self._start + 12 * HOUR_US
        self._graph.faults.set("code=190" if REFUSED in request.url and ended else self._faults)
        return net.send(request)

    def _end(self) -> None:
        """Leave open what an operator may find open, and look at it as the worker does."""
        store, connections = self._store, self._store.connections
        self._work(0)
        self._receive(Told(self._now - 50 * SECOND, "woocommerce", "order.updated", b"<html>"))
        self._receive(Told(self._now - 40 * SECOND, "woocommerce", "product.updated", b'{"id":7}'))
        _translate(store)
        connections.set_source(self._left.id, state="disconnected")
        connections.set_source(self._paused.id, state="paused")
        unknown = EventFilter(reasons=("consent_unknown",))
        found = store.activity.events(unknown, limit=8).rows
        store.replays.replay_events([row["id"] for row in found])
        self._clock.now = self._now - SECOND
        self._watch()
        for told in self._order("shopify", "the_same_order_paid", 9001, self._now - 20 * SECOND):
            self._receive(told)
        alerts.inspect(store)
        store.summary.refresh()
        self._clock.now = self._now

    def _watch(self) -> None:
        """Note what the guardian found, which orders the shop lists, and who did what."""
        store, shop = self._store, self._shops["shopify"]
        findings = [
            Finding(name="access", status="ok", message="the token may read orders"),
            Finding(name="orders/create", status="ok", message="active"),
            Finding(name="refunds/create", status="fail", message="missing"),
            Finding(name="consent", status="warn", message="one order in five tells no consent"),
        ]
        store.watches.change_watch(shop.id, findings=findings, read_until=self._now - HOUR_US)
        bought = EventFilter(occasion="purchase", source_id=shop.id)
        known = store.activity.events(bought, limit=40).rows
        listed = {row["order_id"]: row["created_at"] for row in known if row["order_id"]}
        missing = {"771": self._now - 9 * HOUR_US, "772": self._now - 5 * HOUR_US}
        store.watches.listed(shop.id, {**listed, **missing}.items(), self._now - HOUR_US)
        message = "Nordlicht Studio: 1 webhook was missing and was made again."
        store.watches.raise_alert("webhooks", shop.name, message)
        for number in range(60):
            self._clock.now = self._now - (60 - number) * 2 * HOUR_US
            subject = f"{LONG_NAME} > {self._agency.name}"
            store.history.audit("ada", "route.toggles", subject, "AddToCart off")
            store.history.audit("oskar", "login.done", "oskar")
        self._clock.now = self._now + OPEN_US
        store.history.beat("worker", self._clock.now)


def fill(path: Path, now: int) -> None:
    """Write the database of an installation that is as busy at *now* (microseconds) to *path*."""
    clock = FakeClock(now)
    store = Store("sqlite://", Vault(SECRET_KEY), clock)
    store.migrate()
    with Sandbox(clock=lambda: clock.now / SECOND) as graph:
        Busy(store, clock, graph).live_through()
    with closing(sqlite3.connect(path)) as file, store.database.read() as connection:
        connection.connection.driver_connection.backup(file)
    store.close()


def _translate(store: Store) -> None:
    while translate_due(store):
        pass


@cache
def _samples(kind: str) -> dict[str, Sample]:
    return {one.name: one for one in registry.source(kind).samples()}


def _scaled(found: re.Match[bytes], percent: int) -> bytes:
    return b"%s%.2f" % (found[1], float(found[2]) * percent / 100)
