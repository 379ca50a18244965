"""Makes people, documents and entries for tests, by the services themselves; every name is new, so tests never meet."""

from __future__ import annotations

import secrets
from collections import deque
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from app.access import SYSTEM, VISITOR
from app.accounts import service as accounts
from app.accounts.schemas import SignUp, SignUpRole
from app.accounts.service import Decision
from app.ids import new_id
from tests.cast import Person
from tests.site import Site

IN_TURN = 16
_PHRASES: dict[tuple[Path, int], deque[tuple[str, str]]] = {}
TEXT = "# Ink\n\nSoot, gum and *water*.\n"

# By which steps, and by whom, a document gets from "in progress" to each state.
_WAYS = {
    "in_progress": (),
    "handed_in": (("editor", "hand-in"),),
    "returned": (("editor", "hand-in"), ("sponsor", "return")),
    "accepted": (("editor", "hand-in"), ("sponsor", "accept")),
    "published": (("editor", "hand-in"), ("sponsor", "accept"), ("sponsor", "publish")),
    "cancelled": (("sponsor", "cancel"),),
    "archived": (("sponsor", "cancel"), ("sponsor", "archive")),
}


def passphrase() -> str:
    """A good password, made now and kept nowhere."""
    return secrets.token_urlsafe(18)


async def hashed_passphrase(site: Site) -> tuple[str, str]:
    """A good password and its hash: a few in turn, because a hash takes 20 ms and the tests make a thousand people."""
    version = site.resources.secrets.snapshot.rings["pepper"].signing.version
    known = _PHRASES.setdefault((site.settings.secrets_socket, version), deque())
    if len(known) < IN_TURN:
        password = passphrase()
        known.append((password, await site.resources.passwords.hash(password)))
    else:
        known.rotate()
    return known[-1]


def address(name: str = "somebody") -> str:
    """An address nobody has."""
    return f"{name.lower()}.{new_id().hex}@example.org"


async def person(site: Site, *roles: str, status: str = "active", name: str = "Somebody", message: str = "") -> Person:
    """A person with these roles (a member without any) and this status; not signed in yet."""
    held = roles or ("member",)
    role: SignUpRole = next(role for role in ("member", "sponsor", "editor") if role in held or role == "editor")
    email, (password, hashed) = address(name), await hashed_passphrase(site)
    sign_up = SignUp(email, name, password, role)
    policy = "approval" if status in ("pending", "declined") else "open"
    async with site.resources.database.transaction() as db:
        made = await accounts.register(db, VISITOR, sign_up, hashed, policy=policy)
        if {role} != set(held):
            await accounts.change_roles(db, SYSTEM, made.id, held, "made for a test")
        if status in ("declined", "suspended"):
            verb = "decline" if status == "declined" else "suspend"
            await accounts.decide(db, SYSTEM, made.id, Decision(verb, "made for a test", message))
    return Person(site, made.id, name, email, password, held, status)


async def signed_in(site: Site, *roles: str, name: str = "Somebody") -> Person:
    """An active person, signed in with a browser and as a program."""
    return await (await person(site, *roles, name=name)).sign_in()


async def document(
    sponsor: Person, editor: Person | None = None, state: str = "", *, title: str = "A history of ink", body: str = TEXT
) -> dict[str, Any]:
    """A document, brought to `state` by the people who may; as the API shows it to its sponsor."""
    new: dict[str, Any] = {"title": title, "brief": "Ten pages.", "body": body}
    if editor is not None:
        new["editor_id"] = str(editor.id)
    made = await sponsor.program.post("/api/v1/documents", new)
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    if editor is None:
        assert state in ("", "draft"), "only a draft has no editor"
        return shown
    for part, step in _WAYS[state or "in_progress"]:
        who = sponsor if part == "sponsor" else editor
        await take(who, shown["id"], step)
    found: dict[str, Any] = (await sponsor.program.get(f"/api/v1/documents/{shown['id']}")).json()
    return found


async def take(who: Person, document_id: str | UUID, step: str) -> dict[str, Any]:
    """Take a step in a document's life."""
    taken = await who.program.post(f"/api/v1/documents/{document_id}/{step}")
    assert taken.status_code == 200, taken.text
    shown: dict[str, Any] = taken.json()
    return shown


# The smallest picture there is: one grey pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


async def attachment(who: Person, document_id: str | UUID, content: bytes = PIXEL, name: str = "ink.png") -> str:
    """A file attached to a document; returns its id."""
    made = await who.program.raw("POST", f"/api/v1/documents/{document_id}/attachments?name={quote(name)}", content)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def entry(author: Person, title: str = "On copying", body: str = TEXT) -> dict[str, Any]:
    """A journal entry, as the API shows it."""
    made = await author.program.post("/api/v1/entries", {"title": title, "body": body})
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown
