"""A small threaded HTTP server on loopback; each fake says only how it answers."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request as a fake sees it; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a fake answers: `body` is sent as JSON unless it is bytes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class FakeServer:
    """Answers on ``http://127.0.0.1:<port>`` (`url`) while it is entered.

    `calls` are all requests in order.  `fail_next` and `redirect_all` play faults.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self._faults: list[Answer] = []
        self._redirect = ""
        self._server: ThreadingHTTPServer | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def fail_next(self, status: int, times: int = 1, **headers: str) -> None:
        """Answer the next *times* requests with *status* and a page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        fault = Answer(status=status, body=b"<html>fault</html>", headers=named)
        self._faults += [fault] * times

    def redirect_all(self, to: str) -> None:
        """Answer every request with a redirect to the server *to*."""
        self._redirect = to

    def respond(self, call: Call) -> Answer:
        """Return the answer, faults first."""
        with self.lock:
            self.calls.append(call)
            if self._redirect:
                return Answer(status=301, headers={"Location": self._redirect + call.path})
            if self._faults:
                return self._faults.pop(0)
        return self.answer(call)

    def answer(self, call: Call) -> Answer:
        """Return what the real one would answer."""
        raise NotImplementedError


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: FakeServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # one write an answer
    timeout = 30

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        call = Call(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        answer = self.server.fake.respond(call)
        raw = answer.raw()
        kind = "text/html" if isinstance(answer.body, bytes) else "application/json"
        self.send_response(answer.status)
        for name, value in {"Content-Type": kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass
