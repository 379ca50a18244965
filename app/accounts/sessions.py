"""Browser sessions: opened at sign-in, recognised on each request, ended on the server.

The cookie holds a random 256-bit id signed by quart-auth; the table holds its SHA-256.  A session dies when it is
ended, when its person's epoch moves on, after `session_idle` without use, or `session_absolute` after sign-in
(ASVS 7.2.4, 7.3.1, 7.3.2).  Its id changes when the person's status does, and when they prove again who they are.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.access import Actor
from app.accounts import queries
from app.accounts.models import Session
from app.audit import service as audit
from app.errors import NotFound
from app.ids import new_id, now
from app.rights.facts import CredentialFacts, PersonFacts, person_facts
from app.rights.notices import announce
from app.settings import Settings


def token_hash(token: str) -> bytes:
    return sha256(token.encode("ascii", "replace")).digest()


async def open_session(
    db: AsyncSession,
    settings: Settings,
    actor: Actor,
    epoch: int,
    *,
    device: str,
    is_new: bool = False,
    before: Actor | None = None,
) -> tuple[UUID, str]:
    """Sign somebody in; returns the session's id and the token for the cookie, which is not kept anywhere.

    The session of `before`, whoever was signed in with the same browser, ends in the same step and the same event.
    """
    token, session_id, moment = secrets.token_urlsafe(32), new_id(), now()
    await db.execute(
        queries.new_session(
            id=session_id,
            token_hash=token_hash(token),
            person_id=actor.person_id(),
            epoch=epoch,
            issued_as=actor.status,
            created_at=moment,
            last_seen_at=moment,
            fresh_at=moment,
            ends_at=moment + timedelta(seconds=settings.session_absolute),
            device=device[:200],
            address=actor.address or "",
        )
    )
    details: dict[str, Any] = {"device": device[:200]} | ({"new_device": True} if is_new else {})
    if before is not None and before.session_id is not None:
        await db.execute(queries.end_session(before.session_id, before.person_id()))
        await announce(db, [before.session_id])
        details["instead_of"] = str(before.session_id)
    await audit.record(db, actor, "session.opened", ("session", session_id), details)
    return session_id, token


async def look_up(db: AsyncConnection, presented: bytes) -> tuple[CredentialFacts, PersonFacts] | None:
    """The session behind the hash of a cookie's token, and its person; None when there is none."""
    row = (await db.execute(queries.SESSION_WITH_PERSON, {"token_hash": presented})).first()
    if row is None:
        return None
    session = CredentialFacts(
        "session",
        row.session_id,
        row.id,
        row.session_epoch,
        row.ends_at,
        fresh_at=row.fresh_at,
        last_seen=row.last_seen_at,
        issued_as=row.issued_as,
    )
    person = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return session, person


async def name_of(db: AsyncConnection, session_id: UUID) -> bytes | None:
    """The hash a session goes by at present; None when there is no such session."""
    found: bytes | None = await db.scalar(queries.token_hash_of(session_id))
    return found


async def sessions_of(db: AsyncConnection, settings: Settings, person_id: UUID, epoch: int) -> list[Any]:
    """A person's open sessions of this epoch, last used first."""
    return list((await db.execute(queries.sessions_of(person_id, epoch, *_moments(settings)))).all())


async def all_sessions(
    db: AsyncConnection, settings: Settings, *, search: str = "", before: UUID | None = None, limit: int = 50
) -> list[Any]:
    """Everybody's open sessions, the newest first; `before` is the last row's id of the page before."""
    few = False
    if search:
        counted = queries.count_people(status=None, role=None, search=search, at_most=queries.FEW + 1)
        few = (await db.scalar(counted) or 0) <= queries.FEW
    statement = queries.all_sessions(search, *_moments(settings), before=before, limit=limit, few=few)
    return list((await db.execute(statement)).all())


async def count(db: AsyncSession, settings: Settings, person_id: UUID, epoch: int) -> int:
    """How many of a person's sessions carry this epoch and have neither ended nor run out."""
    return await db.scalar(queries.count_sessions(person_id, epoch, *_moments(settings))) or 0


def _moments(settings: Settings) -> tuple[datetime, datetime]:
    """Now, and since when a session must have been used to be open."""
    moment = now()
    return moment, moment - timedelta(seconds=settings.session_idle)


async def end(db: AsyncSession, actor: Actor, session_id: UUID) -> None:
    """End one of the caller's own sessions; somebody else's is answered like one that does not exist."""
    if await db.scalar(queries.end_session(session_id, actor.person_id())) is None:
        raise NotFound
    await announce(db, [session_id])
    await audit.record(db, actor, "session.ended", ("session", session_id))


async def end_for(db: AsyncSession, actor: Actor, person_id: UUID, session_id: UUID) -> str:
    """End one session of somebody else's, as an administrator; returns the nonce under which the workers confirm."""
    if await db.scalar(queries.end_session(session_id, person_id)) is None:
        raise NotFound
    nonce = await announce(db, [session_id], confirm=True)
    await audit.record(db, actor, "session.ended", ("session", session_id), {"person": str(person_id)})
    return nonce


async def end_others(db: AsyncSession, actor: Actor) -> int:
    """End all of the caller's sessions but this one; returns how many."""
    ended = (await db.scalars(queries.end_sessions(actor.person_id(), but=actor.session_id))).all()
    await announce(db, ended)
    await audit.record(db, actor, "session.others_ended", ("person", actor.person_id()), {"count": len(ended)})
    return len(ended)


async def renew(db: AsyncSession, actor: Actor, *, recorded: bool = False) -> str:
    """Note that the person has just proved who they are again ("sudo mode"); the session goes on under a new token.

    Returns the token for the cookie; the one before it opens nothing any more.  Raises NotFound when it has ended.
    `recorded` says that this is part of a deed which has its event already.
    """
    token, session_id = secrets.token_urlsafe(32), actor.session_id
    renewed = await db.scalar(
        update(Session)
        .where(Session.id == session_id, Session.person_id == actor.person_id())
        .values(fresh_at=now(), token_hash=token_hash(token))
        .returning(Session.id)
    )
    if renewed is None:
        raise NotFound
    await announce(db, [renewed])
    if not recorded:
        await audit.record(db, actor, "session.confirmed", ("session", renewed))
    return token


async def reissue(db: AsyncSession, actor: Actor, presented: bytes, *, before: str) -> str | None:
    """Give a session a new id, because its person's status is no longer `before`, that of the id's time (ASVS 7.2.4).

    Returns the token for the cookie, or None when another request with the same cookie was faster.  Nobody else's
    knowledge of the old id is worth anything from here on; forms that are open stay good, they go by the session.
    """
    token = secrets.token_urlsafe(32)
    session_id = await db.scalar(queries.exchange_token(presented, token_hash(token), actor.status))
    if session_id is None:
        return None
    await announce(db, [session_id])
    details = {"from": before, "to": actor.status}
    await audit.record(db, actor, "session.reissued", ("session", session_id), details)
    return token
