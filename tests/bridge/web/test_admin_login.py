"""Signing in and out, and what guessing gets."""

import pytest

from tests.fakes.browser import PASSWORD, TOKEN, Browser
from tests.stores import rows

LOGIN = "/admin/login"


@pytest.fixture
def anna(application):
    """Return the browser of a signed-in owner whose password is PASSWORD."""
    return Browser(application).signed_in(name="anna", password=PASSWORD)


@pytest.fixture
def browser(application, anna):
    return Browser(application)


def sign_in(browser, name="anna", password=PASSWORD, **more):
    return browser.post(LOGIN, csrf=browser.csrf(LOGIN), name=name, password=password, **more)


def test_the_right_password_opens_the_admin(browser, store):
    answer = sign_in(browser, name=" Anna ")

    assert answer.status_code == 303
    assert browser.get("/admin/settings").status_code == 200
    assert rows(store, "audit", "actor", "action")[-1] == ("anna", "login.done")


def test_a_session_begins_under_a_new_token(browser, anna, store):
    browser.get(LOGIN)
    planted = browser.token
    sign_in(browser)

    assert planted
    assert browser.token != planted
    victim = Browser(browser.application)
    victim.carry(planted)
    assert victim.get("/admin/settings").status_code == 303


def test_a_planted_token_of_a_strangers_choice_is_not_kept(browser):
    browser.carry("x" * 43)
    sign_in(browser)

    assert browser.token != "x" * 43


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "é" * 43, "../" * 20, "x" * 3000])
def test_a_made_up_token_is_nobody(browser, token):
    browser.carry(token)

    assert browser.get("/admin/settings").status_code == 303


def test_the_cookie_is_for_this_site_and_no_script(browser):
    cookie = browser.get(LOGIN).headers["Set-Cookie"]

    assert cookie.startswith("session=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_bound_to_the_host(application, anna):
    browser = Browser(application, "localhost", "https")
    cookie = browser.get(LOGIN).headers["Set-Cookie"]

    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_an_unknown_name_is_answered_like_a_wrong_password(application, anna, store):
    answers = []
    for name in ("anna", "nobody"):
        browser = Browser(application)
        answer = sign_in(browser, name, "wrong password")
        text = TOKEN.sub("", answer.text)  # another one each second
        answers.append((answer.status_code, text.replace(f'value="{name}"', "")))
    assert [status for status, _ in answers] == [401, 401]
    assert len({text for _, text in answers}) == 1
    assert rows(store, "audit", "action", "subject")[-2:] == [
        ("login.failed", "anna"),
        ("login.failed", "unknown"),  # what was typed may be a password
    ]


def test_an_unknown_name_costs_a_hash_too(application, anna, monkeypatch):
    from bridge.web.admin import passwords

    verified = []
    real = passwords._hasher.verify

    class Counting:
        def verify(self, password_hash, password):
            verified.append(password_hash)
            return real(password_hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    sign_in(Browser(application), "nobody", "wrong password")

    (password_hash,) = verified
    assert "m=19456,t=2,p=1" in password_hash


def test_after_a_failure_even_the_right_password_waits_and_then_works(browser, clock):
    sign_in(browser, password="wrong password")
    early = sign_in(browser)
    clock.move(1)

    assert early.status_code == 429
    assert early.headers["Retry-After"] == "2"
    assert sign_in(browser).status_code == 303


def test_an_address_may_try_ten_times_a_minute_whatever_the_names(application, anna, clock):
    browser = Browser(application)
    statuses = [
        sign_in(browser, f"name{number}", "x", address=f"2001:db8::{number}").status_code
        for number in range(1, 12)
    ]

    assert statuses == [401] * 10 + [429]  # one household has a whole /64
    assert sign_in(browser, "name12", "x", address="2001:db8:0:1::1").status_code == 401


def test_guessing_from_elsewhere_does_not_keep_the_owner_waiting(application, browser, clock):
    sign_in(browser, address="192.0.2.1")
    for number in range(8):
        sign_in(Browser(application), password="guess", address=f"198.51.100.{number}")
        clock.move(60)
    sign_in(Browser(application), password="guess", address="198.51.100.99")

    assert sign_in(Browser(application), address="192.0.2.1").status_code == 303
    assert sign_in(Browser(application), address="192.0.2.2").status_code == 429


def test_a_sign_out_ends_all_sessions_of_the_operator(application, anna, browser, store):
    sign_in(browser)
    old = browser.token
    browser.post("/admin/logout")

    assert rows(store, "session") == []
    assert browser.token != old
    assert anna.get("/admin/settings").status_code == 303
    browser.carry(old)
    assert browser.get("/admin/settings").status_code == 303


def test_after_the_sign_in_one_is_led_where_one_wanted_to_go(browser):
    wanted = browser.get("/admin/settings/log?before=7").location
    answer = browser.get(wanted)

    assert 'name="next" value="/admin/settings/log?before=7"' in answer.text
    assert sign_in(browser, next="/admin/settings/log?before=7").location == (
        "/admin/settings/log?before=7"
    )


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example",
        "/admin@evil.example",
        "/administrator",
        "javascript:alert(1)",
        "/admin/\r\nSet-Cookie: a=b",
    ],
)
def test_nobody_is_led_to_another_site(browser, wanted):
    answer = sign_in(browser, next=wanted)

    assert answer.status_code == 303
    assert answer.location.startswith("/admin/")
    assert "evil" not in answer.location
    assert "\n" not in answer.location


def test_who_is_signed_in_is_not_asked_again(anna):
    assert anna.get(LOGIN).status_code == 303


def test_a_password_changed_elsewhere_ends_the_session(anna, store):
    (operator,) = store.accounts.operators()
    store.accounts.set_password(operator.id, "other hash")

    assert anna.get("/admin/settings").status_code == 303


def test_a_refreshing_page_keeps_nobody_signed_in(anna, clock):
    for _ in range(3):
        clock.move(50 * 60)
        anna.get("/admin/settings", X_Live="1")

    assert anna.get("/admin/settings").status_code == 303
