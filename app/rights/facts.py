"""What a process remembers of a person and of a credential: as little as deciding about a request needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from app.access import Actor, Need
from app.access.actor import needs_of

Kind = Literal["session", "family", "key", "basic"]


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person's rights at one epoch; `provides` are their needs by a credential that carries every scope."""

    id: UUID
    email: str
    display_name: str
    roles: frozenset[str]
    status: str
    status_until: datetime | None
    epoch: int
    provides: frozenset[Need]

    def status_at(self, moment: datetime) -> str:
        """The status that counts: a suspension whose end has come is over, whether or not anybody noticed yet."""
        over = self.status == "suspended" and self.status_until is not None and self.status_until <= moment
        return "active" if over else self.status


def person_facts(
    person_id: UUID,
    email: str,
    display_name: str,
    roles: list[str],
    status: str,
    status_until: datetime | None,
    epoch: int,
) -> PersonFacts:
    """Facts from a row of people."""
    held = frozenset(roles)
    return PersonFacts(
        person_id,
        email,
        display_name,
        held,
        status,
        status_until,
        epoch,
        needs_of(person_id, held, status, None),
    )


@dataclass(frozen=True, slots=True)
class Made:
    """An actor, and the very values it was made of: another request with the same ones has the same rights."""

    proof: object
    person: PersonFacts
    actor: Actor


@dataclass(slots=True)
class CredentialFacts:
    """A session, token family or key.  `epoch` None means it does not depend on one; `last_seen` moves with use.

    It ends at `ends_at`; `scopes` None means all of them.  A session's id was given out to somebody in the status
    `issued_as`.  What was `made` of it is kept here and nowhere else, so that it is forgotten with it.
    """

    kind: Kind
    id: UUID
    person_id: UUID
    epoch: int | None
    ends_at: datetime | None
    fresh_at: datetime | None = None
    last_seen: datetime | None = None
    scopes: frozenset[str] | None = None
    client_id: str = ""
    networks: tuple[str, ...] = ()
    issued_as: str = ""
    made: Made | None = field(default=None, repr=False, compare=False)


def password_name(person_id: UUID) -> UUID:
    """The id under which a person's password itself goes as a credential, where one remembers that it was right."""
    return uuid5(person_id, "password")
