"""``capi-bridge operator``: the way back in, from the machine itself."""

import pytest

from bridge.web.admin import passwords
from tests.bridge.cli.conftest import assert_one_sentence
from tests.stores import rows


@pytest.fixture
def owner(store):
    return store.accounts.set_up("anna", passwords.hashed("what anna once chose"))


def test_a_lost_password_is_replaced_and_all_sessions_end(cli, store, owner):
    session = store.accounts.open_session(owner.id, "Firefox, Linux")
    told = cli("operator", "reset", " Anna", "--json").json

    _, password_hash = store.accounts.operator("anna")
    assert passwords.matches(password_hash, told["password"])
    assert not passwords.matches(password_hash, "what anna once chose")
    assert store.accounts.session(session) is None
    assert rows(store, "audit", "actor", "action", "subject") == [
        ("cli", "operator.password", "anna")
    ]
    assert told["password"] not in str(rows(store, "audit"))


def test_the_new_password_is_printed_once_and_is_another_each_time(cli, owner):
    first, second = (cli("operator", "reset", "anna").out for _ in range(2))

    assert first.startswith("The new password of anna: ")
    assert first != second


def test_nobody_is_let_in_under_a_name_that_is_none(cli, owner):
    assert_one_sentence(cli("operator", "reset", "eve"), "eve", "operator list")


def test_a_list_shows_names_and_roles_and_no_hash(cli, store, owner):
    assert [(one["name"], one["role"]) for one in cli("operator", "list", "--json").json] == [
        ("anna", "owner")
    ]
    assert "argon2" not in cli("operator", "list").out
