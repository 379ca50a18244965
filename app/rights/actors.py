"""Making the actor of a request from what is known of a person and the credential they came with."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from app.access import Actor
from app.access.actor import needs_of
from app.ids import now
from app.rights.facts import CredentialFacts, Made, PersonFacts


def actor_of(
    person: PersonFacts,
    caller: Actor,
    *,
    auth_type: str,
    credential: CredentialFacts | None = None,
    fresh_for: float = 0.0,
) -> Actor:
    """The person as the actor of the request that `caller` describes (its address and id)."""
    status = person.status_at(now()) if person.status_until is not None else person.status
    scopes = credential.scopes if credential is not None else None
    whole = scopes is None and status == person.status
    fresh_at = credential.fresh_at if credential is not None else None
    return Actor(
        id=person.id,
        auth_type=auth_type,
        provides=person.provides if whole else needs_of(person.id, person.roles, status, scopes),
        display_name=person.display_name,
        email=person.email,
        roles=person.roles,
        status=status,
        epoch=person.epoch,
        scopes=scopes,
        session_id=credential.id if credential is not None and credential.kind == "session" else None,
        credential_id=credential.id if credential is not None else None,
        fresh_until=fresh_at + timedelta(seconds=fresh_for) if fresh_at is not None else None,
        address=caller.address,
        request_id=caller.request_id,
    )


def made_before(proof: object, credential: CredentialFacts, person: PersonFacts, caller: Actor) -> Actor | None:
    """The actor that the same proof, credential and person made at an earlier request, for the one of `caller`.

    The same means the very same objects.  Memory forgets a credential or a person by dropping its object, and what was
    made of a dropped one is never found here: nothing can outlive what it was made of.
    """
    made = credential.made
    if made is None or made.proof is not proof or made.person is not person:
        return None
    return replace(made.actor, address=caller.address, request_id=caller.request_id)


def keep_made(proof: object, credential: CredentialFacts, person: PersonFacts, actor: Actor) -> None:
    """Remember an actor for `made_before`, unless the clock alone may change it."""
    if person.status_until is None:
        credential.made = Made(proof, person, actor)
