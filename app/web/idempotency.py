"""Doing a thing once however often it is asked for: `Idempotency-Key`, stored with the effect in one transaction.

The first request with a key holds its row until it commits; others with the same key wait for that, find the answer
there and give it again, to the byte.  An effect that was rolled back leaves no row, so it can be tried again
(draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from quart import Response, request
from sqlalchemy import Index, LargeBinary, Text, delete, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.errors import Conflict, Invalid
from app.ids import now
from app.vault.snapshot import Key
from app.web.context import current_actor, resources, settings, transaction

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_HEADERS: Final = ("Content-Type", "ETag", "Location")


class KeptAnswer(Base):
    """What was answered to a request with an `Idempotency-Key`."""

    __tablename__ = "kept_answers"
    __table_args__ = (Index("ix_kept_answers_made_at", "made_at"),)

    owner: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    status: Mapped[int | None]
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


@dataclass
class Once:
    """One effect: do it in `db` and set `response`, unless it was done before and `response` is there already."""

    db: AsyncSession
    response: Response | None = None
    done: bool = field(default=False)

    @property
    def answer(self) -> Response:
        """The answer, after the transaction."""
        if self.response is None:
            raise LookupError("the route set no response")
        return self.response


@asynccontextmanager
async def once() -> AsyncIterator[Once]:
    """`async with once() as work:` is a transaction; with `work.done` true the effect happened before.

    Raises Invalid for a key that is none, Conflict when the key was used for another request.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        async with transaction() as db:
            yield Once(db)
        return
    if not _KEY.fullmatch(key):
        raise Invalid({"Idempotency-Key": ["Use 1 to 255 visible ASCII characters."]})
    owner = _owner()
    asked = await _asked()
    async with transaction() as db:
        before = await _claim(db, owner, key, asked)
        work = Once(db, before, done=before is not None)
        yield work
        if not work.done:
            await _keep(db, owner, key, work.answer)


def _owner() -> UUID:
    """Whose key it is: keys of different people never meet.  Visitors are told apart by their address."""
    actor = current_actor()
    return actor.id or UUID(bytes=sha256(f"visitor {actor.address}".encode()).digest()[:16])


class _Asked:
    """What is asked for, comparable with what was asked before and not to be guessed from what is stored.

    A body may hold a password, and a plain hash of it could be guessed against; so it is an HMAC under a key from
    Vault, with the version of the key in front.
    """

    def __init__(self, body: bytes) -> None:
        self._said = f"{request.method} {request.path}\0".encode() + body

    def fingerprint(self) -> bytes:
        return self._under(resources().secrets.snapshot.rings["refresh"].signing)

    def was(self, fingerprint: bytes) -> bool:
        """Whether this is what left the fingerprint; not if its key is gone, which is safe to say."""
        key = resources().secrets.snapshot.rings["refresh"].find(int.from_bytes(fingerprint[:4]))
        return key is not None and hmac.compare_digest(fingerprint, self._under(key))

    def _under(self, key: Key) -> bytes:
        return key.version.to_bytes(4) + hmac.new(key.value, b"idempotency\0" + self._said, sha256).digest()


async def _asked() -> _Asked:
    data = await request.get_data(as_text=False)
    return _Asked(data if isinstance(data, bytes) else data.encode())


async def _claim(db: AsyncSession, owner: UUID, key: str, asked: _Asked) -> Response | None:
    """Take the key, or the answer that was given under it."""
    moment = now()
    oldest = moment - timedelta(seconds=settings().idempotency_life)
    await db.execute(
        delete(KeptAnswer).where(KeptAnswer.owner == owner, KeptAnswer.key == key, KeptAnswer.made_at < oldest)
    )
    taken = await db.scalar(
        insert(KeptAnswer)
        .values(owner=owner, key=key, fingerprint=asked.fingerprint(), made_at=moment)
        .on_conflict_do_nothing()
        .returning(KeptAnswer.made_at)
    )
    if taken is not None:
        return None
    kept = (
        await db.execute(
            select(KeptAnswer.fingerprint, KeptAnswer.status, KeptAnswer.headers, KeptAnswer.body).where(
                KeptAnswer.owner == owner, KeptAnswer.key == key
            )
        )
    ).first()
    if kept is None or kept.status is None:
        raise Conflict("A request with this key is being worked on.", code="idempotency_in_progress")
    if not asked.was(kept.fingerprint):
        raise Conflict("This Idempotency-Key was used for another request.", code="idempotency_key_reused")
    response = Response(kept.body, status=kept.status, headers=kept.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


async def _keep(db: AsyncSession, owner: UUID, key: str, response: Response) -> None:
    body = await response.get_data(as_text=False)
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    await db.execute(
        update(KeptAnswer)
        .where(KeptAnswer.owner == owner, KeptAnswer.key == key)
        .values(status=response.status_code, headers=headers, body=body)
    )


async def forget_old(db: AsyncSession, life: float) -> None:
    """Drop answers older than `life` seconds."""
    await db.execute(delete(KeptAnswer).where(KeptAnswer.made_at < now() - timedelta(seconds=life)))
