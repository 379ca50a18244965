"""How accounts begin: by an application, or by the command that makes administrators."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import ADMIN, ROLES, SYSTEM, Actor
from app.accounts import queries
from app.accounts.life import STEPS, Status
from app.accounts.models import Person
from app.accounts.schemas import SignUp
from app.accounts.service.records import change
from app.audit import service as audit
from app.errors import Conflict, Forbidden
from app.ids import new_id, now
from app.rights.notices import announce


@dataclass(frozen=True)
class Application:
    """The outcome of an application: the id shown to the applicant and whether a row was really made."""

    id: UUID
    status: Status
    made: bool


def email_key(email: str) -> str:
    """The form addresses are compared in: trimmed, lower case."""
    return email.strip().lower()


async def register(db: AsyncSession, actor: Actor, sign_up: SignUp, password_hash: str, *, policy: str) -> Application:
    """Apply for an account.  An address already known changes nothing and is answered the same (ASVS 6.3.8),
    except that a declined person's new application goes back into the queue, under the new password they chose.
    """
    if policy == "closed":
        raise Forbidden("New accounts of this kind are not open at the moment.", code="sign_up_closed")
    moment, person_id = now(), new_id()
    status: Status = "active" if policy == "open" else "pending"
    made = await db.scalar(
        insert(Person)
        .values(
            id=person_id,
            email=sign_up.email,
            email_key=email_key(sign_up.email),
            display_name=sign_up.display_name,
            password_hash=password_hash,
            roles=[sign_up.role],
            status=status,
            status_since=moment,
            created_at=moment,
            updated_at=moment,
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(Person.id)
    )
    if made is None:
        await _apply_again(db, actor, sign_up, password_hash)
        return Application(person_id, status, made=False)
    db.add(change(person_id, actor, None, status, None, [sign_up.role], moment=moment, reason="registered"))
    await db.flush()
    await audit.record(db, actor, "account.registered", ("person", person_id), {"role": sign_up.role, "status": status})
    return Application(person_id, status, made=True)


async def _apply_again(db: AsyncSession, actor: Actor, sign_up: SignUp, password_hash: str) -> None:
    """Somebody applied with an address we know.  A declined applicant enters the queue again, also where new accounts
    of this kind are open: a decision was made about them, so the next one is an administrator's, too.  For everybody
    else nothing changes, and only the trail knows."""
    person = await db.scalar(queries.person_by_email(email_key(sign_up.email)).with_for_update())
    step = STEPS["apply"]
    if person is None or person.status != step.start:
        target = "unknown" if person is None else person.id
        await audit.record(db, actor, "account.known_address_applied", ("person", target), {"role": sign_up.role})
        return
    moment, roles = now(), [str(sign_up.role)]
    db.add(
        change(person.id, actor, step.start, step.target, person.roles, roles, moment=moment, reason="applied again")
    )
    person.status, person.status_since, person.status_message = step.target, moment, ""
    person.roles, person.password_hash, person.display_name = roles, password_hash, sign_up.display_name
    person.epoch += 1
    person.updated_at, person.version = moment, person.version + 1
    await db.flush()
    await announce(db, [person.id])
    await audit.record(db, actor, f"account.{step.done}", ("person", person.id), {"role": sign_up.role})


async def make_admin(db: AsyncSession, email: str, display_name: str, password_hash: str) -> tuple[UUID, bool]:
    """Make an administrator, by the command on the server only; a known person is given the role instead.

    Returns the id and whether a new account was made.
    """
    person = await db.scalar(queries.person_by_email(email_key(email)).with_for_update())
    moment = now()
    if person is not None:
        if ADMIN in person.roles and person.status == "active":
            raise Conflict(f"{person.email} is an active administrator already.")
        before, roles = person.status, sorted({*person.roles, ADMIN}, key=ROLES.index)
        db.add(change(person.id, SYSTEM, before, "active", person.roles, roles, moment=moment, reason="made admin"))
        person.roles, person.status, person.status_since, person.status_until = roles, "active", moment, None
        person.epoch += 1
        person.updated_at = moment
        await db.flush()
        await announce(db, [person.id])
        await audit.record(db, SYSTEM, "account.roles_changed", ("person", person.id), {"roles": roles})
        return person.id, False
    person_id = new_id()
    db.add(
        Person(
            id=person_id,
            email=email.strip(),
            email_key=email_key(email),
            display_name=display_name,
            password_hash=password_hash,
            roles=[ADMIN],
            status="active",
            status_since=moment,
            status_message="",
            epoch=0,
            version=1,
            created_at=moment,
            updated_at=moment,
        )
    )
    await db.flush()
    db.add(change(person_id, SYSTEM, None, "active", None, [ADMIN], moment=moment, reason="made by command"))
    await db.flush()
    await audit.record(db, SYSTEM, "account.admin_made", ("person", person_id))
    return person_id, True
