"""When a request is whole, and what is taken of one that is not."""

import socket
from collections.abc import Iterator

import pytest
from gunicorn.config import Config

from bridge.events import ConfigError
from bridge.web.deadline import BUFFER, Connection, DeadlineWorker, is_whole

HEAD = b"POST /webhooks/k HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    "arrived",
    [
        HEAD + b"\r\n",
        HEAD + b"Content-Length: 3\r\n\r\nabc",
        HEAD + b"content-length:3 \r\n\r\nabc",
        HEAD + b"Content-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\n",
        HEAD + b"Content-Length: 0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"x" * BUFFER,
    ],
    ids=["no-body", "body", "spelling", "pipelined", "empty", "chunked", "too-much-to-wait"],
)
def test_a_whole_request_is_known_as_such(arrived):
    assert is_whole(arrived)


@pytest.mark.parametrize(
    "arrived",
    [
        b"",
        b"POST / HT",
        HEAD,
        HEAD + b"\r",
        HEAD + b"Content-Length: 4\r\n\r\nabc",
        HEAD + b"X: y\r\n\tContent-Length: 0\r\nContent-Length: 9\r\n\r\nabc",
        HEAD + b"Content-Length: 9999999999999999999\r\n\r\nabc",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ],
    ids=["nothing", "line", "no-end", "half-end", "body", "folded", "huge", "chunked"],
)
def test_half_a_request_waits_for_the_rest(arrived):
    assert not is_whole(arrived)


def test_a_length_in_the_body_is_not_the_length():
    assert is_whole(HEAD + b"\r\nContent-Length: 99\r\n")


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Connection(Config(), ours, ("127.0.0.1", 1), ("127.0.0.1", 2)), theirs


def test_a_connection_takes_what_comes_without_waiting(pair):
    connection, client = pair

    assert not connection.take()
    client.sendall(HEAD)
    assert not connection.take()
    client.sendall(b"\r\n")
    assert connection.take()
    assert connection.arrived == HEAD + b"\r\n"


def test_a_connection_that_was_closed_has_nothing_to_wait_for(pair):
    connection, client = pair

    client.close()

    assert connection.take()


def test_the_parser_goes_on_from_what_was_taken(pair):
    connection, client = pair
    client.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")
    connection.take()

    connection.hand_over()
    request = next(connection.parser)

    assert (request.method, request.path, request.body.read()) == ("POST", "/webhooks/k", b"abc")
    assert not connection.arrived


def test_a_client_that_waits_to_be_asked_is_asked_once(pair):
    connection, client = pair

    client.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    asked = connection.take()
    client.sendall(b"abc")

    assert not asked
    assert connection.take()
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert b"Expect" not in connection.arrived


def test_a_late_connection_reads_as_ended_and_can_still_be_answered(pair):
    connection, client = pair
    connection.init()

    connection.hang_up()
    connection.sock.sendall(b"408")

    assert connection.sock.recv(1) == b""
    assert client.recv(10) == b"408"


def test_tls_is_refused_instead_of_broken():
    settings = Config()
    settings.set("certfile", "server.pem")

    with pytest.raises(ConfigError, match="proxy"):
        DeadlineWorker.check_config(settings, None)
