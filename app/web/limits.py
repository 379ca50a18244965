"""How often one caller may ask: quart-rate-limiter's decorators and headers over a decision that holds under load.

As shipped the extension reads, thinks and writes in three steps, so of 80 requests released together all 80 pass a
limit of 5; it believes `X-Forwarded-For`, and fails when its store does.  Declaring limits and showing them is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple, Protocol

from quart import Quart, Request, Response
from quart_rate_limiter import (
    QUART_RATE_LIMITER_EXEMPT_ATTRIBUTE,
    QUART_RATE_LIMITER_LIMITS_ATTRIBUTE,
    KeyCallable,
    RateLimit,
    RateLimiter,
)

from app.errors import Throttled
from app.web.client_address import address_block, client_address
from app.web.current import this_app, this_request, this_stash
from app.web.faces import for_programs
from app.web.limit_decision import Demand, SharedDecider, Verdict
from app.web.noticing import notice
from app.web.ready import put
from app.web.shared_script import Client


class LimitLike(Protocol):
    """`count` events in `period` seconds."""

    @property
    def count(self) -> int: ...
    @property
    def period(self) -> float: ...


class LimitSettings(Protocol):
    """What must be known of the settings."""

    @property
    def workers(self) -> int: ...
    def limit(self, name: str) -> LimitLike: ...


@dataclass
class NamedLimit(RateLimit):
    """A limit whose numbers stand in the settings under `name`; callers are told apart `by` address, person or key."""

    name: str = ""
    by: str = "address"


def named_limit(name: str, *, by: str = "address") -> NamedLimit:
    """Refer to the limit `SCRIPTORIUM_LIMIT_<name>`; every route that names it draws from the same bucket."""
    return NamedLimit(count=1, period=timedelta(seconds=1), name=name, by=by)


async def by_address() -> str:
    """Tell callers apart by their address; one IPv6 host roams a /64, so that is one caller."""
    return address_block(client_address())


class _Rule(NamedTuple):
    """A limit as it holds at one endpoint, with what is the same at each request found out."""

    limit: RateLimit
    name: str
    units: int
    period: float
    caller: KeyCallable


class Limiter(RateLimiter):
    """Enforces the limits that views and blueprints declare, and those that all pages and all programs share.

    `callers` maps the words `named_limit(by=...)` may use to coroutine functions; "address" is always there.
    Where Valkey is lost the limits become stricter (each worker alone), never absent, and no request fails.
    """

    def __init__(
        self,
        settings: LimitSettings,
        client: Client,
        *,
        callers: Mapping[str, KeyCallable] | None = None,
        pages: Sequence[RateLimit] = (),
        programs: Sequence[RateLimit] = (),
        prefix: str = "scriptorium",
    ) -> None:
        self._callers: dict[str, KeyCallable] = {"address": by_address, **(callers or {})}
        self._settings = settings
        self._shared = {True: list(programs), False: list(pages)}
        self._decider = SharedDecider(client, workers=settings.workers, prefix=prefix)
        self._known: dict[tuple[str | None, bool], tuple[_Rule, ...]] = {}
        self.refused: Counter[str] = Counter()
        super().__init__(key_function=by_address)

    @property
    def store_lost(self) -> bool:
        """Whether limits are decided without Valkey at present."""
        return self._decider.store.lost

    def init_app(self, app: Quart, enabled: bool = True) -> None:
        """Decide before each request and show the verdict after it."""
        app.before_request(self._before_request)
        app.after_request(self._after_request)
        app.config.setdefault("QUART_RATE_LIMITER_ENABLED", enabled)

    async def _before_request(self) -> None:
        app, asked = this_app(), this_request()
        rules = self._rules_of_request(app, asked)
        if not rules or not app.config["QUART_RATE_LIMITER_ENABLED"]:
            return
        demands = []
        for limit, name, units, period, caller in rules:
            if limit.skip_function is None or not await self._should_skip(limit):
                demands.append(Demand(f"{name}:{await caller()}", units, period))
        if not demands:
            return
        verdict = await self._decider.take(demands)
        this_stash().scriptorium_limits = (demands, verdict)
        if not verdict.allowed:
            self._tell(demands, verdict)
            raise Throttled(
                "Too many requests in too short a time. Try again a little later.", retry_after=ceil(verdict.wait)
            )

    def _rules_of_request(self, app: Quart, asked: Request) -> Sequence[_Rule]:
        """All limits of the route: its own, those of every blueprint around it, and its face's; found out once."""
        at = (asked.endpoint, for_programs(asked.path))
        rules = self._known.get(at)
        if rules is None:
            found = self._limits_of(app, asked, *at)
            rules = self._known[at] = tuple(self._rule(limit, at[0]) for limit in found)
        return rules

    def _limits_of(self, app: Quart, asked: Request, endpoint: str | None, programs: bool) -> list[RateLimit]:
        """Addresses that lead nowhere fall under their face's limits as well: probing is not free."""
        view: Callable[..., Any] | None = app.view_functions.get(endpoint or "")
        if view is not None and getattr(view, QUART_RATE_LIMITER_EXEMPT_ATTRIBUTE, False):
            return []
        limits = list(getattr(view, QUART_RATE_LIMITER_LIMITS_ATTRIBUTE, ()))
        for name in asked.blueprints:
            limits += getattr(app.blueprints.get(name), QUART_RATE_LIMITER_LIMITS_ATTRIBUTE, ())
        if endpoint != "static":
            limits += self._shared[programs]
        return limits

    def _rule(self, limit: RateLimit, endpoint: str | None) -> _Rule:
        if isinstance(limit, NamedLimit):
            numbers = self._settings.limit(limit.name)
            caller = limit.key_function or self._callers[limit.by]
            return _Rule(limit, limit.name, numbers.count, numbers.period, caller)
        name = f"{endpoint}:{limit.key}"
        return _Rule(limit, name, limit.count, limit.period.total_seconds(), limit.key_function or by_address)

    def _tell(self, demands: Sequence[Demand], verdict: Verdict) -> None:
        name = max(zip(demands, verdict.used, strict=True), key=lambda pair: pair[1] / pair[0].period)[0].key
        rule = name.partition(":")[0]
        self.refused[rule] += 1
        notice("limit", limit=rule)

    async def _after_request(self, response: Response) -> Response:
        decided: tuple[Sequence[Demand], Verdict] | None = this_stash().get("scriptorium_limits")
        if decided is None:
            return response
        demands, verdict = decided
        demand, used = demands[0], verdict.used[0]
        if len(demands) > 1:
            demand, used = max(zip(demands, verdict.used, strict=True), key=lambda pair: pair[1] / pair[0].period)
        remaining = max(0, int((demand.period - used) * demand.count / demand.period + 1e-3))
        put(
            response.headers,
            ("RateLimit-Limit", str(demand.count)),
            ("RateLimit-Remaining", str(remaining)),
            ("RateLimit-Reset", str(ceil(used))),
        )
        return response
