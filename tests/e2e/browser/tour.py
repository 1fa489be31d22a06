"""A tour of all pages: those of the address map, and what forms on them answer.

It speaks no language: pages are told apart by addresses and by the names of fields.
"""

from collections.abc import Callable, Iterator
from typing import Final

from playwright.sync_api import Page
from werkzeug.routing import Map

from bridge.store import EventFilter, Store
from tests.e2e.machine import wait_until

from .steps import PASSWORD

SETUP_TOKEN: Final = "a-setup-token-of-some-length"
Stop = Callable[[Page], object]
# What is no page: a file, figures for a script, the way to the first page; so is what ends in .csv.
_NO_PAGES: Final = {"activity.new", "connections.shop.companion", "root.index"}
_BEFORE: Final = {"accounts.setup", "accounts.login"}  # only for who is not signed in
_KINDS: Final = ("shopify", "woocommerce", "forms")


def stops(pages: Map, store: Store) -> dict[str, Stop]:
    """Return a way to each page of a busy installation, for who is signed in as its owner."""
    examples = _examples(store)
    adapter = pages.bind("")
    found: dict[str, Stop] = {}
    for rule in pages.iter_rules():
        is_page = "GET" in (rule.methods or ()) and not rule.rule.endswith(".csv")
        is_admin = is_page and rule.rule.startswith("/admin")
        if is_admin and rule.endpoint not in _NO_PAGES | _BEFORE:
            values = {name: examples[name] for name in rule.arguments}
            found[rule.endpoint] = _at(adapter.build(rule.endpoint, values))
    return found | dict(_more(store)) | dict(_answers(store))


def stops_of_nobody() -> dict[str, Stop]:
    """Return a way to the pages before the sign-in, of an installation that is set up."""
    return {
        "login": _at("/admin/login"),
        "login.wrong": lambda page: _fill(page, "/admin/login", name="olga", password="wrong"),
        "error.csrf": lambda page: _without_token(page, "/admin/login"),
        "error.405": _at("/admin/logout"),
    }


def stops_of_reader(store: Store) -> dict[str, Stop]:
    """Return a way to the pages that show a reader less, and to one that is not for readers."""
    route = store.connections.routes()[0]
    source, end = route.source_id, route.destination_id
    return {
        "reader.events": _at(f"/admin/events/{source}/{end}"),
        "reader.source": _at(f"/admin/connections/sources/{source}"),
        "reader.dataset": _at(f"/admin/connections/destinations/{end}"),
        "reader.data": _at("/admin/settings/data"),
        "error.403": _at("/admin/settings/operators"),
    }


def stops_of_nothing() -> dict[str, Stop]:
    """Return a way through a new installation: its setup, then its pages without anything.

    In this order; the machine's own token must be `SETUP_TOKEN`.
    """
    return {
        "setup": _at("/setup"),
        "setup.errors": lambda page: _set_up(page, "another token", "short"),
        "empty.home": lambda page: wait_until(
            lambda: _set_up(page, SETUP_TOKEN, PASSWORD), "the second try is not too early"
        ),
        "empty.start": _at("/admin/start"),
        "empty.events": _at("/admin/events"),
        "empty.activity": _at("/admin/activity"),
        "empty.activity.filtered": _at("/admin/activity?state=dead"),
        "empty.deliveries": _at("/admin/activity/deliveries"),
        "empty.replay": _at("/admin/activity/replay"),
        "empty.connections": _at("/admin/connections"),
        "empty.log": _at("/admin/settings/log"),
    }


def _examples(store: Store) -> dict[str, str | int]:
    route = store.connections.routes()[0]
    sent = store.activity.events(EventFilter(states=("sent",)), limit=1).rows[0]
    return {
        "source_id": route.source_id,
        "destination_id": route.destination_id,
        "event_name": "Purchase",
        "row_id": sent["id"],
    }


def _more(store: Store) -> Iterator[tuple[str, Stop]]:
    """Yield what an address leads to besides the example: other kinds, states, filters."""
    for route in store.connections.routes()[1:]:
        ends = f"{route.source_id}/{route.destination_id}"
        yield f"events.show.{ends.replace('/', '-')}.{route.mode}", _at(f"/admin/events/{ends}")
    for source in store.connections.sources()[1:]:
        yield f"source.{source.id}.{source.state}", _at(f"/admin/connections/sources/{source.id}")
    for end in store.connections.destinations()[1:]:
        yield f"dataset.{end.id}.{end.state}", _at(f"/admin/connections/destinations/{end.id}")
    for kind in _KINDS:
        yield f"new.{kind}", _at(f"/admin/connections/sources/new?kind={kind}")
    yield "new.by_hand", _at("/admin/connections/sources/new?kind=woocommerce&hand=1")
    yield "rule.AddToCart", _at(_rule(store, "AddToCart"))
    for state in ("pending", "waiting", "skipped", "dead", "expired"):
        row = store.activity.events(EventFilter(states=(state,)), limit=1).rows[0]
        yield f"explain.{state}", _at(f"/admin/events/{row['id']}")
    yield "activity.waiting", _at("/admin/activity?state=open")
    yield "activity.order", _at("/admin/activity?q=%232100")
    yield "activity.nothing", _at("/admin/activity?q=nothing+of+the+kind")
    yield "deliveries.dead", _at("/admin/activity/deliveries?state=dead")
    yield "deliveries.nothing", _at("/admin/activity/deliveries?topic=nothing")
    yield "replay.none", _at("/admin/activity/replay?state=sent")
    yield "error.404", _at("/admin/nowhere")


def _answers(store: Store) -> Iterator[tuple[str, Stop]]:
    """Yield what forms answer: previews, counts, faults, confirmations."""
    first = store.connections.routes()[0]
    live = f"/admin/events/{first.source_id}/{first.destination_id}"
    shop = next(one for one in store.connections.sources() if one.kind == "woocommerce")
    source, start = f"/admin/connections/sources/{shop.id}", "/admin/start"
    new = "/admin/connections/sources/new?kind=woocommerce&hand=1"

    def toggles(page: Page) -> None:
        page.goto(live)
        page.locator("[name=on][value=Purchase]").uncheck()
        _press(page, "[value=preview]")

    def test_code(page: Page) -> None:
        page.goto(live)
        page.locator("[name=mode]").first.locator("xpath=ancestor::details/summary").click()
        page.locator("[name=mode][value=test]").check()
        page.locator("[name=test_event_code]").fill("!")
        _press(page, "form[action$=mode] .button.primary")

    def rule(page: Page) -> None:
        page.goto(_rule(store, "Purchase"))
        page.locator("[name=parts][value=tax]").uncheck()
        _press(page, "[value=preview]")

    def rule_fault(page: Page) -> None:
        page.goto(_rule(store, "Purchase"))
        page.locator("[name=hold_minutes]").fill("90")
        _press(page, "[value=preview]")

    def plan(page: Page, text: str, button: str) -> None:
        page.goto("/admin/settings/plan")
        page.locator("textarea").fill(text)
        _press(page, f"[value={button}]")

    def senders(page: Page) -> None:
        page.goto(f"{start}/senders/{shop.id}")
        for number, select in enumerate(page.locator("main select:not([name$='.id'])").all()):
            select.select_option(("same", "other", "off")[number % 3])
        _press(page, "[value=advise]")

    def consent(page: Page) -> None:
        page.goto(f"{start}/consent/{first.source_id}")
        page.locator("[name=unknown_optin]").select_option("send")
        _press(page, "[value=count]")

    def count(page: Page) -> None:
        page.goto("/admin/settings/data")
        page.locator("[name=email]").fill("klara.beispiel@example.com")
        _press(page, "[value=count]")

    def erase_fault(page: Page) -> None:
        page.goto("/admin/settings/data")
        page.locator("[name=phone]").fill("0221 5550123")
        _press(page, "[value=count]")

    def no_name(page: Page) -> None:
        page.goto(new)
        _without_checks(page)
        page.locator("[name=name]").fill("4711")
        _press(page, "main form .button.primary")

    def unsure(page: Page) -> None:
        page.goto(source)
        _without_checks(page)
        page.locator("main summary").last.click()
        _press(page, "form:has([name=sure]) .danger")

    def operator(page: Page) -> None:
        language = page.goto("/admin/settings/operators") and page.locator("html").get_attribute(
            "lang"
        )
        page.locator("[name=name]").fill(f"new-{language}")
        _press(page, "form[action$='/operators'] .primary")

    def account(page: Page) -> None:
        page.goto("/admin/settings")
        for name, value in (("current", "wrong"), ("password", "short"), ("again", "other")):
            page.locator(f"[name={name}]").fill(value)
        _press(page, "form[action$=password] .primary")

    def test_event(page: Page) -> None:
        page.goto(f"/admin/connections/destinations/{first.destination_id}")
        _press(page, "form[action$=test] .primary")

    yield "events.preview", toggles
    yield "events.code_missing", test_code
    yield "rule.preview", rule
    yield "rule.fault", rule_fault
    yield "plan.faults", lambda page: plan(page, "[purchase]\nhold_minute = 1\n[valu]\n", "check")
    yield "plan.preview", lambda page: plan(page, "[value]\ntax = false\n", "preview")
    yield "senders.advice", senders
    yield "consent.counted", consent
    yield "data.found", count
    yield "data.fault", erase_fault
    yield "new.fault", no_name
    yield "source.unsure", unsure
    yield "operators.added", operator
    yield "account.faults", account
    yield "dataset.tested", test_event


def _rule(store: Store, name: str) -> str:
    route = store.connections.routes()[0]
    return f"/admin/events/{route.source_id}/{route.destination_id}/event/{name}"


def _at(path: str) -> Stop:
    return lambda page: page.goto(path)


def _press(page: Page, button: str) -> None:
    """Press a button that leads to another page."""
    with page.expect_navigation():
        page.locator(button).first.click()


def _fill(page: Page, path: str, **values: str) -> None:
    page.goto(path)
    for name, value in values.items():
        page.locator(f"[name={name}]").fill(value)
    _press(page, "main form .primary")


def _set_up(page: Page, token: str, password: str) -> bool:
    page.goto("/setup")
    assert page.url.endswith("/setup"), page.url
    _without_checks(page)
    for name, value in (("token", token), ("name", "ada"), ("password", password)):
        page.locator(f"[name={name}]").fill(value)
    page.locator("[name=again]").fill(password)
    _press(page, "main form .primary")
    return not page.url.endswith("/setup")


def _without_token(page: Page, path: str) -> None:
    page.goto(path)
    _without_checks(page)
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(one => one.remove())")
    _press(page, "main form .primary")


def _without_checks(page: Page) -> None:
    """Let the server see what a browser would keep back."""
    page.evaluate("document.querySelectorAll('form').forEach(one => { one.noValidate = true })")
