"""Reading a request's body whole, and no more of it than fits."""

from typing import Any

from bridge.receive import HARD_LIMIT

_CHUNK = 64 * 1024


class BodyTooLargeError(Exception):
    """The body is over the hard limit; it was not read."""


class BodyTooSlowError(Exception):
    """The body was not complete in time (see `deadline`), or broke off."""


def read_body(environ: dict[str, Any]) -> bytes:
    """Return the request's whole body; raises BodyTooLargeError or BodyTooSlowError."""
    length = _content_length(environ)
    if length > HARD_LIMIT:
        raise BodyTooLargeError
    try:
        body = _read(environ["wsgi.input"], length) if length >= 0 else _read_open_end(environ)
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
