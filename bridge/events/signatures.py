"""Signatures and fingerprints of raw bytes."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def split_secrets(value: str) -> list[str]:
    """Return the secrets of a setting that may hold several, one a line."""
    return [line for line in value.splitlines() if line.strip()]


def hmac_sha256_base64(secret: str, body: bytes) -> str:
    """Return base64(HMAC-SHA256(*secret*, *body*))."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def hmac_matches(secrets: Iterable[str], body: bytes, signature: str | None) -> bool:
    """Return whether *signature* is the base64 HMAC-SHA256 of *body* under any secret.

    Encoded texts are compared as bytes, in constant time and without an early exit:
    decoding base64 is lax, and comparing non-ASCII strings raises TypeError.  An empty
    secret, which anybody could sign with, matches nothing.
    """
    given = (signature or "").encode("utf-8", "surrogatepass")
    found = False
    for secret in secrets:
        same = hmac.compare_digest(hmac_sha256_base64(secret, body).encode(), given)
        found |= same and bool(secret)
    return found


def fingerprint(*parts: bytes) -> str:
    """Return a key made of *parts*, joined with NUL: 64 lower-case hex digits."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
