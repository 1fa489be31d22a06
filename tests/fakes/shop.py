"""What the bridge lends to an adapter's admin side, for tests: HTTP without the safeguards."""

import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests

from bridge.events import Request, Response, ShopError

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


class FakeShop:
    """A connected shop whose settings are a dictionary and whose waits are only noted.

    *routes* lead an origin (``https://shop.example``) to a fake's; the fake is told the
    origin's host and scheme, as a proxy that ends TLS would.
    """

    def __init__(
        self,
        settings: Mapping[str, str],
        routes: Mapping[str, str] | None = None,
        now: datetime = NOW,
    ) -> None:
        self.settings: dict[str, str] = dict(settings)
        self.time = now
        self.slept: list[float] = []
        self.heard: datetime | None = None
        self.failing: ShopError | None = None
        self._routes = dict(routes or {})
        self._locks: dict[str, threading.RLock] = {}

    def now(self) -> datetime:
        return self.time

    def heard_at(self) -> datetime | None:
        return self.heard

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def remember(self, values: Mapping[str, str]) -> None:
        self.settings = {**self.settings, **values}

    def lock(self, name: str) -> AbstractContextManager[None]:
        return self._locks.setdefault(name, threading.RLock())

    def request(self, request: Request) -> Response:
        if self.failing:
            raise self.failing
        parts = urlsplit(request.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        headers = dict(request.headers)
        url = request.url
        if origin in self._routes:
            url = self._routes[origin] + url.removeprefix(origin)
            headers |= {"Host": parts.netloc, "X-Forwarded-Proto": parts.scheme}
        with requests.Session() as session:
            session.trust_env = False
            try:
                answer = session.request(
                    request.method, url, headers=headers, data=request.body,
                    timeout=10, allow_redirects=False,
                )  # fmt: skip
            except requests.Timeout:
                raise ShopError("timeout", "the shop does not answer in time", again=True) from None
            except requests.ConnectionError:
                raise ShopError("unreachable", "the shop is not reached", again=True) from None
        return Response(
            status=answer.status_code, body=answer.content, headers=dict(answer.headers)
        )
