"""The shop as an adapter's admin methods see it: requests, settings, locks."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from bridge.events import Request, Response, Settings, ShopError
from bridge.fetch import fetch
from bridge.store import Source, Store, moment

TRIES = 3
PATIENCE_S = 60.0  # so long a throttled API may make us wait in all
LOCK_TRIES = 150  # thirty seconds
LOCK_PAUSE_S = 0.2

Fetch = Callable[[Request], Response]


class LiveShop:
    """One connected shop, over the network and the store.  See `bridge.events.Shop`."""

    def __init__(
        self,
        store: Store,
        source: Source,
        *,
        private: bool = False,
        fetcher: Fetch | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._source = source
        self._fetch = fetcher or (lambda request: fetch(request, private=private))
        self._wait = wait
        self._patience_s = PATIENCE_S
        self._held: set[str] = set()

    @property
    def settings(self) -> Settings:
        """The source's settings as they are stored now: another process may renew a token."""
        return self._store.connections.source(str(self._source.id)).settings

    def now(self) -> datetime:
        """Return the time, aware and UTC."""
        return moment(self._store.now())

    def request(self, request: Request) -> Response:
        """Send *request*; one that only reads is tried again after a fault of the network.

        Not after a time-out: a shop that hangs is not helped by more requests.
        """
        tries = TRIES if request.method in {"GET", "HEAD"} else 1
        for attempt in range(1, tries + 1):
            try:
                answer = self._fetch(request)
            except ShopError as error:
                if not error.again or error.kind == "timeout" or attempt == tries:
                    raise
            else:
                if answer.status < 500 or attempt == tries:
                    return answer
            self._wait(0.5 * 2**attempt)
        raise AssertionError("unreachable")

    def sleep(self, seconds: float) -> None:
        """Wait, as long as the shop's patience budget lasts."""
        self._patience_s -= seconds
        if self._patience_s < 0:
            raise ShopError(
                "throttled", "the shop's API asks to slow down; it is tried later", again=True
            )
        self._wait(seconds)

    def remember(self, values: Mapping[str, str]) -> None:
        """Store *values* into the source's settings."""
        self._store.connections.remember(self._source.id, values)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold a lock of this shop across all processes; one that is held already is held on.

        Raises ShopError (``timeout``) where another process keeps it for half a minute.
        """
        if name in self._held:
            yield
            return
        for _ in range(LOCK_TRIES):
            with self._store.watches.lock(f"source {self._source.id} {name}") as taken:
                if taken:
                    self._held.add(name)
                    try:
                        yield
                    finally:
                        self._held.remove(name)
                    return
            self._wait(LOCK_PAUSE_S)
        raise ShopError("timeout", "another process is busy with this shop", again=True)

    def heard_at(self) -> datetime | None:
        """Return when a ping or a verified delivery of this shop last reached us."""
        source = self._store.connections.source(str(self._source.id))
        heard = [at for at in (source.ping_at, source.delivery_at) if at is not None]
        return moment(max(heard)) if heard else None
