"""Statements about token families and refresh tokens; built here, run by the service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    LargeBinary,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.dml import Delete, ReturningUpdate, Update

from app.tokens.models import ApiKey, RefreshToken, TokenFamily

# The columns of people that decide whether a token still stands; the table itself belongs to `app.accounts`.
_PEOPLE = table(
    "people",
    column("id", Uuid()),
    column("email", Text()),
    column("display_name", Text()),
    column("roles", ARRAY(Text())),
    column("status", Text()),
    column("status_until", DateTime(timezone=True)),
    column("epoch", BigInteger()),
)

FAMILY_WITH_PERSON: Select[*tuple[Any, ...]] = (
    select(
        TokenFamily.epoch.label("family_epoch"),
        TokenFamily.scopes,
        TokenFamily.client_id,
        TokenFamily.ended_at,
        TokenFamily.ends_at,
        _PEOPLE.c.id,
        _PEOPLE.c.email,
        _PEOPLE.c.display_name,
        _PEOPLE.c.roles,
        _PEOPLE.c.status,
        _PEOPLE.c.status_until,
        _PEOPLE.c.epoch,
    )
    .join(_PEOPLE, _PEOPLE.c.id == TokenFamily.person_id)
    .where(TokenFamily.id == bindparam("family_id"))
)


def exchange() -> Any:
    """Use up one refresh token and store its successor, in one atomic statement; a row comes back only if it was live.

    Of many simultaneous uses exactly one sees `used_at IS NULL`: the row lock makes the others look again and find it
    set.  The successor enters only with that row.
    """
    moment = bindparam("moment", type_=DateTime(timezone=True))
    alive = exists().where(
        TokenFamily.id == RefreshToken.family_id,
        TokenFamily.ended_at.is_(None),
        TokenFamily.ends_at > moment,
        TokenFamily.client_id == bindparam("client_id"),
        _PEOPLE.c.id == TokenFamily.person_id,
        _PEOPLE.c.epoch == TokenFamily.epoch,
    )
    used = (
        update(RefreshToken)
        .where(RefreshToken.token_hash == bindparam("presented"), RefreshToken.used_at.is_(None), alive)
        .values(used_at=moment, key_version=bindparam("with_version"))
        .returning(RefreshToken.family_id)
        .cte("used")
    )
    successor = (
        insert(RefreshToken)
        .from_select(
            ["token_hash", "family_id", "issued_at"],
            select(bindparam("successor", type_=LargeBinary()), used.c.family_id, moment),
        )
        .returning(RefreshToken.family_id)
        .cte("successor")
    )
    return select(successor.c.family_id)


EXCHANGE = exchange()


def token(token_hash: bytes) -> Select[*tuple[Any, ...]]:
    """A refresh token with its family and the person's present epoch."""
    return (
        select(
            RefreshToken.family_id,
            RefreshToken.used_at,
            RefreshToken.key_version,
            TokenFamily.ended_at,
            TokenFamily.ends_at,
            TokenFamily.epoch.label("family_epoch"),
            TokenFamily.scopes,
            TokenFamily.client_id,
            TokenFamily.person_id,
            _PEOPLE.c.epoch,
        )
        .join(TokenFamily, TokenFamily.id == RefreshToken.family_id)
        .join(_PEOPLE, _PEOPLE.c.id == TokenFamily.person_id)
        .where(RefreshToken.token_hash == token_hash)
    )


def end_family(family_id: UUID, why: str) -> ReturningUpdate[UUID]:
    """End a family once; ending it again changes nothing."""
    return (
        update(TokenFamily)
        .where(TokenFamily.id == family_id, TokenFamily.ended_at.is_(None))
        .values(ended_at=func.now(), ended_why=literal(why))
        .returning(TokenFamily.id)
    )


KEY_WITH_PERSON: Select[*tuple[Any, ...]] = (
    select(
        ApiKey.id.label("key_id"),
        ApiKey.epoch.label("key_epoch"),
        ApiKey.scopes,
        ApiKey.networks,
        ApiKey.expires_at,
        ApiKey.revoked_at,
        _PEOPLE.c.id,
        _PEOPLE.c.email,
        _PEOPLE.c.display_name,
        _PEOPLE.c.roles,
        _PEOPLE.c.status,
        _PEOPLE.c.status_until,
        _PEOPLE.c.epoch,
    )
    .join(_PEOPLE, _PEOPLE.c.id == ApiKey.person_id)
    .where(ApiKey.key_hash == bindparam("key_hash"))
)

_SEEN = bindparam("seen_at", type_=DateTime(timezone=True))

# At most once a minute is enough to see that a key is in use.
TOUCH_KEYS: Update = (
    update(ApiKey)
    .where(
        ApiKey.id == bindparam("touched_id"),
        or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < _SEEN - timedelta(seconds=60)),
    )
    .values(last_used_at=_SEEN)
)


def keys_of(person_id: UUID, epoch: int) -> Select[*tuple[Any, ...]]:
    """The keys that still open something or have just run out, newest first."""
    return (
        select(
            ApiKey.id,
            ApiKey.name,
            ApiKey.hint,
            ApiKey.scopes,
            ApiKey.networks,
            ApiKey.created_at,
            ApiKey.expires_at,
            ApiKey.last_used_at,
        )
        .where(ApiKey.person_id == person_id, ApiKey.epoch == epoch, ApiKey.revoked_at.is_(None))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )


def count_keys(person_id: UUID, moment: datetime) -> Select[int]:
    return (
        select(func.count())
        .select_from(ApiKey)
        .where(ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None), ApiKey.expires_at > moment)
    )


def revoke_key(key_id: UUID, person_id: UUID, moment: datetime) -> ReturningUpdate[UUID]:
    return (
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=moment)
        .returning(ApiKey.id)
    )


def grants_of(person_id: UUID, epoch: int, moment: datetime) -> Select[*tuple[Any, ...]]:
    """The families that still stand, newest first: programs a person signed in to or connected."""
    return (
        select(
            TokenFamily.id,
            TokenFamily.client_id,
            TokenFamily.scopes,
            TokenFamily.created_at,
            TokenFamily.ends_at,
            TokenFamily.device,
            TokenFamily.address,
        )
        .where(
            TokenFamily.person_id == person_id,
            TokenFamily.epoch == epoch,
            TokenFamily.ended_at.is_(None),
            TokenFamily.ends_at > moment,
        )
        .order_by(TokenFamily.created_at.desc(), TokenFamily.id.desc())
        .limit(500)
    )


def end_families(person_id: UUID, client_id: str, why: str) -> ReturningUpdate[UUID]:
    """End all that a person granted to one client."""
    return (
        update(TokenFamily)
        .where(TokenFamily.person_id == person_id, TokenFamily.client_id == client_id, TokenFamily.ended_at.is_(None))
        .values(ended_at=func.now(), ended_why=literal(why))
        .returning(TokenFamily.id)
    )


def end_client(client_id: str) -> ReturningUpdate[UUID]:
    """End all that anybody granted to one client."""
    return (
        update(TokenFamily)
        .where(TokenFamily.client_id == client_id, TokenFamily.ended_at.is_(None))
        .values(ended_at=func.now(), ended_why=literal("client ended"))
        .returning(TokenFamily.id)
    )


def forget_families(before: datetime) -> Delete:
    """Families whose time was over long ago, their refresh tokens with them; the trail keeps what happened."""
    return delete(TokenFamily).where(TokenFamily.ends_at < before)
