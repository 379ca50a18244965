"""The one door: every way of signing in with a password (page, JSON, Basic) comes through `recognise`.

Tries are counted before the password is looked at, by an atomic reservation, so a burst of guesses released together
cannot slip through (SECURITY W1).  The database connection is not held while the hash is computed, and an unknown
address costs the same time as a wrong password.
"""

from __future__ import annotations

from typing import Any

from app.access import Actor
from app.accounts import queries
from app.accounts.service import email_key
from app.audit import service as audit
from app.errors import NotAuthenticated, Unavailable
from app.resources import Resources
from app.rights.actors import actor_of
from app.rights.facts import PersonFacts, person_facts
from app.web.client_address import address_block
from app.web.noticing import notice

WRONG = "The address or the password is not right."


async def recognise(res: Resources, caller: Actor, email: str, password: str, *, via: str) -> tuple[Actor, PersonFacts]:
    """The person with this address and password, whatever their status, as actor and as facts.

    Raises NotAuthenticated for a wrong pair, Throttled after too many failures, Unavailable when hashing is swamped.
    """
    key, block = email_key(email), address_block(caller.address or "")
    async with res.failures.attempt({"SIGN_IN": f"{key} {block}", "SIGN_IN_ADDRESS": block}) as attempt:
        try:
            async with res.database.read() as db:
                row = (await db.execute(queries.CREDENTIALS_BY_EMAIL, {"email_key": key})).first()
            verdict = await res.passwords.verify(password, None if row is None else row.password_hash)
        except Unavailable:
            attempt.abandoned()
            raise
        if row is None or not verdict.right:
            await _note_failure(res, caller, row, via)
            raise NotAuthenticated(WRONG, code="wrong_credentials")
        attempt.succeeded()
    if verdict.outdated:
        await _rehash(res, row, password)
    facts = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return actor_of(facts, caller, auth_type=via), facts


async def _note_failure(res: Resources, caller: Actor, row: Any, via: str) -> None:
    target = ("person", row.id if row is not None else "unknown")
    notice("guess", about=target[1], via=via)
    async with res.database.transaction() as db:
        await audit.record(db, caller, "sign_in.refused", target, {"via": via})


async def _rehash(res: Resources, row: Any, password: str) -> None:
    """Store the password under today's parameters and pepper, unless it was changed in the meantime."""
    fresh = await res.passwords.hash(password)
    async with res.database.transaction() as db:
        await db.execute(queries.replace_hash(row.id, row.password_hash, fresh))
