"""HTML routes for readers: the front page, archive, authors, feeds, and one entry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from quart import Blueprint, Response, redirect, request

from app.errors import NotFound
from app.journal import feeds, service
from app.journal.permalinks import permalink, slug
from app.journal.schemas import Chosen, EntryView
from app.web.context import current_actor, reading, settings
from app.web.guards import public
from app.web.markdown import excerpt
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.public_page import kept_by_visitors, may_be_kept, public_page
from app.web.typesetting import typeset

blueprint = Blueprint("reading", __name__)
PAGE = 20
EXCERPT = 280
SUMMARY = 160
EVERYTHING = Chosen()


@blueprint.get("/")
@may_be_kept
@public
async def index() -> Response:
    return await _list("/", "Journal", EVERYTHING)


@blueprint.get("/by/<uuid:person_id>")
@may_be_kept
@public
async def author(person_id: UUID) -> Response:
    """Everything one person has published; there is no page for those who have published nothing."""
    async with reading() as db:
        newest = await service.entries(db, after=None, limit=1, whole=False, chosen=Chosen(author_id=person_id))
    if not newest:
        raise NotFound
    return await _list(f"/by/{person_id}", newest[0].author.display_name, Chosen(author_id=person_id))


@blueprint.get("/archive")
@may_be_kept
@public
async def archive() -> Response:
    async with reading() as db:
        months = await service.months(db)
    return await public_page("journal/archive.html", months=months)


@blueprint.get("/archive/<int:year>/<int:month>")
@may_be_kept
@public
async def month(year: int, month: int) -> Response:
    try:
        start = datetime(year, month, 1, tzinfo=UTC)
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    except ValueError:
        raise NotFound from None
    chosen = Chosen(published_from=start, published_before=end)
    return await _list(f"/archive/{year}/{month:02}", f"{start:%B} {year}", chosen)


async def _list(here: str, heading: str, chosen: Chosen) -> Response:
    cursor = request.args.get("cursor")
    after = decode_cursor(cursor)
    async with reading() as db:
        found = await service.entries(db, after=after, limit=PAGE + 1, whole=False, chosen=chosen)
    shown, more = split(found, PAGE)
    entries = [
        {
            "id": entry.id,
            "title": entry.title,
            "excerpt": excerpt(entry.body, EXCERPT),
            "author_id": entry.author.id,
            "author_name": entry.author.display_name,
            "published_at": entry.published_at,
            "url": f"/entry/{entry.id}",
        }
        for entry in shown
    ]
    following = f"{here}?cursor={encode_cursor(shown[-1].published_at, shown[-1].id)}" if more else None
    return await public_page(
        "journal/index.html",
        heading=heading,
        front=here == "/",
        entries=entries,
        next_url=following,
        previous_url=here if cursor else None,
    )


@blueprint.get("/feed.atom")
@may_be_kept
@public
async def feed_atom() -> Response:
    data = feeds.atom(await _newest(), settings().public_url.rstrip("/"))
    return kept_by_visitors(Response(data, content_type=feeds.ATOM), data)


@blueprint.get("/feed.json")
@may_be_kept
@public
async def feed_json() -> Response:
    data = feeds.json_feed(await _newest(), settings().public_url.rstrip("/"))
    return kept_by_visitors(Response(data, content_type=feeds.JSON), data)


async def _newest() -> list[EntryView]:
    async with reading() as db:
        return await service.entries(db, after=None, limit=PAGE, whole=False)


@blueprint.get("/entry/<uuid:entry_id>")
@may_be_kept
@public
async def show(entry_id: UUID) -> Response:
    async with reading() as db:
        entry = await service.entry(db, entry_id)
    return await _entry(entry)


@blueprint.get("/entry/<uuid:entry_id>/<string:words>")
@may_be_kept
@public
async def permanent(entry_id: UUID, words: str) -> Response:
    """The same under its readable address; a title that has changed since leads on to the present one."""
    async with reading() as db:
        entry = await service.entry(db, entry_id)
    if words != slug(entry.title):
        return cast(Response, redirect(permalink(entry.id, entry.title), 301))
    return await _entry(entry)


async def _entry(entry: EntryView) -> Response:
    text = await typeset(entry.body)
    return await public_page(
        "journal/entry.html",
        entry={
            "id": entry.id,
            "title": entry.title,
            "author_id": entry.author.id,
            "author_name": entry.author.display_name,
            "published_at": entry.published_at,
            "updated_at": entry.updated_at,
            "tags": entry.tags,
        },
        own=entry.author.id == current_actor().id and entry.document_id is None,
        permalink=settings().public_url.rstrip("/") + permalink(entry.id, entry.title),
        summary=excerpt(entry.body, SUMMARY),
        body_html=text.html,
        contents=text.contents,
        document_note="Commissioned and published by a sponsor." if entry.document_id else None,
    )
