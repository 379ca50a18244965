"""Putting letters into the outbox, sealing those that wait anew after a rotation, and saying how many there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.ids import new_id, now
from app.mail import queries
from app.mail.envelope import Content, Unreadable, seal, unseal
from app.mail.models import Letter
from app.settings import Settings
from app.vault.snapshot import PERSONAL, Key, KeyRing, Snapshot

KEPT: Final = timedelta(days=30)  # how long we remember that a letter was sent or given up
BATCH: Final = 100


class Postbox:
    """Where letters are put; without a mail server it takes none."""

    def __init__(self, settings: Settings, snapshot: Callable[[], Snapshot]) -> None:
        self._open = bool(settings.smtp_host)
        self._snapshot = snapshot

    @property
    def ring(self) -> KeyRing:
        """The data keys personal things are sealed with."""
        return self._snapshot().rings[PERSONAL]

    async def put(self, db: AsyncSession, template: str, content: Content) -> None:
        """Write a letter down in the transaction of what it tells; raises Unavailable when every key was withdrawn."""
        if not self._open:
            return
        moment, letter_id, key = now(), new_id(), self.ring.signing
        db.add(
            Letter(
                id=letter_id,
                template=template,
                sealed=seal(key, letter_id, content),
                key_version=key.version,
                attempts=0,
                error="",
                created_at=moment,
                next_try_at=moment,
                sent_at=None,
                given_up_at=None,
            )
        )
        await db.flush()


async def seal_anew(db: AsyncSession, ring: KeyRing, key: Key) -> int:
    """Seal a batch of waiting letters with this key of the ring; returns how many were under an older one."""
    done = 0
    for row in (await db.execute(queries.OLDER, {"version": key.version, "most": BATCH})).all():
        try:
            content = unseal(ring, row.key_version, row.id, row.sealed)
        except Unreadable as error:
            await db.execute(queries.GIVEN_UP, {"id": row.id, "moment": now(), "error": str(error)})
            continue
        values = {"id": row.id, "sealed": seal(key, row.id, content), "version": key.version}
        await db.execute(queries.SEAL_ANEW, values)
        done += 1
    return done


async def counts(db: AsyncConnection | AsyncSession) -> dict[str, int]:
    """How many letters wait, were sent lately, and were given up lately."""
    row = (await db.execute(queries.COUNTS)).one()
    return {"waiting": row.waiting, "sent": row.sent, "given_up": row.given_up}


async def forget_old(db: AsyncSession, /) -> None:
    """Forget that letters were sent or given up long ago."""
    await db.execute(queries.FORGET, {"before": now() - KEPT})
