"""Outgoing HTTP: one request with a deadline of our own; what was sent and what was not."""

import contextlib
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError

from bridge.events import BridgeError, Request, Response

CONNECT_S = 5.0
READ_S = 10.0
DEADLINE_S = 20.0
MAX_BODY = 64 * 1024

_thread = threading.local()


class NotSent(BridgeError):  # noqa: N818  it says what is so
    """The request never left: no name, no connection, no trusted certificate."""


class Untrusted(NotSent):
    """Not sent, for the server's certificate is not one that we trust."""


class NoAnswer(BridgeError):  # noqa: N818  it says what is so
    """The request was sent, but no whole answer came: it may have been carried out."""


def send(request: Request, deadline_s: float = DEADLINE_S) -> Response:
    """Send *request* and return the answer, at most 64 KiB of it; redirects are not followed.

    Raises NotSent, Untrusted or NoAnswer.  Nothing is sent after *deadline_s*, and no answer
    is waited for; only looking up a name or trying many addresses may take longer.
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
        except (HTTPError, OSError, ValueError) as error:
            name = type(error).__name__
            if watchdog.sent:
                raise NoAnswer(f"no answer: {name}") from None
            if isinstance(error, SSLError) and isinstance(error.args[0], ssl.CertificateError):
                raise Untrusted("not sent: the certificate is not trusted") from None
            raise NotSent(f"not sent: {name}") from None
    return Response(status=answer.status, body=body, headers=dict(answer.headers))


def ahead_s(response: Response) -> float | None:
    """Return how many seconds this machine's clock is ahead of the answering server's.

    None where the answer tells no time.
    """
    told = next((text for name, text in response.headers.items() if name.lower() == "date"), "")
    try:
        return time.time() - parsedate_to_datetime(told).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


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
        self.sent = False

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
        try:
            while len(body) < MAX_BODY:
                part = answer.read1(MAX_BODY - len(body))
                # Our own shutting down looks like the end of an answer that tells no length.
                self.check()
                if not part:
                    break
                body += part
        finally:
            self.connection = None
            answer.close()  # a connection whose answer was read whole is back in the pool
        return body

    def check(self) -> None:
        """Raise TimeoutError after the deadline."""
        if time.monotonic() >= self._ends:
            raise TimeoutError

    def _shut_down(self) -> None:
        connection = self.connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Watched(HTTPConnection):
    """Tells this thread's watchdog which connection it uses, and when it begins to send."""

    def send(self, data: Any) -> None:
        watchdog: _Watchdog = _thread.watchdog
        watchdog.connection = self
        if self.sock is None:
            self.connect()
        watchdog.check()
        watchdog.sent = True
        super().send(data)


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
