"""Statements about drafts; everybody has only their own, so each names the person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Select, and_, delete, or_, select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningUpdate

from app.drafts.models import Draft
from app.drafts.schemas import ENTRY, NewDraft


def keep(person_id: UUID, place: str, new: NewDraft, moment: datetime) -> Insert:
    """Put the draft in the place of the one that was there."""
    values = _typed(new) | {"saved_at": moment}
    statement = insert(Draft).values(person_id=person_id, place=place, **values)
    return statement.on_conflict_do_update(index_elements=[Draft.person_id, Draft.place], set_=values)


def keep_seen(person_id: UUID, new: NewDraft, seen: datetime, moment: datetime) -> ReturningUpdate[tuple[str]]:
    """The same, unless something else was kept there since `seen`; returns the place when it is done."""
    there = and_(Draft.person_id == person_id, Draft.place == new.place, _no_other(_typed(new), seen))
    return update(Draft).where(there).values(**_typed(new), saved_at=moment).returning(Draft.place)


def of_text(person_id: UUID, place: str, most: int) -> Select[*tuple[Any, ...]]:
    """A person's newest drafts of one text, the newest first."""
    return drafts(person_id).where(_is_of(place)).limit(most)


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


def kept(person_id: UUID, place: str) -> Select[*tuple[Any, ...]]:
    """The place, if a draft is kept there."""
    return select(Draft.place).where(Draft.person_id == person_id, Draft.place == place)


def discard_shown(person_id: UUID, place: str, shown: datetime) -> Delete:
    """The same, unless something was kept there since the draft was `shown`."""
    return discard(person_id, place).where(Draft.saved_at == shown)


def discard_seen(person_id: UUID, place: str, seen: datetime, saved: Mapping[str, str | None]) -> Delete:
    """The same, unless something else than what was saved was kept there since `seen`."""
    return discard(person_id, place).where(_no_other(saved, seen))


def discard_oldest(person_id: UUID, keep: int) -> Delete:
    """Everything of a person but their newest drafts."""
    newest = select(Draft.place).where(Draft.person_id == person_id).order_by(Draft.saved_at.desc()).limit(keep)
    return delete(Draft).where(Draft.person_id == person_id, Draft.place.not_in(newest))


def discard_oldest_of_text(person_id: UUID, text_place: str, keep: int) -> Delete:
    """Every draft of one text but the newest."""
    of_it = and_(Draft.person_id == person_id, _is_of(text_place))
    newest = select(Draft.place).where(of_it).order_by(Draft.saved_at.desc()).limit(keep)
    return delete(Draft).where(of_it, Draft.place.not_in(newest))


def _is_of(text_place: str) -> ColumnElement[bool]:
    return or_(Draft.place == text_place, Draft.place.startswith(f"{text_place}:"))


def _no_other(typed: Mapping[str, Any], seen: datetime) -> ColumnElement[bool]:
    """Nothing was kept since, or the very same: then only the answer was lost on its way."""
    return or_(Draft.saved_at == seen, and_(*(getattr(Draft, name) == value for name, value in typed.items())))


def _typed(new: NewDraft) -> dict[str, Any]:
    return {"title": new.title, "brief": new.brief, "body": new.body, "tags": new.tags, "version": new.version}
