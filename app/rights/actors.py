"""Making the actor of a request from what is known of a person and the credential they came with."""

from __future__ import annotations

from datetime import timedelta

from app.access import Actor
from app.access.actor import needs_of
from app.ids import now
from app.rights.facts import CredentialFacts, PersonFacts


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
