"""What administrators send and receive."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from app.accounts.life import Status
from app.accounts.schemas import ChangeView, PersonView
from app.web.fields import Note, Reason
from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE

Limit = Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)]
Cursor = Annotated[str, msgspec.Meta(max_length=64)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Role = Literal["member", "sponsor", "editor", "admin"]
Verb = Literal["approve", "decline", "suspend", "reinstate"]


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
    """The roles a person is to have, all of them; with `seen`, only if these are what they have now."""

    roles: Annotated[list[Role], msgspec.Meta(min_length=1, max_length=4)]
    reason: Reason
    seen: list[Role] | None = None


class RolesForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same from a page, where boxes are ticked; `seen` are the roles that were ticked when the page was made."""

    reason: Reason
    roles: list[Role] = []
    seen: list[Role] = []


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is ended; for staff."""

    reason: Note = ""


class BulkBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One decision about many people."""

    ids: Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=100)]
    action: Verb
    reason: Reason
    message: Note = ""
    until: datetime | None = None


class BulkChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a decision is to be about, ticked on a page."""

    action: Verb
    ids: list[UUID] = []


class Ended(msgspec.Struct, frozen=True):
    """How much ended: browser sessions, sign-ins of programs (token families), API keys."""

    sessions: int = 0
    grants: int = 0
    keys: int = 0

    def __add__(self, other: Ended) -> Ended:
        return Ended(self.sessions + other.sessions, self.grants + other.grants, self.keys + other.keys)


class Confirmed(msgspec.Struct, frozen=True):
    """How many of the workers have confirmed that they know, and after how many milliseconds; all, unless it took
    more than a second."""

    workers: int
    confirmed: int
    milliseconds: int


class BulkResult(msgspec.Struct, frozen=True):
    """What became of one person: done with the status they have now, or refused with a code and a sentence."""

    id: UUID
    outcome: Literal["done", "refused"]
    status: Status | None
    code: str | None
    detail: str | None


class BulkDone(msgspec.Struct, frozen=True):
    """What became of each, in the order asked for, and what ended by it altogether."""

    items: list[BulkResult]
    done: int
    refused: int
    ended: Ended
    confirmed: Confirmed | None


class PeopleQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which people."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    status: Status | None = None
    role: Role | None = None
    q: Words = ""


class PeoplePage(msgspec.Struct, frozen=True):
    """People, newest application first, and the cursor of the next page.

    `total` says how many match; where they are more than 10,000 it is left at that and `total_exact` is false.
    """

    items: list[PersonView]
    next_cursor: str | None
    total: int
    total_exact: bool


class PersonDetail(PersonView, frozen=True, kw_only=True):
    """A person with what was decided about them, newest first."""

    status_since: datetime
    status_message: str
    history: list[ChangeView]


class DecidedPerson(PersonDetail, frozen=True, kw_only=True):
    """A person after a decision, what ended by it, and how many workers know; `confirmed` is null where no right
    ended."""

    ended: Ended
    confirmed: Confirmed | None


class SignInView(msgspec.Struct, frozen=True):
    """One sign-in of a program (a token family)."""

    id: UUID
    client_id: str
    device: str
    address: str
    created_at: datetime
    ends_at: datetime


class OpenSession(msgspec.Struct, frozen=True):
    """One browser session of a person."""

    id: UUID
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """What a person is signed in with."""

    sessions: list[OpenSession]
    sign_ins: list[SignInView]


class OwnedSession(OpenSession, frozen=True):
    """One browser session and whose it is."""

    person_id: UUID
    display_name: str
    email: str


class SessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose sessions; `cursor` is what the page before gave."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    q: Words = ""


class SessionsPage(msgspec.Struct, frozen=True):
    """Open sessions, the newest first, and the cursor of the next page."""

    items: list[OwnedSession]
    next_cursor: str | None


class EndedOne(msgspec.Struct, frozen=True):
    """That one session or sign-in has ended, and how many workers know."""

    confirmed: Confirmed | None


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events: `kind` is one, or the beginning of many ("document"), `actor` and `target` are ids; the times of
    `since` on and before `until`."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    kind: Words = ""
    actor: UUID | None = None
    target: Words = ""
    address: Words = ""
    since: Moment | None = None
    until: Moment | None = None


class AuditFileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which events go into the file; as for the list."""

    kind: Words = ""
    actor: UUID | None = None
    target: Words = ""
    address: Words = ""
    since: Moment | None = None
    until: Moment | None = None


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


class SecurityQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which security events; `cursor` is what the page before gave."""

    limit: Limit = DEFAULT_PAGE
    cursor: Cursor | None = None
    kind: Words = ""
    alerts: bool = False


class SecurityEventView(msgspec.Struct, frozen=True):
    """What one source did of one kind within one hour; `facts` and `request_id` are of the last time.

    `subject` is the id of a person or a word, `block` an address block; either may be empty.
    """

    id: UUID
    kind: str
    title: str
    count: int
    first_at: datetime
    last_at: datetime
    subject: str
    block: str
    request_id: str
    facts: dict[str, Any]


class SecurityEventPage(msgspec.Struct, frozen=True):
    """Security events and the cursor of the next page."""

    items: list[SecurityEventView]
    next_cursor: str | None = None


class SecurityHours(msgspec.Struct, frozen=True):
    """How many security events of each kind every hour had: each list of `by_kind` belongs to `hours`."""

    hours: list[datetime]
    by_kind: dict[str, list[int]]


class PolicyReportView(msgspec.Struct, frozen=True):
    """One violation of the content policy, however often it was reported."""

    page: str
    directive: str
    blocked: str
    source: str
    line: int
    count: int
    first_at: datetime
    last_at: datetime


class PolicyReportList(msgspec.Struct, frozen=True):
    """Violations of the content policy."""

    items: list[PolicyReportView]
