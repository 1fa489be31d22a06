"""Lists stay quick with a million events: the engines' own plans name the indexes."""

import json
from functools import partial

import pytest
from sqlalchemy import event, text

from bridge.store import DeliveryFilter, EventFilter
from tests.stores import START

EVENTS = 10_000
_STATES = "CASE WHEN i % 400 = 0 THEN 'dead' WHEN i % 300 = 0 THEN 'pending' ELSE 'sent' END"
_REASONS = "CASE WHEN i % 400 = 0 THEN '100/1' ELSE '' END"
_FILL = (
    f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
    INSERT INTO delivery (source_id, topic, key, received_at, state)
    SELECT CASE WHEN i % 500 = 0 THEN 2 ELSE 1 END, 'orders/paid', 'key' || i, {START} + i,
           CASE WHEN i % 400 = 0 THEN 'dead' ELSE 'translated' END FROM n""",
    f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
    INSERT INTO outbox (source_id, destination_id, delivery_id, mode, occasion, event_name,
        event_id, order_id, order_number, state, reason, event_at, expires_at, created_at)
    SELECT CASE WHEN i % 500 = 0 THEN 2 ELSE 1 END, 1, i, 'live', 'purchase', 'Purchase',
        'purchase.' || i, 'o' || i, '#' || i, {_STATES}, {_REASONS},
        {START}, {START}, {START} + i FROM n""",
)
_ANSWERS = f"""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EVENTS})
    INSERT INTO receipt (destination_id, sent_at, duration_ms, events, outcome, status, reason,
        message, trace_id)
    SELECT 1, {START} + i, 5, 1, 'accepted', 200, '', '', '' FROM n"""
_HERE = (START + EVENTS - 50, EVENTS - 50)
EVENT_LISTS = [
    (EventFilter(), "ix_outbox_created_at"),
    (EventFilter(states=("sent",), event_name="Purchase"), "ix_outbox_created_at"),
    (EventFilter(start=START + 100, end=START + 9_000), "ix_outbox_created_at"),
    (EventFilter(occasion="purchase"), "ix_outbox_created_at"),
    (EventFilter(states=("dead",)), "ix_outbox_state"),
    (EventFilter(states=("pending", "sending", "waiting")), "ix_outbox_open"),
    (EventFilter(reasons=("100/1",)), "ix_outbox_reason"),
    (EventFilter(reasons=("100/1", "not_paid"), states=("dead",)), "ix_outbox_reason"),
    (EventFilter(source_id=2), "ix_outbox_source"),
    (EventFilter(words="#17"), "ix_outbox_order_number"),
    (EventFilter(words="o17"), "ix_outbox_order"),
    (EventFilter(words="purchase.17"), "outbox_event_id|sqlite_autoindex_outbox"),
]
DELIVERY_LISTS = [
    (DeliveryFilter(), "ix_delivery_received_at"),
    (DeliveryFilter(topic="orders/paid"), "ix_delivery_received_at"),
    (DeliveryFilter(state="dead"), "ix_delivery_state"),
    (DeliveryFilter(source_id=2), "ix_delivery_source"),
]


@pytest.fixture
def filled(store, source, destination):
    store.connections.add_source("bogus", "second", {})
    with store.database.write() as connection:
        for statement in (*_FILL, _ANSWERS):
            connection.execute(text(statement))
        connection.execute(text("ANALYZE"))
    return store


def plans(store, read):
    """Return the plan of each statement that *read* sends."""
    sent = []
    engine = store.database.engine

    def note(connection, cursor, statement, parameters, context, many):
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    read()
    event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if store.database.is_sqlite else "EXPLAIN "
    with store.database.read() as connection:
        return [
            [tuple(row) for row in connection.exec_driver_sql(explain + statement, parameters)]
            for statement, parameters in sent
        ]


def whole_scans(found):
    """Return the steps that read a whole table of what grows without an index."""
    steps = [str(row[-1]) for plan in found for row in plan]
    return [
        step
        for step in steps
        for table in ("outbox", "delivery", "receipt")
        if f"Seq Scan on {table} " in step
        or (step.startswith(f"SCAN {table}") and "INDEX" not in step)
    ]


def test_every_list_of_events_is_led_by_an_index(filled):
    for wanted, index in EVENT_LISTS:
        for place in ({}, {"older": _HERE}, {"newer": _HERE}):
            found = plans(filled, partial(filled.activity.events, wanted, **place))

            assert any(name in json.dumps(found) for name in index.split("|")), (wanted, found)
            assert whole_scans(found) == [], (wanted, place)


def test_every_list_of_deliveries_is_led_by_an_index(filled):
    for wanted, index in DELIVERY_LISTS:
        for place in ({}, {"older": _HERE}):
            found = plans(filled, partial(filled.activity.deliveries, wanted, **place))

            assert index in json.dumps(found), (wanted, found)
            assert whole_scans(found) == [], (wanted, place)


def test_counts_of_what_is_new_and_what_can_be_replayed_are_led_by_an_index(filled):
    activity = filled.activity
    reads = (
        lambda: activity.newer_events(EventFilter(), _HERE),
        lambda: activity.replayable(EventFilter(states=("dead",))),
        lambda: activity.replaying(),
        lambda: activity.event(17),
        lambda: activity.related(activity.event(17)),
        lambda: activity.told(activity.event(17)),
    )

    for number, read in enumerate(reads):
        assert whole_scans(plans(filled, read)) == [], number


def test_what_pages_show_at_a_glance_is_led_by_an_index(filled):
    """Of a destination that never took anything too: nothing is looked for in vain."""
    overview, nobody = filled.overview, 2
    reads = (
        lambda: overview.has_taken(nobody),
        lambda: overview.answers(nobody),
        lambda: overview.shadowed(1, 1, START),
        lambda: overview.traces([1, 17]),
        lambda: overview.read_since(2, START + EVENTS),
        lambda: filled.records.audit(before=None, limit=51),
        lambda: filled.summary.week(),  # kept already
    )
    filled.summary.week()

    for number, read in enumerate(reads):
        assert whole_scans(plans(filled, read)) == [], number
