"""What the editor's script asks for while somebody writes: keep a draft, show a preview; and throwing a draft away."""

from __future__ import annotations

from quart import Blueprint, Response
from quart_rate_limiter import limit_blueprint

from app.access import ADMIN, EDITOR, MEMBER, SPONSOR
from app.drafts import service
from app.drafts.schemas import Discarded, Kept, NewDraft, Previewed
from app.web.answers import answer
from app.web.context import current_actor, transaction
from app.web.guards import requires
from app.web.limits import named_limit
from app.web.local_path import local_path
from app.web.parsing import form_body
from app.web.redirects import see_other
from app.web.typesetting import typeset

blueprint = Blueprint("drafts", __name__)
limit_blueprint(blueprint, limits=[named_limit("DRAFTS", by="caller")])


@blueprint.post("/drafts")
@requires(MEMBER, SPONSOR, EDITOR, ADMIN)
async def keep() -> Response:
    new = (await form_body(NewDraft)).require()
    async with transaction() as db:
        moment = await service.keep(db, current_actor(), new)
    return answer(Kept(moment), headers={"Cache-Control": "no-store"})


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
        await service.discard(db, current_actor(), asked.place)
    return await see_other(local_path(asked.next) or "/account", "The draft is thrown away.")
