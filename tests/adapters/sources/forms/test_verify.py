"""Forms: the signature is over the raw body, the topic a mere label."""

import hashlib
import hmac

import pytest

from adapters.sources.forms import adapter
from bridge.events import Request, VerificationError

BODY = b'{"event_name": "Lead"}'
SETTINGS = {"secret": "new\nold"}


def request(signature: str, **headers: str) -> Request:
    return Request(headers={"X-Bridge-Signature": signature, **headers}, body=BODY)


def signed(secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("secret", ["new", "old"])
def test_any_of_the_secrets_will_do(secret):
    assert adapter.verify(request(signed(secret)), SETTINGS).body == BODY


def test_hex_digits_may_be_in_upper_case():
    assert adapter.verify(request(signed("new").upper()), SETTINGS).body == BODY


@pytest.mark.parametrize(
    "signature", ["", "sha256=", signed("new").removeprefix("sha256="), signed(""), signed("x")]
)
def test_what_is_not_signed_is_refused(signature):
    with pytest.raises(VerificationError):
        adapter.verify(request(signature), SETTINGS)


@pytest.mark.parametrize("secrets", ["", "\n", "  \n"])
def test_without_a_secret_nobody_is_let_in(secrets):
    with pytest.raises(VerificationError):
        adapter.verify(request(signed("")), {"secret": secrets})


@pytest.mark.parametrize(
    ("label", "topic"),
    [("contact-page", "contact-page"), ("", "form"), ("a b", "form"), ("x" * 101, "form")],
)
def test_the_topic_is_the_senders_label(label, topic):
    sent = request(signed("new"), **{"x-bridge-topic": label})

    assert adapter.verify(sent, SETTINGS).topic == topic


def test_the_same_body_is_the_same_delivery_whatever_its_label():
    first = adapter.verify(request(signed("new")), SETTINGS)
    again = adapter.verify(request(signed("old"), **{"X-Bridge-Topic": "again"}), SETTINGS)

    assert first.key == again.key
