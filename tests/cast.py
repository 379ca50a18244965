"""The standing cast of the tests: who they are, and how each of them reaches the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from tests.client import Browser, Program
from tests.site import Site

# name -> roles, status, and the part they play.
CAST: dict[str, tuple[tuple[str, ...], str, str]] = {
    "max": (("member",), "active", "a member"),
    "alice": (("sponsor",), "active", "the sponsor who owns the document"),
    "bob": (("editor",), "active", "the editor it is assigned to"),
    "charlie": (("sponsor",), "active", "another sponsor, a stranger to it"),
    "edith": (("editor",), "active", "another editor, a stranger to it"),
    "ada": (("admin",), "active", "an administrator"),
    "penny": (("sponsor",), "pending", "her application waits"),
    "dora": (("editor",), "declined", "her application was declined"),
    "sam": (("sponsor",), "suspended", "was active and is suspended"),
}


@dataclass
class Person:
    """Somebody with an account; `browser` and `program` are theirs once they have signed in."""

    site: Site
    id: UUID
    name: str
    email: str
    password: str = field(repr=False)
    roles: tuple[str, ...]
    status: str
    browser: Browser = field(init=False)
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        self.browser, self.program = self.site.browser(), self.site.program()

    async def sign_in(self) -> Person:
        """Sign in by both doors; people who are not active get a browser session and no token."""
        answer = await self.browser.sign_in(self.email, self.password)
        assert answer.status_code == 303, answer.text
        answer = await self.program.sign_in(self.email, self.password)
        assert answer.status_code == (200 if self.status == "active" else 403), answer.text
        return self


@dataclass(frozen=True)
class Cast:
    """Everybody, signed in.  Tests must leave them as they are: those that end sessions or change people make others."""

    visitor: Person
    max: Person
    alice: Person
    bob: Person
    charlie: Person
    edith: Person
    ada: Person
    penny: Person
    dora: Person
    sam: Person

    def everybody(self) -> dict[str, Person]:
        return dict(vars(self))
