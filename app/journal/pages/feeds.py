"""Routes of the feeds: of the whole journal, of one person and of one tag, as Atom and as JSON."""

from __future__ import annotations

from uuid import UUID

from quart import Blueprint, Response

from app.errors import NotFound
from app.journal import feeds, service
from app.journal.feeds import Feed
from app.journal.pages.reading import EVERYTHING, PAGE, newest_of
from app.journal.permalinks import author_page, tag_page
from app.journal.schemas import Chosen
from app.web.context import reading, settings
from app.web.guards import public
from app.web.public_page import kept_by_visitors, may_be_kept
from app.web.tags import tag as as_kept

blueprint = Blueprint("feeds", __name__)


@blueprint.get("/feed.atom")
@may_be_kept
@public
async def everything_atom() -> Response:
    return _atom(await _everything())


@blueprint.get("/feed.json")
@may_be_kept
@public
async def everything_json() -> Response:
    return _json(await _everything())


@blueprint.get("/by/<uuid:person_id>/feed.atom")
@may_be_kept
@public
async def author_atom(person_id: UUID) -> Response:
    return _atom(await _author(person_id))


@blueprint.get("/by/<uuid:person_id>/feed.json")
@may_be_kept
@public
async def author_json(person_id: UUID) -> Response:
    return _json(await _author(person_id))


@blueprint.get("/tag/<string:words>/feed.atom")
@may_be_kept
@public
async def tag_atom(words: str) -> Response:
    return _atom(await _tag(words))


@blueprint.get("/tag/<string:words>/feed.json")
@may_be_kept
@public
async def tag_json(words: str) -> Response:
    return _json(await _tag(words))


async def _everything() -> Feed:
    async with reading() as db:
        entries = await service.entries(db, after=None, limit=PAGE, whole=False, chosen=EVERYTHING)
    return Feed(feeds.NAME, "/", "", entries)


async def _author(person_id: UUID) -> Feed:
    entries = await newest_of(Chosen(author_id=person_id), limit=PAGE)
    here = author_page(person_id)
    return Feed(f"{entries[0].author.display_name}, {feeds.NAME}", here, here, entries)


async def _tag(words: str) -> Feed:
    wanted = as_kept(words)
    if not wanted:
        raise NotFound
    entries = await newest_of(Chosen(tag=wanted), limit=PAGE)
    return Feed(f"{wanted}, {feeds.NAME}", tag_page(wanted), tag_page(wanted), entries)


def _atom(feed: Feed) -> Response:
    data = feeds.atom(feed, settings().public_url.rstrip("/"))
    return kept_by_visitors(Response(data, content_type=feeds.ATOM), data)


def _json(feed: Feed) -> Response:
    data = feeds.json_feed(feed, settings().public_url.rstrip("/"))
    return kept_by_visitors(Response(data, content_type=feeds.JSON), data)
