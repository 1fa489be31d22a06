"""One request to a shop: its address resolved once, checked, and connected to as checked.

An operator types a shop's address, so it may point anywhere: into this network, at a cloud's
metadata service.  Every address of the name must be public, the connection goes to the very
address that was checked, and redirects are returned, never followed.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

from bridge.events import Request, Response, ShopError

CONNECT_S = 10.0
CONNECT_ALL_S = 20.0  # however many addresses a name has
READ_S = 20.0
DEADLINE_S = 60.0
MAX_BODY = 16 * 1024 * 1024
PORTS = {80, 443, 8080, 8443}
# All of IPv6 that is handed out: translated, mapped and local addresses lie outside of it.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Global by Python's reckoning, but ways into private networks: 6to4, Teredo, protocols.
_TUNNELS = [ipaddress.ip_network(text) for text in ("2002::/16", "2001::/32", "192.0.0.0/24")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetch(request: Request, *, private: bool = False) -> Response:
    """Send *request* and return the answer, at most 16 MiB of it.

    *private* allows addresses and ports of the own network.  Raises ShopError with kind
    ``address``, ``unreachable``, ``timeout``, ``certificate`` or ``fault``.
    """
    parts = _split(request.url)
    with _shop_errors(parts.hostname or ""):
        addresses, port = resolve(parts, private=private)
        with _connected(parts, addresses, port) as connection:
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request(
                request.method, path, body=request.body or None, headers=dict(request.headers)
            )
            with contextlib.closing(connection.getresponse()) as answer:
                body = answer.read(MAX_BODY + 1)
                if len(body) > MAX_BODY:
                    raise ShopError("fault", f"{parts.hostname} answers with more than 16 MiB")
                if answer.length:  # a body cut short is no error of read()
                    raise http.client.IncompleteRead(b"")
                headers = dict(answer.getheaders())
    return Response(status=answer.status, body=body, headers=headers)


def _split(url: str) -> SplitResult:
    with _sound_address():
        parts = urlsplit(url)
        _ = parts.port
    return parts


def resolve(parts: SplitResult, *, private: bool) -> tuple[Sequence[str], int]:
    """Return the addresses and the port to connect to; raises ShopError (``address``)."""
    host = parts.hostname or ""
    with _sound_address():
        if parts.scheme not in {"http", "https"} or not host or "@" in parts.netloc:
            raise ValueError
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not private and port not in PORTS:
        raise ShopError(
            "address",
            f"{host}: port {port} is not one that shops use; set ALLOW_PRIVATE_SHOPS=1 if the shop"
            " runs beside this bridge",
        )
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not private and not all(is_public(ipaddress.ip_address(one)) for one in addresses):
        raise ShopError(
            "address",
            f"{host} has an address in a private network; set ALLOW_PRIVATE_SHOPS=1 if the"
            " shop runs beside this bridge",
        )
    return addresses, port


def is_public(address: Address) -> bool:
    """Return whether *address* is one of the open internet."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    if any(address.version == net.version and address in net for net in _TUNNELS):
        return False
    return address.is_global and not address.is_multicast


@contextmanager
def _connected(
    parts: SplitResult, addresses: Sequence[str], port: int
) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to one of *addresses*, shut down at the deadline whatever it does."""
    ends = time.monotonic() + DEADLINE_S
    with contextlib.ExitStack() as kept:
        plain = kept.enter_context(contextlib.closing(_connect(addresses, port)))
        # A handle of its own: TLS takes the socket's handle away from the plain socket.
        handle = kept.enter_context(contextlib.closing(plain.dup()))
        left_s = max(0.0, ends - time.monotonic())
        watchdog = threading.Timer(left_s, _shut_down, (handle,))
        watchdog.daemon = True
        kept.callback(watchdog.cancel)
        watchdog.start()
        try:
            wire: socket.socket = plain
            if parts.scheme == "https":
                context = ssl.create_default_context()
                wire = context.wrap_socket(plain, server_hostname=parts.hostname)
                kept.enter_context(contextlib.closing(wire))
            connection = http.client.HTTPConnection(parts.netloc)
            connection.sock = wire
            yield connection
        except (OSError, http.client.HTTPException):
            if time.monotonic() >= ends:  # whatever it looks like, it was the watchdog
                raise TimeoutError from None
            raise
        if time.monotonic() >= ends:  # a body that tells no length looks whole when it is cut
            raise TimeoutError


def _connect(addresses: Sequence[str], port: int) -> socket.socket:
    """Return a connection to the first address that answers."""
    ends = time.monotonic() + CONNECT_ALL_S
    for place, address in enumerate(addresses, 1):
        left_s = ends - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        try:
            connected = socket.create_connection((address, port), min(CONNECT_S, left_s))
        except OSError:
            if place == len(addresses):
                raise
        else:
            connected.settimeout(READ_S)
            return connected
    raise OSError("the name has no address")


def _shut_down(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


@contextmanager
def _sound_address() -> Iterator[None]:
    """Turn what cannot be read as an address into a sentence that does not show it."""
    try:
        yield
    except ValueError:
        raise ShopError("address", "the shop's address must be like https://shop.example") from None


@contextmanager
def _shop_errors(host: str) -> Iterator[None]:
    """Turn what the network says into a sentence that tells what to do."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ShopError(
            "certificate",
            f"{host}: its certificate is not trusted ({error.verify_message}): renew it on the"
            " shop's server, with its whole chain, or write the name that it is made for",
        ) from None
    except TimeoutError:
        raise ShopError(
            "timeout",
            f"{host} does not answer in time: see whether the shop is up, and whether a firewall"
            " keeps this server out; it is tried again",
            again=True,
        ) from None
    except socket.gaierror:
        raise ShopError(
            "unreachable",
            f"{host}: there is no such name: see how the address is spelt, and this server's DNS",
            again=True,
        ) from None
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            raise ShopError(
                "certificate",
                f"{host} does not speak TLS: its address begins with http, or its server's"
                " certificate is yet to be set up",
            ) from None
        raise ShopError(
            "unreachable",
            f"{host} cannot be reached ({type(error).__name__}): see whether the shop is up, and"
            " whether a firewall keeps this server out; it is tried again",
            again=True,
        ) from None
    except ValueError:  # a name or a path that no wire can carry
        with _sound_address():
            raise
