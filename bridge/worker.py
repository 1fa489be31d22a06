"""The loop: translate and send whatever is due, until told to stop."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from bridge import alerts, net, quality
from bridge.care import erase_asked, purge
from bridge.config import Config
from bridge.connect import after_outage, live_shops, watch_due
from bridge.send import Sender
from bridge.store import Store, StoreError
from bridge.translate import blame, translate_due

POLL_S = 0.5
BEAT_S = 10
FAULT_S = 2
CARE_S = 60
GUARD_S = 20
ASK_S = 8
OUTAGE_US = 300_000_000
DRAIN_S = 22  # platforms kill 30 seconds after they ask
SENDERS = 4  # destinations at a time: one that hangs must not delay the others
GUARDS = 3  # shops at a time, for the same reason

log = logging.getLogger(__name__)


class Worker:
    """Threads for each verb, so that a slow platform delays neither translation nor others."""

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._config = config
        self._shop_of = live_shops(store, private=config.allow_private_shops)
        self._sender = Sender(store, config.endpoint, alerts.ClockWatch(store))
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping = threading.Event()
        self._work = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(turn,), name=name, daemon=True)
            for name, turn in (
                ("translate", self._translate),
                *[("send", self._send)] * SENDERS,
                ("beat", self._beat),
                ("care", self._care),
                *[("guard", self._guard)] * GUARDS,
            )
        ]

    def start(self) -> None:
        """Begin to work in the background."""
        for thread in self._threads:
            thread.start()
        log.info("worker.started", extra={"worker": self._name})

    def wake(self) -> None:
        """Look for work now instead of at the next poll."""
        self._work.set()

    def stop(self) -> None:
        """Finish what is under way, give the rest back, and return within 22 seconds."""
        self._stopping.set()
        self._work.set()
        ends = time.monotonic() + DRAIN_S
        for thread in self._threads:
            thread.join(max(0, ends - time.monotonic()))
        log.info("worker.stopped", extra={"worker": self._name})

    def run(self) -> None:
        """Work until `stop` is called from a signal."""
        self.start()
        self._stopping.wait()
        self.stop()

    def ask_to_stop(self) -> None:
        """Let `run` return; safe in a signal's function."""
        self._stopping.set()

    def _loop(self, turn: Callable[[], float]) -> None:
        while not self._stopping.is_set():
            try:
                pause_s = turn()
            except StoreError as error:
                log.warning("worker.store_unavailable", extra={"reason": str(error)})
                pause_s = FAULT_S
            except Exception as error:  # noqa: BLE001  the loop must outlive any one fault
                log.error("worker.fault", extra={"reason": blame(error)})
                pause_s = FAULT_S
            if pause_s:
                self._stopping.wait(pause_s)

    def _translate(self) -> float:
        if translate_due(self._store, self._stopping.is_set):
            return 0
        self._work.wait(POLL_S)
        self._work.clear()
        return 0

    def _send(self) -> float:
        return 0 if self._sender.send_due(self._stopping.is_set) else POLL_S

    def _guard(self) -> float:
        address = self._config.public_url or self._store.accounts.public_url()
        if address:  # else shops would be given an address of this machine
            watch_due(self._store, address, self._shop_of, self._stopping.is_set)
        post = partial(net.send, deadline_s=ASK_S)
        quality.ask_next(self._store, self._config.endpoint, post)
        return GUARD_S

    def _care(self) -> float:
        try:
            erase_asked(self._store)
        finally:  # what cannot be erased now keeps nothing else longer than its time
            purge(self._store, self._config, self._stopping.is_set)
        alerts.inspect(self._store)
        alerts.tell(self._store, self._config)
        self._store.summary.refresh()
        return CARE_S

    def _beat(self) -> float:
        now = self._store.now()
        last = self._store.history.last_beat()
        # No worker was there, or the database took no beat of any: then it took no webhook either.
        if last is not None and now - last > OUTAGE_US:
            after_outage(self._store)
            alerts.note_outage(self._store, last, now)
            log.error("worker.outage", extra={"seconds": (now - last) // 1_000_000})
        self._store.history.beat(self._name, now)
        return BEAT_S
