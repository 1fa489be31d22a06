"""A Shopify shop: its token, its Admin API, its webhooks, its orders.

    with ShopifyFake() as shop:
        shop.add_order(financial_status="paid")
        admin.orders_since(FakeShop(shop.app, shop.routes), since, None)

The API is at ``https://<domain>`` for those who follow `routes`; GraphQL is answered by the
operation's name.  Source: shopify.dev and the Admin schema 2026-10 (read 2026-11-23).
"""

import base64
import itertools
import json
import uuid
from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from adapters.sources.shopify import adapter

from .server import Answer, Call, FakeServer
from .shopify_orders import as_graphql

ORDER = Path(__file__).parents[1] / "deliveries" / "shopify" / "orders_create" / "body.json"
START = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
FIRST_ID = 7_000_000_000_000
MAX_FAILURES = 8


class ShopifyFake(FakeServer):
    """A shop on loopback.

    `scopes`, `rest` (whether the REST address of orders is open), `redacted` (no names and
    e-mails), `most` (orders a query may ask for), `supported` and `webhook_version` can be
    set at any time.  `tokens` counts the grants; `subscriptions` are the webhooks it holds.
    """

    def __init__(self, domain: str = "nordlicht-studio.myshopify.com") -> None:
        super().__init__()
        self.domain = domain
        self.client_id, self.client_secret = "client-1", "client-secret-1"
        self.admin_token = "shpat_legacy"
        self.costs: list[tuple[str, str, str | None]] = []
        self.scopes = ["read_orders", "read_customers"]
        self.supported = ["2026-01", "2026-04", "2026-07", "2026-10"]
        self.webhook_version = "2026-10"
        self.rest, self.redacted, self.permitted = True, False, True
        self.most = 250
        self.tokens = 0
        self.orders: dict[int, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self._valid = {self.admin_token}
        self._throttled = 0
        self._ids = itertools.count(1)
        self._template = json.loads(ORDER.read_bytes())
        self._index: list[tuple[str, int]] | None = None

    @property
    def app(self) -> dict[str, str]:
        """Return the settings that open the API by client credentials."""
        return {
            "shop_domain": self.domain,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }

    @property
    def routes(self) -> dict[str, str]:
        """Return where the shop's address leads to."""
        return {f"https://{self.domain}": self.url}

    # What happens in the shop.

    def add_order(self, changed_at: datetime | None = None, **changes: Any) -> dict[str, Any]:
        """Add an order, last changed at *changed_at* (else a second after the one before)."""
        number = max(self.orders, default=FIRST_ID) + 1
        moment = (changed_at or START + timedelta(seconds=number - FIRST_ID)).isoformat()
        dated = {"id": number, "created_at": moment, "updated_at": moment}
        self.orders[number] = {**self._template, **dated, **changes}
        self._index = None
        return self.orders[number]

    def add_orders(self, count: int, **changes: Any) -> None:
        """Add *count* orders, one a second."""
        for _ in range(count):
            self.add_order(**changes)

    def change_order(self, number: int, changed_at: datetime, **changes: Any) -> None:
        """Change an order as the shop's people would."""
        self.orders[number] |= {**changes, "updated_at": changed_at.isoformat()}
        self._index = None

    def drop_webhooks(self) -> None:
        """Delete all subscriptions, as Shopify does after 8 deliveries that failed."""
        self.subscriptions.clear()

    def revoke_tokens(self) -> None:
        """Let no token open the API any more; new ones are granted."""
        self._valid.clear()

    def throttle_next(self, times: int) -> None:
        """Answer the next *times* queries with THROTTLED; two seconds each."""
        self._throttled += times

    def deliver(self, number: int, topic: str = "orders/updated") -> list[int]:
        """Post the order to the subscriptions of *topic*; return the statuses (0: none)."""
        body = json.dumps(self.orders[number]).encode()
        enum = topic.replace("/", "_").upper()
        found = [each for each in self.subscriptions.values() if each["topic"] == enum]
        return [self._deliver(each, topic, body) for each in found]

    def _deliver(self, subscription: dict[str, Any], topic: str, body: bytes) -> int:
        settings = {"secret": self.client_secret, "shop_domain": self.domain}
        headers = dict(adapter.sign(topic, body, settings))
        headers["X-Shopify-Webhook-Id"] = str(uuid.uuid4())
        with requests.Session() as session:
            session.trust_env = False
            try:
                status = session.post(
                    subscription["uri"], data=body, headers=headers, timeout=5,
                    allow_redirects=False,
                ).status_code  # fmt: skip
            except requests.RequestException:
                status = 0
        subscription["_failures"] = 0 if 200 <= status < 300 else subscription["_failures"] + 1
        if subscription["_failures"] >= MAX_FAILURES:
            self.subscriptions.pop(subscription["id"], None)
        return status

    # What Shopify answers.

    def answer(self, call: Call) -> Answer:
        """Answer as the shop's host would."""
        if call.path == "/admin/oauth/access_token":
            return self._grant(call.form())
        with self.lock:
            if call.headers.get("x-shopify-access-token") not in self._valid:
                return Answer(status=401, body={"errors": "[API] Invalid API key or access token"})
            if call.path.endswith("/orders.json"):
                return self._rest(call)
            if not call.path.endswith("/graphql.json"):
                return Answer(status=404, body={"errors": "Not Found"})
            return self._graphql(call.json())

    def _grant(self, form: dict[str, str]) -> Answer:
        if not self.permitted:
            return Answer(status=400, body=b"<html>Oauth error shop_not_permitted</html>")
        asked = (form.get("grant_type"), form.get("client_id"), form.get("client_secret"))
        if asked != ("client_credentials", self.client_id, self.client_secret):
            return Answer(status=400, body={"error": "application_cannot_be_found"})
        with self.lock:
            self.tokens += 1
            token = f"shpua_{self.tokens}"
            self._valid.add(token)
        scope = ",".join(self.scopes)
        return Answer(body={"access_token": token, "scope": scope, "expires_in": 86399})

    def _rest(self, call: Call) -> Answer:
        if not self.rest:
            return Answer(status=403, body={"errors": "REST is not for this app"})
        wanted = [int(number) for number in call.query["ids"].split(",")]
        found = [self.orders[number] for number in wanted if number in self.orders]
        return Answer(body={"orders": found[: int(call.query["limit"])]})

    def _graphql(self, asked: dict[str, Any]) -> Answer:
        if self._throttled:
            self._throttled -= 1
            return Answer(body=_failed("THROTTLED"))
        variables = asked["variables"]
        if max(variables.get("first") or 0, len(variables.get("ids") or ())) > self.most:
            return Answer(body=_failed("MAX_COST_EXCEEDED"))
        name = asked["operationName"]
        if "Order" in name and "read_orders" not in self.scopes:
            return Answer(body={"data": None, **_failed("ACCESS_DENIED")})
        answers = {
            "Access": self._access, "RecentWebOrders": self._recent, "Subscriptions": self._listed,
            "Subscribe": self._subscribe, "Unsubscribe": self._unsubscribe,
            "ChangedOrders": self._changed, "CountOrders": self._count, "OrderBodies": self._bodies,
            "UnitCosts": self._costs,
        }  # fmt: skip
        data = answers[name](variables)
        return Answer(body=data if "errors" in data else {"data": data})

    def _costs(self, variables: dict[str, Any]) -> dict[str, Any]:
        found = [
            {
                "legacyResourceId": variant,
                "sku": sku,
                "inventoryItem": {"unitCost": cost and {"amount": cost}},
            }
            for variant, sku, cost in self.costs
        ]
        return {"productVariants": _connection(found, variables["first"], variables.get("after"))}

    def _access(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "currentAppInstallation": {"accessScopes": [{"handle": each} for each in self.scopes]},
            "publicApiVersions": [{"handle": each, "supported": True} for each in self.supported],
        }

    def _recent(self, _: dict[str, Any]) -> dict[str, Any]:
        web = [each for each in self.orders.values() if each["source_name"] == "web"]
        return {
            "orders": {"nodes": [as_graphql(each, redacted=self.redacted) for each in web][-20:]}
        }

    def _listed(self, variables: dict[str, Any]) -> dict[str, Any]:
        topics = variables.get("topics")
        found = [
            {name: value for name, value in each.items() if not name.startswith("_")}
            for each in self.subscriptions.values()
            if not topics or each["topic"] in topics
        ]
        return {"webhookSubscriptions": _connection(found, 100, variables.get("after"))}

    def _subscribe(self, variables: dict[str, Any]) -> dict[str, Any]:
        topic, uri = variables["topic"], variables["uri"]
        if topic.startswith("CUSTOMERS") and "read_customers" not in self.scopes:
            return {"data": {"webhookSubscriptionCreate": None}, **_failed("ACCESS_DENIED")}
        error = ""
        if not uri.startswith("https://") and not uri.startswith("http://127.0.0.1"):
            error = f"Address protocol http is not supported: {uri}"
        if any(
            (each["topic"], each["uri"]) == (topic, uri) for each in self.subscriptions.values()
        ):
            error = "Address for this topic has already been taken"
        made = None if error else self.add_subscription(topic, uri)
        errors = [{"field": ["webhookSubscription"], "message": error}] if error else []
        return {"webhookSubscriptionCreate": {"webhookSubscription": made, "userErrors": errors}}

    def add_subscription(self, topic: str, uri: str, **changes: Any) -> dict[str, Any]:
        """Add a subscription of the app, made by us or by others; *topic* as GraphQL has it."""
        gid = f"gid://shopify/WebhookSubscription/{next(self._ids)}"
        self.subscriptions[gid] = {
            "id": gid, "topic": topic, "uri": uri, "format": "JSON", "filter": None,
            "includeFields": [], "apiVersion": {"handle": self.webhook_version}, "_failures": 0,
            **changes,
        }  # fmt: skip
        return self.subscriptions[gid]

    def _unsubscribe(self, variables: dict[str, Any]) -> dict[str, Any]:
        gone = self.subscriptions.pop(variables["id"], None)
        errors = [] if gone else [{"field": ["id"], "message": "does not exist"}]
        told = {"deletedWebhookSubscriptionId": gone and gone["id"], "userErrors": errors}
        return {"webhookSubscriptionDelete": told}

    def _changed(self, variables: dict[str, Any]) -> dict[str, Any]:
        index = self._changes()
        start = self._first(variables["query"])
        if variables["after"]:
            try:
                seen = json.loads(base64.b64decode(variables["after"], validate=True))
            except ValueError:
                return {
                    "data": None,
                    "errors": [{"message": "Invalid cursor for current pagination"}],
                }
            start = bisect_left(index, (seen[0], seen[1] + 1))
        found = index[start : start + variables["first"]]
        nodes = [{"legacyResourceId": str(number), "updatedAt": at} for at, number in found]
        more = start + len(found) < len(index)
        cursor = base64.b64encode(json.dumps(found[-1]).encode()).decode() if found else None
        return {"orders": {"nodes": nodes, "pageInfo": {"hasNextPage": more, "endCursor": cursor}}}

    def _count(self, variables: dict[str, Any]) -> dict[str, Any]:
        count = len(self._changes()) - self._first(variables["query"])
        return {"ordersCount": {"count": count, "precision": "EXACT"}}

    def _bodies(self, variables: dict[str, Any]) -> dict[str, Any]:
        numbers = [int(gid.rpartition("/")[2]) for gid in variables["ids"]]
        found = [self.orders.get(number) for number in numbers]
        return {"nodes": [each and as_graphql(each, redacted=self.redacted) for each in found]}

    def _first(self, query: str) -> int:
        return bisect_left(self._changes(), (query.removeprefix("updated_at:>=").strip("'"), 0))

    def _changes(self) -> list[tuple[str, int]]:
        """Return (last change, id) of all orders, sorted as Shopify sorts."""
        if self._index is None:
            self._index = sorted(
                (_utc(each["updated_at"]), number) for number, each in self.orders.items()
            )
        return self._index


def _utc(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _failed(code: str) -> dict[str, Any]:
    status = {"maximumAvailable": 1000.0, "currentlyAvailable": 2, "restoreRate": 50.0}
    return {
        "errors": [{"message": code.title(), "extensions": {"code": code}}],
        "extensions": {"cost": {"requestedQueryCost": 102, "throttleStatus": status}},
    }


def _connection(found: list[Any], size: int, after: str | None) -> dict[str, Any]:
    start = int(after or 0)
    more = len(found) > start + size
    page = {"hasNextPage": more, "endCursor": str(start + size) if more else None}
    return {"nodes": found[start : start + size], "pageInfo": page}
