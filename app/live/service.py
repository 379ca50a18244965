"""What is new at a document for one reader: the difference between what they know and how it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.access import Actor
from app.documents.offered import talk_mark
from app.errors import NotFound
from app.live import queries

MOST_NAMES = 50
Message = dict[str, Any]


@dataclass
class Known:
    """What a reader has been told so far; `version` and `talk` are those of their page, `talk` empty if unknown."""

    version: int
    talk: str = ""
    revision: int = 0
    state: str = ""
    people: list[tuple[UUID, str]] = field(default_factory=list)
    greeted: bool = False


async def look(db: AsyncConnection, actor: Actor, document_id: UUID) -> Any:
    """How the document stands; raises NotFound when it is not, or no longer, the actor's to see."""
    found = (await db.execute(queries.standing(actor, document_id))).first()
    if found is None:
        raise NotFound
    return found


async def news(db: AsyncConnection, actor: Actor, document_id: UUID, known: Known, present: set[UUID]) -> list[Message]:
    """What to tell, and note that it was told; raises NotFound as `look` does."""
    found = await look(db, actor, document_id)
    others = present - {actor.person_id()}
    people = [(row.id, row.display_name) for row in (await db.execute(queries.names(others))).all()] if others else []
    messages: list[Message] = []
    if not known.greeted:
        messages.append({"type": "hello", "version": found.version, "state": found.state})
    if found.version != known.version:
        at = found.updated_at.isoformat()
        messages.append({"type": "version", "version": found.version, "by": found.saved_by or "somebody", "at": at})
    if known.greeted and found.state != known.state:
        messages.append({"type": "state", "state": found.state})
    elif known.greeted and found.revision != known.revision and found.version == known.version:
        messages.append({"type": "changed"})
    mark = talk_mark(found.said, found.settled, found.spoken_at)
    if known.talk and mark != known.talk:
        messages.append(await _talked(db, document_id, known.talk, mark, found.said))
    if people != known.people or not known.greeted:
        shown = [{"id": str(person_id), "name": name} for person_id, name in people[:MOST_NAMES]]
        messages.append({"type": "people", "people": shown, "more": max(0, len(people) - MOST_NAMES)})
    known.version, known.revision, known.state, known.people = found.version, found.revision, found.state, people
    known.talk, known.greeted = mark, True
    return messages


async def _talked(db: AsyncConnection, document_id: UUID, before: str, mark: str, said: int) -> Message:
    """Something was said (then `by` is who spoke last), settled, or opened again; the page fetches what."""
    more = said > int(before.partition(".")[0])
    by = await db.scalar(queries.last_voice(document_id)) if more else None
    return {"type": "comments", "mark": mark, "said": said, "by": by}
