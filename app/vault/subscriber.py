"""A `SecretSource` attached to the broker's socket: keeps the last snapshot, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import base64
import itertools
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import structlog

from app.errors import Unavailable
from app.ids import now
from app.tasks import end
from app.vault import protocol
from app.vault.errors import Invalid, VaultStartError
from app.vault.lease import draw
from app.vault.snapshot import Listener, LiveConnections, Refreshable, Snapshot, Turned
from app.vault.startup import Patience, Say
from app.vault.voice import to_standard_error
from app.vault.wire import from_wire

LONGEST_ASK: Final = 9.0  # a little more than the holder itself may take
TOLERATED: Final = 3.0  # seconds without a broker before we call ourselves degraded; a restart takes about one
LOOK: Final = 0.05

_log = structlog.get_logger("scriptorium.vault")


class Subscriber:
    """What workers and operators' commands see of Vault: nothing but snapshots and answers."""

    def __init__(
        self, path: Path, *, wait: float = 60.0, role: protocol.Role = "worker", say: Say = to_standard_error
    ) -> None:
        self._path = path
        self._wait = wait
        self._role = role
        self._say = say
        self._snapshot: Snapshot | None = None
        self._listeners: list[Listener] = []
        self._live: list[LiveConnections] = []
        self._writer: asyncio.StreamWriter | None = None
        self._attached = asyncio.Event()
        self._news = asyncio.Event()
        self._asks: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            raise Unavailable("Secrets are not loaded yet")
        return self._snapshot

    def on_change(self, callback: Listener) -> None:
        self._listeners.append(callback)

    def count_connections(self, live: LiveConnections) -> None:
        self._live.append(live)

    async def start(self) -> None:
        if self._tasks:
            return
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._follow(), name="follow-secrets"),
            loop.create_task(self._report(), name="report-secrets"),
        ]
        patience = Patience(self._wait, self._say)
        try:
            # The first look is quiet: attaching takes a few milliseconds.
            with suppress(TimeoutError):
                async with asyncio.timeout(min(1.0, self._wait)):
                    await self._attached.wait()
            while not self._attached.is_set():
                await patience.spend(f"the keeper of secrets does not answer at {self._path}")
        except VaultStartError:
            await self.stop()
            raise

    async def stop(self) -> None:
        await end(*self._tasks)
        self._detach()

    async def refresh(self, what: Refreshable) -> None:
        await self._ask("refresh", of=what)

    async def encrypt(self, key: str, plaintext: bytes, context: bytes) -> str:
        return str(await self._ask("encrypt", key=key, plaintext=_text(plaintext), context=_text(context)))

    async def decrypt(self, key: str, ciphertext: str, context: bytes) -> bytes:
        return base64.b64decode(await self._ask("decrypt", key=key, ciphertext=ciphertext, context=_text(context)))

    async def sign(self, key: str, data: bytes) -> str:
        return str(await self._ask("sign", key=key, data=_text(data)))

    async def sign_token(self, data: bytes, version: int) -> bytes:
        return base64.b64decode(await self._ask("sign_token", data=_text(data), version=version))

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        keys = dict(await self._ask("public_keys", key=key))
        return {int(version): base64.b64decode(text) for version, text in keys.items()}

    async def rotate(self, what: str) -> Turned:
        return Turned.from_wire(await self._ask("rotate", of=what))

    async def take_up(self, versions: Mapping[str, int], withdrawn: Mapping[str, int]) -> Turned:
        """Have the broker read versions written elsewhere, and wait until every worker knows what was withdrawn too.

        Raises Unavailable when one of them does not follow in time.
        """
        return Turned.from_wire(await self._ask("take_up", versions=dict(versions), withdrawn=dict(withdrawn)))

    async def follow_login(self) -> Turned:
        """Have the broker take a new login, or read the lasting one whose password was changed elsewhere."""
        return Turned.from_wire(await self._ask("follow_login"))

    async def status(self) -> dict[str, Any]:
        """The state of all secrets and workers of this host, without values; raises Unavailable."""
        return dict(await self._ask("status"))

    # --- asking

    async def _ask(self, what: str, **facts: object) -> Any:
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(LONGEST_ASK):
                await self._attached.wait()
                if self._writer is None:
                    raise Unavailable("The keeper of secrets went away", code="secrets_unavailable")
                self._asks[number] = answer
                self._writer.write(protocol.line({"kind": "ask", "id": number, "what": what, **facts}))
                return await answer
        except TimeoutError:
            raise Unavailable("The keeper of secrets does not answer", code="secrets_unavailable") from None
        finally:
            self._asks.pop(number, None)

    def _answered(self, message: dict[str, Any]) -> None:
        waiting = self._asks.get(int(message["id"]))
        if waiting is None or waiting.done():
            return
        if message.get("error") == "invalid":
            waiting.set_exception(Invalid(str(message.get("detail"))))
        elif "error" in message:
            waiting.set_exception(Unavailable(str(message.get("detail")), code="secrets_unavailable"))
        else:
            waiting.set_result(message.get("value"))

    # --- following

    async def _follow(self) -> None:
        """Attach, read, and attach again, for ever; the time in between is told as degraded once it gets long."""
        delay, lost_at = LOOK, time.monotonic()
        while True:
            try:
                await self._read()
            except (
                OSError,
                ValueError,
                KeyError,
                TypeError,
                TimeoutError,
                asyncio.IncompleteReadError,
            ) as error:
                if self._attached.is_set():
                    _log.warning("secret_broker_lost", reason=type(error).__name__)
            if self._attached.is_set():
                delay, lost_at = LOOK, time.monotonic()
            self._detach()
            if time.monotonic() - lost_at > TOLERATED:
                self._degrade()
            await asyncio.sleep(delay * draw(0.5, 1.0))
            delay = min(1.0, delay * 2)

    async def _read(self) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(self._path), limit=protocol.LINE_LIMIT)
        self._writer.write(protocol.line({"kind": "hello", "role": self._role}))
        while True:
            async with asyncio.timeout(protocol.SILENCE):
                data = await reader.readline()
            if not data:
                raise ConnectionResetError
            message = protocol.parse(data)
            if message["kind"] == "snapshot":
                self._adopt(from_wire(message["snapshot"]))
                self._attached.set()
                self._news.set()
            elif message["kind"] == "answer":
                self._answered(message)

    def _adopt(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        for listener in self._listeners:
            listener(snapshot)

    def _detach(self) -> None:
        self._attached.clear()
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
        for waiting in self._asks.values():
            if not waiting.done():
                waiting.set_exception(Unavailable("The keeper of secrets went away", code="secrets_unavailable"))

    def _degrade(self) -> None:
        if self._snapshot is not None and self._snapshot.state == "healthy":
            self._adopt(replace(self._snapshot, state="degraded", since=now()))

    async def _report(self) -> None:
        """Tell the broker which snapshot we use, and when nobody here uses an older login any more."""
        while True:
            await self._news.wait()
            self._news.clear()
            drained = -1
            while not self._news.is_set() and drained < self.snapshot.login.generation:
                before, drained = drained, self._oldest_in_use()
                if drained != before and self._writer is not None:
                    seen = self.snapshot.generation
                    self._writer.write(protocol.line({"kind": "report", "seen": seen, "drained": drained}))
                await asyncio.sleep(LOOK)

    def _oldest_in_use(self) -> int:
        """The generation of the oldest login a connection here was made with."""
        in_use = [made for live in self._live for made, count in live().items() if count > 0]
        return min([*in_use, self.snapshot.login.generation])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
