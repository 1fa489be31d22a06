"""No page shows a secret or a person: every page is read, every form is sent, canaries everywhere.

Pages are found by their links and by the list of all views, so that none can be forgotten.
"""

import contextlib
import itertools
import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from bridge import config, registry
from bridge.events import Request, Response, ShopError, VerificationError
from bridge.events.testing.recordings import find_cases, read_request
from bridge.receive import collect, receive
from bridge.store import Route
from bridge.translate import translate_due
from bridge.web import Application
from bridge.web.admin import passwords, security
from tests.bridge.translate.line import ANY_CONSENT, DELIVERIES, apply
from tests.fakes.browser import SECURE, Browser
from tests.stores import SECRET_KEY, rows

MARK = "zqcanary"
PERSONAL = {
    "email", "contact_email", "first_name", "last_name", "name_on_card", "company", "address1",
    "address2", "address_1", "address_2", "city", "latitude", "longitude", "browser_ip",
    "user_agent", "customer_ip_address", "customer_user_agent", "customer_note", "note",
    "phone", "landing_site", "referring_site", "birthday", "gender", "client_ip_address",
    "client_user_agent", "fbp", "fbc", "street", "billing_name", "display_name", "username",
}  # fmt: skip
PLACES = {"billing_address", "shipping_address", "billing", "shipping", "default_address"}
_numbers = itertools.count(1000)
# What a page shows does not depend on the engine, and there are many pages.
pytestmark = pytest.mark.parametrize("fresh_url", ["sqlite"], indirect=True)


def marked(value, name="", place=""):
    """Return a body in which whatever is of a person is a canary."""
    if isinstance(value, dict):
        return {key: marked(one, key, name) for key, one in value.items()}
    if isinstance(value, list):
        return [marked(one, name, place) for one in value]
    number = next(_numbers)
    if not isinstance(value, str) or not value:
        return value
    if name in {"zip", "postcode"}:
        return f"9{number}"
    if name in PERSONAL or (name == "name" and place in PLACES):
        if "email" in name:
            return f"{MARK}{number}@mail.example"
        if name == "phone":
            return f"+49171555{number}"
        if "site" in name:
            return f"https://shop.example/{MARK}{number}?email={MARK}{number}"
        return f"{MARK.capitalize()} {number}"
    return value


def settings_of(adapter):
    """Return settings of which every secret is a canary."""
    return {
        one.name: f"{MARK}secret{next(_numbers)}"
        for one in adapter.settings
        if one.secret or one.remembered
    }


@pytest.fixture
def application(store, store_url):
    environment = {
        "DATABASE_URL": store_url,
        "SECRET_KEY": SECRET_KEY,
        "SETUP_TOKEN": f"{MARK}-setup",
        "METRICS_TOKEN": f"{MARK}-metrics",
        "ALERT_WEBHOOK": f"https://hooks.example/{MARK}",
        "SMTP_URL": f"smtp+tls://user:{MARK}@mail.example:587",
        "ALERT_EMAIL": f"{MARK}@mail.example",
        "PUBLIC_URL": "https://bridge.example",
    }
    made = Application(config.load(environment), store)

    def refuse(_):
        raise ShopError("unreachable", "the shop is not reached")

    made.flask.config["SHOP_OF"] = refuse
    said = f"Malformed access token EAA{MARK} of {MARK}@mail.example"
    error = json.dumps({"error": {"code": 190, "message": said}}).encode()
    made.flask.config["POST"] = lambda _: Response(status=400, body=error)
    return made


@pytest.fixture
def lived(store):
    """Let every kind of shop tell all that was ever recorded, and much go wrong."""
    apply(store, ANY_CONSENT)
    values = {**settings_of(registry.destination("meta")), "dataset_id": "1"}
    end = store.connections.add_destination("meta", "dataset", values)
    modes = itertools.cycle(("live", "test", "shadow"))
    for kind in registry.source_kinds():
        source = store.connections.add_source(kind, kind, settings_of(registry.source(kind)), kind)
        store.connections.set_route(
            Route(source_id=source.id, destination_id=end.id, mode=next(modes), toggles={},
                  live_since=None, test_event_code="T1")
        )  # fmt: skip
        tell(store, source)
        said = {"visitor": {"keys": [f"cart:{MARK}"], "fbp": "fb.1.1.123", "consent": {}}}
        collect(
            store, source, json.dumps(said).encode(), address="203.0.113.9", agent=f"{MARK} agent"
        )
    while translate_due(store):
        pass
    store.connections.set_destination(end.id, state="parked", reason="token")
    store.watches.raise_alert("parked", "dataset", "dataset refuses our events (token).")
    return store


def tell(store, source):
    """Receive all recorded deliveries of the source's kind, told of people who are canaries."""
    adapter = registry.source(source.kind)
    for case in find_cases(DELIVERIES / source.kind):
        if "redact" in case.name or "uninstalled" in case.name:  # they end the story
            continue
        request = read_request(case)
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = json.dumps(marked(json.loads(request.body))).encode()
        except ValueError:
            body = request.body + MARK.encode()
        topic = next((value for name, value in headers.items() if name.endswith("topic")), "form")
        signed = adapter.sign(topic, body, source.settings)
        headers |= {name.lower(): value for name, value in signed.items()}
        with contextlib.suppress(VerificationError):
            receive(store, source, Request(headers=headers, body=body))


class Links(HTMLParser):
    """What a page leads to: addresses of links, and forms with their values."""

    def __init__(self, text):
        super().__init__()
        self.links, self.forms, self._select = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag in {"a", "link", "script"}:
            self.links.append(known.get("href") or known.get("src") or "")
        self.links += [known[name] for name in ("data-count",) if name in known]
        if tag == "form":
            self.forms.append((known.get("method", "get"), known.get("action", ""), {}))
        elif self.forms and tag in {"input", "select", "textarea", "button", "option"}:
            values = self.forms[-1][2]
            if tag == "select":
                self._select = known.get("name")
            elif tag == "option" and ("selected" in known or self._select not in values):
                values[self._select] = known.get("value", "")
            elif known.get("name") and (known.get("type") != "checkbox" or "checked" in known):
                values.setdefault(known["name"], known.get("value") or "")


def crawl(browser, store, found):
    """Read all pages from Home on into *found*; return the forms.

    Of stories and of lists by words one of each kind is read.
    """
    app = browser.application.flask
    wanted, seen, forms = ["/admin/"], set(), {}
    wanted += [
        rule.rule
        for rule in app.url_map.iter_rules()
        if security.role_of(app, rule.endpoint) and not rule.arguments and "GET" in rule.methods
    ]
    columns = ("source_id", "event_name", "state", "reason", "mode", "id")
    alike = {row[:-1]: row[-1] for row in rows(store, "outbox", *columns)}
    stories = {f"/admin/events/{row_id}" for row_id in alike.values()}
    while wanted:
        path = wanted.pop()
        is_like_another = "older=" in path or "?q=" in path or re.search(r"/events/\d+$", path)
        if path in seen or (is_like_another and path not in stories):
            continue
        seen.add(path)
        answer = browser.get(path)
        assert answer.status_code < 500, path
        found.append((path, answer))
        if answer.mimetype != "text/html":
            continue
        page = Links(answer.text)
        for link in page.links:
            target = urlsplit(urljoin(f"{browser.base_url}{path}", link))
            if target.netloc == urlsplit(browser.base_url).netloc:
                wanted.append(target.path + (f"?{target.query}" if target.query else ""))
        for method, action, values in page.forms:
            forms.setdefault((method, action or path), values)
    return forms


def told(answers):
    """Return which answers hold a canary, in their text, headers or address."""
    return [
        (path, text[max(0, place - 60) : place + 40])
        for path, answer in answers
        for text in [f"{path}\n{answer.headers}\n{answer.data.decode('latin-1')}"]
        for canary in (MARK, "49171555")
        if (place := text.lower().find(canary)) >= 0
    ]


def test_no_page_and_no_form_shows_a_secret_or_a_person(application, lived):
    owner = application.store.accounts.set_up("anna", passwords.hashed(f"{MARK} password"))
    browser = Browser(application, "bridge.example", "https").as_operator(owner)
    answers = []
    forms = crawl(browser, lived, answers)
    sent = 0
    csrf = browser.csrf()
    for (method, action), values in sorted(forms.items()):
        if method != "post" or action.endswith(("/logout", "/remove", "/end")):
            continue
        looking = {"do": "preview"} if "do" in values else {}
        answer = browser.client.post(
            action.partition("#")[0],
            base_url=browser.base_url,
            data={**values, **looking, "csrf_token": csrf},
            headers=SECURE,
            buffered=True,
        )
        assert answer.status_code < 500, action
        answers.append((action, answer))
        sent += 1

    assert told(answers) == []
    assert sent > 40
    app = application.flask
    ours = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and security.role_of(app, rule.endpoint)
    }
    adapter = app.url_map.bind("bridge.example")
    visited = {
        adapter.match(urlsplit(path).path, method=one.request.method)[0]
        for path, one in answers
        if one.status_code < 400
    }
    assert ours - visited == set()


def test_the_canaries_are_there_to_be_found(lived):
    """Else the test above would prove nothing."""
    kinds = set(rows(lived, "outbox", "event_name"))
    states = set(rows(lived, "outbox", "state"))
    source = lived.connections.source("shopify")

    assert kinds >= {"Purchase", "InitiateCheckout", "Lead"}
    assert states >= {"pending", "skipped"}
    assert "dead" in rows(lived, "delivery", "state")
    assert all(MARK in value for value in source.settings.values())
    bodies = [one.delivery.body for one in lived.subjects.last_raw(source.id, 100)]
    assert sum(MARK.encode() in body for body in bodies) > 10
