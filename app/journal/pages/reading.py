"""HTML routes for readers: one entry, the front page, and everything by one person, in one month or with one tag."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast
from urllib.parse import urlencode
from uuid import UUID

from quart import Blueprint, Response, redirect, request

from app.errors import NotFound
from app.journal import service
from app.journal.permalinks import author_page, permalink, slug, tag_page
from app.journal.schemas import Chosen, EntryView
from app.web.context import current_actor, reading, settings
from app.web.guards import public
from app.web.markdown import excerpt
from app.web.paging import decode_cursor, encode_cursor, split
from app.web.public_page import may_be_kept, public_page
from app.web.tags import tag as as_kept
from app.web.typesetting import typeset

blueprint = Blueprint("reading", __name__)
PAGE = 20
EXCERPT = 280
SUMMARY = 160
MOST_TAGS = 300
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
    chosen = Chosen(author_id=person_id)
    newest = await newest_of(chosen, limit=1)
    return await _list(author_page(person_id), newest[0].author.display_name, chosen, feed=author_page(person_id))


@blueprint.get("/tag/<string:words>")
@may_be_kept
@public
async def tag(words: str) -> Response:
    """Everything with one tag; another way of writing it leads to the way it is kept."""
    wanted = as_kept(words)
    if not wanted:
        raise NotFound
    if wanted != words:
        return cast(Response, redirect(tag_page(wanted), 301))
    await newest_of(Chosen(tag=wanted), limit=1)
    return await _list(tag_page(wanted), wanted, Chosen(tag=wanted), feed=tag_page(wanted))


@blueprint.get("/tags")
@may_be_kept
@public
async def tags() -> Response:
    async with reading() as db:
        found, more = split(await service.tags(db, limit=MOST_TAGS + 1), MOST_TAGS)
    return await public_page("journal/tags.html", tags=sorted(found), more=more)


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


async def newest_of(chosen: Chosen, *, limit: int) -> list[EntryView]:
    """The newest of the chosen entries, with their first words; raises NotFound when there is none."""
    async with reading() as db:
        found = await service.entries(db, after=None, limit=limit, whole=False, chosen=chosen)
    if not found:
        raise NotFound
    return found


async def _list(here: str, heading: str, chosen: Chosen, *, feed: str = "") -> Response:
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
            "tags": entry.tags,
            "url": f"/entry/{entry.id}",
        }
        for entry in shown
    ]
    following = f"{here}?cursor={encode_cursor(shown[-1].published_at, shown[-1].id)}" if more else None
    return await public_page(
        "journal/index.html",
        heading=heading,
        front=here == "/",
        feed=feed,
        kind="tag" if chosen.tag else "author" if chosen.author_id else "",
        canonical=settings().public_url.rstrip("/") + here + (f"?{urlencode({'cursor': cursor})}" if cursor else ""),
        entries=entries,
        next_url=following,
        previous_url=here if cursor else None,
    )


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
    text = await typeset(entry.body, for_everybody=True)
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
