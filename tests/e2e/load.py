"""Shops under load: eight threads post, and try again as a shop would; who was told what."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests

from bridge.events import Request
from bridge.store import Source

from .machine import Machine

THREADS = 8
RETRY_S = 0.05


@dataclass
class Load:
    """Posts *jobs* until each was answered 200; `told` holds every answer but no answer."""

    machine: Machine
    jobs: Sequence[tuple[Source, Request]]
    told: list[tuple[int, str]] = field(default_factory=list)
    unanswered: int = 0

    def start(self) -> None:
        """Begin to post."""
        self._left = list(self.jobs)
        self._threads = [threading.Thread(target=self._run) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all is acknowledged."""
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """How many 200 were told."""
        return sum(status == 200 for status, _ in self.told)

    @property
    def running(self) -> bool:
        """Whether there is something left to post."""
        return any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        session = requests.Session()
        while True:
            try:
                source, request = self._left.pop()
            except IndexError:
                return
            while self._post(session, source, request) != 200:
                time.sleep(RETRY_S)

    def _post(self, session: requests.Session, source: Source, request: Request) -> int:
        try:
            answer = session.post(
                f"{self.machine.url}/webhooks/{source.webhook_key}",
                data=request.body,
                headers=dict(request.headers),
                timeout=5,  # the shop's own patience
            )
        except requests.RequestException:
            self.unanswered += 1
            return 0
        self.told.append((answer.status_code, request.header("x-shopify-webhook-id")))
        return answer.status_code


def every(seconds: float, deed: Callable[[], None], while_true: Callable[[], bool]) -> int:
    """Do *deed* about every so many seconds; return how often."""
    count = 0
    while while_true():
        time.sleep(seconds * random.uniform(0.5, 1.5))
        with contextlib.suppress(ProcessLookupError):
            deed()
            count += 1
    return count
