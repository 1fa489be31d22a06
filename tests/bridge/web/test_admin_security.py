"""What stands in front of every page: roles, tokens, hosts, origins, headers."""

import re

import pytest

from bridge import config
from bridge.web import Application
from bridge.web.admin import current, security
from tests.fakes.browser import Browser
from tests.stores import SECRET_KEY, rows

FORGED = "a-token-that-nobody-gave"


@pytest.fixture
def browser(application):
    return Browser(application).signed_in()


@pytest.fixture
def public(store, store_url):
    """Return the application as it runs at an address of its own, behind a proxy."""
    environment = {
        "DATABASE_URL": store_url,
        "SECRET_KEY": SECRET_KEY,
        "PUBLIC_URL": "https://bridge.example",
    }
    return Application(config.load(environment), store)


def routes(application):
    """Yield (path, method, endpoint, role) of every rule; None for machines' own doors."""
    app = application.flask
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<int:\w+>", "999999", rule.rule)
        path = re.sub(r"<[\w:]+>", "x", path)
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            role = security.role_of(app, rule.endpoint)
            yield path, method, rule.endpoint, role


def test_every_view_names_its_role_or_is_for_machines(application):
    unnamed = {endpoint for _, _, endpoint, role in routes(application) if role is None}

    assert {name.split(".")[0] for name in unnamed} <= {"static", *security.OPEN}


def test_the_views_that_anybody_may_see_are_these(application):
    found = {endpoint for _, _, endpoint, role in routes(application) if role == security.ANYONE}

    assert found == {
        "root.index",
        "accounts.setup",
        "accounts.set_up",
        "accounts.login",
        "accounts.log_in",
        "accounts.language",
    }


@pytest.mark.parametrize("role", [None, *current.ROLES])
def test_nobody_gets_further_than_the_role_allows(application, role):
    browser = Browser(application)
    if role:
        browser.signed_in(role)
    else:
        application.store.accounts.set_up("anna", "no hash")
    wrong = []
    csrf = browser.csrf("/admin/settings")
    for path, method, endpoint, needed in routes(application):
        if needed not in current.ROLES or endpoint == "accounts.logout":
            continue
        allowed = role is not None and current.ROLES.index(role) >= current.ROLES.index(needed)
        if allowed and method != "GET":
            continue  # what it does is for the page's own tests
        answer = browser.get(path) if method == "GET" else browser.post(path, csrf=csrf)
        if role is None:
            refused = answer.status_code == 303 and "/admin/login" in answer.location
        else:
            refused = answer.status_code == 403
        if refused is allowed or answer.status_code == 500:
            wrong.append((path, method, answer.status))

    assert wrong == []


def test_a_reader_changes_only_what_is_their_own(application):
    """A view that changes something and asks for too low a role would pass every other test."""
    changing = {
        (endpoint, role)
        for _, method, endpoint, role in routes(application)
        if method != "GET" and role in current.ROLES
    }

    assert {endpoint for endpoint, role in changing if role == "reader"} == {
        "accounts.logout",
        "settings.account.password",
        "settings.account.end_session",
    }
    assert {endpoint for endpoint, role in changing if role == "owner"} == {
        endpoint for endpoint, _ in changing if endpoint.startswith("settings.operators.")
    }


def test_only_pages_are_read_and_only_forms_change(application):
    methods = {method for _, method, endpoint, _ in routes(application) if "." in endpoint}

    assert methods <= {"GET", "POST"}


def test_reading_changes_nothing(application, browser, store):
    def everything():
        return {
            table: rows(store, table)
            for table in ("setting", "operator", "session", "audit", "plan", "source", "route")
        }

    for path, method, *_ in routes(application):
        if method == "GET":
            before = everything()
            browser.get(path)
            assert everything() == before, path


@pytest.mark.parametrize("csrf", ["", FORGED])
def test_a_form_without_its_token_changes_nothing(browser, store, csrf):
    answer = browser.post("/admin/settings/operators", csrf=csrf, name="eve", role="owner")

    assert answer.status_code == 400
    assert rows(store, "operator", "name") == ["owner"]


def test_the_token_of_another_session_is_refused(application, browser, store):
    other = Browser(application).signed_in("reader")
    answer = browser.post("/admin/settings/operators", csrf=other.csrf(), name="eve", role="owner")

    assert answer.status_code == 400
    assert "eve" not in rows(store, "operator", "name")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
def test_another_sites_page_changes_nothing_even_with_a_token(browser, store, headers):
    answer = browser.post("/admin/logout", headers=headers)

    assert answer.status_code == 403
    assert len(rows(store, "session")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "null"},
        {},
    ],
)
def test_our_own_page_is_let_through(browser, store, headers):
    answer = browser.post("/admin/logout", headers=headers)

    assert answer.status_code == 303
    assert rows(store, "session") == []


@pytest.mark.parametrize("host", ["evil.example", "bridge.example.evil.example", "10.0.0.7:8080"])
def test_a_foreign_host_is_refused_before_anything_is_read(public, host):
    Browser(public).signed_in()
    stranger = Browser(public, host, "https")

    for path in ("/", "/setup", "/admin/login", "/admin/settings"):
        answer = stranger.get(path)
        assert answer.status_code == 400
        assert "evil" not in answer.text


@pytest.mark.parametrize("host", ["bridge.example", "localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_our_own_hosts_are_served(public, host):
    Browser(public).signed_in()

    assert Browser(public, host, "https").get("/admin/login").status_code == 200


def test_machines_are_served_under_any_name(public):
    assert Browser(public, "10.0.0.7").get("/healthz").status_code == 200


def test_before_the_setup_any_name_over_https_is_ours_and_then_the_one_that_was_used(application):
    assert Browser(application, "a.example", "https").get("/setup").status_code == 200
    assert Browser(application, "a.example", "http").get("/setup").status_code == 400
    application.store.accounts.set_up("anna", "hash", "https://a.example")

    assert Browser(application, "a.example", "https").get("/admin/login").status_code == 200
    assert Browser(application, "b.example", "https").get("/admin/login").status_code == 400


def test_every_answer_has_the_headers(application, browser, store):
    """Of every address and every method, whoever asks: pages, files, refusals, machines' doors."""
    source = store.connections.add_source("shopify", "shop", {"secret": "hush"})
    asked = [(path, method) for path, method, *_ in routes(application)]
    asked += [
        (path, method)
        for path in (
            "/admin/nothing",
            "/admin/nothing/",
            "//admin//settings",
            "/static/nothing.css",
            f"/webhooks/{source.webhook_key}",
            "/webhooks/nothing",
            f"/collect/{source.collect_key}",
            f"/collect/{source.collect_key}.js",
        )
        for method in ("GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS")
    ]
    wrong = []
    statuses = set()
    for who in (Browser(application), browser):
        for path, method in asked:
            if (path, method) == ("/admin/logout", "POST"):
                continue
            answer = who.client.open(path, method=method, base_url=who.base_url, buffered=True)
            statuses.add(answer.status_code)
            lacking = security.HEADERS.items() - answer.headers.items()
            kept = answer.headers.get("Cache-Control") == "no-store"
            is_file = path.startswith("/static/") or path.endswith(".js")
            if lacking or not (kept or is_file):
                wrong.append((path, method, answer.status_code, lacking))

    assert wrong == []
    assert statuses >= {200, 204, 303, 400, 401, 404, 405}


def test_the_policy_lets_nothing_of_others_and_nothing_inline_run():
    assert security.POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in security.POLICY
    for part in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in security.POLICY
    assert security.HEADERS["X-Content-Type-Options"] == "nosniff"
    assert security.HEADERS["Referrer-Policy"] == "no-referrer"
    assert security.HEADERS["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", ["//evil.example/admin", "//admin//settings", "/admin//login"])
def test_no_spelling_of_a_path_leads_to_the_host_that_was_named(public, path):
    for host in ("evil.example", "bridge.example"):
        answer = Browser(public, host, "https").client.open(
            "/", base_url=f"https://{host}", environ_overrides={"PATH_INFO": path}
        )

        assert answer.status_code in {400, 404}
        assert "Location" not in answer.headers


def test_https_is_remembered_only_where_it_is_spoken(public):
    plain = Browser(public, "localhost").get("/setup")
    secure = Browser(public, "bridge.example", "https").get("/setup")
    behind_a_proxy = Browser(public, "bridge.example", "http").get("/setup")

    assert "Strict-Transport-Security" not in plain.headers
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
    assert "__Host-session=" in behind_a_proxy.headers["Set-Cookie"]


def test_no_page_holds_a_script_or_a_style_of_its_own(application, browser):
    for path, method, *_ in routes(application):
        if method == "GET" and path.startswith(("/admin", "/setup")):
            text = browser.get(path).text
            assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", text), (
                path
            )


def test_a_fault_shows_a_number_and_nothing_of_the_program(application, store, caplog):
    @security.needs("reader")
    def broken():
        raise RuntimeError("canary-secret of jane@example.com")

    application.flask.add_url_rule("/admin/broken", "root.broken", broken)
    answer = Browser(application).signed_in().get("/admin/broken")

    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    (record,) = [one for one in caplog.records if one.getMessage() == "web.fault"]
    assert record.request == answer.headers["X-Request-Id"]
    assert "canary" not in str(vars(record))


def test_a_view_that_names_no_role_answers_nobody(application):
    application.flask.add_url_rule("/admin/forgotten", "forgotten", lambda: "secret")

    answer = Browser(application).signed_in().get("/admin/forgotten")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_large_form_is_refused(browser):
    answer = browser.post("/admin/settings/plan", text="x" * 2_000_000, do="check")

    assert answer.status_code == 413
