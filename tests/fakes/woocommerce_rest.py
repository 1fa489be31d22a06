"""A WooCommerce shop: its REST API, its webhooks with their real counters, its orders.

    with WooCommerceFake() as shop:
        shop.add_order(status="processing")
        settings = {"shop_url": shop.url, **shop.key}

Behaviour as run on WooCommerce 8.2 to 11.0 and read in its source (2026-11-23).
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from adapters.sources.woocommerce import adapter

from .server import Answer, Call, FakeServer
from .woocommerce_keys import Keys

ORDER = (
    Path(__file__).parents[1]
    / "deliveries" / "woocommerce" / "11.0.1" / "140-order.created" / "body.json"
)  # fmt: skip
START = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
TOPICS = {
    f"{resource}.{event}"
    for resource in ("coupon", "customer", "order", "product")
    for event in ("created", "updated", "deleted", "restored")
} - {"customer.restored"}
COMPANION_TOPICS = {"order.paid", "cart.item_added", "checkout.started"}
MAX_FAILURES = 5
HIDDEN = {"_secret", "_failures", "_pending"}
API = "/wp-json/wc/v3/"


class WooCommerceFake(FakeServer):
    """A shop on loopback.

    `keys` holds the key and its owner's rights; `companion`, `permalinks` ("pretty" or
    "plain"), `pings` (whether the shop reaches us at all) and `active` (WooCommerce itself)
    can be set at any time.  `webhooks` and `orders` are what the shop holds.
    """

    def __init__(self) -> None:
        super().__init__()
        self.keys = Keys()
        self.companion = False
        self.permalinks = "pretty"
        self.active = True
        self.pings = True
        self.time = START + timedelta(hours=4)
        self.orders: dict[int, dict[str, Any]] = {}
        self.webhooks: dict[int, dict[str, Any]] = {}
        self._template = json.loads(ORDER.read_bytes())
        self._sorted: list[dict[str, Any]] | None = None

    @property
    def key(self) -> dict[str, str]:
        """Return the settings that open the API."""
        return {"consumer_key": self.keys.key, "consumer_secret": self.keys.secret}

    # What the shop's people do.

    def add_order(self, changed_at: datetime | None = None, **changes: Any) -> dict[str, Any]:
        """Add an order, last changed at *changed_at* (else a second after the one before)."""
        number = max(self.orders, default=100) + 1
        return self._add(number, changed_at or START + timedelta(seconds=number - 100), changes)

    def add_orders(self, count: int, **changes: Any) -> None:
        """Add *count* orders, one a second."""
        first = max(self.orders, default=100) + 1
        for number in range(first, first + count):
            self._add(number, START + timedelta(seconds=number - 100), changes)

    def _add(self, number: int, changed_at: datetime, changes: dict[str, Any]) -> dict[str, Any]:
        self.orders[number] = {
            **self._template, "id": number, "number": str(number),
            "date_created_gmt": _gmt(changed_at), "date_modified_gmt": _gmt(changed_at), **changes,
        }  # fmt: skip
        self._sorted = None
        return self.orders[number]

    def change_order(self, number: int, changed_at: datetime, **changes: Any) -> None:
        """Change an order as the shop's people would."""
        self.orders[number] |= {**changes, "date_modified_gmt": _gmt(changed_at)}
        self._sorted = None

    def add_webhook(self, topic: str, url: str, status: str = "active", failures: int = 0) -> int:
        """Add a webhook that somebody made by hand; no ping."""
        return self._new_webhook({"topic": topic, "delivery_url": url}, status, failures)["id"]

    def deliver(self, number: int, topic: str = "order.updated") -> list[int]:
        """Post the order to the active webhooks of *topic*; return the statuses (0: none)."""
        body = json.dumps(self.orders[number]).encode()
        found = [each for each in self.webhooks.values() if each["topic"] == topic]
        return [self._deliver(each, body) for each in found if each["status"] == "active"]

    # What WooCommerce does.

    def _deliver(self, webhook: dict[str, Any], body: bytes) -> int:
        headers = dict(adapter.sign(webhook["topic"], body, {"secret": webhook["_secret"]}))
        headers["X-WC-Webhook-Source"] = f"{self.url}/"
        headers["X-WC-Webhook-ID"] = str(webhook["id"])
        status = self._post(webhook["delivery_url"], body, headers)
        if 200 <= status < 303:
            webhook["_failures"] = 0
        elif webhook["_failures"] > MAX_FAILURES:
            webhook["status"] = "disabled"  # the counter stays, also when it is set active again
        else:
            webhook["_failures"] += 1
        if webhook["_pending"]:
            self._ping(webhook)
        return status

    def _ping(self, webhook: dict[str, Any]) -> None:
        body = urlencode({"webhook_id": webhook["id"]}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        webhook["_pending"] = self._post(webhook["delivery_url"], body, headers) != 200

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        if not self.pings:
            return 0
        with requests.Session() as session:
            session.trust_env = False
            try:
                return session.post(
                    url, data=body, headers=headers, timeout=10, allow_redirects=False
                ).status_code
            except requests.RequestException:
                return 0

    def answer(self, call: Call) -> Answer:
        """Answer as WordPress would: the API, its index, and the page that grants keys."""
        if call.path == "/wc-auth/v1/authorize":
            return self.keys.page(call)
        if call.path == "/wc-auth/v1/approve":
            return self.keys.approve(call, self._post)
        if self.permalinks == "plain" and call.path.startswith("/wp-json"):
            return Answer(status=404, body=b"<html>Not found</html>")
        if call.path == "/wp-json/" or call.query.get("rest_route") == "/":
            spaces = ["wp/v2", *(["wc/v3"] if self.active else [])]
            return Answer(body={"name": "Shop", "namespaces": spaces})
        if not self.active or not call.path.startswith(API):
            return _error(404, "rest_no_route")
        with self.lock:
            refused = self.keys.refuse(call, self.url)
            return refused or self._api(call, call.path.removeprefix(API))

    def _api(self, call: Call, path: str) -> Answer:
        resource, _, number = path.partition("/")
        if resource == "orders" and call.method == "GET":
            return self._orders(call.query)
        if resource != "webhooks":
            return _error(404, "rest_no_route")
        if call.method == "GET":
            return self._page(list(self.webhooks.values()), call.query)
        if call.method == "POST":
            return self._create(call.json())
        webhook = self.webhooks.get(int(number))
        if webhook is None:
            status = 404 if call.method == "DELETE" else 400
            return _error(status, "woocommerce_rest_shop_webhook_invalid_id")
        if call.method == "PUT":
            webhook |= {name: value for name, value in call.json().items() if name in webhook}
        elif call.query.get("force") != "true":
            return _error(501, "woocommerce_rest_trash_not_supported")
        else:
            del self.webhooks[int(number)]
        return Answer(body=_shown(webhook))

    def _orders(self, query: dict[str, str]) -> Answer:
        if self._sorted is None:
            self._sorted = sorted(self.orders.values(), key=lambda each: each["date_modified_gmt"])
        after = query.get("modified_after", "")
        if after and query.get("dates_are_gmt") != "true":
            return _error(400, "this fake's clock is GMT")
        found = [each for each in self._sorted if each["date_modified_gmt"] > after]
        if query.get("order", "desc") == "desc":
            found.reverse()
        return self._page(found, query)

    def _page(self, found: list[dict[str, Any]], query: dict[str, str]) -> Answer:
        size, page = int(query.get("per_page", 10)), int(query.get("page", 1))
        if size > 100:
            return _error(400, "rest_invalid_param")
        fields = set(query["_fields"].split(",")) if "_fields" in query else None
        shown = [
            {name: value for name, value in _shown(each).items() if not fields or name in fields}
            for each in found[(page - 1) * size : page * size]
        ]
        return Answer(body=shown, headers={"X-WP-Total": str(len(found) if shown else 0)})

    def _create(self, asked: dict[str, Any]) -> Answer:
        known = TOPICS | (COMPANION_TOPICS if self.companion else set())
        if asked.get("topic") not in known and not str(asked["topic"]).startswith("action."):
            return _error(400, "woocommerce_rest_shop_webhook_invalid_topic")
        webhook = self._new_webhook(asked, asked.get("status", "active"), 0)
        self._ping(webhook)
        return Answer(status=201, body=_shown(webhook))

    def _new_webhook(self, asked: dict[str, Any], status: str, failures: int) -> dict[str, Any]:
        number = max(self.webhooks, default=0) + 1
        self.webhooks[number] = {
            "id": number, "name": asked.get("name", "by hand"), "status": status,
            "topic": asked["topic"], "delivery_url": asked["delivery_url"],
            "date_created_gmt": _gmt(self.time), "_secret": asked.get("secret", "made up"),
            "_failures": failures, "_pending": True,
        }  # fmt: skip
        return self.webhooks[number]


def _gmt(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    """Return what the API shows: neither secret nor counters."""
    return {name: value for name, value in item.items() if name not in HIDDEN}


def _error(status: int, code: str) -> Answer:
    return Answer(
        status=status, body={"code": code, "message": "Sorry.", "data": {"status": status}}
    )
