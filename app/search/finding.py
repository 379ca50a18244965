"""One page of what was found, as both faces ask for it."""

from __future__ import annotations

from app.errors import Invalid
from app.search import service
from app.search.newest import Newest
from app.search.schemas import SearchPage, SearchQuery
from app.search.ways import RANKED
from app.web.context import current_actor, extension, reading
from app.web.paging import decode_number, encode_number, split

DEEPEST = RANKED


async def look(asked: SearchQuery) -> SearchPage:
    """Find texts for the caller; where none holds the words, texts with words that look like them."""
    start = decode_number(asked.cursor, asked) or 0
    if start > DEEPEST:
        raise Invalid({"cursor": ["This is not a cursor we gave out."]})
    async with reading() as db:
        found, similar = await service.find(
            db, current_actor(), asked, start=start, limit=asked.limit + 1, newest=extension(Newest)
        )
    items, more = split(found, asked.limit)
    following = (
        encode_number(start + asked.limit, asked) if more and not similar and start + asked.limit <= DEEPEST else None
    )
    return SearchPage(items, similar, following)
