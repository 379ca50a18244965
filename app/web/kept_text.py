"""Text that was typed into a form which could not be taken: it is given back with the refusal, never dropped.

Whoever was signed out, suspended or throttled while writing gets a page with every word and a way to go on.  It never
does anything by itself: saving is one more press of a button, with a form token of the session that presses it, so the
defence against forged requests is as strong as before.  Nothing that came from another site is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quart import Response, request

from app.errors import DomainError
from app.web.body_caps import takes_document_text
from app.web.context import current_actor
from app.web.faces import for_programs
from app.web.parsing import FORM_TOKEN, form_pairs
from app.web.render import page

_LABELS: Final = {
    "title": "Title",
    "brief": "Brief",
    "body": "Text",
    "note": "Note",
    "quote": "Passage",
    "tags": "Tags",
}
_LONG: Final = frozenset({"brief", "body", "note"})
_FOREIGN: Final = "cross_site"
_FINAL: Final = frozenset({403, 404, 409})  # trying again will not help
MARK: Final = "kept"
"""The field by which a form of this page is known when it is sent again."""


@dataclass(frozen=True)
class Kept:
    """One field of the form; `label` is empty for those nobody typed."""

    name: str
    value: str
    label: str
    long: bool


async def kept_page(refusal: DomainError) -> Response | None:
    """The page that gives the text back; None when there is none to give back."""
    kept = await kept_text(refusal)
    if not kept:
        return None
    again = refusal.code == "form_token" or refusal.status not in _FINAL
    return await page(
        "kept.html",
        refusal.status,
        kept=kept,
        mark=MARK,
        title=_heading(refusal),
        detail=refusal.detail,
        retry_after=getattr(refusal, "retry_after", None),
        can_save=current_actor().active and again,
    )


def _heading(refusal: DomainError) -> str:
    if not current_actor().signed_in:
        return "You are signed out"
    return "This page was too old to be saved" if refusal.code == "form_token" else refusal.title


async def kept_text(refusal: DomainError) -> list[Kept]:
    """What was typed into the form of this request; nothing unless it was one of ours and held words."""
    if request.method != "POST" or for_programs(request.path) or not takes_document_text(request.path):
        return []
    if refusal.code == _FOREIGN:
        return []
    try:
        pairs = await form_pairs()
    except DomainError:  # it cannot be read, so there is nothing to give back
        return []
    fields = [
        Kept(name, value, _LABELS.get(name, ""), name in _LONG)
        for name, value in pairs
        if name not in (FORM_TOKEN, MARK)
    ]
    return fields if any(field.label and field.value.strip() for field in fields) else []


async def sent_again() -> bool:
    """Whether this form was given back once already."""
    if request.method != "POST" or not takes_document_text(request.path):
        return False
    try:
        return any(name == MARK for name, _ in await form_pairs())
    except DomainError:
        return False
