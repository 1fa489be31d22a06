"""One visit: what the shop's webhooks and the visitor's browser tell, and what comes of it."""

import copy
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bridge import plan as plans
from bridge import registry
from bridge.events import Request
from bridge.receive import Received, collect, receive
from bridge.secrets import Vault
from bridge.store import Route, Source, Store, moment, schema
from bridge.translate import translate_due
from tests.stores import SECRET_KEY, FakeClock

DELIVERIES = Path(__file__).parents[2] / "deliveries" / "shopify"
CART = "Z2NwLWV1cm9wZS13ZXN0MTowMUtB"
CHECKOUT = "1483d7a598ac5d960c71f2731a0ce76f"
CART_KEY, CHECKOUT_KEY = f"cart:{CART}", f"checkout:{CHECKOUT}"
AGENT = "Mozilla/5.0 (Windows NT 10.0) canary"
ADDRESS = "203.0.113.77"
FBP = "fb.1.1795166067000.1594870099"
FBC = "fb.1.1795423767000.IwY2xjawcanary"
PAGE = "https://shop.example/products/hemd"
PRICE = "34.90"
_numbers = count(1)


@cache
def _recorded(case: str) -> str:
    return (DELIVERIES / case / "body.json").read_text("utf-8")


@dataclass
class Visit:
    """A connected shop with its route; times are the clock's unless told."""

    store: Store
    clock: FakeClock
    source: Source

    def now(self, seconds: float = 0) -> datetime:
        """Return the clock's time, so many seconds later."""
        return moment(self.clock()) + timedelta(seconds=seconds)

    def post(self, topic: str, body: dict[str, Any]) -> None:
        """Receive a webhook; nothing is translated yet."""
        raw = json.dumps(body).encode()
        headers = dict(registry.source(self.source.kind).sign(topic, raw, self.source.settings))
        headers["X-Shopify-Webhook-Id"] = f"delivery-{next(_numbers)}"
        assert (
            receive(self.store, self.source, Request(headers=headers, body=raw)) is Received.STORED
        )

    def cart(self, topic: str = "carts/update", at: datetime | None = None, **lines: int) -> None:
        """Receive a snapshot of the cart: quantity by variant (``v7=2``)."""
        body = json.loads(_recorded("carts_create"))
        [line] = body["line_items"]
        body |= {"id": CART, "token": CART, "updated_at": (at or self.now()).isoformat()}
        body["line_items"] = [
            copy.deepcopy(line) | {"variant_id": int(name[1:]), "quantity": quantity}
            for name, quantity in lines.items()
            if quantity
        ]
        self.post(topic, body)

    def checkout(
        self, topic: str = "checkouts/create", at: datetime | None = None, **changes: Any
    ) -> None:
        """Receive the checkout, made when the clock started or at *at*."""
        at = at or self.now()
        body = json.loads(_recorded("checkouts_create"))
        body |= {"token": CHECKOUT, "cart_token": CART, "note_attributes": [], "landing_site": "/"}
        body |= {"created_at": at.isoformat(), "updated_at": self.now().isoformat(), **changes}
        self.post(topic, body)

    def order(self, order_id: int = 1, **changes: Any) -> None:
        """Receive the paid order, whose shop knows no browser at all."""
        body = json.loads(_recorded("orders_paid"))
        at = self.now().isoformat()
        body |= {"id": order_id, "cart_token": CART, "checkout_token": CHECKOUT}
        body |= {"created_at": at, "processed_at": at, "updated_at": at, "note_attributes": []}
        body |= {"client_details": None, "browser_ip": None, "landing_site": "/", **changes}
        self.post("orders/paid", body)

    def browse(
        self,
        *events: dict[str, Any],
        marketing: bool | None = True,
        keys: tuple[str, ...] = (CART_KEY, CHECKOUT_KEY),
        body: bytes | None = None,
        **told: Any,
    ) -> None:
        """Store what the visitor's browser posts."""
        consent = {} if marketing is None else {"marketing": marketing}
        visitor = {"keys": keys, "fbp": FBP, "fbc": FBC, "url": PAGE, "consent": consent, **told}
        raw = json.dumps({"events": events, "visitor": visitor}).encode()
        self.clock.move(1)  # the same body twice within a second is one
        collect(
            self.store, self.source, raw if body is None else body, address=ADDRESS, agent=AGENT
        )

    def translate(self) -> int:
        """Translate all that is due; fails if that does not end."""
        turns = count()
        done = translate_due(self.store, lambda: next(turns) > 40)
        assert next(turns) <= 40, "translation goes round and round"
        return done

    def wait(self, **span: float) -> None:
        """Let time pass, and translate what is due then."""
        self.clock.move(timedelta(**span).total_seconds())
        self.translate()

    def events(self, name: str = "") -> list[tuple[str, str]]:
        """Return (state, reason) of the events of this name, in the order first decided."""
        table = schema.outbox
        query = select(table.c.state, table.c.reason).order_by(table.c.id)
        with self.store.database.read() as connection:
            found = connection.execute(query.where(table.c.event_name == name) if name else query)
            return [tuple(row) for row in found]

    def sent(self, name: str) -> list[dict[str, Any]]:
        """Return the payloads of this name as the platform is to get them."""
        outbox, payload = schema.outbox, schema.payload
        query = (
            select(payload.c.body)
            .join(outbox, outbox.c.id == payload.c.outbox_id)
            .where(outbox.c.event_name == name, outbox.c.state == "pending")
            .order_by(outbox.c.id)
        )
        vault = Vault(SECRET_KEY)
        with self.store.database.read() as connection:
            return [
                json.loads(vault.open(row.body, "payload")) for row in connection.execute(query)
            ]

    def apply(self, plan: str) -> None:
        """Put the plan *plan* in force."""
        plans.parse(plan)
        self.store.history.apply_plan(plan, plans.digest(plan))


def connect(store: Store, clock: FakeClock, country: str = "DE", word: str = "shop") -> Visit:
    """Return a visit of a new shop in *country*."""
    settings = {"secret": "hush", "shop_country": country, "storefront_url": "https://shop.example"}
    source = store.connections.add_source("shopify", word, settings, word)
    dataset = store.connections.add_destination(
        "meta", f"dataset of {word}", {"dataset_id": "1", "access_token": "none"}
    )
    store.connections.set_route(
        Route(
            source_id=source.id, destination_id=dataset.id, mode="live", toggles={}, live_since=None
        )
    )
    return Visit(store, clock, source)
