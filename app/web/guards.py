"""The stamps every view carries: who may enter.  A view without one stops the application from starting.

A stamp answers "may you enter this room"; which rows are there for you is in the feature's `queries.visible_to`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import structlog

from app.access import Actor, Permission, RoleNeed, Rule, ScopeNeed
from app.errors import Forbidden, InsufficientScope, NotActive, NotAuthenticated, NotFresh
from app.ids import now
from app.settings import Network
from app.web.client_address import client_address, parse_address
from app.web.context import current_actor, settings
from app.web.steps import step_passed

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, Awaitable[R]]
STAMP = "__scriptorium_access__"
MISSING = "Missing Authorization Header"
OTHER_SCHEME = "This kind of authorization is not taken here."

log = structlog.get_logger("scriptorium.access")


@dataclass(frozen=True)
class Access:
    """What a view demands: `kind` is public, known, signed_in or rule; `words` say it in the docs and the matrix.

    `networks` names the setting that lists where callers may come from, `step` the page they must have passed before.
    """

    kind: str
    words: str
    rule: Rule | None = None
    fresh: bool = False
    challenge: str = "Bearer"
    scope: str = ""
    networks: str = ""
    step: str = ""


def access_of(view: Callable[..., Any]) -> Access | None:
    """The stamp of a view, or None when it has none."""
    found = getattr(view, STAMP, None)
    return found if isinstance(found, Access) else None


def public(view: View[P, R]) -> View[P, R]:
    """Everybody may enter."""
    setattr(view, STAMP, Access("public", "everybody"))
    return view


def known(view: View[P, R]) -> View[P, R]:
    """Anybody who signed in, also while their account is pending, declined or suspended."""
    return _guard(view, Access("known", "anybody signed in, whatever their status"))


def signed_in(view: View[P, R]) -> View[P, R]:
    """Anybody who signed in and whose account is active."""
    return _guard(view, Access("signed_in", "anybody signed in"))


def requires(
    *roles: str, scope: str | None = None, fresh: bool = False, challenge: str = "Bearer"
) -> Callable[[View[P, R]], View[P, R]]:
    """Active people with any of `roles` (none named: with any role), by a credential that carries `scope`.

    `fresh` asks for a sign-in within the last `settings.fresh_for` seconds (ASVS 7.5.1); `challenge` is what a program
    without credentials is asked for (RFC 9110 11.6.1).
    """
    rule: Rule = Permission(*(RoleNeed(role) for role in roles))
    words = " or ".join(roles) or "anybody signed in"
    if scope is not None:
        rule = rule & Permission(ScopeNeed(scope))
        words += f", scope {scope}"
    words += ", fresh" if fresh else ""
    return lambda view: _guard(view, Access("rule", words, rule, fresh, challenge, scope or ""))


def _guard(view: View[P, R], access: Access) -> View[P, R]:
    @wraps(view)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        check(access, current_actor())
        return await view(*args, **kwargs)

    inside = access_of(view)
    setattr(guarded, STAMP, replace(access, step=inside.step) if inside is not None else access)
    return guarded


def check(access: Access, actor: Actor) -> None:
    """Raise NotAuthenticated, Forbidden or Denial unless the actor may enter."""
    if access.kind == "public":
        return
    if not actor.signed_in:
        raise NotAuthenticated(actor.refusal or MISSING, challenge=_challenge(access, actor))
    if access.kind == "known":
        return
    if not actor.active:
        raise NotActive(actor.status)
    if access.scope and actor.scopes is not None and access.scope not in actor.scopes:
        raise InsufficientScope(access.scope)
    if access.rule is not None:
        access.rule.test(actor)
    if access.fresh and (actor.fresh_until is None or actor.fresh_until <= now()):
        raise NotFresh


def _challenge(access: Access, actor: Actor) -> str:
    """What to ask for; a token that was sent and is not good is called that (RFC 6750 3.1)."""
    sent = actor.refusal not in ("", OTHER_SCHEME) and access.challenge == "Bearer"
    return 'Bearer error="invalid_token"' if sent else access.challenge


def from_network(setting: str) -> Callable[[View[P, R]], View[P, R]]:
    """Only callers from the networks in the setting of this name; from anywhere while it lists none.

    Goes outside of the other guards, so that a stranger from elsewhere learns nothing from how they would answer.  The
    refusal does not say which networks would do; the log says who came from where.
    """

    def guard(view: View[P, R]) -> View[P, R]:
        access = _stamp_of(view)

        @wraps(view)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            networks: tuple[Network, ...] = getattr(settings(), setting)
            if networks and not _within(client_address(), networks):
                actor = current_actor()
                log.warning("access.network_refused", address=client_address(), actor=str(actor.id or ""), rule=setting)
                raise Forbidden("This part of the site is not open from where you are.", code="wrong_network")
            return await view(*args, **kwargs)

        setattr(guarded, STAMP, replace(access, networks=setting))
        return guarded

    return guard


def after_step(name: str, *, begin: str) -> Callable[[View[P, R]], View[P, R]]:
    """Only after the page that calls `pass_step(name)` was passed in this browser session; others go to `begin`.

    Goes inside of the guard that says who may enter.  What was passed is kept with the session on the server and not
    in a cookie: a cookie can be put back after the step was used up, and outlives the session it belonged to.
    """

    def guard(view: View[P, R]) -> View[P, R]:
        @wraps(view)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            await step_passed(name, begin)
            return await view(*args, **kwargs)

        setattr(guarded, STAMP, replace(access_of(view) or Access("step", ""), step=name))
        return guarded

    return guard


def _stamp_of(view: Callable[..., Any]) -> Access:
    access = access_of(view)
    if access is None:
        raise LookupError(f"{view.__qualname__} says where from but not who: put a guard under @from_network")
    return access


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    parsed = parse_address(address)
    return parsed is not None and any(parsed in network for network in networks)
