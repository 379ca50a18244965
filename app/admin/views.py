"""Rows turned into what administrators see of people and of what they are signed in with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts import service as accounts
from app.accounts.schemas import ChangeView, PersonView
from app.admin.schemas import Confirmed, DecidedPerson, Ended, OpenSession, OwnedSession, PersonDetail, SignInView


def person_view(row: Any) -> PersonView:
    """A person as administrators see them."""
    return PersonView(
        row.id, row.email, row.display_name, list(row.roles), row.status, row.status_until, row.created_at
    )


def change_view(row: Any) -> ChangeView:
    """A decision as administrators see it."""
    return ChangeView(
        row.at,
        row.actor_name,
        row.from_status,
        row.to_status,
        row.from_roles,
        row.to_roles,
        row.reason,
        row.message,
        row.until,
    )


async def person_detail(db: AsyncConnection, person_id: UUID) -> PersonDetail:
    """A person with what was decided about them; raises NotFound."""
    row = await accounts.person(db, person_id)
    history = await accounts.history(db, person_id)
    return PersonDetail(
        row.id,
        row.email,
        row.display_name,
        list(row.roles),
        row.status,
        row.status_until,
        row.created_at,
        status_since=row.status_since,
        status_message=row.status_message,
        history=[change_view(change) for change in history],
    )


async def decided_person(
    db: AsyncConnection, person_id: UUID, ended: Ended, confirmed: Confirmed | None
) -> DecidedPerson:
    """A person after a decision, with what ended by it."""
    detail = msgspec.structs.asdict(await person_detail(db, person_id))
    return DecidedPerson(**detail, ended=ended, confirmed=confirmed)


def open_session(row: Any) -> OpenSession:
    """A browser session as administrators see it."""
    return OpenSession(row.id, row.device, row.address, row.created_at, row.last_seen_at)


def owned_session(row: Any) -> OwnedSession:
    """The same with its owner."""
    return OwnedSession(
        row.id,
        row.device,
        row.address,
        row.created_at,
        row.last_seen_at,
        row.person_id,
        row.display_name,
        row.email,
    )


def sign_in(row: Any) -> SignInView:
    """A sign-in of a program."""
    return SignInView(row.id, row.client_id, row.device, row.address, row.created_at, row.ends_at)
