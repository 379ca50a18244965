"""Drafts while somebody writes: kept by the script or by a button, previewed, listed, gone on with, thrown away."""

from __future__ import annotations

from typing import Any, Final

from quart import Blueprint, Response
from quart_rate_limiter import limit_blueprint

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.drafts import service
from app.drafts.schemas import Discarded, DraftView, Kept, NewDraft, Previewed, entry_draft, text_draft
from app.web.answers import answer
from app.web.context import current_actor, reading, transaction
from app.web.guards import requires
from app.web.limits import named_limit
from app.web.local_path import local_path
from app.web.markdown import excerpt
from app.web.parsing import form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.typesetting import typeset

blueprint = Blueprint("drafts", __name__)
OPENING: Final = 200
limit_blueprint(blueprint, limits=[named_limit("DRAFTS", by="caller")])


@blueprint.get("/drafts")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def index() -> Response:
    async with reading() as db:
        found = await service.drafts(db, current_actor())
    shown = [_shown(draft) for draft in found]
    return await page("drafts/index.html", drafts=shown, most=service.MOST, most_of_text=service.MOST_OF_TEXT)


@blueprint.post("/drafts")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def keep() -> Response:
    new = (await form_body(NewDraft)).require()
    async with transaction() as db:
        moment, place = await service.keep(db, current_actor(), new)
    return answer(Kept(moment, place), headers={"Cache-Control": "no-store"})


@blueprint.post("/drafts/keep")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def keep_for_later() -> Response:
    """The same for people without scripts, who press a button for it."""
    new = (await form_body(NewDraft)).require()
    async with transaction() as db:
        _, place = await service.keep(db, current_actor(), new)
    where = "" if place == new.place else ", beside the one that was kept in another window"
    return await see_other("/drafts", f"Kept as a draft{where}. Only you see it.")


@blueprint.post("/drafts/preview")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def preview() -> Response:
    text = await typeset((await form_body(Previewed)).require().body)
    return Response(str(text.html), mimetype="text/html")


@blueprint.post("/drafts/discard")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def discard() -> Response:
    asked = (await form_body(Discarded)).require()
    async with transaction() as db:
        gone = await service.discard(db, current_actor(), asked.place, asked.shown)
    back = local_path(asked.next) or "/account"
    if gone:
        return await see_other(back, "The draft is thrown away.")
    newer = "The draft was not thrown away: more was typed in another window since. This is what it is now."
    return await see_other(back, newer, "warning")


def _shown(draft: DraftView) -> dict[str, Any]:
    """A draft in the list: what it is, how it begins, and the page on which it is gone on with."""
    kind, url = _where(draft.place)
    return {
        "kind": kind,
        "url": url,
        "place": draft.place,
        "title": draft.title.strip(),
        "opening": excerpt(draft.body, OPENING),
        "words": len(draft.body.split()),
        "saved_at": draft.saved_at,
    }


def _where(place: str) -> tuple[str, str]:
    name = entry_draft(place)
    if name:
        return "New entry", f"/entry?draft={name}"
    kind, text_id, name = text_draft(place)
    if kind == "entry":
        return "Change to an entry", f"/entry/{text_id}/edit?draft={name}"
    return "Document", f"/documents/{text_id}?draft={name}"
