"""Forms made of declared settings, and the parts that pages are made of."""

import pytest
from flask import render_template_string

from bridge.events import Setting
from bridge.web.admin.forms import read_settings

DECLARED = (
    Setting(name="domain", label="Domain", help="Under <Settings>."),
    Setting(name="secret", label="Secret", secret=True, many=True),
    Setting(name="token", label="Token", secret=True, required=False),
    Setting(name="mode", label="Mode", required=False, choices=("a", "b"), default="b"),
    Setting(name="codes", label="Codes", required=False, many=True),
    Setting(name="scope", label="Scope", required=False, remembered=True),
)
KNOWN = {"domain": "a.example", "secret": "canary-secret", "scope": "canary-scope", "mode": "a"}


@pytest.fixture
def asked(application):
    """Enter a request, as a page is drawn in one."""
    with application.flask.test_request_context("/admin/settings"):
        yield


@pytest.fixture
def draw(asked):
    def drawn(source, **values):
        head = '{% import "admin/macros.html" as ui %}{% import "admin/charts.html" as charts %}'
        return render_template_string(head + source, **values)

    return drawn


def test_a_secret_left_empty_stays_as_it_is(asked):
    form = {"domain": " b.example ", "secret": "", "mode": "b", "codes": " x \n\n y ", "scope": "z"}
    values, errors = read_settings(DECLARED, form, KNOWN)

    assert errors == {}
    assert values == {
        "domain": "b.example",
        "secret": "canary-secret",
        "mode": "b",
        "codes": "x\ny",
        "scope": "canary-scope",  # no form may set what the adapter remembers
    }


def test_what_is_missing_or_wrong_is_told_by_name(asked):
    _, errors = read_settings(DECLARED, {"mode": "c"}, {})

    assert set(errors) == {"domain", "secret", "mode"}


def test_an_emptied_value_is_gone_and_a_new_secret_takes_the_place(asked):
    values, _ = read_settings(DECLARED, {"domain": "a", "secret": "new"}, {**KNOWN, "codes": "x"})

    assert "codes" not in values
    assert values["secret"] == "new"


def test_a_form_shows_no_secret_and_nothing_remembered(draw):
    text = draw("{{ ui.settings(declared, values) }}", declared=DECLARED, values=KNOWN)

    assert "canary" not in text
    assert 'value="a.example"' in text
    assert "Set. Leave empty to keep it." in text
    assert text.count("<option") == 2
    assert 'name="scope"' not in text


def test_a_secret_is_asked_for_only_where_there_is_none(draw):
    def field(values):
        text = draw("{{ ui.setting(one, values) }}", one=DECLARED[1], values=values)
        return text[text.index("<input") :]

    assert " required" in field({})
    assert " required" not in field(KNOWN)


def test_help_and_values_are_escaped(draw):
    text = draw(
        "{{ ui.settings(declared, values, errors) }}",
        declared=DECLARED,
        values={"domain": '"><script>'},
        errors={"domain": "<b>"},
    )

    assert "<script>" not in text
    assert "<b>" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(("value", "whole", "width"), [(0, 0, "0"), (1, 4, "25"), (4, 4, "100")])
def test_a_meter_shows_a_share(draw, value, whole, width):
    text = draw("{{ charts.meter(value, whole, 'x') }}", value=value, whole=whole)

    assert f'class="fill" width="{width}.00"' in text or f'class="fill" width="{width}' in text


def test_a_button_of_its_own_carries_the_token(draw):
    text = draw("{{ ui.post('/admin/x', 'Go', confirm='Sure?', hidden={'a': '1'}) }}")

    assert 'name="csrf_token"' in text
    assert 'data-confirm="Sure?"' in text
    assert '<input type="hidden" name="a" value="1">' in text


def test_badges_lamps_and_pages(draw):
    text = draw(
        "{{ ui.badge('sent') }}{{ ui.badge('brand_new') }}{{ ui.lamp('ok', 'Fine') }}"
        "{{ ui.pager(older='/x?before=1') }}{% call ui.empty('Nothing') %}<p>Do</p>{% endcall %}"
    )

    assert '<span class="badge is-sent">Sent</span>' in text
    assert "brand_new</span>" in text
    assert 'href="/x?before=1"' in text
    assert "Newer" not in text
    assert "<p>Do</p>" in text
