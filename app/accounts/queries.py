"""Statements about people and their sessions; built here, run by the service.  Hot ones are built once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.sql.dml import Insert, ReturningDelete, ReturningUpdate, Update

from app.accounts.models import AccountChange, Person, Session

# One row tells everything a request must know about its caller: the session and the person behind it.
SESSION_WITH_PERSON: Select[*tuple[Any, ...]] = (
    select(
        Session.id.label("session_id"),
        Session.epoch.label("session_epoch"),
        Session.issued_as,
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


def token_hash_of(session_id: UUID) -> Select[bytes]:
    return select(Session.token_hash).where(Session.id == session_id)


def exchange_token(presented: bytes, token_hash: bytes, issued_as: str) -> ReturningUpdate[UUID]:
    """Put the session that goes by `presented` under another hash; of several at once, one finds it."""
    found = update(Session).where(Session.token_hash == presented, Session.issued_as != issued_as)
    return found.values(token_hash=token_hash, issued_as=issued_as).returning(Session.id)


def person_for_update(person_id: UUID) -> Select[Person]:
    """The person's row, locked, so that two decisions about one person happen one after the other."""
    statement = select(Person).where(Person.id == person_id).with_for_update()
    return statement.execution_options(populate_existing=True)


def person_by_email(email_key: str) -> Select[Person]:
    return select(Person).where(Person.email_key == email_key)


TRIGRAM = 3
FEW = 2_000  # so many are put in order faster than looked for in order
_LISTED = (
    Person.id,
    Person.email,
    Person.display_name,
    Person.roles,
    Person.status,
    Person.status_until,
    Person.created_at,
)


def people(
    *,
    status: str | None,
    role: str | None,
    search: str,
    after: tuple[datetime, UUID] | None,
    limit: int,
    oldest_first: bool,
    few: bool = False,
) -> Select[*tuple[Any, ...]]:
    """People by the time they applied, filtered; `after` is the last row's key of the page before.

    With `few` they are found first and put in order then; otherwise they are looked for in their order.  PostgreSQL
    cannot tell which is better before it knows the words, and a wrong guess costs it a walk over everybody.
    """
    statement = select(*_LISTED).where(*_matching(status, role, search))
    key: tuple[Any, Any] = (Person.created_at, Person.id)
    if few:
        found = statement.cte("found").prefix_with("MATERIALIZED")
        statement, key = select(found), (found.c.created_at, found.c.id)
    if after:
        statement = statement.where(tuple_(*key) > after if oldest_first else tuple_(*key) < after)
    return statement.order_by(*(column.asc() if oldest_first else column.desc() for column in key)).limit(limit)


def count_people(*, status: str | None, role: str | None, search: str, at_most: int) -> Select[*tuple[Any, ...]]:
    """How many people match, counting no further than `at_most`."""
    found = select(Person.id).where(*_matching(status, role, search)).limit(at_most).subquery()
    return select(func.count()).select_from(found)


def matches(search: str) -> ColumnElement[bool]:
    """Whether the name or the address holds these words, whatever their case; found by trigrams (ix_people_search).

    One or two letters make no trigram, and everybody would have to be looked at; they are taken for the beginning of a
    name or of an address.  Of other scripts, where two signs may be a whole name, they are found anywhere.
    """
    if len(search) < TRIGRAM and search.isascii() and search.isalnum():
        begins = search.lower()
        return or_(Person.search_text.like(f"{begins}%"), Person.search_text.like(f"% {begins}%"))
    escaped = "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in search)
    return Person.search_text.like(func.lower(literal(f"%{escaped}%")), escape="\\")


def _matching(status: str | None, role: str | None, search: str) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if status:
        wanted.append(Person.status == status)
    if role:
        wanted.append(Person.roles.contains([role]))
    if search:
        wanted.append(matches(search))
    return wanted


def names(ids: Sequence[UUID]) -> Select[*tuple[Any, ...]]:
    """These people, in the order they applied."""
    return (
        select(Person.id, Person.display_name, Person.email, Person.roles, Person.status)
        .where(Person.id.in_(ids))
        .order_by(Person.created_at, Person.id)
    )


def active_with_role(role: str) -> Select[*tuple[Any, ...]]:
    """Active people holding a role, by name."""
    return (
        select(Person.id, Person.display_name)
        .where(Person.status == "active", Person.roles.contains([role]))
        .order_by(func.lower(Person.display_name), Person.id)
    )


def is_active_with_role(person_id: UUID, role: str) -> Select[*tuple[Any, ...]]:
    return select(Person.id).where(Person.id == person_id, Person.status == "active", Person.roles.contains([role]))


# Held to the end of the transaction by whoever takes an active administrator away.
LOCK_ADMINS = text("SELECT pg_advisory_xact_lock(hashtextextended('scriptorium administrators', 0))")


def another_active_admin(person_id: UUID) -> Select[*tuple[Any, ...]]:
    """Whether somebody else is an active administrator."""
    others = select(Person.id).where(
        Person.status == "active", Person.roles.contains(["admin"]), Person.id != person_id
    )
    return select(others.exists())


def suspensions_over(moment: datetime, *, at_most: int = 100) -> Select[Person]:
    """People whose suspension has come to its end, locked; those somebody else has in hand are left out."""
    return (
        select(Person)
        .where(Person.status == "suspended", Person.status_until <= moment)
        .order_by(Person.status_until)
        .limit(at_most)
        .with_for_update(skip_locked=True)
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


def _open(now: datetime, idle_since: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Session.ends_at > now, Session.last_seen_at > idle_since


def sessions_of(person_id: UUID, epoch: int, now: datetime, idle_since: datetime) -> Select[*tuple[Any, ...]]:
    """Sessions that still open the door."""
    return (
        select(Session.id, Session.device, Session.address, Session.created_at, Session.last_seen_at)
        .where(Session.person_id == person_id, Session.epoch == epoch, *_open(now, idle_since))
        .order_by(Session.last_seen_at.desc())
    )


def count_sessions(person_id: UUID, epoch: int, now: datetime, idle_since: datetime) -> Select[*tuple[Any, ...]]:
    """How many sessions of this epoch open the door, or did until the epoch moved on."""
    return select(func.count(Session.id)).where(
        Session.person_id == person_id, Session.epoch == epoch, *_open(now, idle_since)
    )


def all_sessions(
    search: str, now: datetime, idle_since: datetime, *, before: UUID | None, limit: int, few: bool = False
) -> Select[*tuple[Any, ...]]:
    """Everybody's open sessions, the newest first; ids are made in the order of time.  `few` is as in `people`."""
    statement = (
        select(
            Session.id,
            Session.device,
            Session.address,
            Session.created_at,
            Session.last_seen_at,
            Person.id.label("person_id"),
            Person.display_name,
            Person.email,
        )
        .join(Person, Person.id == Session.person_id)
        .where(Session.epoch == Person.epoch, *_open(now, idle_since))
    )
    key: Any = Session.id
    if search:
        statement = statement.where(matches(search))
    if few:
        found = statement.cte("found").prefix_with("MATERIALIZED")
        statement, key = select(found), found.c.id
    if before is not None:
        statement = statement.where(key < before)
    return statement.order_by(key.desc()).limit(limit)


STEPS_OF_SESSION: Select[*tuple[Any, ...]] = select(Session.steps).where(Session.id == bindparam("session_id"))


def new_session(**values: Any) -> Insert:
    return insert(Session).values(**values)


def end_session(session_id: UUID, person_id: UUID) -> ReturningDelete[UUID]:
    return delete(Session).where(Session.id == session_id, Session.person_id == person_id).returning(Session.id)


def end_sessions(person_id: UUID, *, but: UUID | None = None) -> ReturningDelete[UUID]:
    statement = delete(Session).where(Session.person_id == person_id)
    return (statement if but is None else statement.where(Session.id != but)).returning(Session.id)


def replace_hash(person_id: UUID, old: str, new: str) -> Update:
    return update(Person).where(Person.id == person_id, Person.password_hash == old).values(password_hash=new)
