"""Operators, sessions, attempts to sign in: the tables behind the admin's door."""

import contextlib
import threading

import pytest

from bridge.events import ConfigError
from tests.stores import SECOND, START, rows

HOUR = 3600


@pytest.fixture
def owner(store):
    return store.accounts.set_up("anna", "hash")


def test_the_setup_happens_once(store, owner):
    with pytest.raises(ConfigError, match="there is an owner already"):
        store.accounts.set_up("eve", "hash")

    assert [(one.name, one.role) for one in store.accounts.operators()] == [("anna", "owner")]


def test_of_two_setups_at_once_one_wins(store):
    barrier, won = threading.Barrier(2), []

    def set_up(name):
        barrier.wait()
        with contextlib.suppress(ConfigError):
            won.append(store.accounts.set_up(name, "hash").name)

    threads = [threading.Thread(target=set_up, args=(name,)) for name in ("anna", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert [one.name for one in store.accounts.operators()] == won


def test_the_setup_token_is_made_once_kept_sealed_and_forgotten(store):
    token = store.accounts.setup_token()

    assert store.accounts.setup_token() == token
    assert len(token) >= 24
    assert all(token.encode() not in value for value in rows(store, "setting", "value"))
    store.accounts.set_up("anna", "hash")
    assert "setup_token" not in rows(store, "setting", "name")


def test_the_address_of_the_setup_is_kept(store):
    assert store.accounts.public_url() == ""
    store.accounts.set_up("anna", "hash", "https://bridge.example")

    assert store.accounts.public_url() == "https://bridge.example"


def test_a_name_is_taken_once(store, owner):
    with pytest.raises(ConfigError, match="is taken"):
        store.accounts.add_operator("anna", "reader", "other hash")

    found = store.accounts.operator("anna")
    assert found == (owner, "hash")
    assert store.accounts.operator("nobody") is None


def test_the_last_owner_stays_one(store, owner):
    other = store.accounts.add_operator("ben", "operator", "hash")
    for act in (
        lambda: store.accounts.remove_operator(owner.id),
        lambda: store.accounts.set_role(owner.id, "reader"),
    ):
        with pytest.raises(ConfigError, match="last owner"):
            act()

    store.accounts.set_role(other.id, "owner")
    store.accounts.remove_operator(owner.id)
    assert [(one.name, one.role) for one in store.accounts.operators()] == [("ben", "owner")]


def test_only_a_hash_of_a_session_is_kept(store, owner):
    token = store.accounts.open_session(owner.id, "Firefox, Linux")

    found = store.accounts.session(token)
    assert found is not None
    assert (found.operator, found.agent, found.created_at) == (owner, "Firefox, Linux", START)
    assert len(token) >= 43  # 256 random bits
    assert token.encode() not in rows(store, "session", "token_hash")[0]
    assert store.accounts.session("x" * 43) is None


def test_a_session_ends_after_two_idle_hours(store, owner, clock):
    token = store.accounts.open_session(owner.id, "")
    clock.move(2 * HOUR - 1)
    assert store.accounts.session(token)
    clock.move(2 * HOUR - 1)
    assert store.accounts.session(token)
    clock.move(2 * HOUR + 1)

    assert store.accounts.session(token) is None
    assert store.accounts.sessions(owner.id) == []


def test_a_session_ends_after_twelve_hours_of_use(store, owner, clock):
    token = store.accounts.open_session(owner.id, "")
    for _ in range(12):
        assert store.accounts.session(token)
        clock.move(HOUR)
    clock.move(1)

    assert store.accounts.session(token) is None


def test_a_page_that_refreshes_itself_keeps_no_session_alive(store, owner, clock):
    token = store.accounts.open_session(owner.id, "")
    for _ in range(4):
        clock.move(HOUR / 2)
        assert store.accounts.session(token, touch=False)
    clock.move(1)

    assert store.accounts.session(token, touch=False) is None


def test_old_sessions_are_deleted_when_a_new_one_begins(store, owner, clock):
    store.accounts.open_session(owner.id, "")
    clock.move(13 * HOUR)
    store.accounts.open_session(owner.id, "")

    assert len(rows(store, "session")) == 1


def test_a_session_is_ended_by_its_operator_alone(store, owner):
    other = store.accounts.add_operator("ben", "owner", "hash")
    token = store.accounts.open_session(owner.id, "")
    (mine,) = store.accounts.sessions(owner.id)

    assert not store.accounts.end_session(other.id, mine.id)
    assert store.accounts.session(token)
    assert store.accounts.end_session(owner.id, mine.id)
    assert store.accounts.session(token) is None


@pytest.mark.parametrize("what", ["password", "role", "removal", "sign-out"])
def test_a_change_of_an_account_ends_its_sessions_and_no_others(store, owner, what):
    ben = store.accounts.add_operator("ben", "operator", "hash")
    tokens = [store.accounts.open_session(ben.id, "") for _ in range(2)]
    other = store.accounts.open_session(owner.id, "")
    {
        "password": lambda: store.accounts.set_password(ben.id, "new"),
        "role": lambda: store.accounts.set_role(ben.id, "reader"),
        "removal": lambda: store.accounts.remove_operator(ben.id),
        "sign-out": lambda: store.accounts.end_sessions(ben.id),
    }[what]()

    assert [store.accounts.session(token) for token in tokens] == [None, None]
    assert store.accounts.session(other)


def test_each_failure_doubles_the_wait_up_to_a_minute(store, clock):
    waits = []
    for number in range(9):
        assert store.accounts.attempt(b"account", b"address %d" % number) == 0
        waits.append(store.accounts.attempt(b"account", b"other") // SECOND)
        clock.move(waits[-1])

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_attempts_made_too_early_do_not_lengthen_the_wait(store, clock):
    store.accounts.attempt(b"account", b"address")
    for _ in range(50):
        store.accounts.attempt(b"account", b"address")
    clock.move(1)

    assert store.accounts.attempt(b"account", b"address") == 0


def test_a_success_forgets_the_failures(store, clock):
    for _ in range(5):
        store.accounts.attempt(b"account", b"address")
        clock.move(60)
    store.accounts.succeeded(b"account", b"known")
    store.accounts.attempt(b"account", b"address")

    assert store.accounts.attempt(b"account", b"address") == SECOND
    assert store.accounts.knows(b"known")
    assert not store.accounts.knows(b"other")


def test_an_address_has_ten_attempts_a_minute_at_any_accounts(store, clock):
    waits = [store.accounts.attempt(b"account %d" % number, b"one") for number in range(11)]

    assert waits == [0] * 10 + [60 * SECOND]
    assert store.accounts.attempt(b"account 20", b"two") == 0
    clock.move(61)
    assert store.accounts.attempt(b"account 21", b"one") == 0


def test_a_month_later_an_address_is_no_longer_known(store, clock):
    store.accounts.succeeded(b"account", b"known")
    clock.move(30 * 24 * HOUR + 1)

    assert not store.accounts.knows(b"known")


def test_parallel_attempts_are_counted_one_by_one(store):
    barrier, waits = threading.Barrier(4), []

    def attempt():
        barrier.wait()
        waits.append(store.accounts.attempt(b"account", b"address"))

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waits) == [0, SECOND, SECOND, SECOND]
