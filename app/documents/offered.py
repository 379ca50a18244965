"""What other rooms may build statements on: documents, and which of them somebody may see."""

from __future__ import annotations

from app.documents.models import Comment, Document, DocumentVersion
from app.documents.queries import entitled, seen_with, visible_to
from app.documents.talk import talk_mark

__all__ = ["Comment", "Document", "DocumentVersion", "entitled", "seen_with", "talk_mark", "visible_to"]
