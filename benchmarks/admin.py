"""``python -m benchmarks.admin [EVENTS]``: how long the admin's pages take with many events.

Both engines are filled with a week of events, and each page is asked for several times; printed
are medians in milliseconds, with how long the figures of the week took to count.
"""

import json
import statistics
import sys
import time
from collections.abc import Iterator

from sqlalchemy import text
from werkzeug.test import Client

from bridge import config
from bridge.secrets import Vault
from bridge.store import Route, Store
from bridge.web import Application

from . import measure

EVENTS = 1_000_000
TIMES = 9
KEY = measure.SECRET_KEY
WEEK_US = 7 * 86_400_000_000
TRACE = json.dumps(
    {
        "topic": "orders/paid",
        "channel": "web",
        "order_state": "paid",
        "user_data": ["city", "client_ip_address", "client_user_agent", "email", "fbp", "zip"],
        "consent": {"marketing": "granted", "source": "collector", "region": "opt_in"},
        "action_source": "website",
        "value": "49.90",
        "currency": "EUR",
        "content_ids": ["4711", "4712"],
        "notes": [],
    }
)
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
_TIME = "CAST(:start AS BIGINT) + i * CAST(:step AS BIGINT)"
_FILL = (
    f"""{_NUMBERS} INSERT INTO delivery (source_id, topic, key, received_at, state, reason)
    SELECT 1 + i % 10, 'orders/paid', 'key' || i, {_TIME},
        CASE WHEN i % 1000 = 0 THEN 'dead' ELSE 'translated' END,
        CASE WHEN i % 1000 = 0 THEN 'fault' ELSE '' END FROM n""",
    f"""{_NUMBERS} INSERT INTO verdict (delivery_id, destination_id, event_name, event_id,
        verdict, reason)
    SELECT i, 1 + i % 2, 'Purchase', 'purchase.' || i, 'send', '' FROM n""",
    f"""{_NUMBERS} INSERT INTO outbox (source_id, destination_id, delivery_id, mode, occasion,
        event_name, event_id, order_id, order_number, state, reason, event_at, expires_at,
        created_at, done_at, plan_digest, trace)
    SELECT 1 + i % 10, 1 + i % 2, i, 'live',
        CASE WHEN i % 5 = 0 THEN 'purchase' ELSE 'cart_added' END,
        CASE WHEN i % 9999 = 0 THEN 'Lead' WHEN i % 5 = 0 THEN 'Purchase' ELSE 'AddToCart' END,
        'purchase.' || i,
        CASE WHEN i % 5 = 0 THEN 'o' || i END, CASE WHEN i % 5 = 0 THEN '#' || i END,
        CASE WHEN i % 997 = 0 THEN 'dead' WHEN i % 499 = 0 THEN 'pending'
            WHEN i % 3 = 0 THEN 'skipped' ELSE 'sent' END,
        CASE WHEN i % 997 = 0 THEN '100/2804019' WHEN i % 499 = 0 THEN ''
            WHEN i % 30 = 0 THEN 'not_paid' WHEN i % 3 = 0 THEN 'consent_unknown' ELSE '' END,
        {_TIME}, {_TIME} + 604800000000, {_TIME}, {_TIME}, 'digest', :trace FROM n""",
    f"""{_NUMBERS} INSERT INTO listed_order (source_id, order_id, changed_at, seen_at)
    SELECT 1 + i % 10, 'o' || i, {_TIME}, {_TIME} FROM n
    WHERE i % 5 = 0""",
)
PAGES = {
    "home": "/admin/",
    "activity": "/admin/activity",
    "activity, dead": "/admin/activity?state=dead",
    "activity, sent": "/admin/activity?state=sent",
    "activity, consent": "/admin/activity?reason=consent",
    "activity, waiting": "/admin/activity?state=open",
    "activity, a rare event": "/admin/activity?event=Lead",
    "activity, an event that never came": "/admin/activity?event=Nothing",
    "activity, one shop's dead": "/admin/activity?source=3&state=dead",
    "activity, an order": "/admin/activity?q=%23{half}",
    "activity, in the middle": "/admin/activity?older={middle}-{half}",
    "new since": "/admin/activity/new?after={middle}-{half}",
    "deliveries": "/admin/activity/deliveries",
    "deliveries, dead": "/admin/activity/deliveries?state=dead",
    "replay, count": "/admin/activity/replay?state=dead",
    "explain": "/admin/events/{half}",
    "events of a route": "/admin/events/1/1",
    "one event's rules": "/admin/events/1/1/event/Purchase",
    "connections": "/admin/connections",
    "one shop": "/admin/connections/sources/1",
    "one dataset": "/admin/connections/destinations/1",
    "first steps": "/admin/start",
    "audit log": "/admin/settings/log",
}


def main() -> None:
    """Fill and measure both engines."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    for name, url in _engines():
        store = Store(url, Vault(KEY))
        store.migrate()
        print(f"{name}: {count} events", flush=True)
        _fill(store, count)
        for page, milliseconds in _measure(store, url, count).items():
            print(f"  {page:38} {milliseconds:8.0f} ms", flush=True)
        store.close()


def _engines() -> Iterator[tuple[str, str]]:
    with measure.sqlite() as url:
        yield "SQLite", url
    with measure.postgresql() as (url, _):
        yield "PostgreSQL", url


def _fill(store: Store, count: int) -> None:
    for number in range(10):
        store.connections.add_source("shopify", f"shop {number}", {"secret": "hush"})
    for number in range(2):
        settings = {"dataset_id": str(number), "access_token": "hush"}
        store.connections.add_destination("meta", f"dataset {number}", settings)
    for source in range(1, 11):
        for destination in (1, 2):
            store.connections.set_route(
                Route(source_id=source, destination_id=destination, mode="live", toggles={},
                      live_since=None)
            )  # fmt: skip
    step = WEEK_US // (count + 1)
    start = store.now() - count * step
    values = {"count": count, "start": start, "step": step, "trace": TRACE}
    for statement in _FILL:
        with store.database.write() as connection:
            if not store.database.is_sqlite:
                connection.execute(text("SET LOCAL statement_timeout = 0"))
            wanted = {name: one for name, one in values.items() if f":{name}" in statement}
            connection.execute(text(statement), wanted)
    if not store.database.is_sqlite:  # its own daemon would do so within a minute
        with store.database.write() as connection:
            connection.execute(text("ANALYZE"))
    store.history.beat("benchmark", store.now())


def _measure(store: Store, url: str, count: int) -> dict[str, float]:
    """Return the median milliseconds of each page, and of counting the week."""
    application = Application(config.load({"DATABASE_URL": url, "SECRET_KEY": KEY}), store)
    operator = store.accounts.set_up("anna", "no hash")
    client = Client(application)
    client.set_cookie("session", store.accounts.open_session(operator.id, ""), domain="localhost")
    started = time.perf_counter()
    store.summary.refresh()
    found = {"counting the week, once a minute": (time.perf_counter() - started) * 1000}
    half = count // 2
    middle = store.activity.event(half)
    assert middle is not None
    for page, path in PAGES.items():
        address = path.format(middle=middle["created_at"], half=half)
        times = []
        for _ in range(TIMES):
            started = time.perf_counter()
            answer = client.get(address, base_url="http://localhost", buffered=True)
            times.append((time.perf_counter() - started) * 1000)
            assert answer.status_code == 200, (page, answer.status)
        found[page] = statistics.median(times)
    return found


if __name__ == "__main__":
    main()
