"""Signatures: right ones match, nothing else does, and nothing raises."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import fingerprint, hmac_matches, hmac_sha256_base64, split_secrets

BODY = b'{"id":7}'


def test_a_signature_is_base64_of_hmac_sha256():
    digest = hmac.new(b"hush", BODY, hashlib.sha256).digest()

    assert hmac_sha256_base64("hush", BODY) == base64.b64encode(digest).decode()


@pytest.mark.parametrize("secrets", [["hush"], ["old", "hush"], ["hush", "old"]])
def test_a_signature_under_any_of_the_secrets_matches(secrets):
    assert hmac_matches(secrets, BODY, hmac_sha256_base64("hush", BODY))


def test_no_secrets_match_nothing():
    assert not hmac_matches([], BODY, hmac_sha256_base64("", BODY))


def test_an_empty_secret_matches_nothing():
    assert not hmac_matches(["", "hush"], BODY, hmac_sha256_base64("", BODY))


def test_another_spelling_of_the_same_bytes_does_not_match():
    signature = hmac_sha256_base64("hush", BODY)

    for other in (signature + "=", signature + "\n", " " + signature, signature.rstrip("=")):
        assert not hmac_matches(["hush"], BODY, other)


@given(st.none() | st.text(st.characters(codec=None)))
def test_no_invented_signature_matches_or_raises(signature):
    assert not hmac_matches(["hush", "old"], BODY, signature)


@given(st.binary(max_size=64), st.integers(min_value=0))
def test_a_changed_bit_breaks_the_signature(body, bit):
    signature, changed = hmac_sha256_base64("hush", body), bytearray(body or b"\0")
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8

    assert not hmac_matches(["hush"], bytes(changed), signature)


def test_secrets_stand_one_a_line_and_blank_lines_count_for_nothing():
    assert split_secrets("new\r\n\n  \nold\n") == ["new", "old"]
    assert split_secrets("") == []


def test_a_fingerprint_is_lower_hex_and_tells_parts_apart():
    assert fingerprint(b"topic", b"body") == hashlib.sha256(b"topic\0body").hexdigest()
    assert fingerprint(b"a", b"bc") != fingerprint(b"ab", b"c")
