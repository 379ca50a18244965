"""The page for whoever saved second: both texts, what differs, and a proposal that holds the changes of both."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from quart import Response

from app.documents import service, views
from app.documents.life import Part
from app.documents.pages.part import in_part
from app.documents.schemas import VersionView
from app.errors import NotFound
from app.versions import comparing, merging
from app.web.context import current_actor, reading
from app.web.parsing import FormData
from app.web.render import page


async def conflict_page(document_id: UUID, part: Part, form: FormData[Any], *, marks_left: bool = False) -> Response:
    """409 with everything anybody wrote; with `marks_left` the proposal that was sent still holds marks."""
    async with reading() as db:
        document = await in_part(db, document_id, part)
        try:
            base = await service.version(db, current_actor(), document_id, views.started_from(form.values))
        except NotFound:  # the form names a version that never was: then nothing is known to be common
            base = None
    yours = views.yours(form.values, document)
    if marks_left:
        proposal = merging.Merged(yours["body"], yours["body"].count(merging.MINE))
        title = yours["title"]
    else:
        proposal = await merging.merge(base.body if base else "", yours["body"], document.body)
        title, _ = merging.merge_line(base.title if base else "", yours["title"], document.title)
    return await page(
        "documents/conflict.html",
        409,
        role=part,
        document=views.shown(document),
        yours=yours,
        current_version=document.version,
        proposal=proposal,
        title=title,
        brief=_brief(base, yours, document.brief),
        marks=merging,
        marks_left=marks_left,
        found=await comparing.compare(document.body, yours["body"]),
    )


def _brief(base: VersionView | None, yours: dict[str, Any], saved: str) -> merging.Merged | None:
    """The brief put together, where the form had one."""
    if yours["brief"] is None:
        return None
    return merging.merge_now(base.brief if base else "", yours["brief"].replace("\r\n", "\n"), saved)
