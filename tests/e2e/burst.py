"""Many requests that arrive at the same instant: everything is sent but the last byte, then all last bytes at once."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser

PATIENCE = 60.0
SETTLING = 0.5  # seconds until the server has read all that went before


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message


def request(method: str, path: str, port: int, headers: dict[str, str], body: str = "") -> bytes:
    """An HTTP/1.1 request as bytes, on a connection that ends with its answer."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body.encode())}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def release_together(port: int, message: bytes, count: int) -> list[Answer]:
    """Send the same request on `count` connections at the same moment and return the answers."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
        for connection in sockets:
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(message[:-1])
        time.sleep(SETTLING)
        for connection in sockets:
            connection.sendall(message[-1:])
        return [_answer(connection) for connection in sockets]


def _answer(connection: socket.socket) -> Answer:
    received = b""
    while part := connection.recv(65536):
        received += part
    status_line, _, rest = received.partition(b"\r\n")
    return Answer(int(status_line.split()[1]), BytesParser().parsebytes(rest.partition(b"\r\n\r\n")[0]))
