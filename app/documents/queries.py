"""Statements about documents.  Who may see which row is decided here, once, in `visible_to`."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    false,
    func,
    or_,
    select,
    table,
    true,
    tuple_,
)

from app.access import ADMIN, EDITOR, SPONSOR, Actor
from app.documents.models import Document, DocumentStep, DocumentVersion
from app.documents.schemas import Chosen
from app.prepared import Prepared
from app.versions import queries as kept

_SPONSORS = table("people", column("id", Uuid()), column("display_name", Text())).alias("sponsors")
_EDITORS = table("people", column("id", Uuid()), column("display_name", Text())).alias("editors")
_PEOPLE = table("people", column("id", Uuid()), column("display_name", Text()))

# In the order of `schemas.DocumentRow` and `DocumentView`, which are made from such rows as they come.
_ROW = (
    Document.id,
    Document.title,
    Document.brief,
    Document.state,
    Document.version,
    Document.sponsor_id,
    _SPONSORS.c.display_name.label("sponsor_name"),
    Document.editor_id,
    _EDITORS.c.display_name.label("editor_name"),
    Document.entry_id,
    Document.due_on,
    Document.created_at,
    Document.updated_at,
    Document.tags,
)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The documents this actor may know of: their own commissions, those given to them, all for administrators.

    It asks for the role as well as the name on the document, so that taking the role away closes the room at once.
    """
    return seen_with(entitled(actor), actor.id)


def entitled(actor: Actor) -> frozenset[str]:
    """The roles that let this actor see documents."""
    return actor.roles if actor.active and actor.id is not None else frozenset()


def seen_with(roles: frozenset[str], viewer: UUID | BindParameter[UUID] | None) -> ColumnElement[bool]:
    """The same for statements that are built once: what a viewer with these roles may know of."""
    if ADMIN in roles:
        return true()
    mine: list[ColumnElement[bool]] = []
    if SPONSOR in roles:
        mine.append(Document.sponsor_id == viewer)
    if EDITOR in roles:
        mine.append(Document.editor_id == viewer)
    return or_(*mine) if mine else false()


def in_part(actor: Actor, part: str) -> ColumnElement[bool]:
    """Those documents in which the actor has this part, for the sponsor's and the editor's own pages."""
    owner = Document.sponsor_id if part == SPONSOR else Document.editor_id
    return (owner == actor.id) & visible_to(actor)


def _people(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.join(_SPONSORS, _SPONSORS.c.id == Document.sponsor_id).outerjoin(
        _EDITORS, _EDITORS.c.id == Document.editor_id
    )


def document(actor: Actor, document_id: UUID) -> tuple[Prepared, dict[str, UUID | None]]:
    """One document in full, if the actor may see it: the statement, and its parameters."""
    return _document(entitled(actor)), {"document_id": document_id, "viewer": actor.id}


@cache
def _document(roles: frozenset[str]) -> Prepared:
    """Built once for each set of roles: making the statement costs more than running it."""
    viewer: BindParameter[UUID] = bindparam("viewer", type_=Uuid())
    wanted = Document.id == bindparam("document_id", type_=Uuid())
    return Prepared(_people(select(*_ROW, Document.body, Document.revision)).where(wanted, seen_with(roles, viewer)))


def document_for_update(actor: Actor, document_id: UUID) -> Select[Document]:
    """The document's row, locked, if the actor may see it."""
    return select(Document).where(Document.id == document_id, visible_to(actor)).with_for_update()


def newest(actor: Actor, limit: int) -> tuple[Prepared, dict[str, Any]]:
    """What the actor may see, last changed first, for whoever chose nothing else: the statement, and its parameters."""
    return _newest(entitled(actor)), {"viewer": actor.id, "most": limit}


@cache
def _newest(roles: frozenset[str]) -> Prepared:
    """Built once for each set of roles, like one document's: this list is asked for more than all others together."""
    viewer: BindParameter[UUID] = bindparam("viewer", type_=Uuid())
    most: BindParameter[int] = bindparam("most", type_=Integer())
    return Prepared(documents(seen_with(roles, viewer), chosen=Chosen(), after=None, limit=most))


def documents(
    where: ColumnElement[bool],
    *,
    chosen: Chosen,
    after: tuple[datetime, UUID] | None,
    limit: int | BindParameter[int],
) -> Select[*tuple[Any, ...]]:
    """Documents without their bodies, in the order asked for."""
    statement = _people(select(*_ROW)).where(where, *_chosen(chosen)).limit(limit)
    key = tuple_(Document.updated_at, Document.id)
    if chosen.order == "oldest":
        statement = statement.order_by(Document.updated_at, Document.id)
        return statement if after is None else statement.where(key > after)
    statement = statement.order_by(Document.updated_at.desc(), Document.id.desc())
    return statement if after is None else statement.where(key < after)


def _chosen(chosen: Chosen) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if chosen.ids:
        wanted.append(Document.id.in_(chosen.ids))
    if chosen.state:
        wanted.append(Document.state == chosen.state)
    if chosen.editor_id is not None:
        wanted.append(Document.editor_id == chosen.editor_id)
    if chosen.sponsor_id is not None:
        wanted.append(Document.sponsor_id == chosen.sponsor_id)
    if chosen.updated_since is not None:
        wanted.append(Document.updated_at >= chosen.updated_since)
    if chosen.tag:
        wanted.append(Document.tags.contains([chosen.tag]))
    return wanted


def late(where: ColumnElement[bool], states: frozenset[str], today: date) -> Select[*tuple[Any, ...]]:
    """Documents in these states that were due before today, the longest waiting first."""
    return (
        _people(select(*_ROW))
        .where(where, Document.due_on < today, Document.state.in_(sorted(states)))
        .order_by(Document.due_on, Document.id)
        .limit(100)
    )


def counts(where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(Document.state, func.count()).where(where).group_by(Document.state)


def version(document_id: UUID, number: int) -> Select[*tuple[Any, ...]]:
    """One save with its text, and the full copy that text refers to."""
    return kept.version(DocumentVersion.document_id, document_id, number, DocumentVersion.brief, DocumentVersion.body)


def steps(document_id: UUID, *, after: tuple[datetime, UUID] | None, limit: int) -> Select[*tuple[Any, ...]]:
    """The steps a document took, newest first."""
    statement = (
        select(
            DocumentStep.id,
            DocumentStep.at,
            DocumentStep.step,
            DocumentStep.actor_id,
            DocumentStep.from_state,
            DocumentStep.to_state,
            DocumentStep.note,
            DocumentStep.editor_id,
            _PEOPLE.c.display_name.label("actor_name"),
            _EDITORS.c.display_name.label("editor_name"),
        )
        .join(_PEOPLE, _PEOPLE.c.id == DocumentStep.actor_id)
        .outerjoin(_EDITORS, _EDITORS.c.id == DocumentStep.editor_id)
        .where(DocumentStep.document_id == document_id)
        .order_by(DocumentStep.at.desc(), DocumentStep.id.desc())
        .limit(limit)
    )
    return statement if after is None else statement.where(tuple_(DocumentStep.at, DocumentStep.id) < after)


def state_before(document_id: UUID, step: str) -> Select[str]:
    """The state a document was in when it took this step last."""
    return (
        select(DocumentStep.from_state)
        .where(DocumentStep.document_id == document_id, DocumentStep.step == step)
        .order_by(DocumentStep.at.desc(), DocumentStep.id.desc())
        .limit(1)
    )
