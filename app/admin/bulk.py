"""One decision about many people: each in a transaction of its own, so what could be done is done and said."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from app.access import Actor
from app.accounts import service as accounts
from app.accounts.service import Decision
from app.admin import acts
from app.admin.schemas import BulkDone, BulkResult, Ended
from app.errors import DomainError
from app.mail.service import Postbox
from app.resources import Resources
from app.rights.confirmations import Heard, RollCall


async def decide_all(
    res: Resources, postbox: Postbox, roll_call: RollCall, actor: Actor, ids: Iterable[UUID], decision: Decision
) -> tuple[BulkDone, Heard | None]:
    """Decide about each of these people, in the order given; nobody's refusal keeps the others from being decided.

    Raises Invalid for a decision that would be refused for everybody.
    """
    accounts.check_decision(decision)
    results: list[BulkResult] = []
    ended, nonce = Ended(), ""
    for person_id in dict.fromkeys(ids):
        try:
            async with res.database.transaction() as db:
                act = await acts.decide(db, res.settings, postbox, actor, person_id, decision)
        except DomainError as refusal:
            results.append(BulkResult(person_id, "refused", None, refusal.code, refusal.detail))
        else:
            results.append(BulkResult(person_id, "done", act.decided.status, None, None))
            ended = ended + act.ended
            nonce = act.decided.nonce or nonce
    # Notices arrive in the order of their commits: a worker that has heard the last one has heard them all.
    found = await acts.heard(roll_call, nonce)
    done = sum(result.outcome == "done" for result in results)
    return BulkDone(results, done, len(results) - done, ended, acts.confirmed(found)), found
