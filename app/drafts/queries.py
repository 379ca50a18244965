"""Statements about drafts; everybody has only their own, so each names the person."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Select, delete, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

from app.drafts.models import Draft
from app.drafts.schemas import ENTRY, NewDraft


def keep(person_id: UUID, new: NewDraft, moment: datetime) -> Insert:
    """Put the draft in the place of the one that was there."""
    values = {
        "title": new.title,
        "brief": new.brief,
        "body": new.body,
        "tags": new.tags,
        "version": new.version,
        "saved_at": moment,
    }
    statement = insert(Draft).values(person_id=person_id, place=new.place, **values)
    return statement.on_conflict_do_update(index_elements=[Draft.person_id, Draft.place], set_=values)


def of_text(person_id: UUID, place: str) -> Select[*tuple[Any, ...]]:
    """All of a person's drafts of one text, the newest first."""
    return drafts(person_id).where(or_(Draft.place == place, Draft.place.startswith(f"{place}:")))


def drafts(person_id: UUID) -> Select[*tuple[Any, ...]]:
    """All of a person's drafts, the newest first."""
    return (
        select(Draft.place, Draft.title, Draft.brief, Draft.body, Draft.version, Draft.saved_at, Draft.tags)
        .where(Draft.person_id == person_id)
        .order_by(Draft.saved_at.desc(), Draft.place)
    )


def new_entries(person_id: UUID) -> Select[*tuple[Any, ...]]:
    """Those of a person's drafts that are entries not yet published, the newest first."""
    return drafts(person_id).where(or_(Draft.place == ENTRY, Draft.place.startswith("new:")))


def discard(person_id: UUID, place: str) -> Delete:
    return delete(Draft).where(Draft.person_id == person_id, Draft.place == place)


def discard_oldest(person_id: UUID, keep: int) -> Delete:
    """Everything of a person but their newest drafts."""
    newest = select(Draft.place).where(Draft.person_id == person_id).order_by(Draft.saved_at.desc()).limit(keep)
    return delete(Draft).where(Draft.person_id == person_id, Draft.place.not_in(newest))
