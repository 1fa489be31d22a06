"""Passwords: argon2id, at most two at a time, and none that everybody tries first."""

import re
import secrets
import threading
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 12
LONGEST: Final = 128
TURN_S: Final = 5
# OWASP's least: 19 MiB, two rounds, one lane (password storage cheat sheet, read 2026-11-23).
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(2)  # ten at once would need more memory than a small box has
# Verified where nobody has the name, so that the answer takes as long.
_NOBODY: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$s8/ad1vHqq7dEy8vJibVhw"
    "$fDdx20PYEh/iHeoLzt3uKUGWg+QwnTDqhNNCCnsZadg"
)
_COMMON: Final = tuple(
    sorted(
        files("bridge.web.admin").joinpath("common_passwords.txt").read_text("ascii").split(),
        key=len,
        reverse=True,
    )
)


class BusyError(Exception):
    """Too many passwords are being checked; try again."""


def fault(password: str, name: str) -> str | None:
    """Return the key of the text that says what is wrong with a new password; None if nothing."""
    if len(password) < SHORTEST:
        return "password.short"
    if len(password) > LONGEST:
        return "password.long"
    return "password.common" if _is_common(password, name) else None


def fresh() -> str:
    """Return a random password that nobody chose."""
    return secrets.token_urlsafe(15)


def hashed(password: str) -> str:
    """Return the hash to keep; raises BusyError."""
    with _Turn():
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def matches(password_hash: str | None, password: str) -> bool:
    """Return whether it is the password; None for the hash takes as long.  Raises BusyError."""
    with _Turn():
        try:
            _hasher.verify(
                password_hash or _NOBODY, password[: LONGEST + 1].encode("utf-8", "surrogatepass")
            )
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


class _Turn:
    def __enter__(self) -> None:
        if not _turns.acquire(timeout=TURN_S):
            raise BusyError

    def __exit__(self, *_: object) -> None:
        _turns.release()


def _is_common(password: str, name: str) -> bool:
    """Return whether little is left of it without the words that are tried first."""
    rest = re.sub(r"[\W_]+", "", password.casefold())
    for word in (*filter(None, [re.sub(r"[\W_]+", "", name.casefold())]), *_COMMON):
        rest = rest.replace(word, "")
    return len(rest) < 4 or len(set(password)) < 5
