"""Permissions: what must be provided, how they combine, and what happens when they are not met.

A `Permission` is met by an identity that provides *any* of its needs and *none* of its excludes.  `|`, `&`, `-` and
`~` combine rules by plain logic; `union`, `difference`, `reverse` and `issubset` are Flask-Principal's set operations.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from app.access.context import Identity, current_identity
from app.access.needs import Need
from app.errors import Forbidden

P = ParamSpec("P")
R = TypeVar("R")


class Denial(Forbidden):
    """The identity does not meet the rule.  `staff` says why, for people who may know."""

    def __init__(self, rule: Rule, identity: Identity) -> None:
        super().__init__(staff=rule.explain(identity))
        self.rule = rule
        self.identity = identity


class Rule(ABC):
    """Something an identity can meet or not."""

    @abstractmethod
    def allows(self, identity: Identity) -> bool:
        """Whether `identity` meets this rule."""

    @abstractmethod
    def describe(self) -> str:
        """What is demanded, in words."""

    def can(self) -> bool:
        """Whether the current identity meets this rule."""
        return self.allows(current_identity())

    def test(self, identity: Identity | None = None) -> None:
        """Raise Denial unless the given (or the current) identity meets this rule."""
        who = current_identity() if identity is None else identity
        if not self.allows(who):
            raise Denial(self, who)

    def require(self) -> IdentityContext:
        """A decorator and (async) context manager that tests this rule on entry."""
        return IdentityContext(self)

    def explain(self, identity: Identity) -> str:
        """Why `identity` is refused, for staff: "needs role sponsor; has role editor"."""
        has = ", ".join(sorted(str(need) for need in identity.provides if need.method in {"role", "scope"}))
        return f"needs {self.describe()}; has {has or 'nothing'}"

    def __or__(self, other: Rule) -> Rule:
        return AnyOf(self, other)

    def __and__(self, other: Rule) -> Rule:
        return AllOf(self, other)

    def __sub__(self, other: Rule) -> Rule:
        return AllOf(self, Not(other))

    def __invert__(self) -> Rule:
        return Not(self)

    def __bool__(self) -> bool:
        return self.can()


class Permission(Rule):
    """Any of `needs` and none of `excludes`; with no needs at all, everybody not excluded."""

    def __init__(self, *needs: Need, excludes: frozenset[Need] = frozenset()) -> None:
        self.needs = frozenset(needs)
        self.excludes = excludes

    def allows(self, identity: Identity) -> bool:
        if self.needs and self.needs.isdisjoint(identity.provides):
            return False
        return self.excludes.isdisjoint(identity.provides)

    def describe(self) -> str:
        wanted = " or ".join(sorted(map(str, self.needs))) or "anything"
        barred = " or ".join(sorted(map(str, self.excludes)))
        return f"{wanted} without {barred}" if barred else wanted

    def union(self, other: Permission) -> Permission:
        """Needs and excludes of both together."""
        return Permission(*(self.needs | other.needs), excludes=self.excludes | other.excludes)

    def difference(self, other: Permission) -> Permission:
        """Needs and excludes of this one that the other does not have."""
        return Permission(*(self.needs - other.needs), excludes=self.excludes - other.excludes)

    def reverse(self) -> Permission:
        """Needs become excludes and the other way round."""
        return Permission(*self.excludes, excludes=self.needs)

    def issubset(self, other: Permission) -> bool:
        """Whether the other demands and bars at least all that this one does."""
        return self.needs <= other.needs and self.excludes <= other.excludes

    def __contains__(self, other: Permission) -> bool:
        return other.issubset(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Permission) and (self.needs, self.excludes) == (other.needs, other.excludes)

    def __hash__(self) -> int:
        return hash((self.needs, self.excludes))

    def __repr__(self) -> str:
        return f"<Permission {self.describe()}>"


class AnyOf(Rule):
    """Met when either rule is."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules

    def allows(self, identity: Identity) -> bool:
        return any(rule.allows(identity) for rule in self.rules)

    def describe(self) -> str:
        return " or ".join(f"({rule.describe()})" for rule in self.rules)


class AllOf(Rule):
    """Met when every rule is."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules

    def allows(self, identity: Identity) -> bool:
        for rule in self.rules:  # noqa: SIM110 - this stands in the way of every request; a generator takes thrice as long
            if not rule.allows(identity):
                return False
        return True

    def describe(self) -> str:
        return " and ".join(f"({rule.describe()})" for rule in self.rules)


class Not(Rule):
    """Met when the rule is not."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    def allows(self, identity: Identity) -> bool:
        return not self.rule.allows(identity)

    def describe(self) -> str:
        return f"not ({self.rule.describe()})"


class IdentityContext:
    """Tests a rule for the current identity when entered; wraps coroutine functions when used as a decorator."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule

    @property
    def identity(self) -> Identity:
        """The identity that is tested."""
        return current_identity()

    def can(self) -> bool:
        """Whether entering would succeed now."""
        return self.rule.can()

    def __call__(self, function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            self.rule.test()
            return await function(*args, **kwargs)

        return guarded

    def __enter__(self) -> Self:
        self.rule.test()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
