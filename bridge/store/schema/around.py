"""What stands around the line: people, visits, shops that are watched, operators."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from .base import Id, Micros, metadata

known_customer = Table(
    "known_customer",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # keyed hash of e-mail, phone or customer id
    Column("order_id", Text, nullable=False),  # the first order known
    Column("seen_at", Micros, nullable=False),  # when the last one was
)

cost = Table(
    "cost",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("item", Text, primary_key=True),  # SKU, variant id or product id
    Column("cost", Text, nullable=False),  # per unit, in the shop's own currency
)

erasure = Table(
    "erasure",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id")),  # None: whoever it is, in every shop
    Column("subject", LargeBinary, nullable=False),  # sealed: the redaction as JSON
    Column("asked_at", Micros, nullable=False),
    Column("actor", Text, nullable=False),
)

cart = Table(
    "cart",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # keyed hash of the cart token
    Column("state", Text, nullable=False),  # JSON: quantities by product, no person
    Column("seen_at", Micros, nullable=False, index=True),
)

visitor = Table(
    "visitor",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("told", LargeBinary, nullable=False),  # sealed: the visitor as JSON
    Column("seen_at", Micros, nullable=False, index=True),
)

visitor_key = Table(
    "visitor_key",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),  # keyed hash of a token
    Column("visitor_id", BigInteger, nullable=False, index=True),
)

held_key = Table(
    "held_key",
    metadata,
    Column("outbox_id", Id, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, primary_key=True),  # keyed hash of a token
    Index("ix_held_key_key", "key"),
)

lock = Table(
    "lock",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("until", Micros, nullable=False),
)

watch = Table(
    "watch",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("next_at", Micros, nullable=False, server_default="0"),  # of the guardian
    Column("nightly_at", Micros, nullable=False, server_default="0"),  # of reconciling 48 hours
    Column("read_since", Micros),  # the reconcile under way, None: none
    Column("cursor", Text),
    Column("read_until", Micros),  # orders are known to be read up to here
    Column("findings", Text, nullable=False, server_default="[]"),  # JSON
)

listed_order = Table(
    "listed_order",
    metadata,
    Column("source_id", ForeignKey("source.id"), primary_key=True),
    Column("order_id", Text, primary_key=True),
    Column("changed_at", Micros, nullable=False, index=True),
    Column("seen_at", Micros, nullable=False),
    Column("delivery_key", Text),  # of the delivery that the order was put as
)

alert = Table(
    "alert",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", Micros, nullable=False),
    Column("told_at", Micros),
    Column("recovered_at", Micros),
    Column("recovery_told_at", Micros),
    Index("ix_alert_open", "kind", "subject", "recovered_at"),
)

grant = Table(
    "grant_expected",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("source_id", ForeignKey("source.id"), nullable=False),
    Column("session_hash", LargeBinary, nullable=False),
    Column("until", Micros, nullable=False),
)

operator = Table(
    "operator",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),  # owner, operator, reader
    Column("password_hash", Text, nullable=False),
    Column("created_at", Micros, nullable=False),
    sqlite_autoincrement=True,
)

session = Table(
    "session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("operator_id", ForeignKey("operator.id"), nullable=False, index=True),
    Column("agent", Text, nullable=False),
    Column("created_at", Micros, nullable=False),
    Column("seen_at", Micros, nullable=False),
    sqlite_autoincrement=True,
)

login_attempt = Table(
    "login_attempt",
    metadata,
    Column("key", LargeBinary, primary_key=True),  # keyed hash of an account or an address
    Column("count", Integer, nullable=False),
    Column("since", Micros, nullable=False),
    Column("next_at", Micros, nullable=False),
)

attempt = Table(
    "attempt",
    metadata,
    Column("outbox_id", Id, primary_key=True, autoincrement=False),
    Column("receipt_id", BigInteger, primary_key=True),  # an answer that did not end in "sent"
)

summary = Table(
    "summary",
    metadata,
    Column("name", Text, primary_key=True),
    Column("computed_at", Micros, nullable=False),
    Column("took_ms", Integer, nullable=False),
    Column("value", Text, nullable=False),  # JSON: counts, no person
)
