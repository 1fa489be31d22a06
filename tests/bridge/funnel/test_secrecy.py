"""What is kept of a visitor, in every table, sealed or not: no more than they let us keep."""

import pytest

from bridge.events import BridgeError
from bridge.secrets import Vault
from bridge.store import Store, schema
from tests.stores import SECRET_KEY, rows

from .visit import ADDRESS, AGENT, CART, CART_KEY, CHECKOUT, FBC, FBP, PAGE, Visit, connect

CONTEXTS = (
    "delivery", "payload", "held", "visitor", "erasure", "source.settings", "source.keys",
    "destination.settings", "setting",
)  # fmt: skip
PERSONAL = (FBP, FBC, AGENT, ADDRESS, PAGE, "canary")


def everything(store: Store) -> str:
    """Return all that any table holds, with sealed values opened."""
    vault, found = Vault(SECRET_KEY), []
    with store.database.read() as connection:
        for table in schema.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                found += [_opened(vault, value) for value in row]
    return "\n".join(found)


def _opened(vault: Vault, value: object) -> str:
    if not isinstance(value, bytes | memoryview):
        return str(value)
    for context in CONTEXTS:
        try:
            return vault.open(bytes(value), context).decode("utf-8", "replace")
        except (BridgeError, ValueError):
            continue  # not sealed, or for another use
    return bytes(value).hex()


def kept(visit: Visit) -> set[str]:
    """Return which of what the browser told is kept anywhere."""
    text = everything(visit.store)
    return {word for word in PERSONAL if word in text}


def reported(name: str = "ViewContent") -> dict[str, object]:
    return {"event_name": name, "event_id": "v.1", "event_source_url": PAGE}


def test_of_somebody_who_says_yes_it_is_kept_sealed(visit):
    visit.browse()
    visit.translate()

    assert kept(visit) == set(PERSONAL)
    with visit.store.database.read() as connection:
        for table in schema.metadata.sorted_tables:
            plain = str([tuple(row) for row in connection.execute(table.select())])
            assert not any(word in plain for word in (*PERSONAL, CART, CHECKOUT)), table.name


@pytest.mark.parametrize("country", ["DE", "US", ""])
def test_of_somebody_who_says_no_only_that_is_kept(store, clock, country):
    visit = connect(store, clock, country)
    visit.browse(reported(), marketing=False)
    visit.cart("carts/create", v7=1)
    visit.translate()

    assert kept(visit) == set()
    assert '"marketing":false' in everything(store)
    assert {reason for _, reason in visit.events()} == {"consent_denied"}


def test_of_somebody_who_says_no_after_all_nothing_is_left(visit):
    visit.browse(reported())
    visit.translate()
    visit.browse(marketing=False, fbp=None, fbc=None, url=None)
    visit.translate()

    with visit.store.database.write() as connection:
        connection.execute(schema.payload.delete())  # of the event that was in time
    assert kept(visit) == set()


@pytest.mark.parametrize("country", ["DE", "de", "UK", "CH", "", "Germany"])
def test_of_somebody_unknown_where_consent_is_asked_first_nothing_is_kept(store, clock, country):
    visit = connect(store, clock, country)
    visit.browse(reported("Search"), marketing=None)
    visit.cart("carts/create", v7=1)
    visit.checkout()
    visit.translate()

    assert kept(visit) == set()
    visit.wait(minutes=31)
    assert {reason for _, reason in visit.events()} == {"consent_unknown"}


def test_elsewhere_somebody_unknown_is_kept_and_sent(store, clock):
    visit = connect(store, clock, "US")
    visit.browse(marketing=None)
    visit.cart("carts/create", v7=1)
    visit.wait(seconds=20)

    [event] = visit.sent("AddToCart")
    assert event["user_data"]["fbp"] == FBP


@pytest.mark.parametrize(
    ("plan", "country", "is_kept"),
    [
        ('[consent]\nunknown_elsewhere = "skip"', "US", False),
        ('[consent]\nunknown_optin = "send"', "DE", True),
        ('[consent]\nopt_in_countries = ["US"]', "US", False),
        ('[source.shop.consent]\nmode = "off"', "DE", True),
    ],
)
def test_the_plan_says_of_whom_it_is_kept(store, clock, plan, country, is_kept):
    visit = connect(store, clock, country)
    visit.apply(plan)
    visit.browse(marketing=None)
    visit.translate()

    assert bool(kept(visit)) is is_kept


@pytest.mark.parametrize("country", ["DE", "US"])
def test_a_body_that_makes_no_sense_is_not_kept(store, clock, country):
    visit = connect(store, clock, country)
    visit.browse(body=b'{"visitor":{"fbp":"' + FBP.encode())
    visit.translate()

    [delivery] = store.history.deliveries(limit=9)
    assert (delivery["state"], delivery["reason"]) == ("ignored", "not_json")
    assert kept(visit) == set()


def test_what_waits_holds_only_what_the_shop_told(visit):
    visit.checkout()
    visit.translate()
    assert visit.events() == [("waiting", "visitor")]
    visit.clock.move(600)  # so that the grant comes too late
    visit.browse(keys=(CART_KEY,))
    visit.translate()

    [held] = rows(visit.store, "held", "event")
    told = Vault(SECRET_KEY).open(held, "held").decode()
    assert CHECKOUT in told
    assert not any(word in told for word in PERSONAL)
