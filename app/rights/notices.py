"""Saying that rights ended, in the very transaction that ends them: PostgreSQL sends it when, and only when, it commits.

A committing NOTIFY takes a lock over the whole database cluster and a payload holds fewer than 8,000 bytes, so notices
are sent only where rights shrink, and many ids travel in few chunks.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

CHANNEL: Final = "scriptorium_rights"
IDS_PER_NOTICE: Final = 200
_SEND = text("SELECT pg_notify(:channel, :payload)")


@dataclass(frozen=True, slots=True)
class Notice:
    """Ids of people or credentials whose rights ended; `nonce` asks the workers to confirm that they heard."""

    ids: tuple[UUID, ...]
    nonce: str = ""


async def announce(db: AsyncSession, ids: Iterable[UUID], *, confirm: bool = False) -> str:
    """Tell every worker, at commit, to forget these people or credentials.

    Returns the nonce under which they confirm, empty when nobody asked for it.
    """
    nonce = secrets.token_urlsafe(9) if confirm else ""
    wanted: Sequence[UUID] = list(ids)
    chunks = [wanted[start : start + IDS_PER_NOTICE] for start in range(0, len(wanted), IDS_PER_NOTICE)]
    for number, chunk in enumerate(chunks):
        last = nonce if number == len(chunks) - 1 else ""
        await db.execute(_SEND, {"channel": CHANNEL, "payload": encode(Notice(tuple(chunk), last))})
    return nonce


def encode(notice: Notice) -> str:
    """The payload of a notice: the nonce, a space, and the ids."""
    return f"{notice.nonce} " + ",".join(identity.hex for identity in notice.ids)


def decode(payload: str) -> Notice | None:
    """The notice in a payload; None for one we cannot read, upon which everything should be forgotten."""
    nonce, space, rest = payload.partition(" ")
    try:
        ids = tuple(UUID(hex=part) for part in rest.split(",") if part)
    except ValueError:
        return None
    return Notice(ids, nonce) if space else None
