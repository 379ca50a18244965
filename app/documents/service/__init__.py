"""Commissioning, writing and handing on documents.  Callers own the transaction."""

from app.documents.service.comments import comment, comments, one_comment, settle, waiting
from app.documents.service.history import difference, version
from app.documents.service.reading import counts, document, documents, late, steps, versions
from app.documents.service.rows import parts_of
from app.documents.service.saving import commission, restore, save
from app.documents.service.stepping import take_step

__all__ = [
    "comment",
    "comments",
    "commission",
    "counts",
    "difference",
    "document",
    "documents",
    "late",
    "one_comment",
    "parts_of",
    "restore",
    "save",
    "settle",
    "steps",
    "take_step",
    "version",
    "versions",
    "waiting",
]
