"""The straight line: connections, deliveries, verdicts, the outbox and its answers."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from .base import Id, Micros, metadata

setting = Table(
    "setting",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),  # sealed
)

source = Table(
    "source",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("word", Text, nullable=False, unique=True),
    Column("webhook_key_hash", LargeBinary, nullable=False, unique=True),
    Column("collect_key_hash", LargeBinary, nullable=False, unique=True),
    Column("keys", LargeBinary, nullable=False),  # sealed JSON: webhook_key, collect_key
    Column("settings", LargeBinary, nullable=False),  # sealed JSON
    Column("state", Text, nullable=False),  # active, paused, disconnected
    Column("created_at", Micros, nullable=False),
    Column("ping_at", Micros),
    Column("delivery_at", Micros),
    Column("collected_at", Micros),  # when a browser was last heard
    Column("lease_token", Text),
    Column("lease_until", Micros, nullable=False, server_default="0"),
)

destination = Table(
    "destination",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, unique=True),
    Column("settings", LargeBinary, nullable=False),  # sealed JSON
    Column("state", Text, nullable=False),  # active, paused, parked, removed
    Column("reason", Text, nullable=False, server_default=""),
    Column("created_at", Micros, nullable=False),
    Column("next_at", Micros, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
)

route = Table(
    "route",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("destination_id", ForeignKey("destination.id"), primary_key=True),
    Column("mode", Text, nullable=False),  # live, test, shadow
    Column("toggles", Text, nullable=False),  # JSON: event name -> on
    Column("live_since", Micros),
    Column("test_event_code", Text, nullable=False, server_default=""),
    Column("test_until", Micros),  # then the route is in the mode that it had before
    Column("mode_after", Text, nullable=False, server_default=""),
    Column("toggles_before", Text, nullable=False, server_default=""),  # JSON; empty: none
)

plan = Table(
    "plan",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("applied_at", Micros, nullable=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("received_at", Micros, nullable=False),
    Column("state", Text, nullable=False),  # received, translated, ignored, dead
    Column("reason", Text, nullable=False, server_default=""),
    Column("detail", Text, nullable=False, server_default=""),
    Column("done_at", Micros),
    UniqueConstraint("source_id", "key"),
    Index(
        "ix_delivery_waiting",
        "source_id",
        "id",
        sqlite_where=text("state = 'received'"),
        postgresql_where=text("state = 'received'"),
    ),
    Index("ix_delivery_received_at", "received_at", "id"),
    Index("ix_delivery_source", "source_id", "received_at", "id"),
    Index(
        "ix_delivery_state",
        "state",
        "received_at",
        "id",
        sqlite_where=text("state IN ('dead', 'ignored')"),
        postgresql_where=text("state IN ('dead', 'ignored')"),
    ),
    sqlite_autoincrement=True,  # what is pruned is still spoken of by its id
)

delivery_body = Table(
    "delivery_body",
    metadata,
    Column("delivery_id", Id, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # sealed: headers as JSON, newline, raw body
)

known_order = Table(
    "known_order",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("state", Text),  # None: a state that we do not know
    Column("updated_at", Micros),
    Column("cancelled_at", Micros),  # the last time
    Column("seen_at", Micros, nullable=False),
)

purchase = Table(
    "purchase",
    metadata,
    Column("destination_id", Integer, primary_key=True, autoincrement=False),
    Column("source_id", Integer, primary_key=True, autoincrement=False),
    Column("order_id", Text, primary_key=True),
    Column("event_id", Text, nullable=False),
    Column("decided_at", Micros, nullable=False, index=True),
)

# Many orders at once are no import where people buy: those are never counted.
_BURST = "occasion = 'purchase' AND channel NOT IN ('web', 'pos')"
outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("destination_id", ForeignKey("destination.id"), nullable=False),
    Column("delivery_id", BigInteger),
    Column("mode", Text, nullable=False),
    Column("occasion", Text, nullable=False),
    Column("event_name", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("order_id", Text),
    Column("order_number", Text),
    Column("channel", Text),
    Column(
        "state", Text, nullable=False
    ),  # pending, sending, sent, skipped, waiting, dead, expired
    Column("reason", Text, nullable=False, server_default=""),
    Column("curable", Boolean, nullable=False, server_default=text("false")),
    Column("event_at", Micros, nullable=False),
    Column("expires_at", Micros, nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("done_at", Micros),
    Column("next_at", Micros, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ambiguous_at", Micros),
    Column("lease_token", Text),
    Column("lease_until", Micros),
    Column("receipt_id", BigInteger),
    Column("plan_digest", Text, nullable=False, server_default=""),
    Column("trace", Text, nullable=False, server_default="{}"),  # JSON without personal data
    Column("email_key", LargeBinary),
    Column("phone_key", LargeBinary),
    Column("customer_key", LargeBinary),
    # The event id comes first, so that this index also finds events by their id alone.
    UniqueConstraint("event_id", "event_name", "destination_id"),
    Index(
        "ix_outbox_due",
        "destination_id",
        "mode",
        "next_at",
        "id",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_outbox_leased",
        "lease_until",
        sqlite_where=text("state = 'sending'"),
        postgresql_where=text("state = 'sending'"),
    ),
    Index("ix_outbox_order", "source_id", "order_id"),
    Index("ix_outbox_created_at", "created_at", "id"),
    Index("ix_outbox_source", "source_id", "created_at", "id"),
    Index(
        "ix_outbox_burst",
        "source_id",
        "created_at",
        sqlite_where=text(_BURST),
        postgresql_where=text(_BURST),
    ),
    # For people who look for what is rare; none of these costs what is sent at once anything
    # but the one for what is open.
    Index(
        "ix_outbox_open",
        "created_at",
        "id",
        sqlite_where=text("state IN ('pending', 'sending', 'waiting')"),
        postgresql_where=text("state IN ('pending', 'sending', 'waiting')"),
    ),
    Index(
        "ix_outbox_state",
        "state",
        "created_at",
        "id",
        sqlite_where=text("state IN ('dead', 'expired', 'skipped')"),
        postgresql_where=text("state IN ('dead', 'expired', 'skipped')"),
    ),
    Index(
        "ix_outbox_reason",
        "reason",
        "created_at",
        "id",
        sqlite_where=text("reason <> ''"),
        postgresql_where=text("reason <> ''"),
    ),
    Index(
        "ix_outbox_order_number",
        "order_number",
        sqlite_where=text("order_number IS NOT NULL"),
        postgresql_where=text("order_number IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # what is pruned is still spoken of by its id
)

payload = Table(
    "payload",
    metadata,
    Column("outbox_id", Id, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # sealed: the event as the destination gets it
)

held = Table(
    "held",
    metadata,
    Column("outbox_id", Id, primary_key=True, autoincrement=False),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("until", Micros, nullable=False),
    Column("event", LargeBinary, nullable=False),  # sealed: the fact as JSON
    Index("ix_held_due", "source_id", "until"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", BigInteger, nullable=False, index=True),
    Column("destination_id", BigInteger, nullable=False),
    Column("event_name", Text, nullable=False),
    Column("event_id", Text, nullable=False, index=True),
    Column("verdict", Text, nullable=False),  # send, skip, wait
    Column("reason", Text, nullable=False),
    Column("channel", Text),
    Column("order_state", Text),
)

receipt = Table(
    "receipt",
    metadata,
    Column("id", Id, primary_key=True),
    Column("destination_id", BigInteger, nullable=False),
    Column("sent_at", Micros, nullable=False, index=True),
    Column("duration_ms", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("accepted", Integer),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Index("ix_receipt_destination", "destination_id", "id"),
    sqlite_autoincrement=True,
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", Micros, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Micros, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
)
