"""An order that lacks what only its browser can tell waits a little, where browsers tell at all."""

from datetime import timedelta

import pytest

from tests.stores import rows

from .visit import ADDRESS, AGENT, CHECKOUT_KEY, FBP, Visit

GRANTED = [{"name": "_capi_consent", "value": "v1;marketing=1;sale=1;ts=1795420000000"}]
DENIED = [{"name": "_capi_consent", "value": "v1;marketing=0;sale=0;ts=1795420000000"}]
WAITS = [("waiting", "visitor")]
UNKNOWN = [("skipped", "consent_unknown")]
NO_AGENT = [("pending", "")]  # sent all the same, with a note


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """Return a visit of a shop whose collector has heard somebody else."""
    visit.browse(keys=("cart:somebodyElsesCart",))
    visit.translate()
    return visit


def bought(visit: Visit, **changes) -> None:
    visit.order(**changes)
    visit.translate()


def tells(visit: Visit, granted_s: float, **told) -> None:
    """Let the order's browser tell a grant of so many seconds ago."""
    at = int(visit.now(-granted_s).timestamp() * 1000)
    visit.browse(keys=(CHECKOUT_KEY,), consent={"marketing": True, "at": at}, **told)
    visit.translate()


@pytest.mark.parametrize("told", [GRANTED, []])
def test_it_is_sent_once_with_what_its_browser_tells_late(visit, told):
    bought(visit, note_attributes=told)
    assert visit.events() == WAITS

    visit.clock.move(300)
    tells(visit, 600)
    tells(visit, 600)
    bought(visit)
    visit.wait(hours=1)

    [event] = visit.sent("Purchase")
    assert visit.events() == [("pending", "")]
    assert event["event_id"] == "purchase.1"
    assert event["user_data"].items() >= {
        "fbp": FBP, "client_user_agent": AGENT, "client_ip_address": ADDRESS,
    }.items()  # fmt: skip


@pytest.mark.parametrize(("told", "end"), [(GRANTED, NO_AGENT), ([], UNKNOWN), (DENIED, None)])
def test_what_its_browser_never_tells_it_is_decided_without(visit, told, end):
    bought(visit, note_attributes=told)
    if end is None:
        assert visit.events() == [("skipped", "consent_denied")]
        return
    visit.wait(minutes=29, seconds=58)
    assert visit.events() == WAITS

    visit.wait(seconds=3)
    assert visit.events() == end

    tells(visit, 7_200)
    visit.wait(days=1)
    assert visit.events() == end
    assert rows(visit.store, "held") == rows(visit.store, "held_key") == []


@pytest.mark.parametrize("silent_days", [1, 400])
@pytest.mark.parametrize(("told", "end"), [(GRANTED, NO_AGENT), ([], UNKNOWN)])
def test_where_no_browser_was_heard_for_a_day_it_waits_for_none(visit, told, end, silent_days):
    visit.clock.move(silent_days * 86_400)
    bought(visit, note_attributes=told)

    assert visit.events() == end


def test_one_that_lacks_nothing_of_its_browsers_is_sent_at_once(visit):
    bought(visit, note_attributes=GRANTED, client_details={"user_agent": "Own/1.0"})

    assert visit.events() == [("pending", "")]


def test_one_that_is_told_long_after_it_was_made_waits_for_none(visit):
    made = (visit.now() - timedelta(days=6)).isoformat()
    bought(visit, created_at=made, processed_at=made, note_attributes=GRANTED)

    assert visit.events() == NO_AGENT


@pytest.mark.parametrize("granted_s", [0, 60, 260])
def test_a_grant_after_the_order_does_not_release_it(visit, granted_s):
    bought(visit)
    visit.clock.move(300)
    tells(visit, granted_s)
    assert visit.events() == WAITS

    visit.wait(minutes=30)
    assert visit.events() == UNKNOWN


def test_a_browser_that_says_no_ends_the_wait(visit):
    bought(visit, note_attributes=GRANTED)
    visit.browse(marketing=False)
    visit.translate()

    assert visit.events() == [("skipped", "consent_denied")]


AFTER = {
    "cancelled": ({"financial_status": "voided", "cancelled_at": "later"}, "cancelled"),
    "denied": ({"note_attributes": DENIED}, "consent_denied"),
    "refunded": ({"financial_status": "refunded"}, ""),
    "refunded and denied": (
        {"financial_status": "refunded", "note_attributes": DENIED},
        "consent_denied",
    ),
    "unpaid": ({"financial_status": "pending"}, ""),
}


@pytest.mark.parametrize("what", AFTER)
@pytest.mark.parametrize("holds", [False, True])
def test_what_becomes_of_the_order_meanwhile_counts_as_if_it_had_not_waited(visit, what, holds):
    if holds:
        visit.apply("[purchase]\nhold_minutes = 20")
    made = visit.now().isoformat()
    changes, reason = AFTER[what]
    bought(visit)
    visit.clock.move(300)
    later = visit.now().isoformat()
    changes = {name: later if value == "later" else value for name, value in changes.items()}
    bought(visit, created_at=made, processed_at=made, **changes)
    tells(visit, 600)
    visit.wait(hours=1)

    reason = "refunded" if what.startswith("refunded") and holds else reason
    assert visit.events() == [("skipped" if reason else "pending", reason)]


@pytest.mark.parametrize(
    ("plan", "name", "event_id"),
    [
        ("[funnel]\nwait_minutes = 0", "Purchase", "purchase.1"),
        ("[purchase]\nhold_minutes = 5", "Purchase", "purchase.1"),
        ('[ids]\npurchase = "o{order_id}"', "Purchase", "o1"),
        ('[events]\npurchase = "Bought"', "Bought", "purchase.1"),
    ],
)
def test_another_plan_meanwhile_loses_and_doubles_nothing(visit, plan, name, event_id):
    bought(visit)
    visit.apply(plan)
    tells(visit, 600)
    bought(visit)
    visit.wait(hours=1)

    assert [event["event_id"] for event in visit.sent(name)] == [event_id]
    assert [state for state, _ in visit.events()] == ["pending"]


def test_what_the_plan_makes_of_an_order_besides_waits_as_it_does(visit):
    visit.apply('[[custom]]\nname = "BigOrder"')
    bought(visit)
    assert visit.events() == WAITS * 2

    tells(visit, 600)
    assert visit.events() == [("pending", "")] * 2


def test_after_an_outage_what_was_received_in_time_completes_it_in_whatever_batch(visit):
    visit.order()
    for number in range(120):
        visit.post("orders/edited", {"id": number})
    visit.browse(keys=(CHECKOUT_KEY,))
    visit.clock.move(2 * 86_400)
    visit.translate()

    assert visit.events() == [("pending", "")]
