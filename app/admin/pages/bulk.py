"""Deciding about many people in two steps: first whom, then, seeing who they are and what will happen, why.

The choice waits on the server, in the session (`app.web.steps`): what is done is what was shown, to exactly those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from quart import Blueprint, Response

from app.accounts import service as accounts
from app.accounts.service import DECISIONS, Decision
from app.admin.acts import ended_words
from app.admin.bulk import decide_all
from app.admin.doors import administrators
from app.admin.pages.person import moment
from app.admin.schemas import BulkChoice, BulkDone, DecisionForm
from app.errors import Invalid
from app.mail.service import Postbox
from app.rights.confirmations import RollCall
from app.web.budgets import expensive
from app.web.context import current_actor, extension, reading, resources
from app.web.guards import after_step
from app.web.parsing import FormData, form_body
from app.web.redirects import see_other
from app.web.render import page
from app.web.steps import pass_step, step_passed, step_taken

blueprint = Blueprint("bulk", __name__)
CHOSEN: Final = "people_chosen"
DECIDED: Final = "people_decided"
BEGIN: Final = "/admin/people"
MOST: Final = 100


@blueprint.post("/admin/people/bulk")
@administrators()
async def choose() -> Response:
    form = await form_body(BulkChoice)
    if form.parsed is None or not form.parsed.ids:
        return await see_other(BEGIN, "Tick the people you mean first, then choose what to do.", "error")
    await pass_step(CHOSEN, ids=[str(person_id) for person_id in form.parsed.ids[:MOST]], verb=form.parsed.action)
    return await see_other("/admin/people/bulk")


@blueprint.get("/admin/people/bulk")
@administrators()
@after_step(CHOSEN, begin=BEGIN)
async def review() -> Response:
    return await _review(FormData())


async def _review(form: FormData[Any], status: int = 200) -> Response:
    chosen = await step_passed(CHOSEN, BEGIN)
    async with reading() as db:
        found = await accounts.names(db, _ids(chosen["ids"]))
    step = DECISIONS[chosen["verb"]]
    return await page(
        "admin/bulk.html",
        status,
        verb=chosen["verb"],
        step=step,
        fit=[row for row in found if row.status == step.start and row.id != current_actor().id],
        unfit=[row for row in found if row.status != step.start or row.id == current_actor().id],
        form=form,
    )


@blueprint.post("/admin/people/bulk/decide")
@administrators()
@after_step(CHOSEN, begin=BEGIN)
@expensive("bulk", budget="bulk", at_once=2, line=20, patience=20.0)
async def decide() -> Response:
    form = await form_body(DecisionForm)
    chosen = await step_passed(CHOSEN, BEGIN)
    try:
        asked = form.require()
        decision = Decision(chosen["verb"], asked.reason, asked.message, moment(asked.until))
        accounts.check_decision(decision)
    except Invalid as invalid:
        form.errors = invalid.errors
        return await _review(form, 422)
    chosen = await step_taken(CHOSEN, BEGIN)
    ids = _ids(chosen["ids"])
    done, heard = await decide_all(resources(), extension(Postbox), extension(RollCall), current_actor(), ids, decision)
    words = f" {ended_words(done.ended)} {heard.words}" if heard is not None else ""
    await pass_step(DECIDED, verb=decision.verb, words=words, results=_kept(done))
    return await see_other("/admin/people/bulk/done")


@blueprint.get("/admin/people/bulk/done")
@administrators()
@after_step(DECIDED, begin=BEGIN)
async def result() -> Response:
    said = await step_passed(DECIDED, BEGIN)
    async with reading() as db:
        found = {str(row.id): row for row in await accounts.names(db, _ids([item["id"] for item in said["results"]]))}
    results = [{**item, "person": found.get(item["id"])} for item in said["results"]]
    return await page(
        "admin/bulk_done.html",
        step=DECISIONS[said["verb"]],
        words=said["words"],
        done=[item for item in results if item["outcome"] == "done"],
        refused=[item for item in results if item["outcome"] == "refused"],
    )


def _kept(done: BulkDone) -> Any:
    return msgspec.to_builtins(done.items)


def _ids(texts: Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in texts]
