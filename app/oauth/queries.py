"""Statements about clients and codes; built here, run by the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Text,
    Uuid,
    and_,
    column,
    delete,
    exists,
    func,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.sql.dml import Delete, ReturningUpdate, Update

from app.oauth.models import AuthorizationCode, OAuthClient

# What decides whether an owner is active; the table itself belongs to `app.accounts`.
_OWNERS = table(
    "people", column("id", Uuid()), column("status", Text()), column("status_until", DateTime(timezone=True))
).alias("owners")


def _owner_active(moment: datetime) -> ColumnElement[bool]:
    over = and_(_OWNERS.c.status == "suspended", _OWNERS.c.status_until <= moment)
    return exists().where(_OWNERS.c.id == OAuthClient.owner_id, or_(_OWNERS.c.status == "active", over))


def client(client_id: UUID, moment: datetime) -> Select[OAuthClient]:
    """A client that has not been ended and whose owner is active."""
    return select(OAuthClient).where(OAuthClient.id == client_id, OAuthClient.ended_at.is_(None), _owner_active(moment))


def count_clients(owner_id: UUID) -> Select[int]:
    return (
        select(func.count())
        .select_from(OAuthClient)
        .where(OAuthClient.owner_id == owner_id, OAuthClient.ended_at.is_(None))
    )


def clients(*, owner_id: UUID | None) -> Select[OAuthClient]:
    """Clients of one owner, or of everybody for administrators, newest first."""
    statement = (
        select(OAuthClient)
        .where(OAuthClient.ended_at.is_(None))
        .order_by(OAuthClient.created_at.desc(), OAuthClient.id.desc())
        .limit(500)
    )
    return statement if owner_id is None else statement.where(OAuthClient.owner_id == owner_id)


def names(ids: list[UUID]) -> Select[*tuple[Any, ...]]:
    return select(OAuthClient.id, OAuthClient.name).where(OAuthClient.id.in_(ids))


def end_client(client_id: UUID, owner_id: UUID | None, moment: datetime) -> ReturningUpdate[UUID]:
    statement = update(OAuthClient).where(OAuthClient.id == client_id, OAuthClient.ended_at.is_(None))
    if owner_id is not None:
        statement = statement.where(OAuthClient.owner_id == owner_id)
    return statement.values(ended_at=moment).returning(OAuthClient.id)


def redeem(code_hash: bytes, moment: datetime) -> ReturningUpdate[AuthorizationCode]:
    """Use a code up; a row comes back for exactly one of any number of simultaneous tries."""
    return (
        update(AuthorizationCode)
        .where(AuthorizationCode.code_hash == code_hash, AuthorizationCode.used_at.is_(None))
        .values(used_at=moment)
        .returning(AuthorizationCode)
    )


def code(code_hash: bytes) -> Select[AuthorizationCode]:
    return select(AuthorizationCode).where(AuthorizationCode.code_hash == code_hash)


def remember_family(code_hash: bytes, family_id: UUID) -> Update:
    return update(AuthorizationCode).where(AuthorizationCode.code_hash == code_hash).values(family_id=family_id)


def forget_codes(before: datetime) -> Delete:
    return delete(AuthorizationCode).where(AuthorizationCode.expires_at < before)
