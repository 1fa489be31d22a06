"""A shop of either kind on loopback, connected to a bridge that listens there too."""

import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server

from bridge import config, ledger
from bridge.connect import LiveShop, watch_due
from bridge.events import Request, Response
from bridge.fetch import fetch
from bridge.store import Lane, Source, Store, Watch, moment
from bridge.translate import translate_due
from bridge.web import Application
from tests.fakes.shopify_admin import ShopifyFake
from tests.fakes.woocommerce_rest import WooCommerceFake
from tests.stores import SECRET_KEY, FakeClock, claim, rows, settle

KINDS = ("shopify", "woocommerce")
SECRET = "client-secret-1"  # the app's, with which one of the fakes signs
FIRST = {"shopify": "orders/create", "woocommerce": "order.created"}
LATER = {"shopify": "orders/paid", "woocommerce": "order.updated"}
CHANGED = {"shopify": "orders/updated", "woocommerce": "order.updated"}
GRANTED = "v1;marketing=1;sale=1;ts=1795423777000"
Fake = ShopifyFake | WooCommerceFake


class Bridge:
    """The web application on loopback while it is entered; `down` lets it answer 503."""

    def __init__(self, store: Store) -> None:
        environment = {"DATABASE_URL": "sqlite:///unused", "SECRET_KEY": SECRET_KEY}
        self.application = Application(config.load(environment), store)
        self.down = False
        self.url = ""

    def __enter__(self) -> "Bridge":
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: Any, start: Any) -> Any:
        if self.down:
            start("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return self.application(environ, start)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        pass


@dataclass
class Connected:
    """A shop, its source, and what its people and our guardian do."""

    kind: str
    fake: Fake
    store: Store
    source: Source
    clock: FakeClock
    bridge: Bridge
    waits: list[float] = field(default_factory=list)

    @property
    def routes(self) -> dict[str, str]:
        return self.fake.routes if isinstance(self.fake, ShopifyFake) else {}

    @property
    def hook(self) -> str:
        return f"{self.bridge.url}/webhooks/{self.source.webhook_key}"

    def fetch(self, request: Request) -> Response:
        """Send *request* through the real client, where `routes` lead."""
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self.routes:
            url = self.routes[origin] + request.url.removeprefix(origin)
            request = replace(request, url=url, headers={**request.headers, "Host": parts.netloc})
        return fetch(request, private=True)

    def shop(self, source: Source | None = None, store: Store | None = None) -> LiveShop:
        """Return the shop as the guardian gets it; nobody sleeps."""
        return LiveShop(
            store or self.store, source or self.source, fetcher=self.fetch, wait=self.waits.append
        )

    def sold(self, count: int, **changes: Any) -> list[int]:
        """Let *count* people buy, the clock moving on a minute each; return the order ids."""
        if self.kind == "woocommerce":
            self.fake.time = moment(self.clock())
        return [self._sold(changes) for _ in range(count)]

    def _sold(self, changes: dict[str, Any]) -> int:
        at = moment(self.clock.move(60))
        if isinstance(self.fake, ShopifyFake):
            paid: dict[str, Any] = {"financial_status": "paid"}
        else:
            marks = [{"key": "_bridge_consent", "value": GRANTED}]
            paid = {"payment_method": "stripe", "meta_data": marks}
            paid["date_paid_gmt"] = f"{at:%Y-%m-%dT%H:%M:%S}"
        return int(self.fake.add_order(changed_at=at, **paid | changes)["id"])

    def deliver(self, numbers: list[int], topic: str = "") -> list[list[int]]:
        """Let the shop post these orders to whatever webhooks it has."""
        return [self.fake.deliver(number, topic or FIRST[self.kind]) for number in numbers]

    def break_webhooks(self) -> None:
        """Do what the shop system does after too many failures: delete, or disable."""
        if isinstance(self.fake, ShopifyFake):
            self.fake.drop_webhooks()
        else:
            for webhook in self.fake.webhooks.values():
                webhook |= {"status": "disabled", "_failures": 6}

    def listed(self) -> list[tuple[str, str]]:
        """Return (topic, address) of the webhooks that the shop would serve, sorted."""
        if isinstance(self.fake, ShopifyFake):
            return sorted((one["topic"], one["uri"]) for one in self.fake.subscriptions.values())
        active = [one for one in self.fake.webhooks.values() if one["status"] == "active"]
        return sorted((one["topic"], one["delivery_url"]) for one in active)

    def tick(self) -> int:
        """Let the guardian look at what is due now; return how many shops it looked at."""
        return watch_due(self.store, self.bridge.url, self.shop)

    def next_tick(self) -> int:
        """Let an hour pass, and the guardian look."""
        self.clock.move(timedelta(hours=1).total_seconds())
        return self.tick()

    def translate_and_send(self) -> None:
        """Translate all and let the platform take it."""
        translate_due(self.store)
        for destination in self.store.connections.destinations():
            lane = Lane(destination_id=destination.id, mode="live")
            while (claimed := claim(self.store, lane)).events:
                settle(self.store, claimed)

    def coverage(self) -> ledger.Coverage:
        now = self.clock()
        week = 7 * 86_400 * 1_000_000
        return ledger.coverage(ledger.lines(self.store, self.source, now - week, now + 1))

    def watch(self) -> Watch:
        return self.store.watches.watch(self.source.id)

    def alerts(self) -> dict[str, str]:
        """Return the open alerts: message by kind."""
        return {one.kind: one.message for one in self.store.watches.alerts()}

    def audited(self, action: str) -> list[str]:
        """Return the details of the audit rows of *action*."""
        found = rows(self.store, "audit", "action", "detail")
        return [detail for name, detail in found if name == action]
