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
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, urlsplit

from bridge.events import Request, Response, ShopError

CONNECT_S = 10.0
READ_S = 20.0
DEADLINE_S = 60.0
MAX_BODY = 16 * 1024 * 1024
PORTS = {80, 443, 8080, 8443}
# Global by Python's reckoning, but ways into private networks.
_TUNNELS = [
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "2002::/16", "2001::/32", "192.0.0.0/24")
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def fetch(request: Request, *, private: bool = False) -> Response:
    """Send *request* and return the answer, at most 16 MiB of it.

    *private* allows addresses and ports of the own network.  Raises ShopError with kind
    ``address``, ``unreachable``, ``timeout`` or ``certificate``.
    """
    parts = urlsplit(request.url)
    with _shop_errors(parts.hostname or ""):
        address, port = resolve(parts, private=private)
        with _connected(parts, address, port) as connection:
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request(
                request.method, path, body=request.body or None, headers=dict(request.headers)
            )
            answer = connection.getresponse()
            body = answer.read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                raise ShopError("fault", f"{parts.hostname} answers with more than 16 MiB")
            return Response(status=answer.status, body=body, headers=dict(answer.getheaders()))


def resolve(parts: SplitResult, *, private: bool) -> tuple[str, int]:
    """Return the address and port to connect to; raises ShopError (``address``)."""
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or parts.username:
        raise ShopError("address", "the shop's address must be like https://shop.example")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not private and port not in PORTS:
        raise ShopError("address", f"{host}: port {port} is not one that shops use")
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not private and not all(is_public(ipaddress.ip_address(one)) for one in addresses):
        raise ShopError(
            "address",
            f"{host} has an address in a private network; set ALLOW_PRIVATE_SHOPS=1 if the"
            " shop runs beside this bridge",
        )
    return addresses[0], port


def is_public(address: Address) -> bool:
    """Return whether *address* is one of the open internet."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if any(address.version == net.version and address in net for net in _TUNNELS):
        return False
    return address.is_global and not address.is_multicast


@contextmanager
def _connected(parts: SplitResult, address: str, port: int) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection to *address*, shut down at the deadline whatever it does."""
    host = parts.hostname or ""
    plain = socket.create_connection((address, port), CONNECT_S)
    plain.settimeout(READ_S)
    with contextlib.closing(plain):
        wire: socket.socket = plain
        watchdog = threading.Timer(DEADLINE_S, _shut_down, (plain,))
        watchdog.daemon = True
        watchdog.start()
        try:
            if parts.scheme == "https":
                context = ssl.create_default_context()
                wire = context.wrap_socket(plain, server_hostname=host)
            connection = http.client.HTTPConnection(parts.netloc.rpartition("@")[2])
            connection.sock = wire
            yield connection
        finally:
            watchdog.cancel()
            wire.close()


def _shut_down(plain: socket.socket) -> None:
    with contextlib.suppress(OSError):
        plain.shutdown(socket.SHUT_RDWR)


@contextmanager
def _shop_errors(host: str) -> Iterator[None]:
    """Turn what the network says into a sentence that tells what to do."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ShopError(
            "certificate", f"{host}: its certificate is not trusted ({error.verify_message})"
        ) from None
    except TimeoutError:
        raise ShopError("timeout", f"{host} does not answer in time", again=True) from None
    except socket.gaierror:
        raise ShopError("unreachable", f"{host}: there is no such name", again=True) from None
    except (OSError, http.client.HTTPException) as error:
        raise ShopError(
            "unreachable", f"{host} cannot be reached ({type(error).__name__})", again=True
        ) from None
