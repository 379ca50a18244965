"""A believable house for demonstrations: people, commissions at every stage of their life, and a journal to read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from app.access import SYSTEM, Actor
from app.access.actor import needs_of
from app.accounts import service as accounts
from app.accounts.schemas import SignUp, SignUpRole
from app.accounts.service import Decision
from app.database import Database
from app.documents import service as documents
from app.documents.schemas import NewDocument
from app.journal import service as journal
from app.journal.schemas import NewEntry

WORDS: Final = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fable",
    "grove",
    "harbor",
    "indigo",
    "juniper",
    "kestrel",
    "lantern",
    "meadow",
    "nettle",
    "orchid",
    "pepper",
    "quartz",
    "river",
    "saffron",
    "thistle",
    "umber",
    "velvet",
    "willow",
    "yarrow",
)


class Demo(msgspec.Struct, frozen=True):
    """Somebody to sign in as; the password is made anew for each instance."""

    email: str
    display_name: str
    role: str
    password: str


def cast() -> list[Demo]:
    """The people of the demonstration, each with a fresh passphrase."""
    people = (
        ("wilma@example.org", "Wilma Adler", "admin"),
        ("ines@example.org", "Inês Carvalho", "sponsor"),
        ("tomas@example.org", "Tomáš Novák", "sponsor"),
        ("noor@example.org", "نور الهاشمي", "editor"),
        ("edda@example.org", "Edda Lindqvist", "editor"),
        ("kofi@example.org", "Kofi Mensah", "member"),
        ("pia@example.org", "Pia Rossi", "editor, waiting"),
    )
    return [Demo(email, name, role, _passphrase()) for email, name, role in people]


def _passphrase() -> str:
    return " ".join(secrets.choice(WORDS) for _ in range(5))


async def fill(database: Database, people: list[Demo], hashes: Mapping[str, str]) -> None:
    """Write the whole demonstration through the services, in one transaction: all of it or nothing."""
    async with database.transaction() as db:
        actors: dict[str, Actor] = {}
        for person in people:
            role = person.role.partition(",")[0]
            if role == "admin":
                person_id, _ = await accounts.make_admin(db, person.email, person.display_name, hashes[person.email])
            else:
                signed_role: SignUpRole = role  # type: ignore[assignment]  # one of the three by the list above
                sign_up = SignUp(person.email, person.display_name, "", signed_role)
                policy = "open" if role == "member" else "approval"
                made = await accounts.register(db, SYSTEM, sign_up, hashes[person.email], policy=policy)
                person_id = made.id
            actors[person.email] = _actor(person_id, person.display_name, role)
        admin = actors["wilma@example.org"]
        for person in people:
            if person.role in ("sponsor", "editor"):
                decision = Decision("approve", "Known to the house.", "Welcome.")
                await accounts.decide(db, admin, actors[person.email].person_id(), decision)
        ines, noor = actors["ines@example.org"], actors["noor@example.org"]
        edda, kofi = actors["edda@example.org"], actors["kofi@example.org"]
        await journal.write(db, kofi, NewEntry("On keeping a commonplace book", _COMMONPLACE, ["reading", "by-hand"]))
        on_ink = NewDocument("A short history of ink", _INK_BRIEF, _INK, noor.id, tags=["ink", "history"])
        ink = await documents.commission(db, ines, on_ink)
        for actor, step in ((noor, "hand-in"), (ines, "accept"), (ines, "publish")):
            await documents.take_step(db, actor, ink, step)
        margins = NewDocument("Notes in the margins", "What readers wrote beside the text.", _MARGINS, edda.id)
        handed_in = await documents.commission(db, ines, margins)
        await documents.take_step(db, edda, handed_in, "hand-in", "The third part could be longer.")
        paper = NewDocument("Paper, from rag to reel", "For the spring issue; two thousand words.", "", noor.id)
        await documents.commission(db, actors["tomas@example.org"], paper)
        await documents.commission(db, ines, NewDocument("The catalogue of lost libraries", "An idea so far."))


def _actor(person_id: UUID, name: str, role: str) -> Actor:
    roles = frozenset({role})
    return Actor(
        id=person_id,
        auth_type="system",
        provides=needs_of(person_id, roles, "active", None),
        display_name=name,
        roles=roles,
        status="active",
    )


_COMMONPLACE: Final = """\
For as long as there have been books, readers have copied out of them. A *commonplace book* is where the copies go:
a sentence that rang, a recipe, a remedy, a line of verse, the name of a wind.

## Why copy by hand

Copying is slow, and that is the point. The hand asks of each word whether it is worth the ink.

> What we write down twice we have read three times.

## How to begin

1. Take any notebook, or any text file.
2. Give every page a heading *before* you need it.
3. Write down where each thing came from. You will not remember.

Keep it for a year, and it will answer questions you have not asked yet.
"""

_INK_BRIEF: Final = "Ten minutes of reading for the curious. Start with soot, end with the ballpoint."

_INK: Final = """\
Ink is the oldest writing technology still in daily use. Its history is short to tell, because for three thousand years
almost nothing happened to it.

## Soot and water

The first inks were lampblack: soot, bound with gum and ground with water. Scribes in Egypt and China came upon it
independently, and what they wrote is still black. Carbon does not fade; it only flakes.

## Oak and iron

From late antiquity to the twentieth century Europe wrote with *iron gall ink*, made of oak galls, iron sulphate, gum
and wine. It goes on pale and darkens as it dries, biting into the page.

| Ingredient | What it does | Part |
|---|---|--:|
| Oak galls | tannin, which makes the black | 3 |
| Iron sulphate | turns with the tannin | 2 |
| Gum arabic | keeps it on the quill | 1 |
| Wine or water | carries all of it | 30 |

Too much iron, and in two hundred years the letters fall out of the page like tiny windows.

## Oil and steel

Printing wanted something else. Ink for a quill runs; ink for a press must stick. Varnish of boiled linseed oil,
thickened with soot, clung to metal type and did not spread.

## A ball in a tube

In the 1930s a newspaper man noticed that printing ink dried at once and did not smudge. It was too thick for a nib, so
he gave it a ball to roll on. The rest is in your pocket.
"""

_MARGINS: Final = """\
Nobody reads in silence who reads with a pen.

## Pointing hands

The little hand with the long finger, the *manicule*, is the most common drawing in the history of reading.

## Quarrels

Some margins are conversations between strangers: a reader of 1560 disagrees with the author, a reader of 1640 with the
reader of 1560.

## Cats

Once, famously, with inky paws.
"""
