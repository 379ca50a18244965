"""What goes out about attached files, and what may be asked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from app.web.paging import DEFAULT_PAGE, LARGEST_PAGE


class UploadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file is called."""

    name: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of the list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=LARGEST_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class AttachmentView(msgspec.Struct, frozen=True):
    """A file beside a document.

    `media_type` is what its bytes say; `url` gives the bytes to programs, `page_url` to browsers, `image_url` the picture
    made anew for pages, if it is one.  All are paths of this site; the last two may stand in texts.
    """

    id: UUID
    document_id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    uploaded_by: UUID
    uploaded_by_name: str
    url: str
    page_url: str
    image_url: str | None


class Attached(msgspec.Struct, frozen=True):
    """What the writing page puts into its text: `markdown` shows a picture, and links to everything else."""

    name: str
    page_url: str
    picture: bool
    markdown: str


class NotAttached(msgspec.Struct, frozen=True):
    """Why a file was not taken, in words for whoever sent it."""

    detail: str


class AttachmentPage(msgspec.Struct, frozen=True):
    """Files, the last attached first, and the cursor of the next page."""

    items: list[AttachmentView]
    next_cursor: str | None
