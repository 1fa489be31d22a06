"""Running the sandbox: in a thread for tests and the demo, or alone on a port."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Self

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from bridge.events import ConfigError
from bridge.sandbox.app import Rules, as_json, create_app
from bridge.sandbox.faults import Faults
from bridge.sandbox.journal import Journal
from bridge.sandbox.wire import linger_nought

LOCAL = "127.0.0.1"
POLL_S = 0.02


class Sandbox:
    """A running sandbox.  Use it as a context manager, or `start` and `stop` it.

    *faults* is a SPEC (see `bridge.sandbox.faults`); port 0 takes any free port.  Raises
    ConfigError for a wrong SPEC or a port that cannot be opened.
    """

    def __init__(
        self,
        faults: str = "",
        *,
        port: int = 0,
        host: str = LOCAL,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.faults = Faults(faults)
        self.journal = Journal()
        self._stop = threading.Event()
        app = create_app(self.journal, self.faults, rules, clock=clock, stop=self._stop)
        with _listen(host, port) as listener:
            self._server = _Server(host, port, app, _Quiet, fd=listener.fileno())
        self._thread = threading.Thread(target=self.run, name="sandbox", daemon=True)

    @property
    def url(self) -> str:
        """Return the base URL, without a slash at its end: what GRAPH_URL takes."""
        host = f"[{self._server.host}]" if ":" in self._server.host else self._server.host
        return f"http://{host}:{self._server.port}"

    def accepted(self) -> list[dict[str, Any]]:
        """Return the events taken, oldest first, as ``/events.json`` shows them."""
        return self.journal.accepted()

    def refused(self) -> list[dict[str, Any]]:
        """Return the refused requests, oldest first."""
        return self.journal.refused()

    def requests(self) -> list[dict[str, Any]]:
        """Return the last 2,000 requests of any kind, oldest first."""
        return self.journal.requests()

    def as_json(self) -> dict[str, Any]:
        """Return everything as ``/events.json`` shows it."""
        return as_json(self.journal)

    def run(self) -> None:
        """Serve until `stop` is called or Ctrl-C is pressed."""
        self._server.serve_forever(poll_interval=POLL_S)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; answers that wait on purpose are cut."""
        self._stop.set()
        self._server.shutdown()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(port: int, faults: str = "", *, host: str = LOCAL) -> None:
    """Serve on *port* until Ctrl-C.  Raises ConfigError."""
    Sandbox(faults, port=port, host=host).run()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except (OSError, OverflowError):
        raise ConfigError("port: it cannot be opened; perhaps another program has it") from None


class _Server(ThreadedWSGIServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close at once where a reset is wanted: an orderly end would be seen first."""
        linger = b""
        with contextlib.suppress(OSError):
            linger = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if linger == linger_nought():
            self.close_request(request)
        else:
            super().shutdown_request(request)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def connection_dropped(self, *_: Any, **__: Any) -> None:
        """Wait for no next request where an answer was broken off."""
        self.close_connection = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Log no request: a token may be in its URL."""
