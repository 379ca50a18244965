"""Applying for an account, the same for the pages and the API: check, hash off the loop, then write in one go."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from app.access import Actor
from app.accounts import service
from app.accounts.schemas import SignUp
from app.accounts.service import Application
from app.errors import Invalid
from app.passwords import objections
from app.resources import Resources


async def hash_for(res: Resources, sign_up: SignUp) -> str:
    """The hash of the password applied with; raises Invalid for one that will not do.

    It is made for known addresses too, so that the time taken tells nothing (ASVS 6.3.8).
    """
    wrong = objections(sign_up.password, email=sign_up.email, display_name=sign_up.display_name)
    if wrong:
        raise Invalid({"password": wrong})
    return await res.passwords.hash(sign_up.password)


async def apply(db: AsyncSession, res: Resources, caller: Actor, sign_up: SignUp, password_hash: str) -> Application:
    """Apply, by the policy for the role."""
    return await service.register(db, caller, sign_up, password_hash, policy=res.settings.sign_up[sign_up.role])
