"""What an operator does in the admin, and what a shop does meanwhile."""

import itertools
import json
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page

from bridge import registry
from bridge.events import Request
from bridge.store import Source
from tests.e2e.machine import Machine, wait_until
from tests.e2e.shops import post, recorded, settings_of

PAID = "/092-order.created"
PASSWORD = "a harbour with seven cranes"
_numbers = itertools.count(7001)


def sign_in_as(page: Page, name: str) -> None:
    """Sign in, whatever language the page speaks; again where somebody guessed just before."""

    def signed_in() -> bool:
        page.goto("/admin/login")
        page.locator("[name=name]").fill(name)
        page.locator("[name=password]").fill(PASSWORD)
        with page.expect_navigation():
            page.locator("main .primary").click()
        return page.locator("form[action$=logout]").count() == 1

    wait_until(signed_in, f"{name} is signed in")


def sign_in(page: Page, name: str) -> None:
    page.goto("/admin/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()


def order(machine: Machine, source: Source) -> str:
    """Let the shop tell of an order that is paid right now; return its number.

    It is bought in the United States: no signal of consent is needed there.
    """
    case = next(one for one in recorded("woocommerce") if one.name.endswith(PAID))
    told = json.loads(case.request.body)
    number = str(next(_numbers))
    # Rounded up, as shops tell whole seconds and the route may be live since this one.
    now = (datetime.now(UTC) + timedelta(seconds=1)).replace(microsecond=0)
    times = dict.fromkeys(("date_created_gmt", "date_paid_gmt"), now.isoformat()[:19])
    billing = {**told["billing"], "country": "US", "state": "NY"}
    body = {**told, **times, "id": int(number), "number": number, "billing": billing}
    body |= {"meta_data": [], "created_via": "checkout"}  # no event id of another order
    body |= {"customer_ip_address": "203.0.113.7"}
    body |= {"customer_user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    raw = json.dumps(body).encode()
    headers = registry.source(source.kind).sign(case.topic, raw, settings_of(source.kind))
    assert post(machine, source, Request(headers=headers, body=raw)) == 200
    return number


def in_activity(page: Page, number: str, state: str) -> Locator:
    """Return the row of the order's purchase as soon as Activity shows it in *state*."""

    def found() -> Locator | None:
        page.goto("/admin/activity")
        row = page.get_by_role("row").filter(has_text=number).filter(has_text="Purchase")
        shown = row.count() == 1 and row.locator(".badge").first.inner_text() == state
        return row if shown else None

    return wait_until(found, f"order {number} is {state}")


def toggle(page: Page, event_name: str, on: bool) -> None:
    page.goto("/admin/events")
    page.get_by_label(f"Send {event_name}", exact=True).set_checked(on)
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved. It counts from now on.").wait_for()
