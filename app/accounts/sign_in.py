"""The one door: every way of signing in with a password (page, JSON, Basic) comes through `recognise`.

Tries are counted before the password is looked at, by an atomic reservation, so a burst of guesses released together
cannot slip through.  The database connection is not held while the hash is computed, and an unknown
address costs the same time as a wrong password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from app.access import Actor
from app.accounts import known_devices, queries
from app.accounts.service import email_key
from app.audit import service as audit
from app.errors import NotAuthenticated, Throttled, Unavailable
from app.resources import JUST_NOW, Guess, Resources
from app.rights.actors import actor_of
from app.rights.facts import PersonFacts, person_facts
from app.web.client_address import address_block
from app.web.noticing import notice

DELAY: Final = 1.0
WRONG = "The address or the password is not right."


async def recognise(
    res: Resources, caller: Actor, email: str, password: str, *, via: str, device: bytes | None = None
) -> tuple[Actor, PersonFacts]:
    """The person with this address and password, whatever their status, as actor and as facts.

    `device` is the mark of the caller's browser.  A browser from which this account was signed in to before has a
    count of failures to itself, so that nobody else's guesses, from this block or any other, keep its owner out; what
    it fails counts for its block as well.

    Raises NotAuthenticated for a wrong pair, Throttled after too many failures, Unavailable when hashing is swamped.
    """
    guess = Guess(res.passwords.tag(password), email_key(email), address_block(caller.address or ""))
    at_block = {"SIGN_IN": f"{guess.account} {guess.block}", "SIGN_IN_ADDRESS": guess.block}
    try:
        if device is not None and await _knows(res, guess.account, device):
            keys, counted = {"SIGN_IN": f"{guess.account} device {device.hex()}"}, at_block
        else:
            keys, counted = at_block, {}
            if (await res.brake.check(guess)).account:
                # Guessed at from many places: whoever is not known here waits a moment, right or wrong, and gets in.
                await asyncio.sleep(DELAY)
        return await _try(res, caller, guess, password, via=via, keys=keys, counted=counted)
    except Throttled:
        notice("guess_refused", about="", via=via)
        raise


async def _try(
    res: Resources,
    caller: Actor,
    guess: Guess,
    password: str,
    *,
    via: str,
    keys: Mapping[str, str],
    counted: Mapping[str, str],
) -> tuple[Actor, PersonFacts]:
    async with res.failures.attempt(keys, counted=counted) as attempt:
        try:
            async with res.database.read() as db:
                row = (await db.execute(queries.CREDENTIALS_BY_EMAIL, {"email_key": guess.account})).first()
            verdict = await res.passwords.verify(password, None if row is None else row.password_hash)
        except Unavailable:
            attempt.abandoned()
            raise
        if row is None or not verdict.right:
            await _note_failure(res, caller, row, guess, via)
            raise NotAuthenticated(WRONG, code="wrong_credentials")
        attempt.succeeded()
    if verdict.outdated:
        await _rehash(res, row, password)
    facts = person_facts(row.id, row.email, row.display_name, row.roles, row.status, row.status_until, row.epoch)
    return actor_of(facts, caller, auth_type=via), facts


async def _knows(res: Resources, account: str, device: bytes) -> bool:
    async with res.database.read() as db:
        return await known_devices.knows(db, account, device)


async def _note_failure(res: Resources, caller: Actor, row: Any, guess: Guess, via: str) -> None:
    """Tell the trail, the watch and the brake; all of it the same for an address nobody has."""
    target = ("person", row.id if row is not None else "unknown")
    async with res.database.transaction() as db:
        await audit.record(db, caller, "sign_in.refused", target, {"via": via})
    notice("guess", about=target[1], via=via)
    spread = await res.brake.failed(guess)
    if spread.password == JUST_NOW:
        notice("spray", about="", via=via)
    if spread.block == JUST_NOW:
        notice("many_accounts", about="", via=via)
    if spread.account == JUST_NOW:
        notice("account_guessed", about=target[1], via=via)


async def _rehash(res: Resources, row: Any, password: str) -> None:
    """Store the password under today's parameters and pepper, unless it was changed in the meantime."""
    fresh = await res.passwords.hash(password)
    async with res.database.transaction() as db:
        await db.execute(queries.replace_hash(row.id, row.password_hash, fresh))
