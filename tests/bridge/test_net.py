"""The HTTP client: bounded in time and size, and honest about what was sent."""

import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bridge import net
from bridge.events import Request

# Sooner than the socket's own time-out, and than the servers below give up.
within_8_s = pytest.mark.timeout(8)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """A raw TCP server: *answer* gets each connection after its request was read."""

    def __init__(self, answer, wrap=None):
        self.answer, self.wrap = answer, wrap
        self.received, self.opened = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.opened.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self.threads.append(thread)
            thread.start()

    @property
    def connections(self):
        return len(self.opened)

    def _serve(self, plain):
        connection = plain
        try:
            if self.wrap:
                connection = self.wrap(plain)
            while request := self._read(connection):
                self.received.append(request)
                if self.answer(connection) is False:
                    break
        except OSError:
            pass
        finally:
            connection.close()

    def _read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return b""
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            ),
            0,
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def stop(self):
        self.ending.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.opened:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()


@contextmanager
def serving(answer, wrap=None):
    server = Server(answer, wrap)
    try:
        yield server
    finally:
        server.stop()


def to(server, scheme="http", path="/v1/events"):
    url = f"{scheme}://127.0.0.1:{server.port}{path}"
    return Request(url=url, headers={"Authorization": "Bearer canary"}, body=b'{"data":[]}')


def test_it_sends_what_it_is_given_and_returns_the_answer():
    with serving(lambda one: one.sendall(WHOLE)) as server:
        response = net.send(to(server))

    assert (response.status, response.body) == (200, b"ok")
    assert response.headers["Content-Length"] == "2"
    (received,) = server.received
    assert received.startswith(b"POST /v1/events HTTP/1.1\r\n")
    assert b"Authorization: Bearer canary\r\n" in received
    assert received.endswith(b'\r\n\r\n{"data":[]}')


def test_an_answer_of_any_status_is_an_answer():
    error = b"HTTP/1.1 503 No\r\nContent-Length: 4\r\nRetry-After: 7\r\n\r\nbusy"
    with serving(lambda one: one.sendall(error)) as server:
        response = net.send(to(server))

    assert (response.status, response.body) == (503, b"busy")
    assert response.headers["Retry-After"] == "7"
    assert len(server.received) == 1


def test_connections_are_kept_alive():
    with serving(lambda one: one.sendall(WHOLE)) as server:
        for _ in range(5):
            net.send(to(server))

    assert len(server.received) == 5
    assert server.connections == 1


def test_a_connection_closed_meanwhile_is_replaced_before_sending():
    def once(one):
        one.sendall(WHOLE)
        return False

    with serving(once) as server:
        for _ in range(3):
            assert net.send(to(server)).body == b"ok"
            server.threads[-1].join()

    assert server.connections == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_returned_and_not_followed(status):
    with serving(lambda one: one.sendall(WHOLE)) as elsewhere:
        head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\n"
        answer = head.encode() + b"Content-Length: 0\r\n\r\n"
        with serving(lambda one: one.sendall(answer)) as server:
            assert net.send(to(server)).status == status

    assert len(server.received) == 1
    assert elsewhere.connections == 0


def test_no_proxy_of_the_environment_is_used(monkeypatch):
    with serving(lambda one: one.sendall(WHOLE)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        with serving(lambda one: one.sendall(WHOLE)) as server:
            net.send(to(server))

    assert (len(server.received), proxy.connections) == (1, 0)


def test_a_refused_connection_was_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(net.NotSent):
        net.send(Request(url=f"http://127.0.0.1:{port}/", headers={}, body=b""))


def test_a_name_that_is_not_known_was_not_sent(monkeypatch):
    def no_name(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    with pytest.raises(net.NotSent):
        net.send(Request(url="http://nowhere.example/", headers={}, body=b""))


@pytest.mark.parametrize("url", ["http://", "http://a..b/", "ftp://a.example/", "http://[::1"])
def test_an_address_that_is_none_was_not_sent(url):
    with pytest.raises(net.NotSent):
        net.send(Request(url=url, headers={}, body=b""))


def test_a_header_that_is_none_was_not_sent():
    with serving(lambda one: one.sendall(WHOLE)) as server:
        request = to(server)
        broken = Request(url=request.url, headers={"A": "b\r\nC: d"}, body=b"")
        with pytest.raises(net.NotSent):
            net.send(broken)

    assert server.received == []


def reset(one):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    return False


def half(one):
    one.sendall(WHOLE[:-1])
    return False


def half_a_chunk(one):
    one.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nok")
    return False


def no_http(one):
    one.sendall(b"SSH-2.0-OpenSSH\r\n")
    return False


@pytest.mark.parametrize(
    "answer", [reset, lambda _: False, half, half_a_chunk, no_http], ids=range(5)
)
def test_an_answer_that_breaks_off_is_no_answer(answer):
    with serving(answer) as server, pytest.raises(net.NoAnswer) as raised:
        net.send(to(server))

    assert len(server.received) == 1
    assert "canary" not in str(raised.value)


def drip(head):
    def answer(one):
        one.sendall(head)
        for _ in range(400):
            time.sleep(0.05)
            one.sendall(b"x")

    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"",  # within the status line
        b"HTTP/1.1 200 OK\r\nX-A: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n",
    ],
)
@within_8_s
def test_a_dripping_answer_is_cut_at_the_deadline(head):
    with serving(drip(head)) as server, pytest.raises(net.NoAnswer):
        net.send(to(server), deadline_s=0.4)


@within_8_s
def test_a_hanging_answer_is_cut_at_the_deadline():
    with serving(lambda _: server.ending.wait(20)) as server, pytest.raises(net.NoAnswer):
        net.send(to(server), deadline_s=0.3)


def test_nothing_is_sent_after_the_deadline(monkeypatch):
    slow = socket.getaddrinfo

    def late(*arguments, **named):
        time.sleep(0.3)
        return slow(*arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", late)
    with serving(lambda one: one.sendall(WHOLE)) as server, pytest.raises(net.NotSent):
        net.send(to(server), deadline_s=0.1)

    assert server.received == []


def test_an_endless_answer_is_read_to_a_limit():
    def endless(one):
        one.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            one.sendall(b"x" * 65536)

    with serving(endless) as server:
        response = net.send(to(server))

    assert len(response.body) == net.MAX_BODY


def test_a_packed_answer_is_not_unpacked():
    packed = b"\x1f\x8b\x08" + b"\0" * 20
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 23\r\n\r\n"
    with serving(lambda one: one.sendall(head + packed)) as server:
        assert net.send(to(server)).body == packed


def test_an_answer_cut_short_leaves_the_next_request_alone():
    answers = iter([half, lambda one: one.sendall(WHOLE)])
    with serving(lambda one: next(answers)(one)) as server:
        with pytest.raises(net.NoAnswer):
            net.send(to(server))
        assert net.send(to(server)).body == b"ok"


@pytest.fixture
def self_signed(tmp_path):
    """Return how a server speaks TLS with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return lambda connection: context.wrap_socket(connection, server_side=True)


def test_a_certificate_that_nobody_trusts_is_named_and_nothing_is_sent(self_signed):
    answer = lambda one: one.sendall(WHOLE)  # noqa: E731
    with serving(answer, self_signed) as server, pytest.raises(net.Untrusted):
        net.send(to(server, "https"))

    assert server.received == []


def test_a_server_that_speaks_no_tls_gets_nothing():
    def greet(one):
        one.sendall(b"SSH-2.0-OpenSSH\r\n" * 9)
        return one

    with serving(no_http, greet) as server, pytest.raises(net.NotSent) as raised:
        net.send(to(server, "https"))

    assert not isinstance(raised.value, net.Untrusted)


def test_threads_do_not_cut_each_other_off():
    def slowly(one):
        time.sleep(0.3)
        one.sendall(WHOLE)

    found = []
    with serving(slowly) as server:

        def work(deadline_s):
            try:
                found.append(net.send(to(server), deadline_s).body)
            except net.NoAnswer:
                found.append(None)

        threads = [threading.Thread(target=work, args=(one,)) for one in (0.1, 10, 0.1, 10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(found, key=str) == [None, None, b"ok", b"ok"]
