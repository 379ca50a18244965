"""What other rooms may build statements on: documents, and which of them somebody may see."""

from __future__ import annotations

from app.documents.models import Document, DocumentVersion
from app.documents.queries import visible_to

__all__ = ["Document", "DocumentVersion", "visible_to"]
