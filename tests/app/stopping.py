"""A request that a server has accepted and cannot answer yet, and the closing of its port."""

import socket
from contextlib import suppress

from tests.app.live_server import DEFAULT

DECODE = f"/api/v1/models/{DEFAULT}/decode"
BODY = b'{"latents":[[0, 0]]}'


def accepted_request(port: int) -> socket.socket:
    """Send the head of a request, and return once the server asks for its body."""
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = f"POST {DECODE} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
    client.sendall(f"{head}Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert client.recv(100).startswith(b"HTTP/1.1 100 ")
    return client


def rest_of(accepted: socket.socket) -> bytes:
    """Send the body of such a request, and return the response."""
    with accepted:
        accepted.sendall(BODY)
        return b"".join(iter(lambda: accepted.recv(65536), b""))


def wait_until_closed(port: int) -> None:
    with suppress(ConnectionError):
        while True:
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
