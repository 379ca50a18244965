"""Applying for an account, the same for the pages and the API: check, hash off the loop, then write in one go."""

from __future__ import annotations

from app.access import Actor
from app.accounts import service
from app.accounts.schemas import SignUp
from app.accounts.service import Application
from app.errors import Invalid
from app.passwords import objections
from app.resources import Resources


async def apply(res: Resources, caller: Actor, sign_up: SignUp) -> Application:
    """Apply; raises Invalid for a password that will not do.  The hash is made for known addresses too, so that the
    time taken tells nothing (ASVS 6.3.8)."""
    wrong = objections(sign_up.password, email=sign_up.email, display_name=sign_up.display_name)
    if wrong:
        raise Invalid({"password": wrong})
    password_hash = await res.passwords.hash(sign_up.password)
    async with res.database.transaction() as db:
        return await service.register(db, caller, sign_up, password_hash, policy=res.settings.sign_up[sign_up.role])
