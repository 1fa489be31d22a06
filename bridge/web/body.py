"""Reading a request's body within four seconds, however slowly it comes.

A threaded gunicorn has no time-out for bodies: eight connections that stall block a server
of eight threads for good.  One thread a process shuts the sockets of late bodies down.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bridge.receive import HARD_LIMIT

BODY_S = 4.0
_CHUNK = 64 * 1024


class BodyTooLargeError(Exception):
    """The body is over the hard limit; it was not read."""


class BodyTooSlowError(Exception):
    """The body was not complete in time, or broke off."""


class Watchdog:
    """Knows the sockets whose bodies are being read, and when each is late."""

    def __init__(self, limit_s: float = BODY_S) -> None:
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._reading: dict[object, tuple[float, socket.socket]] = {}
        self._process = 0

    @contextmanager
    def watch(self, connection: socket.socket | None) -> Iterator[None]:
        """Shut *connection* for reading if the block takes too long."""
        if connection is None:
            yield
            return
        self._start()
        token = object()
        with self._lock:
            self._reading[token] = (time.monotonic() + self._limit_s, connection)
        try:
            yield
        finally:
            with self._lock:
                self._reading.pop(token, None)

    def _start(self) -> None:
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._reading = {}
                threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(0.25)
            now = time.monotonic()
            with self._lock:
                late = [one for limit, one in self._reading.values() if limit < now]
            for connection in late:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)


def read_body(environ: dict[str, Any], watchdog: Watchdog) -> bytes:
    """Return the request's whole body; raises BodyTooLargeError or BodyTooSlowError."""
    length = _content_length(environ)
    if length > HARD_LIMIT:
        raise BodyTooLargeError
    stream = environ["wsgi.input"]
    with watchdog.watch(environ.get("gunicorn.socket")):
        try:
            body = _read(stream, length) if length >= 0 else _read_open_end(environ)
        except OSError:
            raise BodyTooSlowError from None
    if len(body) < length:
        raise BodyTooSlowError
    return body


def _content_length(environ: dict[str, Any]) -> int:
    """Return the announced length, -1 if the request has none."""
    text = environ.get("CONTENT_LENGTH") or ""
    return int(text) if text.isdecimal() and len(text) < 20 else -1


def _read(stream: Any, length: int) -> bytes:
    body = bytearray()
    while len(body) < length:
        part = stream.read(min(_CHUNK, length - len(body)))
        if not part:
            break
        body += part
    return bytes(body)


def _read_open_end(environ: dict[str, Any]) -> bytes:
    """Read a chunked body; without chunks and without a length there is none."""
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return b""
    body = _read(environ["wsgi.input"], HARD_LIMIT + 1)
    if len(body) > HARD_LIMIT:
        raise BodyTooLargeError
    return body
