"""What administrators send and receive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.accounts.schemas import ChangeView, PersonView, Status
from app.web.fields import Note, Reason
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE

Limit = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str, msgspec.Meta(max_length=64)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Role = Literal["member", "sponsor", "editor", "admin"]


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision about a person: why (for staff), what to tell them, and for a suspension until when."""

    reason: Reason
    message: Note = ""
    until: datetime | None = None


class DecisionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same from a page, where the moment is typed without a zone and meant in UTC."""

    reason: Reason
    message: Note = ""
    until: Annotated[str, msgspec.Meta(max_length=32)] = ""


class RolesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The roles a person is to have, all of them."""

    roles: Annotated[list[Role], msgspec.Meta(min_length=1, max_length=4)]
    reason: Reason


class PeopleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which people."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    status: Status | None = None
    role: Role | None = None
    q: Words = ""


class PeoplePage(msgspec.Struct, frozen=True):
    """People, newest application first, and the cursor of the next page."""

    items: list[PersonView]
    next_cursor: str | None


class PersonDetail(PersonView, frozen=True, kw_only=True):
    """A person with what was decided about them, newest first."""

    status_since: datetime
    status_message: str
    history: list[ChangeView]


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events: `kind` is a prefix such as "document.", `actor` and `target` are ids."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    kind: Words = ""
    actor: UUID | None = None
    target: Words = ""


class AuditView(msgspec.Struct, frozen=True):
    """One thing that happened."""

    id: UUID
    at: datetime
    kind: str
    actor_id: UUID | None
    actor_name: str
    actor_via: str
    target_type: str
    target_id: str
    address: str | None
    request_id: str | None
    details: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True):
    """Events, newest first, and the cursor of the next page."""

    items: list[AuditView]
    next_cursor: str | None
