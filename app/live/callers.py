"""How a socket finds out who its caller is, at the handshake and again whenever rights may have ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.access import Actor


class Recogniser:
    """Recognises the caller of the running socket, as things stand now."""

    def __init__(self, recognise: Callable[[], Awaitable[Actor]]) -> None:
        self._recognise = recognise

    async def actor(self) -> Actor:
        return await self._recognise()
