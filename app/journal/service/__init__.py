"""Writing and reading the journal.  Callers own the transaction."""

from app.journal.service.history import difference, version, versions
from app.journal.service.reading import count, entries, entry, months, own, own_entries, tags
from app.journal.service.writing import (
    FROM_DOCUMENT,
    bring_back,
    edit,
    publish_again,
    publish_document,
    restore,
    take_back,
    withdraw,
    write,
)

__all__ = [
    "FROM_DOCUMENT",
    "bring_back",
    "count",
    "difference",
    "edit",
    "entries",
    "entry",
    "months",
    "own",
    "own_entries",
    "publish_again",
    "publish_document",
    "restore",
    "tags",
    "take_back",
    "version",
    "versions",
    "withdraw",
    "write",
]
