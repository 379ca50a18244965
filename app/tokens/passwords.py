"""Changing one's own password: checked, hashed off the loop, then written together with all that it ends."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.accounts import service as accounts
from app.accounts.sign_in import recognise
from app.errors import Invalid, NotAuthenticated
from app.passwords import objections
from app.resources import Resources
from app.tokens import standing
from app.tokens.schemas import NewPassword


async def hash_for(res: Resources, actor: Actor, asked: NewPassword) -> str:
    """The hash of the new password, once the present one was given; raises Invalid, and Throttled after many tries.

    The present password goes through the same door as at sign-in, with its limits and counters, so that a borrowed
    session cannot be used to guess it (ASVS 6.2.3).
    """
    try:
        await recognise(res, actor, actor.email, asked.current_password, via="confirm")
    except NotAuthenticated:
        raise Invalid({"current_password": ["That is not your present password."]}) from None
    wrong = objections(asked.password, email=actor.email, display_name=actor.display_name)
    if asked.password == asked.current_password:
        wrong = ["This is the password you have. Choose another one."]
    if wrong:
        raise Invalid({"password": wrong})
    return await res.passwords.hash(asked.password)


async def change(db: AsyncSession, actor: Actor, password_hash: str) -> None:
    """Store it, and end every other browser session and every other program that signed in with the old one.

    API keys and connected applications never knew the password and go on; their pages end them.
    """
    await accounts.change_password(db, actor, password_hash)
    await standing.end_other_sign_ins(db, actor)
