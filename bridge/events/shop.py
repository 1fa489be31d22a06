"""What the bridge lends to the admin methods of a source adapter."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from .adapters import Request, Response, Settings


class Shop(Protocol):
    """One connected shop.  The bridge adds time-outs, retries, address checks and pinning."""

    @property
    def settings(self) -> Settings:
        """The source's settings, secrets included."""

    def now(self) -> datetime:
        """Return the time, aware and UTC."""

    def request(self, request: Request) -> Response:
        """Send *request* and return the answer; redirects are returned, not followed."""

    def remember(self, values: Mapping[str, str]) -> None:
        """Store *values* (a renewed token) into the source's settings."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Hold a lock of this shop across all processes."""
