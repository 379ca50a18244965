"""Statements of the sealer."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, bindparam, insert, select, text, tuple_

from app.audit.models import AuditEvent, AuditSeal, AuditSignature

# Two locks, held to the end of the transaction: one sealer, and one signer, who may have to wait for Vault.
_SEALING: Final = 0x5C81_A0D1
_SIGNING: Final = 0x5C81_A0D2

TRY_SEALING = text(f"SELECT pg_try_advisory_xact_lock({_SEALING})")
TRY_SIGNING = text(f"SELECT pg_try_advisory_xact_lock({_SIGNING})")
HORIZON = text("SELECT (pg_snapshot_xmin(pg_current_snapshot())::text)::bigint + audit_shift()")

LAST_SEAL = (
    select(
        AuditSeal.id,
        AuditSeal.digest,
        AuditSeal.to_transaction,
        AuditSeal.to_sequence,
        AuditSeal.events,
        AuditSeal.sealed_at,
    )
    .order_by(AuditSeal.id.desc())
    .limit(1)
)

# In the order of `chain.Link`.
LINK = (
    AuditEvent.id,
    AuditEvent.transaction,
    AuditEvent.sequence,
    AuditEvent.at,
    AuditEvent.kind,
    AuditEvent.actor_id,
    AuditEvent.actor_via,
    AuditEvent.target_type,
    AuditEvent.target_id,
    AuditEvent.request_id,
    AuditEvent.details,
    AuditEvent.personal_digest,
)
UNSEALED = (
    select(*LINK)
    .where(
        tuple_(AuditEvent.transaction, AuditEvent.sequence)
        > tuple_(bindparam("transaction", type_=BigInteger), bindparam("sequence", type_=BigInteger)),
        AuditEvent.transaction < bindparam("horizon", type_=BigInteger),
    )
    .order_by(AuditEvent.transaction, AuditEvent.sequence)
    .limit(bindparam("most"))
)
ADD_SEAL = insert(AuditSeal)

# Seals are signed in order, so whatever is not signed comes after the last that is.
FIRST_UNSIGNED = text(
    "SELECT id, digest, events, to_transaction, to_sequence, sealed_at FROM audit_seals "
    "WHERE id > (SELECT coalesce(max(seal_id), 0) FROM audit_signatures) ORDER BY id LIMIT 1"
)
ADD_SIGNATURE = insert(AuditSignature)
