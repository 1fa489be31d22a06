"""Encryption at rest: a sealed value opens at its place, under its key, whole, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import ConfigError
from bridge.secrets import DamagedError, Vault, keyed_hash

OLD = "the old key of thirty-two characters"
NEW = "the new key of thirty-two characters"
vault = Vault(NEW)


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_unchanged(value):
    assert vault.open(vault.seal(value, "delivery"), "delivery") == value


def test_the_same_value_is_never_sealed_twice_alike():
    sealed = {vault.seal(b"value", "delivery") for _ in range(100)}

    assert len(sealed) == 100
    assert not [one for one in sealed if b"value" in one]


def test_a_value_that_was_moved_to_another_place_does_not_open():
    with pytest.raises(DamagedError, match="damaged"):
        vault.open(vault.seal(b"value", "delivery"), "payload")


@pytest.mark.parametrize("at", [5, 12, 17, 20, -1])
def test_a_changed_byte_is_damage(at):
    sealed = bytearray(vault.seal(b"canary", "delivery"))
    sealed[at] ^= 1

    with pytest.raises(DamagedError) as caught:
        vault.open(bytes(sealed), "delivery")
    assert "canary" not in repr(caught.value)


@pytest.mark.parametrize("length", range(0, 35, 2))
def test_a_value_that_was_cut_is_damage(length):
    with pytest.raises(DamagedError):
        vault.open(vault.seal(b"", "delivery")[: min(length, 32)], "delivery")


def test_what_was_sealed_under_the_previous_key_opens_after_a_rotation():
    sealed = Vault(OLD).seal(b"value", "delivery")
    rotated = Vault(NEW, [OLD])

    assert rotated.open(sealed, "delivery") == b"value"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal(b"value", "delivery"))
    assert Vault(NEW).open(rotated.seal(b"value", "delivery"), "delivery") == b"value"


def test_a_key_given_twice_is_still_the_current_one():
    assert Vault(NEW, [NEW, OLD]).is_current(vault.seal(b"", "delivery"))


def test_an_unknown_key_is_named_as_such_and_is_no_damage():
    with pytest.raises(ConfigError, match="SECRET_KEY_PREVIOUS") as caught:
        vault.open(Vault(OLD).seal(b"value", "delivery"), "delivery")

    assert not isinstance(caught.value, DamagedError)


def test_a_key_may_hold_any_characters():
    odd = "ключ 🔑 with spaces " + b"\xff\xfe".decode("utf-8", "surrogateescape") * 10

    assert Vault(odd).open(Vault(odd).seal(b"value", "x"), "x") == b"value"


def test_a_vault_shows_no_key():
    shown = repr(vault) + str(vault) + repr(vars(vault))

    assert NEW not in shown
    assert vault.key_id != NEW.encode()[:4]


@given(st.lists(st.text(st.characters(), max_size=20), max_size=4))
def test_a_keyed_hash_is_the_same_every_time_and_needs_the_key(parts):
    assert keyed_hash(b"k" * 32, *parts) == keyed_hash(b"k" * 32, *parts)
    assert keyed_hash(b"k" * 32, *parts) != keyed_hash(b"j" * 32, *parts)
    assert len(keyed_hash(b"k" * 32, *parts)) == 16


def test_a_keyed_hash_tells_its_parts_apart_and_takes_half_characters():
    key = b"k" * 32
    seen = {
        keyed_hash(key, *parts)
        for parts in [("ab", "c"), ("a", "bc"), ("abc",), ("", "abc"), ("\ud83d",), ("?",)]
    }

    assert len(seen) == 6
