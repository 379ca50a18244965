"""The private socket over which the holder of the token serves workers and the operator's command line."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog

from app.errors import Unavailable
from app.tasks import end
from app.vault import protocol
from app.vault.errors import Invalid
from app.vault.holder import Holder
from app.vault.snapshot import RING_FIELDS, Snapshot
from app.vault.turning import Turning
from app.vault.wire import to_wire

MOST_UNSENT: Final = 8 * protocol.LINE_LIMIT  # bytes; whoever does not read is cut off
MOST_AT_ONCE: Final = 64
WITH_KEYS: Final = frozenset({"encrypt", "decrypt", "sign", "sign_token", "public_keys"})

_log = structlog.get_logger("scriptorium.vault")


class Session:
    """One attached process: what it runs on, and which logins it has let go."""

    def __init__(self, holder: Holder, writer: asyncio.StreamWriter, pid: int) -> None:
        self._holder = holder
        self._writer = writer
        self._busy = asyncio.Semaphore(MOST_AT_ONCE)
        self.pid = pid
        self.role: protocol.Role = "tool"
        self.seen = 0
        self._let_go = 0

    def drained(self, generation: int) -> bool:
        return self._let_go >= generation

    def send(self, message: Mapping[str, Any]) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            _log.warning("secret_session_cut", pid=self.pid, reason="does not read")
            self._writer.transport.abort()
            return
        self._writer.write(protocol.line(message))

    def push(self, snapshot: Snapshot) -> None:
        self.send({"kind": "snapshot", "snapshot": to_wire(snapshot)})

    async def listen(self, reader: asyncio.StreamReader, server: SecretServer) -> None:
        """Serve until the other side leaves or says something that is no message."""
        async with asyncio.TaskGroup() as asks:
            while data := await reader.readline():
                message = protocol.parse(data)
                if message["kind"] == "hello":
                    self.role = "worker" if message.get("role") == "worker" else "tool"
                elif message["kind"] == "report":
                    self.seen, self._let_go = (
                        int(message["seen"]),
                        int(message["drained"]),
                    )
                elif message["kind"] == "ask":
                    asks.create_task(self._answer(message, server))

    async def _answer(self, message: Mapping[str, Any], server: SecretServer) -> None:
        answer: dict[str, Any] = {"kind": "answer", "id": message.get("id")}
        async with self._busy:
            try:
                answer["value"] = await self._do(str(message.get("what")), message, server)
            except Unavailable as error:
                answer |= {"error": "unavailable", "detail": error.detail}
            except Invalid as error:
                answer |= {"error": "invalid", "detail": str(error)}
            except (KeyError, TypeError, ValueError):
                answer |= {
                    "error": "invalid",
                    "detail": "the request cannot be understood",
                }
        self.send(answer)

    async def _do(self, what: str, message: Mapping[str, Any], server: SecretServer) -> Any:
        if what in WITH_KEYS:
            return await self._with_key(what, message)
        if what != "refresh":
            return await server.operate(what, message)
        if message["of"] not in ("rings", "database"):
            raise ValueError("nothing of that name")
        return await self._holder.refresh(message["of"])

    async def _with_key(self, what: str, message: Mapping[str, Any]) -> Any:
        """What Vault does with keys it does not give away."""
        holder = self._holder
        match what:
            case "encrypt":
                return await holder.encrypt(message["key"], _bytes(message["plaintext"]), _bytes(message["context"]))
            case "decrypt":
                return _text(await holder.decrypt(message["key"], message["ciphertext"], _bytes(message["context"])))
            case "sign":
                return await holder.sign(message["key"], _bytes(message["data"]))
            case "sign_token":
                return _text(await holder.sign_token(_bytes(message["data"]), int(message["version"])))
            case _:
                keys = await holder.public_keys(message["key"])
                return {str(version): _text(key) for version, key in keys.items()}


class SecretServer:
    """Pushes every snapshot to whoever is attached; only processes of this very user are let in."""

    def __init__(self, holder: Holder, path: Path) -> None:
        self._holder = holder
        self._path = path
        self._sessions: set[Session] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._listening: socket.socket | None = None
        self._inode = 0
        self._somebody_left = asyncio.Event()
        self.turning = Turning(holder.settings, holder, self)

    @property
    def workers(self) -> int:
        """How many workers are attached."""
        return sum(session.role == "worker" for session in self._sessions)

    async def operate(self, what: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """What operators ask for; raises ValueError for anything else."""
        match what:
            case "status":
                return self.status()
            case "rotate":
                return (await self.turning.rotate(str(message["of"]))).as_wire()
            case "follow_login":
                return (await self.turning.replace_login()).as_wire()
            case "take_up":
                versions, withdrawn = _numbers(message["versions"]), _numbers(message["withdrawn"])
                return (await self.turning.take_up(versions, withdrawn)).as_wire()
            case _:
                raise ValueError("unknown request")

    def behind(self, generation: int, /) -> list[int]:
        """The process ids of workers that have not taken up this snapshot yet."""
        return [session.pid for session in self._sessions if session.role == "worker" and session.seen < generation]

    def open(self) -> None:
        """Take the place; whoever attaches waits until `serve`.  Raises VaultStartError when it cannot be taken."""
        self._listening = protocol.listen(self._path)
        self._inode = self._path.stat().st_ino

    async def serve(self) -> None:
        """Answer those who attached and those who will; the holder must have its first snapshot."""
        self._server = await asyncio.start_unix_server(self._attached, sock=self._listening, limit=protocol.LINE_LIMIT)
        self._holder.on_change(self._push)
        self._keep(self._beat())

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        elif self._listening is not None:
            self._listening.close()
        await end(*self._tasks)
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:  # a successor may already have made its own
                self._path.unlink()

    async def left_alone(self, patience: float) -> None:
        """Return once no worker is attached, or after `patience` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                while self.workers:
                    self._somebody_left.clear()
                    await self._somebody_left.wait()

    def status(self) -> dict[str, Any]:
        """The state of all secrets and of everybody attached, without values."""
        workers = [
            {"pid": session.pid, "seen": session.seen}
            for session in sorted(self._sessions, key=lambda session: session.pid)
            if session.role == "worker"
        ]
        return {**self._holder.standing(), "workers": workers}

    def _keep(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _push(self, snapshot: Snapshot) -> None:
        for session in tuple(self._sessions):
            session.push(snapshot)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(protocol.BEAT_EVERY)
            for session in tuple(self._sessions):
                session.send({"kind": "beat"})

    def _attached(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._keep(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        pid, uid = protocol.peer(connection)
        if uid != os.getuid():
            _log.warning("secret_session_refused", pid=pid, uid=uid)
            writer.transport.abort()
            return
        session = Session(self._holder, writer, pid)
        self._sessions.add(session)
        self._holder.retiring.attach(session.drained)
        try:
            session.push(self._holder.snapshot)
            await session.listen(reader, self)
        except* (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            asyncio.IncompleteReadError,
        ) as group:
            _log.warning(
                "secret_session_broken",
                pid=pid,
                reason=type(group.exceptions[0]).__name__,
            )
        finally:
            self._holder.retiring.detach(session.drained)
            self._sessions.discard(session)
            self._somebody_left.set()
            writer.transport.abort()


def _numbers(versions: Mapping[str, Any]) -> dict[str, int]:
    unknown = versions.keys() - RING_FIELDS.keys()
    if unknown:
        raise ValueError("no ring of that name")
    return {name: int(number) for name, number in versions.items()}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
