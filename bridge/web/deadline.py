"""A gunicorn worker that no slow client can hold up.

A threaded gunicorn gives a connection its thread at the first byte, without a time-out for
the rest: eight clients that stall within their headers or body hold a worker of eight threads
for good.  And closing waits up to two seconds, in the one thread that accepts all others, for
the client to close first (gunicorn 27.0.1, workers/gthread.py, util.py, read 2026-11-23).
Here a request gets a thread when it is whole; what is not in time reads as broken off.
"""

import contextlib
import re
import signal
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from bridge.events import ConfigError

READ_S = 4.0  # with the write to disk still within the five seconds of a shop
IDLE_S = 5.0  # from connecting to the first byte
BUFFER = 64 * 1024  # what is larger is read by its thread, against the same deadline
STOPS = {signal.SIGTERM, signal.SIGINT}
_TICK_S = 0.25
_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


def is_whole(arrived: bytes | bytearray) -> bool:
    """Return whether *arrived* is a whole request, or too much to wait for more."""
    head = arrived.find(_HEAD_ENDS)
    if head < 0 or len(arrived) >= BUFFER:
        return len(arrived) >= BUFFER
    start, ends = head + len(_HEAD_ENDS), head + 2
    if length := _LENGTH.search(arrived, 0, ends):
        return len(arrived) - start >= int(length[1])
    return not _CHUNKED.search(arrived, 0, ends) or arrived.endswith(b"0\r\n\r\n")


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection with what has arrived of a request, and until when all of it must."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.arrived = bytearray()
        self.ends = 0.0
        self.has_thread = False
        self.is_late = False

    def take(self) -> bool:
        """Take what has arrived; return whether that is all there is to wait for."""
        try:
            data = self.sock.recv(BUFFER)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self.arrived += data
        if not data or is_whole(self.arrived):
            return True
        head = self.arrived.find(_HEAD_ENDS)
        if expect := head >= 0 and _EXPECT.search(self.arrived, 0, head + 2):
            # Such a client sends no body before it is asked to.
            del self.arrived[expect.start() : expect.end()]
            with contextlib.suppress(OSError):
                self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return False

    def hand_over(self) -> None:
        """Let gunicorn's parser go on from what was taken."""
        self.init()
        self.parser.unreader.unread(bytes(self.arrived))
        self.arrived.clear()

    def hang_up(self) -> None:
        """Read nothing more; what is to be written still can be."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Threads for whole requests only; each must be here within four seconds."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._reading: set[Connection] = set()
        self._next_look = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker cannot do."""
        if cfg.is_ssl:
            raise ConfigError("certfile: TLS is for a proxy in front, this server has none")
        super().check_config(cfg, log)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; it gets no thread yet."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, client, address, listener.getsockname())
        conn.timeout = time.monotonic() + IDLE_S
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(client, EVENT_READ, readable)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Begin to read a connection's first request."""
        del client
        self.pending_conns.remove(conn)
        self._begin(conn)

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Begin to read a further request of a connection that was kept."""
        del client
        self.keepalived_conns.remove(conn)
        self._begin(conn)

    def _begin(self, conn: Connection) -> None:
        conn.ends = time.monotonic() + READ_S
        conn.has_thread = False
        self._reading.add(conn)
        if conn.take():
            self._hand_over(conn)
        else:
            self.poller.modify(conn.sock, EVENT_READ, partial(self._on_more, conn))

    def _on_more(self, conn: Connection, client: socket.socket) -> None:
        del client
        if conn.take():
            self._hand_over(conn)

    def _hand_over(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        conn.hand_over()
        self.enqueue_req(conn)

    def enqueue_req(self, conn: Connection) -> None:
        """Give a request its thread, and its deadline if it has none yet."""
        if conn not in self._reading:  # it came together with the one before
            conn.ends = time.monotonic() + READ_S
            self._reading.add(conn)
        conn.has_thread = True
        super().enqueue_req(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Go round once; what is late by then reads as broken off."""
        super().wait_for_and_dispatch_events(min(timeout, _TICK_S))
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _TICK_S
        for conn in [one for one in list(self._reading) if one.ends < now and not one.is_late]:
            conn.is_late = True
            conn.hang_up()
            if not conn.has_thread:
                self._hand_over(conn)

    def handle(self, conn: Connection) -> bool:
        """Answer one request; return whether the connection stays open."""
        try:
            stays = super().handle(conn)
        finally:
            self._reading.discard(conn)
        if stays and not conn.is_late:
            return True
        # Whoever closes it would otherwise wait for the client to close first.
        conn.hang_up()
        return False

    def init_signals(self) -> None:
        """Stop in good order on SIGINT too: Ctrl-C, and what some platforms send."""
        super().init_signals()
        signal.signal(signal.SIGINT, self.handle_exit)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # since `server.pre_fork`

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Let the embedded worker finish while requests under way are answered."""
        is_first = self.alive
        super().handle_exit(sig, frame)
        if is_first:  # a second signal within the first would wait for it for ever
            self.app.wsgi().ask_to_stop()

    def is_parent_alive(self) -> bool:
        """Stop as if told to when the master is gone: its successor needs the port."""
        if super().is_parent_alive():
            return True
        self.handle_exit(signal.SIGTERM, None)
        return False
