"""Where attached files, and the pictures made from them, lie below an origin: the one way their addresses are written."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FILE: Final = rf"/documents/{_ID}/attachments/{_ID}(?:/image)?"
"""A file's address: its bytes as they came, or the picture made anew."""
PICTURE_IN_TEXT: Final = re.compile(rf"/documents/{_ID}/attachments/({_ID})/image", re.IGNORECASE)
"""Where a text shows an attached picture, however its writer spelt the address; the group is the attachment."""


def file_path(document_id: UUID, attachment_id: UUID) -> str:
    """The address of an attached file as it came."""
    return f"/documents/{document_id}/attachments/{attachment_id}"


def picture_path(document_id: UUID, attachment_id: UUID) -> str:
    """The address of the picture made from it."""
    return f"{file_path(document_id, attachment_id)}/image"
