"""``python -m benchmarks.graph PORT [SECONDS]``: a Graph API that says yes, after so long.

It costs as little as it can: the sandbox would judge each event and keep it.  A GET tells how
many events it took.
"""

import re
import socket
import sys
import threading
import time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_taken = 0
_lock = threading.Lock()


def main() -> None:
    """Serve until killed."""
    latency_s = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=1024)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, latency_s), daemon=True).start()


def _serve(client: socket.socket, latency_s: float) -> None:
    global _taken  # noqa: PLW0603  one number for all threads
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    arrived = b""
    while True:
        while b"\r\n\r\n" not in arrived:
            if not (part := client.recv(262_144)):
                return
            arrived += part
        head, _, body = arrived.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += client.recv(262_144)
        arrived = body[wanted:]
        events = body[:wanted].count(b"event_id")
        if events:
            time.sleep(latency_s)
        with _lock:
            _taken += events
        told = events or _taken
        answer = b'{"events_received":%d,"messages":[],"fbtrace_id":"A1"}' % told
        client.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(answer), answer)
        )


if __name__ == "__main__":
    main()
