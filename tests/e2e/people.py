"""The people of the tests, their passwords made at run time, and how they sign in as programs."""

from __future__ import annotations

import os
import secrets
import ssl
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.house import CHECKOUT, House

SCRIPTORIUM = Path(sys.executable).parent / "scriptorium"


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in."""

    role: str
    display_name: str
    email: str = field(default_factory=lambda: f"{secrets.token_hex(6)}@example.org")
    password: str = field(default_factory=lambda: f"words nobody guesses {secrets.token_hex(12)}", repr=False)


class Secrets:
    """Every secret that was typed, shown or handed out while the tests ran; a leak test looks for them."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def note(self, what: str, value: str) -> str:
        """Remember a secret and return it."""
        self._values[value] = what
        return value

    def all(self) -> dict[str, str]:
        """The values, each with what it is."""
        return dict(self._values)


class Programs:
    """What a program without a browser does with one house."""

    def __init__(self, house: House, known: Secrets, *, verify: ssl.SSLContext | bool = True) -> None:
        self.house = house
        self.known = known
        self.http = httpx.AsyncClient(base_url=house.url, timeout=30, verify=verify)

    async def token(self, person: Person) -> str:
        """Sign in at /api/login and return the access token."""
        self.known.note("password", person.password)
        answer = await self.http.post("/api/login", json={"email": person.email, "password": person.password})
        assert answer.status_code == 200, answer.text
        given = answer.json()
        self.known.note("refresh token", given["refresh_token"])
        return self.known.note("access token", given["access_token"])

    async def ask(self, method: str, path: str, token: str = "", **extra: Any) -> Any:
        """Call the API and return what it answered as JSON; anything but success is a failed test."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = await self.http.request(method, path, headers=headers | extra.pop("headers", {}), **extra)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def register(self, person: Person) -> str:
        """Apply for an account; returns the id, which is only real for an address not known before."""
        self.known.note("password", person.password)
        made = await self.ask(
            "POST",
            "/api/v1/people",
            json={
                "email": person.email,
                "display_name": person.display_name,
                "password": person.password,
                "role": person.role,
            },
        )
        return str(made["id"])

    def make_admin(self, display_name: str = "Ottilie Brandt") -> Person:
        """Make an administrator by the command, as an operator does."""
        admin = Person("admin", display_name)
        self.known.note("password", admin.password)
        done = subprocess.run(
            [
                SCRIPTORIUM,
                *("admin", "create", "--email", admin.email, "--display-name", admin.display_name),
                "--password-stdin",
            ],
            input=f"{admin.password}\n",
            env={"PATH": os.environ["PATH"], "SCRIPTORIUM_STATE": str(self.house.state)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return admin


@dataclass(frozen=True)
class Cast:
    """The people who are there before the curtain rises, and what they have written."""

    admin: Person
    member: Person
    sponsor: Person
    editor: Person
    applicant: Person
    document_id: str
    entry_id: str


async def engage(programs: Programs, text: str) -> Cast:
    """Fill a house with one person of each kind, a document under way and a published entry."""
    admin = programs.make_admin()
    member = Person("member", "Aurelio Santangelo")
    sponsor = Person("sponsor", "Theodora Lindqvist-Papadimitriou")
    editor = Person("editor", "Yusuf al-Khatib")
    applicant = Person("editor", "Marguerite Delacroix")
    ids = {person.email: await programs.register(person) for person in (member, sponsor, editor, applicant)}
    as_admin = await programs.token(admin)
    for person in (sponsor, editor):
        verdict = {"reason": "Known to the house."}
        await programs.ask("POST", f"/api/v1/admin/people/{ids[person.email]}/approve", as_admin, json=verdict)
    commission = {
        "title": "How the quiet rooms kept their light",
        "brief": "Ten pages for readers who have never held a pen.\nFriendly, exact, with the table of inks.",
        "body": text,
        "editor_id": ids[editor.email],
    }
    as_sponsor = await programs.token(sponsor)
    document = await programs.ask("POST", "/api/v1/documents", as_sponsor, json=commission)
    await programs.ask("POST", "/api/v1/documents", as_sponsor, json=commission | {"title": "On margins", "body": ""})
    letter = {"title": "A letter from the reading room", "body": "The lamps were lit *early* today.\n"}
    entry = await programs.ask("POST", "/api/v1/entries", await programs.token(member), json=letter)
    return Cast(admin, member, sponsor, editor, applicant, document["id"], entry["id"])
