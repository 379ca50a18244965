"""The holder together with its socket: what runs once per host, in a process of its own or beside a single worker."""

from __future__ import annotations

from typing import Any

from app.settings import Settings
from app.vault.estate import Estate
from app.vault.holder import Holder
from app.vault.server import SecretServer
from app.vault.snapshot import SecretSource, Turned
from app.vault.startup import Say
from app.vault.subscriber import Subscriber
from app.vault.voice import to_standard_error


class Broker(Holder):
    """A holder others can attach to: workers, and the operator's commands."""

    def __init__(
        self,
        settings: Settings,
        *,
        say: Say = to_standard_error,
        estate: Estate | None = None,
    ) -> None:
        super().__init__(settings, say=say, estate=estate)
        self.server = SecretServer(self, settings.secrets_socket)
        self._serving = False

    async def start(self) -> None:
        if self._serving:
            return
        self.server.open()  # first: a place that is taken must not cost the secret-id that opens only once
        self._serving = True
        try:
            await super().start()
            await self.server.serve()
        except BaseException:
            await self.server.stop()
            self._serving = False
            raise

    async def rotate(self, what: str) -> Turned:
        return await self.server.turning.rotate(what)

    async def status(self) -> dict[str, Any]:
        return self.server.status()

    async def stop(self) -> None:
        if self._serving:
            self._serving = False
            await self.server.stop()
            await super().stop()


def source_for(settings: Settings) -> SecretSource:
    """Where a worker gets its secrets: from the broker when there are several workers, else by itself."""
    if settings.workers == 1:
        return Broker(settings)
    return Subscriber(settings.secrets_socket, wait=settings.vault_wait)
