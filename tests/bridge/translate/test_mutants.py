"""Twenty thousand broken orders: each ends in the open, and none tells whose it was."""

import copy
import json
import logging
import random
from itertools import count

import pytest

from bridge import registry
from bridge.translate import translate_due
from tests.stores import rows

from .line import ANY_CONSENT, connect
from .shops import SHOPS, event_id_of, order, recorded

ROUNDS = 10  # of a thousand mutants, for each shop system
BATCHES = 10
BATCH = 100
BASES = {
    "woocommerce": [
        "woocommerce/11.0.1/031-order.created",
        "woocommerce/11.0.1/069-order.updated",
        "woocommerce/11.0.1/160-customer.created",
        "woocommerce/traps/pixelyoursite-cookie",
    ],
    "shopify": [
        "shopify/orders_create",
        "shopify/trap_multicurrency",
        "shopify/refunds_create_partial",
        "shopify/customers_create",
    ],
}
# Topics that end a shop or a person would leave nothing to test with.
ENDS = {"app/uninstalled", "shop/redact", "customers/redact", "customer.deleted"}
PERSONAL = {"email", "contact_email", "phone", "first_name", "last_name", "address_1"}
PERSONAL |= {"address1", "city", "customer_ip_address", "browser_ip"}


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


ODD = (
    None, True, False, 0, -1, 1, 10**12, 10**30, -(10**300), 1e-9, 1e20, 1e308, 0.1, "", " ", "0",
    "-1", "NaN", "1e400", "9" * 5_000, "x" * 100_000, "\0", "\ud800", "e\u0301\u202e", "null",
    "2026-99-99T00:00:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59+00:00", "http://[", "%ff",
    [], {}, [[]], [None], [{}], {"": None}, ["1", 2, None], deep(100), [0] * 2_000,
)  # fmt: skip


def canaries(value, key=""):
    """Yield what is personal in a body."""
    pairs = value.items() if isinstance(value, dict) else [(key, one) for one in value]
    for name, below in pairs:
        if isinstance(below, dict | list):
            yield from canaries(below, name)
        elif isinstance(below, str) and name in PERSONAL and len(below) > 4:
            yield below.lower()


def places(value):
    """Yield every holder and key below *value*."""
    pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, below in pairs:
        yield value, key
        if isinstance(below, dict | list):
            yield from places(below)


def mutate(body, dice):
    """Change one to six places of *body* into what no shop would send."""
    for holder, key in dice.sample(list(places(body)), dice.randint(1, 6)):
        match dice.randrange(5):
            case 0 if isinstance(holder, dict):
                holder.pop(key, None)
            case 1:
                holder[key] = [copy.copy(holder.get(key) if isinstance(holder, dict) else None)]
            case 2:
                holder[key] = str(holder[key]) if isinstance(holder, dict) and key in holder else 7
            case _:
                holder[key] = dice.choice(ODD)


def spoil(raw, dice):
    """Cut *raw* or break a byte of it, now and then."""
    if dice.random() < 0.97:
        return raw
    at = dice.randrange(len(raw))
    return raw[:at] if dice.random() < 0.5 else raw[:at] + b"\xff\x00" + raw[at:]


def mutants(kind, dice):
    """Yield topic and body for ever; every order has an id of its own, if it has one."""
    known = sorted(set(registry.source(kind).topics) - ENDS)
    usual = order(kind, 1, "paid")[0]
    bodies = [recorded(case) for case in BASES[kind]]
    for number in count(10**6):
        body = copy.deepcopy(dice.choice(bodies)) | {"id": number}
        mutate(body, dice)
        raw = json.dumps(body).encode()
        topic = dice.choice([usual, usual, usual, dice.choice(known), "", "x" * 300])
        yield topic, spoil(raw, dice)


def texts(store):
    """Return all that is stored in plain text, in one."""
    found = [rows(store, table) for table in ("delivery", "verdict", "outbox", "known_order")]
    return str(found).lower()


@pytest.mark.parametrize("kind", SHOPS)
def test_every_broken_order_ends_in_the_open_and_tells_of_nobody(fresh_store, kind, caplog):
    caplog.set_level(logging.DEBUG)
    dice = random.Random(20261123)
    personal = {one for case in BASES[kind] for one in canaries(recorded(case))}
    source = mutants(kind, dice)
    assert len(personal) > 5

    for number in range(ROUNDS):
        store = fresh_store()
        line = connect(store, kind, plan=ANY_CONSENT)
        for _ in range(BATCHES):
            for _ in range(BATCH):
                line.post(*next(source))
            translate_due(store)
        line.tell(*order(kind, 500 + number, "paid"))

        ends = line.ends()
        assert len(ends) > 900
        assert {state for state, _ in ends} == {"translated", "ignored", "dead"}
        assert all(reason or state == "translated" for state, reason in ends)
        assert event_id_of(kind, 500 + number) in line.pending()
        stored = texts(store) + caplog.text.lower()
        assert [one for one in personal if one in stored] == []
        caplog.clear()
        store.close()
