"""Which pictures a text shows: those among its own document's files, for whoever may see them; never by fetching anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.attachments import queries
from app.attachments.service import MOST
from app.web.file_paths import PICTURE_IN_TEXT, picture_path


@dataclass(frozen=True)
class Illustration:
    """A picture by its address in the text and the hash of the bytes it was made from."""

    address: str
    sha256: str


async def of_document(db: AsyncConnection, actor: Actor, document_id: UUID, text: str) -> tuple[Illustration, ...]:
    """The document's own pictures that `text` shows, in its order; none for those who may not see the document."""
    named = _named(text)
    return await _found(db, queries.pictures(actor, document_id, list(named.values())), named) if named else ()


async def of_entry(db: AsyncConnection, entry_id: UUID, text: str) -> tuple[Illustration, ...]:
    """The same for an entry, whose pictures are files of the document it was published from."""
    named = _named(text)
    return await _found(db, queries.entry_pictures(entry_id, list(named.values())), named) if named else ()


def _named(text: str) -> dict[str, UUID]:
    """The attachments a text names by the addresses at which it does; no more than a document can have."""
    named: dict[str, UUID] = {}
    for found in PICTURE_IN_TEXT.finditer(text):
        named.setdefault(found[0].lower(), UUID(found[1]))
        if len(named) >= MOST:
            break
    return named


async def _found(
    db: AsyncConnection, statement: Select[*tuple[Any, ...]], named: dict[str, UUID]
) -> tuple[Illustration, ...]:
    hashes = {picture_path(row.document_id, row.id): row.sha256.hex() for row in (await db.execute(statement)).all()}
    return tuple(Illustration(address, hashes[address]) for address in named if address in hashes)
