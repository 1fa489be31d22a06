"""Encryption at rest: AES-GCM with key ids, so that keys can be rotated."""

import hmac
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.events import ConfigError

_FORMAT = b"\x01"
_ID = 4
_NONCE = 12
_TAG = 16
_DAMAGED = "the database holds a sealed value that was damaged"


class DamagedError(ConfigError):
    """A sealed value does not open although its key is known: the bytes are not what we wrote."""


class Vault:
    """Seals and opens bytes under the current key; opens under previous ones too.

    A sealed value is format byte, key id (4), nonce (12), ciphertext with tag.  *context*
    binds it to its place: a value moved to another table does not open.
    """

    def __init__(self, secret_key: str, previous: Sequence[str] = ()) -> None:
        self._ciphers: dict[bytes, AESGCM] = {}
        for secret in (*previous, secret_key):
            key = _derive(secret, b"capi-bridge seal v1", 32)
            key_id = _derive(secret, b"capi-bridge key id v1", _ID)
            self._ciphers[key_id] = AESGCM(key)
            self.key_id = key_id

    def seal(self, value: bytes, context: str) -> bytes:
        """Return *value* encrypted under the current key."""
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self.key_id].encrypt(nonce, value, context.encode())
        return b"".join((_FORMAT, self.key_id, nonce, sealed))

    def open(self, sealed: bytes, context: str) -> bytes:
        """Return the plain value; raises ConfigError where its key is not known.

        Raises DamagedError where the value was changed, cut or moved.
        """
        if len(sealed) < 1 + _ID + _NONCE + _TAG:
            raise DamagedError(_DAMAGED)
        key_id, nonce = sealed[1 : 1 + _ID], sealed[1 + _ID : 1 + _ID + _NONCE]
        cipher = self._ciphers.get(key_id)
        if cipher is None or sealed[:1] != _FORMAT:
            raise ConfigError(
                "SECRET_KEY: stored data was sealed under another key;"
                " give the old one in SECRET_KEY_PREVIOUS"
            )
        try:
            return cipher.decrypt(nonce, sealed[1 + _ID + _NONCE :], context.encode())
        except InvalidTag:
            raise DamagedError(_DAMAGED) from None

    def is_current(self, sealed: bytes) -> bool:
        """Return whether *sealed* is under the current key."""
        return sealed[1 : 1 + _ID] == self.key_id


def keyed_hash(key: bytes, *parts: str) -> bytes:
    """Return 16 bytes that only the holder of *key* can compute from *parts*."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.digest(key, text, "sha256")[:16]


def _derive(secret: str, purpose: bytes, length: int) -> bytes:
    # Bytes of the environment that are not UTF-8 are given back as they were.
    source = secret.encode("utf-8", "surrogateescape")
    return HKDF(SHA256(), length, salt=None, info=purpose).derive(source)
