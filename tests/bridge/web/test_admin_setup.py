"""The first account: one token, one time."""

import threading

import pytest

from bridge import config
from bridge.web import Application
from bridge.web.admin import passwords
from bridge.web.admin.accounts import setup_notice
from tests.fakes.browser import PASSWORD, Browser
from tests.stores import SECRET_KEY, rows

TOKEN = "the-token-of-the-platform"


@pytest.fixture
def fresh(store, store_url):
    """Return an application whose SETUP_TOKEN is set, not set up yet."""
    environment = {"DATABASE_URL": store_url, "SECRET_KEY": SECRET_KEY, "SETUP_TOKEN": TOKEN}
    return Application(config.load(environment), store)


def set_up(browser, token=TOKEN, name="anna", password=PASSWORD, again=None):
    return browser.post(
        "/setup",
        csrf=browser.csrf("/setup"),
        token=token,
        name=name,
        password=password,
        again=password if again is None else again,
    )


def test_the_token_makes_the_first_owner_and_signs_in(fresh, store):
    browser = Browser(fresh)
    answer = set_up(browser, f" {TOKEN} ", "Anna")

    assert answer.status_code == 303
    assert browser.get("/admin/settings").status_code == 200
    assert rows(store, "operator", "name", "role") == [("anna", "owner")]
    assert rows(store, "audit", "actor", "action") == [("anna", "setup.done")]


def test_everything_leads_to_the_setup_until_it_is_done(fresh):
    browser = Browser(fresh)

    assert browser.get("/admin/settings").location == "/setup"
    assert browser.get("/admin/login").location == "/setup"


def test_afterwards_the_setup_is_dead(fresh, store):
    csrf = Browser(fresh).csrf("/setup")
    set_up(Browser(fresh))
    late = Browser(fresh)

    assert late.get("/setup").location == "/admin/login"
    csrf = late.csrf("/admin/login")
    answer = late.post(
        "/setup", csrf=csrf, token=TOKEN, name="eve", password=PASSWORD, again=PASSWORD
    )
    assert answer.location == "/admin/login"
    assert rows(store, "operator", "name") == ["anna"]


def test_of_two_who_set_up_at_once_one_wins(fresh, store):
    browsers = {name: Browser(fresh) for name in ("anna", "eve")}
    tokens = {name: browser.csrf("/setup") for name, browser in browsers.items()}
    barrier = threading.Barrier(2)

    def post(name):
        barrier.wait()
        form = {"token": TOKEN, "name": name, "password": PASSWORD, "again": PASSWORD}
        address = f"192.0.2.{len(name)}"
        browsers[name].post("/setup", csrf=tokens[name], address=address, **form)

    threads = [threading.Thread(target=post, args=(name,)) for name in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (winner,) = rows(store, "operator", "name")
    for name, browser in browsers.items():
        expected = 200 if name == winner else 303
        assert browser.get("/admin/settings").status_code == expected


@pytest.mark.parametrize("token", ["", "wrong", TOKEN.upper(), TOKEN + "x", "é", "\0"])
def test_a_wrong_token_makes_nobody(fresh, store, token):
    answer = set_up(Browser(fresh), token)

    assert answer.status_code == 422
    assert rows(store, "operator") == []
    assert TOKEN not in answer.text


def test_guessing_the_token_is_slow(fresh):
    browser = Browser(fresh)

    assert set_up(browser, "wrong").status_code == 422
    assert set_up(browser, "wrong").status_code == 429


@pytest.mark.parametrize(
    "password",
    [
        "zebra",
        "x" * 129,
        "passwordpassword",
        "Password123456!",
        "capi-bridge-2026",
        "111111111111",
        "anna-anna-anna",
        "qwertyuiop1234",
        "Admin Admin Admin",
    ],
)
def test_a_password_that_is_tried_first_is_refused(fresh, store, password):
    answer = set_up(Browser(fresh), password=password)

    assert answer.status_code == 422
    assert password not in answer.text
    assert rows(store, "operator") == []


@pytest.mark.parametrize(
    "password", ["correct horse battery", "ünï cödé påsswörd", "x7#kL!9qPz@2", "  spaces count  "]
)
def test_other_passwords_are_taken_as_they_are(password):
    assert passwords.fault(password, "anna") is None
    assert passwords.matches(passwords.hashed(password), password)
    assert not passwords.matches(passwords.hashed(password), password.strip() + "x")


def test_passwords_that_differ_are_told(fresh, store):
    answer = set_up(Browser(fresh), again="another password")

    assert "The two passwords differ." in answer.text
    assert rows(store, "operator") == []


@pytest.mark.parametrize("name", ["", "two words", "x" * 65, "a\x00b"])
def test_a_name_that_nobody_can_type_again_is_refused(fresh, store, name):
    answer = set_up(Browser(fresh), name=name)

    assert answer.status_code == 422
    assert rows(store, "operator") == []


def test_without_a_token_in_the_environment_one_is_made_and_told(application, store):
    notice = setup_notice(application.config, store)
    token = notice.rsplit(" ", 1)[1]

    assert "/setup" in notice
    assert setup_notice(application.config, store) == notice
    assert set_up(Browser(application), token).status_code == 303
    assert setup_notice(application.config, store) is None


def test_a_token_in_the_environment_is_not_told(fresh, store):
    assert TOKEN not in setup_notice(fresh.config, store)


def test_the_address_of_the_setup_becomes_the_installations(application, store):
    token = store.accounts.setup_token()
    set_up(Browser(application, "shop.example", "https"), token)

    assert store.accounts.public_url() == "https://shop.example"


def test_the_token_stands_on_no_page(fresh):
    browser = Browser(fresh)
    text = "".join(browser.get(path).text for path in ("/setup", "/admin/x", "/"))

    assert TOKEN not in text
