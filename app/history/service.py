"""Choosing what of an event its subject may read, and saying it in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.audit import service as audit
from app.history.schemas import Happening, HistoryPage
from app.web.paging import decode_cursor, encode_cursor, split

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account.registered": "Account registered",
        "account.known_address_applied": "Somebody applied with your address; nothing changed",
        "account.applied_again": "New application",
        "account.approved": "Application approved",
        "account.declined": "Application declined",
        "account.suspended": "Account suspended",
        "account.reinstated": "Account reinstated",
        "account.renamed": "Name changed",
        "account.password_changed": "Password changed",
        "account.roles_changed": "Roles changed",
        "account.admin_made": "Made an administrator",
        "account.sessions_ended": "Signed out everywhere",
        "session.opened": "Signed in",
        "session.ended": "Session ended",
        "session.reissued": "Session goes on under a new id, as your status changed",
        "session.others_ended": "All other sessions ended",
        "sign_in.refused": "Sign-in refused: wrong password",
        "token.granted": "Signed in with a program",
        "token.refreshed": "Program's sign-in renewed",
        "token.revoked": "Program signed out",
        "key.created": "API key made",
        "key.revoked": "API key ended",
        "grant.revoked": "Application disconnected",
        "client.registered": "Client registered",
        "client.ended": "Client ended",
        "entry.published": "Journal entry published",
        "entry.edited": "Journal entry changed",
        "entry.withdrawn": "Journal entry withdrawn",
        "document.commissioned": "Document commissioned",
        "document.saved": "Document saved",
        "audit.exported": "Audit trail exported",
    }
)


async def history(db: AsyncConnection, person_id: UUID, *, cursor: str | None, limit: int) -> HistoryPage:
    """A page of what a person did and what happened to their account; raises Invalid for a cursor we did not make."""
    found = await audit.history(db, person_id, after=decode_cursor(cursor), limit=limit + 1)
    rows, more = split(found, limit)
    following = encode_cursor(rows[-1].at, rows[-1].id) if more else None
    return HistoryPage([_happening(row, person_id) for row in rows], following)


def _happening(row: Any, person_id: UUID) -> Happening:
    by = _by(row, person_id)
    # Where staff works from, with what and why, is theirs.
    shown = by in ("you", "nobody signed in")
    device = row.details.get("device") if shown else None
    return Happening(
        row.id,
        row.at,
        row.kind,
        WORDS.get(row.kind) or row.kind.replace("_", " ").replace(".", " ").capitalize(),
        by,
        row.target_type,
        row.target_id,
        row.address if shown else None,
        device if isinstance(device, str) else None,
    )


def _by(row: Any, person_id: UUID) -> Literal["you", "staff", "nobody signed in", "the site"]:
    if row.actor_id == person_id:
        return "you"
    if row.actor_id is not None:
        return "staff"
    return "the site" if row.actor_via == "system" else "nobody signed in"
