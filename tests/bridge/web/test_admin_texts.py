"""What the pages say, in every language."""

import re
from pathlib import Path
from string import Formatter

import pytest

from bridge import registry
from bridge.web import admin
from bridge.web.admin import security, texts
from tests.fakes.browser import Browser

WEB = Path(admin.__file__).parents[1]
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
MODULES = sorted((WEB / "admin").rglob("*.py"))
IN_TEMPLATES = re.compile(r"""\bt\(\s*["']([^"']+)["']\s*(~)?""")
IN_MODULES = re.compile(r"""\b(?:text|tell)\(\s*"([^"]+)\"""")


@pytest.fixture
def browser(application):
    return Browser(application).signed_in()


def test_all_languages_have_the_same_keys():
    first, *others = (set(texts.texts(language)) for language in texts.LANGUAGES)

    for other in others:
        assert first ^ other == set()


def test_all_languages_fill_in_the_same_values():
    def names(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    english, french = texts.texts("en"), texts.texts("fr")
    assert {key for key in english if names(english[key]) != names(french[key])} == set()


def test_no_text_is_empty_or_left_untranslated():
    english, french = texts.texts("en"), texts.texts("fr")
    same = {key for key, text in english.items() if text == french[key] and len(text.split()) > 2}

    assert all(text.strip() for text in (*english.values(), *french.values()))
    assert same == set()


def test_templates_use_no_missing_key():
    known = texts.texts("en")
    missing = [
        f"{path.name}: {key}"
        for path in TEMPLATES
        for key, joined in IN_TEMPLATES.findall(path.read_text("utf-8"))
        if not (any(one.startswith(key) for one in known) if joined else key in known)
    ]

    assert missing == []
    assert len(TEMPLATES) > 5


def test_modules_use_no_missing_key():
    found = [
        (path.name, key)
        for path in MODULES
        for key in IN_MODULES.findall(path.read_text("utf-8"))
        if "." in key
    ]

    assert [one for one in found if one[1] not in texts.texts("en")] == []
    assert len(found) > 10


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_page_is_there_in_every_language(application, browser, language):
    app = application.flask
    title = texts.text(language, "base.settings")
    for rule in app.url_map.iter_rules():
        if rule.arguments or not security.role_of(app, rule.endpoint) or "GET" not in rule.methods:
            continue
        answer = browser.get(rule.rule, Accept_Language=f"{language};q=0.9,de")
        if answer.mimetype != "text/html" or answer.status_code >= 300:
            continue
        assert f'<html lang="{language}">' in answer.text, rule.rule
        assert title in answer.text, rule.rule


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("fr-CA,fr;q=0.9", "fr"), ("de,en;q=0.5", "en"), ("", "en"), ("xx", "en"), ("*;q=é", "en")],
)
def test_the_browsers_language_is_spoken_where_we_know_it(application, wanted, language):
    answer = Browser(application).get("/setup", Accept_Language=wanted)

    assert f'<html lang="{language}">' in answer.text


def test_a_language_that_was_chosen_stays(browser):
    answer = browser.post("/admin/language", language="fr", next="/admin/settings/log")

    assert answer.location == "/admin/settings/log"
    assert '<html lang="fr">' in browser.get("/admin/settings", Accept_Language="en").text


def test_a_language_that_we_do_not_know_is_not_kept(browser):
    browser.post("/admin/language", language="../../xx")

    assert '<html lang="en">' in browser.get("/admin/settings").text


def test_an_error_is_told_in_the_readers_language(browser):
    assert "Cette page n’existe pas." in browser.get("/admin/nothing", Accept_Language="fr").text


def test_a_word_that_nobody_wrote_a_text_for_stands_for_itself():
    assert texts.word("fr", "state", "sent") == "Envoyé"
    assert texts.word("fr", "state", "brand_new") == "brand_new"


SOURCES = [registry.source(kind) for kind in registry.source_kinds()]
ADAPTERS = [*SOURCES, *map(registry.destination, registry.destination_kinds())]
OTHERS = sorted(texts.LANGUAGES.keys() - {"en"})


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda one: one.kind)
def test_what_an_adapter_declares_is_there_in_every_language(adapter, language):
    for declared in adapter.settings:
        if declared.remembered:
            continue
        told = declared.in_language(language)
        assert told.label != declared.label, declared.name
        assert told.help != declared.help, declared.name
        for choice in declared.choices:
            assert f"choice.{choice}" in texts.texts(language)
    assert adapter.label.isalpha() or adapter.labels[language]  # one word is a name


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("adapter", SOURCES, ids=lambda one: one.kind)
def test_how_to_connect_is_told_in_every_language(adapter, language):
    url = "https://bridge.example/x"
    told = adapter.instructions(url, language)

    assert url in told
    assert told != adapter.instructions(url)
    assert adapter.instructions(url, "xx") == adapter.instructions(url)
    for sender in adapter.other_senders:
        assert {"en", language} <= sender.label.keys() & sender.switch.keys()


@pytest.mark.parametrize(("language", "told"), [("en", "Shop address"), ("fr", "Adresse de la")])
def test_a_form_speaks_the_readers_language(browser, language, told):
    page = browser.get(
        "/admin/connections/sources/new?kind=woocommerce&hand=1", Accept_Language=language
    )

    assert told in page.text


def test_one_is_told_as_one_where_there_is_a_text_for_it():
    assert texts.text("en", "data.found", count=1) == "One record was found."
    assert texts.text("en", "data.found", count=2) == "2 records were found."
    assert texts.text("en", "data.asked", count=1) == "Erasures under way: 1."


def test_no_line_of_french_begins_with_a_sign():
    found = texts.text("fr", "data.asked", count=2)

    assert found == "Effacements en cours\N{NO-BREAK SPACE}: 2."
