"""``capi-bridge erase``: an operator forgets a person, and sees before how much there is."""

import json

import pytest
from click.testing import CliRunner

from bridge.cli import cli, privacy
from bridge.events import ConfigError
from tests.bridge.care.people import ANN, JOANN, left_of, live
from tests.bridge.translate.conftest import *  # noqa: F403  fixtures
from tests.bridge.translate.line import connect
from tests.stores import rows


@pytest.fixture
def line(memory, monkeypatch):
    monkeypatch.setattr(privacy, "open_store", lambda: memory)
    line = connect(memory, "shopify")
    live(line)
    return line


def erase(*arguments):
    """Return what the command prints; its errors are raised."""
    result = CliRunner().invoke(cli, ["erase", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize(
    "who",
    [
        ("--email", ANN.email),
        ("--email", f" {ANN.email.upper()} "),
        ("--phone", ANN.e164),
        ("--phone", "+49 (0)171 / 555-98-76"),
        ("--customer", str(ANN.customer_id), "--source", "shop"),
        ("--email", ANN.email, "--source", "shop"),
    ],
)
def test_a_person_is_erased(line, who):
    assert erase(*who) == "4 records erased\n"
    assert left_of(line.store, ANN) == []
    assert left_of(line.store, JOANN) == JOANN.words()


def test_a_dry_run_counts_the_same_and_changes_nothing(line):
    told = json.loads(erase("--email", ANN.email, "--dry-run", "--json"))

    assert told == {"records": 4, "erased": False}
    assert left_of(line.store, ANN) == ANN.words()
    assert rows(line.store, "audit") == []
    assert json.loads(erase("--email", ANN.email, "--json")) == {"records": 4, "erased": True}


def test_a_script_reads_how_many(line):
    assert erase("--email", "nobody@mail.example", "--dry-run") == "0 records found\n"


def test_the_audit_names_nobody(line):
    erase("--email", ANN.email)
    erase("--phone", ANN.e164, "--source", "shop")

    assert rows(line.store, "audit", "actor", "action", "subject", "detail") == [
        ("cli", "privacy.erased", "everywhere", "4 records"),
        ("cli", "privacy.erased", "shop", "0 records"),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say who, by --email, --phone or --customer"),
        (("--email", " "), "say who"),
        (("--customer", "7"), "--customer needs --source"),
        (("--phone", "0171 555 98 76"), "lacks its country code"),
        (("--phone", "0049 171 555 98 76"), "lacks its country code"),
        (("--phone", "ann"), "is no number"),
        (("--email", "a@b.example", "--source", "other"), "there is none named other"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_erased(line, arguments, sentence):
    with pytest.raises(ConfigError, match=sentence):
        erase(*arguments)
    assert left_of(line.store, ANN) == ANN.words()


def test_an_error_does_not_repeat_whom_it_was_about(line):
    with pytest.raises(ConfigError) as told:
        erase("--phone", "0171 555 98 76")

    assert "555" not in str(told.value)
