"""Keyed hashes of who an event is about, so that erasure finds it without plain data."""

from dataclasses import dataclass

import phonenumbers

from bridge.events import UserData
from bridge.secrets import keyed_hash


@dataclass(frozen=True, kw_only=True)
class SubjectKeys:
    """Hashes by which a person's rows are found; None where the shop did not say."""

    email_key: bytes | None = None
    phone_key: bytes | None = None
    customer_key: bytes | None = None

    def all(self) -> list[bytes]:
        """Return the hashes there are."""
        return [key for key in (self.email_key, self.phone_key, self.customer_key) if key]


def subject_keys(
    key: bytes,
    word: str,
    *,
    email: str | None = None,
    phone: str | None = None,
    phone_country: str | None = None,
    customer_id: str | None = None,
) -> SubjectKeys:
    """Return the keys of a person; customer ids are local to the source's *word*."""
    address, number = (email or "").strip().casefold(), _e164(phone, phone_country)
    customer = (customer_id or "").strip()
    return SubjectKeys(
        email_key=keyed_hash(key, "email", address) if address else None,
        phone_key=keyed_hash(key, "phone", number) if number else None,
        customer_key=keyed_hash(key, "customer", word, customer) if customer else None,
    )


def keys_of(user_data: UserData, key: bytes, word: str) -> SubjectKeys:
    """Return the keys of the person an event is about."""
    return subject_keys(
        key,
        word,
        email=user_data.email,
        phone=user_data.phone,
        phone_country=user_data.phone_country or user_data.country,
        customer_id=user_data.customer_id,
    )


def token_key(key: bytes, word: str, token: str) -> bytes:
    """Return the hash under which an unguessable *token* of the source is kept."""
    return keyed_hash(key, "token", word, token)


def _e164(phone: str | None, country: str | None) -> str | None:
    if not phone:
        return None
    try:
        parsed = phonenumbers.parse(phone[:40], country.upper() if country else None)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
