"""Outgoing HTTP: one request with a deadline of our own; what was sent and what was not."""

import contextlib
import socket
import threading
import time
from functools import cache
from types import TracebackType
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from bridge.events import BridgeError, Request, Response

CONNECT_S = 5.0
READ_S = 10.0
DEADLINE_S = 20.0
MAX_BODY = 64 * 1024

_BEFORE_SENDING = (NewConnectionError, ConnectTimeoutError, NameResolutionError, SSLError)
_thread = threading.local()


class NotSent(BridgeError):  # noqa: N818  it says what is so
    """The request never left: no name, no connection, no trusted certificate."""


class NoAnswer(BridgeError):  # noqa: N818  it says what is so
    """The request was sent, but no whole answer came: it may have been carried out."""


def send(request: Request, deadline_s: float = DEADLINE_S) -> Response:
    """Send *request* and return the answer, at most 64 KiB of it; redirects are not followed.

    Raises NotSent or NoAnswer.  The whole call ends within *deadline_s*.
    """
    with _Watchdog(deadline_s) as watchdog:
        try:
            answer = _pools().urlopen(
                request.method,
                request.url,
                body=request.body,
                headers=dict(request.headers),
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
            )
            body = watchdog.read(answer)
        except _BEFORE_SENDING as error:
            raise NotSent(f"not sent: {type(error).__name__}") from None
        except (HTTPError, OSError, ValueError) as error:
            raise NoAnswer(f"no answer: {type(error).__name__}") from None
    return Response(status=answer.status, body=body, headers=dict(answer.headers))


class _Watchdog:
    """Shuts the connection of this thread down at the deadline.

    A socket's own time-out restarts with each byte, so a server that drips one byte at a
    time would hold the sender for ever.
    """

    def __init__(self, deadline_s: float) -> None:
        self._ends = time.monotonic() + deadline_s
        self._timer = threading.Timer(deadline_s, self._shut_down)
        self._timer.daemon = True
        self.connection: HTTPConnection | None = None

    def __enter__(self) -> "_Watchdog":
        _thread.watchdog = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _thread.watchdog = None

    def read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        body = b""
        while len(body) < MAX_BODY and time.monotonic() < self._ends:
            part = answer.read1(MAX_BODY - len(body))
            if not part:
                answer.release_conn()
                return body
            body += part
        answer.close()
        if len(body) < MAX_BODY:
            raise TimeoutError
        return body

    def _shut_down(self) -> None:
        connection = self.connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """Tells this thread's watchdog which connection it uses."""

    def request(self, *args: Any, **kwargs: Any) -> None:
        watchdog: _Watchdog | None = getattr(_thread, "watchdog", None)
        if watchdog:
            watchdog.connection = self
        super().request(*args, **kwargs)


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


@cache
def _pools() -> urllib3.PoolManager:
    """Return the process's connections: no proxy of the environment, system certificates."""
    pools = urllib3.PoolManager(
        maxsize=8, timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S), retries=False
    )
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}
    return pools
