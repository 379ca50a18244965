"""Statements about people and their sessions; built here, run by the service.  Hot ones are built once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.sql.dml import Insert, ReturningDelete, Update

from app.accounts.models import AccountChange, Person, Session

# One row tells everything a request must know about its caller: the session and the person behind it.
SESSION_WITH_PERSON: Select[*tuple[Any, ...]] = (
    select(
        Session.id.label("session_id"),
        Session.epoch.label("session_epoch"),
        Session.last_seen_at,
        Session.fresh_at,
        Session.ends_at,
        Person.id,
        Person.email,
        Person.display_name,
        Person.roles,
        Person.status,
        Person.status_until,
        Person.epoch,
    )
    .join(Person, Person.id == Session.person_id)
    .where(Session.token_hash == bindparam("token_hash"))
)

PERSON_BY_ID: Select[*tuple[Any, ...]] = select(
    Person.id,
    Person.email,
    Person.display_name,
    Person.roles,
    Person.status,
    Person.status_since,
    Person.status_until,
    Person.status_message,
    Person.epoch,
    Person.version,
    Person.created_at,
).where(Person.id == bindparam("person_id"))

CREDENTIALS_BY_EMAIL: Select[*tuple[Any, ...]] = select(
    Person.id,
    Person.email,
    Person.display_name,
    Person.password_hash,
    Person.roles,
    Person.status,
    Person.status_until,
    Person.status_message,
    Person.epoch,
).where(Person.email_key == bindparam("email_key"))

TOUCH_SESSIONS: Update = (
    update(Session)
    .where(Session.id == bindparam("touched_id"), Session.last_seen_at < bindparam("seen_at"))
    .values(last_seen_at=bindparam("seen_at"))
)


def person_for_update(person_id: UUID) -> Select[Person]:
    """The person's row, locked, so that two decisions about one person happen one after the other."""
    return select(Person).where(Person.id == person_id).with_for_update()


def person_by_email(email_key: str) -> Select[Person]:
    return select(Person).where(Person.email_key == email_key)


def people(
    *,
    status: str | None,
    role: str | None,
    search: str,
    after: tuple[datetime, UUID] | None,
    limit: int,
    oldest_first: bool,
) -> Select[*tuple[Any, ...]]:
    """People by the time they applied, filtered; `after` is the last row's key of the page before."""
    key = (Person.created_at, Person.id)
    statement = select(
        Person.id,
        Person.email,
        Person.display_name,
        Person.roles,
        Person.status,
        Person.status_until,
        Person.created_at,
    ).order_by(*(column.asc() if oldest_first else column.desc() for column in key))
    if status:
        statement = statement.where(Person.status == status)
    if role:
        statement = statement.where(Person.roles.contains([role]))
    if search:
        statement = statement.where(
            or_(
                Person.email_key.contains(search.lower(), autoescape=True),
                func.lower(Person.display_name).contains(search.lower(), autoescape=True),
            )
        )
    if after:
        statement = statement.where(tuple_(*key) > after if oldest_first else tuple_(*key) < after)
    return statement.limit(limit)


def active_with_role(role: str) -> Select[*tuple[Any, ...]]:
    """Active people holding a role, by name."""
    return (
        select(Person.id, Person.display_name)
        .where(Person.status == "active", Person.roles.contains([role]))
        .order_by(func.lower(Person.display_name), Person.id)
    )


def is_active_with_role(person_id: UUID, role: str) -> Select[*tuple[Any, ...]]:
    return select(Person.id).where(Person.id == person_id, Person.status == "active", Person.roles.contains([role]))


def active_admins_for_update() -> Select[Person]:
    """All active administrators, locked in id order, so that two of them cannot remove each other at once."""
    return (
        select(Person)
        .where(Person.status == "active", Person.roles.contains(["admin"]))
        .order_by(Person.id)
        .with_for_update()
    )


def counts_by_status() -> Select[*tuple[Any, ...]]:
    return select(Person.status, func.count()).group_by(Person.status)


def history(person_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(AccountChange)
        .where(AccountChange.person_id == person_id)
        .order_by(AccountChange.at.desc(), AccountChange.id.desc())
        .limit(200)
    )


def sessions_of(person_id: UUID, epoch: int, now: datetime, idle_since: datetime) -> Select[*tuple[Any, ...]]:
    """Sessions that still open the door."""
    return (
        select(Session.id, Session.device, Session.address, Session.created_at, Session.last_seen_at)
        .where(
            Session.person_id == person_id,
            Session.epoch == epoch,
            Session.ends_at > now,
            Session.last_seen_at > idle_since,
        )
        .order_by(Session.last_seen_at.desc())
    )


def new_session(**values: Any) -> Insert:
    return insert(Session).values(**values)


def end_session(session_id: UUID, person_id: UUID) -> ReturningDelete[UUID]:
    return delete(Session).where(Session.id == session_id, Session.person_id == person_id).returning(Session.id)


def end_sessions(person_id: UUID, *, but: UUID | None = None) -> ReturningDelete[UUID]:
    statement = delete(Session).where(Session.person_id == person_id)
    return (statement if but is None else statement.where(Session.id != but)).returning(Session.id)


def replace_hash(person_id: UUID, old: str, new: str) -> Update:
    return update(Person).where(Person.id == person_id, Person.password_hash == old).values(password_hash=new)
