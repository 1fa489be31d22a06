"""The first day: from the setup token to orders that are sent, stopped, and sent again."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.shops import settings_of

from .steps import PASSWORD, in_activity, order, toggle

pytestmark = pytest.mark.timeout(300)  # on a machine that does other work too

TOKEN = "a-setup-token-of-some-length"


def test_from_the_setup_token_to_orders_sent_stopped_and_sent_again(machine, store, graph, page):
    machine.serve(SETUP_TOKEN=TOKEN)

    set_up(page)
    connect_shop(page)
    connect_dataset(page)
    go_live(page)
    (source,) = store.connections.sources()
    first = order(machine, source)
    in_activity(page, first, "Sent").get_by_role("link", name="Purchase").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Purchase {first}")
    expect(page.locator("main")).to_contain_text("My shop → My dataset")

    toggle(page, "Purchase", on=False)
    second = order(machine, source)
    row = in_activity(page, second, "Skipped")
    expect(row).to_contain_text("Switched off")

    toggle(page, "Purchase", on=True)
    third = order(machine, source)
    in_activity(page, third, "Sent")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out")
    page.goto("/admin/events")
    expect(page).to_have_url(f"{machine.url}/admin/login?next=/admin/events")
    sent = [one["event_id"].rsplit(".")[-1] for one in graph.accepted()]
    assert sent == [first, third]


def set_up(page: Page) -> None:
    page.goto("/setup")
    page.get_by_label("Setup token").fill(TOKEN)
    page.get_by_label("Your name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.get_by_role("button", name="Sign out").wait_for()


def connect_shop(page: Page) -> None:
    page.get_by_role("link", name="Connections").click()
    page.get_by_role("link", name="Connect a shop").click()
    page.get_by_role("link", name="Connect WooCommerce").click()
    page.get_by_text("Connect by hand instead").click()
    page.get_by_label("Your name for it").fill("My shop")
    page.locator("[name=secret]").fill(settings_of("woocommerce")["secret"])
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_text("My shop is connected.").wait_for()


def connect_dataset(page: Page) -> None:
    page.get_by_role("link", name="Connections").first.click()
    page.get_by_role("link", name="Connect a dataset").click()
    page.get_by_label("Your name for it").fill("My dataset")
    page.locator("[name=dataset_id]").fill("1234567890")
    page.locator("[name=access_token]").fill("sandbox-token")
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_text("My dataset is connected.").wait_for()


def go_live(page: Page) -> None:
    page.get_by_role("navigation").get_by_role("link", name="Events").click()
    expect(page.locator("main")).to_contain_text("nothing leaves this server")
    page.get_by_text("Change the mode").click()
    page.get_by_role("radio", name="Live").check()
    page.get_by_role("button", name="Set the mode").click()
    page.get_by_text("My shop > My dataset is live.").wait_for()
