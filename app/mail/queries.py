"""Statements over the outbox.  A sender claims a letter for a while; if it dies meanwhile, another goes on after that."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

CLAIM: Final = text(
    "UPDATE outbox SET attempts = attempts + 1, next_try_at = :until WHERE id = ("
    " SELECT id FROM outbox WHERE sealed IS NOT NULL AND next_try_at <= :moment"
    " ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
    " RETURNING id, template, sealed, key_version, attempts"
)
SENT: Final = text("UPDATE outbox SET sealed = NULL, sent_at = :moment, error = '' WHERE id = :id")
LATER: Final = text("UPDATE outbox SET next_try_at = :again, error = :error WHERE id = :id")
GIVEN_UP: Final = text("UPDATE outbox SET sealed = NULL, given_up_at = :moment, error = :error WHERE id = :id")
OLDER: Final = text(
    "SELECT id, sealed, key_version FROM outbox WHERE sealed IS NOT NULL AND key_version < :version"
    " ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED"
)
SEAL_ANEW: Final = text("UPDATE outbox SET sealed = :sealed, key_version = :version WHERE id = :id")
COUNTS: Final = text(
    "SELECT count(*) FILTER (WHERE sealed IS NOT NULL) AS waiting, count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent,"
    " count(*) FILTER (WHERE given_up_at IS NOT NULL) AS given_up FROM outbox"
)
FORGET: Final = text("DELETE FROM outbox WHERE sealed IS NULL AND created_at < :before")
