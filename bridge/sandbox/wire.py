"""Answers that go wrong: each fault as a response, down to the socket."""

import struct
import threading
import zlib
from collections.abc import Iterator
from functools import cache
from socket import SO_LINGER, SOL_SOCKET

import orjson
from flask import Response, request

from bridge.sandbox.faults import Fault
from bridge.sandbox.refusals import THROTTLES, Refusal, of_code

DRIP_S = 0.7
ENDLESS_CHUNKS = 160_000  # of 64 KiB: 10 GB, then even this has an end
_PAGE = "<!doctype html><html lang=en><title>{0}</title><h1>{0}</h1></html>"


def graph_response(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """Return *body* as the Graph API sends JSON."""
    answer = Response(orjson.dumps(body), status, headers, content_type="application/json")
    answer.headers["facebook-api-version"] = "v26.0"
    return answer


def refusal_response(refusal: Refusal, trace_id: str) -> Response:
    """Return *refusal* as a response, with Meta's usage header where it throttles."""
    usage = '{"call_count":100,"total_cputime":25,"total_time":25}'
    headers = {"X-App-Usage": usage} if refusal.code in THROTTLES else {}
    return graph_response(refusal.status, refusal.body(trace_id), headers)


def fault_refusal(fault: Fault) -> Refusal | None:
    """Return the Graph error that *fault* stands for, None if it is not one."""
    if fault.kind == "refuse":
        # Meta need not say which event it was: the sender has to split.
        return of_code(100, 2804019)
    if fault.kind != "code":
        return None
    code, _, subcode = fault.value.partition("/")
    status = int(fault.options["status"]) if "status" in fault.options else None
    return of_code(int(code), int(subcode) if subcode else None, status)


def fault_response(fault: Fault, trace_id: str) -> Response:
    """Return the answer of a *fault* that takes no events."""
    if refusal := fault_refusal(fault):
        answer = refusal_response(refusal, trace_id)
    elif fault.kind == "status":
        answer = _page(int(fault.value), f"{fault.value} from the proxy")
    elif fault.kind == "html":
        answer = _page(200, "Please come back later")
    elif fault.kind == "redirect":
        answer = _page(int(fault.value), "Moved")
        answer.headers["Location"] = request.host_url + "elsewhere"
    elif fault.kind == "endless":
        answer = Response(_endless(), content_type="application/json")
    elif fault.kind == "gzip":
        answer = Response(_zeros(), content_type="application/json")
        answer.headers["Content-Encoding"] = "gzip"
    elif fault.kind == "reset":
        answer = Response(_reset())
    else:
        answer = Response(b"", content_type="application/json")
    if "retry_after" in fault.options:
        answer.headers["Retry-After"] = fault.options["retry_after"]
    return answer


def spoil(answer: Response, fault: Fault, stop: threading.Event) -> Response:
    """Return *answer*, whose events are taken, as *fault* lets it through."""
    body = answer.get_data()
    headers = {**answer.headers, "Content-Length": str(len(body))}
    if fault.kind == "reset":
        return Response(_reset())
    if fault.kind == "half":
        return Response(_half(body), answer.status_code, headers)
    if fault.kind == "drip":
        pause = float(fault.value or DRIP_S)
        return Response(_drip(body, pause, stop), answer.status_code, headers)
    return answer


def linger_nought() -> bytes:
    """Return the SO_LINGER value that makes closing a socket a reset."""
    return struct.pack("ii", 1, 0)


def _page(status: int, text: str) -> Response:
    return Response(_PAGE.format(text), status, content_type="text/html; charset=utf-8")


def _reset() -> Iterator[bytes]:
    """Mark the connection for `server` to reset, and break off before the first byte."""
    request.environ["werkzeug.socket"].setsockopt(SOL_SOCKET, SO_LINGER, linger_nought())
    return _broken()


def _broken() -> Iterator[bytes]:
    raise ConnectionResetError
    yield b""  # makes it an iterator


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise ConnectionAbortedError


def _drip(body: bytes, pause_s: float, stop: threading.Event) -> Iterator[bytes]:
    for byte in body:
        yield bytes([byte])
        if stop.wait(pause_s):
            raise ConnectionAbortedError


def _endless() -> Iterator[bytes]:
    yield b'{"events_received":1,"messages":["'
    for _ in range(ENDLESS_CHUNKS):
        yield b"x" * 65_536


@cache
def _zeros() -> bytes:
    packer = zlib.compressobj(wbits=31)
    chunk = bytes(1_000_000)
    return b"".join([*(packer.compress(chunk) for _ in range(50)), packer.flush()])
