"""A shop's address is resolved once, checked, and no answer can hold or fool the bridge."""

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from bridge import fetch as fetch_module
from bridge.events import Request, ShopError
from bridge.fetch import fetch, is_public
from tests.fakes.server import Answer, FakeServer

PRIVATE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "169.254.169.254", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%1", "fc00::1", "fd12::1", "fec0::1",
    "ff02::1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::1", "2001:0:a9fe::1",
    "2001:db8::1", "100::1",
)  # fmt: skip


class Shop(FakeServer):
    def answer(self, call):
        return Answer(body={"path": call.path, "host": call.headers["host"]})


@pytest.fixture
def shop():
    with Shop() as server:
        yield server


def get(url, **more):
    return fetch(Request(method="GET", url=url, headers={}, body=b""), **more)


def refused(url, **more):
    with pytest.raises(ShopError) as error:
        get(url, **more)
    return error.value


@pytest.fixture
def resolver(monkeypatch):
    """Return a function that lets each name have these addresses, one list a question."""

    def answer(*lists):
        asked = []

        def getaddrinfo(host, port, *_, **__):
            asked.append(host)
            found = lists[min(len(asked), len(lists)) - 1]
            return [
                (socket.AF_INET6 if ":" in one else socket.AF_INET, 1, 6, "", (one, port))
                for one in found
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answer


@pytest.fixture
def dialled(monkeypatch):
    """Note where connections would go, and refuse them."""
    addresses = []

    def create_connection(address, *_, **__):
        addresses.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return addresses


# Addresses


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address, resolver, dialled):
    assert not is_public(ipaddress.ip_address(address))
    resolver([address])

    assert refused("https://shop.example").kind == "address"
    assert dialled == []


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111"])
def test_an_address_of_the_open_internet_is_connected_to(address, resolver, dialled):
    resolver([address])

    assert refused("https://shop.example").kind == "unreachable"
    assert dialled == [(address, 443)]


def test_one_private_address_among_public_ones_is_enough(resolver, dialled):
    resolver(["93.184.215.14", "10.0.0.1"])

    assert refused("https://shop.example").kind == "address"
    assert dialled == []


def test_a_name_that_changes_its_answer_is_asked_only_once(resolver, dialled):
    asked = resolver(["93.184.215.14"], ["127.0.0.1"])

    refused("https://shop.example")

    assert asked == ["shop.example"]
    assert dialled == [("93.184.215.14", 443)]


def test_the_next_address_is_tried_where_the_first_does_not_answer(resolver, dialled):
    resolver(["2606:4700::1111", "93.184.215.14", "93.184.215.14"])

    refused("https://shop.example")

    assert [address for address, _ in dialled] == ["2606:4700::1111", "93.184.215.14"]


@pytest.mark.parametrize(
    "url",
    ["ftp://shop.example", "https://", "https://user:pw@shop.example", "https://@shop.example",
     "https://shop.example:99999", "https://shop.example:x", "https://[::1", "//shop.example",
     "https://a..b", f"https://{'a' * 80}.example", "file:///etc/passwd", "https://[fe80::1%25x]/"],
)  # fmt: skip
def test_what_is_no_sound_address_is_refused_in_one_sentence(url, monkeypatch):
    error = refused(url)

    assert error.kind in {"address", "unreachable"}
    assert "pw" not in str(error)


@pytest.mark.parametrize("port", [22, 25, 6379, 8000, 5432])
def test_ports_of_other_services_are_refused(port, resolver, dialled):
    resolver(["93.184.215.14"])

    assert "port" in str(refused(f"http://shop.example:{port}"))
    assert dialled == []


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]"])
def test_ways_to_spell_this_machine_are_refused(name, dialled):
    assert refused(f"http://{name}:8080").kind == "address"
    assert dialled == []


def test_the_own_network_is_reached_where_it_is_allowed(shop):
    answer = get(f"{shop.url}/a/b?c=d", private=True)

    assert (answer.status, shop.calls[0].query) == (200, {"c": "d"})
    assert shop.calls[0].headers["host"] == shop.url.removeprefix("http://")
    assert refused(shop.url).kind == "address"


def test_an_unknown_name_is_told_without_a_trace(monkeypatch):
    def getaddrinfo(*_, **__):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    error = refused("https://nowhere.example")
    assert (error.kind, error.again) == ("unreachable", True)
    assert error.__cause__ is None


# Answers


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_returned_and_not_followed(shop, status):
    shop.fail_next(status, Location="http://169.254.169.254/")

    answer = get(shop.url, private=True)

    assert (answer.status, answer.headers["Location"]) == (status, "http://169.254.169.254/")
    assert len(shop.calls) == 1


def test_no_proxy_of_the_environment_gets_the_request(shop, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert get(shop.url, private=True).status == 200


HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def raw(*parts, pause_s=0.0, tls=None):
    """Serve these bytes to one client and close; None stands for as much as it takes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with listener.accept()[0] as plain:
                try:
                    wire = tls.wrap_socket(plain, server_side=True) if tls else plain
                    with wire:
                        wire.recv(65_536)
                        for part in parts:
                            while part is None:
                                wire.sendall(b"x" * 65_536)
                            wire.sendall(part)
                            time.sleep(pause_s)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    thread.join(5)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(fetch_module, "DEADLINE_S", 0.4)


@pytest.mark.parametrize("head", [HEAD + b"\r\n", HEAD + b"Content-Length: 9999999999\r\n\r\n"])
def test_an_endless_body_is_cut(head, monkeypatch):
    monkeypatch.setattr(fetch_module, "MAX_BODY", 300_000)
    with raw(head, None) as address:
        assert refused(f"http://{address}", private=True).kind == "fault"


@pytest.mark.parametrize(
    "head", [HEAD + b"\r\n", HEAD + b"Content-Length: 5000\r\n\r\n", HEAD, b""]
)
def test_a_body_that_drips_is_cut_at_the_deadline(head, quick):
    began = time.monotonic()
    with raw(head, *[b"x"] * 100, pause_s=0.05) as address:
        error = refused(f"http://{address}", private=True)

    assert (error.kind, error.again) == ("timeout", True)
    assert time.monotonic() - began < 4


def test_a_body_that_drips_over_tls_is_cut_as_well(quick, authority):
    with raw(HEAD + b"\r\n", *[b"x"] * 100, pause_s=0.05, tls=authority("localhost")) as address:
        began = time.monotonic()
        url = f"https://localhost:{address.rpartition(':')[2]}"
        assert refused(url, private=True).kind == "timeout"
        assert time.monotonic() - began < 4


def test_a_handshake_that_never_ends_is_cut(quick):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, began = listener.getsockname()[1], time.monotonic()
        assert refused(f"https://127.0.0.1:{port}", private=True).kind == "timeout"
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "answer",
    [b"", b"garbage\r\n\r\n", HEAD + b"Content-Length: 50\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nX: "
     + b"a" * 70_000 + b"\r\n\r\n", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"],
)  # fmt: skip
def test_an_answer_that_is_broken_or_cut_short_is_no_answer(answer):
    with raw(answer) as address:
        error = refused(f"http://{address}", private=True)

    assert (error.kind, error.again) == ("unreachable", True)


def test_a_closed_port_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert refused(f"http://127.0.0.1:{port}", private=True).kind == "unreachable"


# Certificates


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """Return a function that gives a server context for a name, by an authority we trust."""

    def issue(name, days=1):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        certificate, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
        certificate.write_bytes(made.public_bytes(Encoding.PEM))
        secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, secret)
        return context

    return issue


def over_tls(context):
    with raw(HEAD + b"Content-Length: 2\r\n\r\nok", tls=context) as address:
        return get(f"https://localhost:{address.rpartition(':')[2]}", private=True)


def test_a_trusted_certificate_of_the_name_is_taken(authority):
    assert over_tls(authority("localhost")).body == b"ok"


@pytest.mark.parametrize(("name", "days"), [("other.example", 1), ("localhost", -1)])
def test_a_certificate_of_another_name_or_time_is_told(authority, name, days):
    with pytest.raises(ShopError) as error:
        over_tls(authority(name, days))

    assert (error.value.kind, error.value.again) == ("certificate", False)
    assert "localhost: its certificate is not trusted" in str(error.value)


def test_a_certificate_that_nobody_vouches_for_is_told(authority, monkeypatch):
    context = authority("localhost")
    monkeypatch.delenv("SSL_CERT_FILE")

    with pytest.raises(ShopError) as error:
        over_tls(context)
    assert error.value.kind == "certificate"


def test_a_server_without_tls_is_told_so(shop):
    error = refused(shop.url.replace("http://", "https://"), private=True)

    assert error.kind == "certificate"
    assert "does not speak TLS" in str(error)


def test_many_addresses_take_no_longer_in_all(resolver, dialled, monkeypatch):
    monkeypatch.setattr(fetch_module, "CONNECT_ALL_S", 0)
    resolver([f"93.184.215.{last}" for last in range(200)])

    assert refused("https://shop.example").kind == "timeout"
    assert dialled == []
