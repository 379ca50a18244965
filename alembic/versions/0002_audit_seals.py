"""Seals over the audit trail, and what is personal in it apart under salted digests, so that it can be erased."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0002"
down_revision = "programs"

# The canonical form of `app.audit.chain.personal_digest`, for rows by writers who do not know of digests yet: the
# version before this one during a rolling upgrade, and whoever fills tables by hand.  The same compact JSON, so the
# same digest; such writers know no personal details beyond name and address.
DIGEST = """
CREATE FUNCTION audit_personal_digest(salt bytea, actor_name text, address text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT sha256(salt || convert_to(
    '[' || to_json(actor_name)::text || ',' || coalesce(to_json(address)::text, 'null') || ',null]', 'UTF8'))
$$
"""
COMPLETE = """
CREATE FUNCTION audit_events_complete() RETURNS trigger LANGUAGE plpgsql SET search_path = app, pg_temp AS $$
BEGIN
  IF NEW.personal IS NOT NULL THEN
    RAISE EXCEPTION 'personal details need their digest';
  END IF;
  NEW.salt := uuid_send(gen_random_uuid());
  NEW.personal_digest := audit_personal_digest(NEW.salt, NEW.actor_name, NEW.address);
  RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER audit_events_complete BEFORE INSERT ON audit_events
FOR EACH ROW WHEN (NEW.personal_digest IS NULL) EXECUTE FUNCTION audit_events_complete()
"""

# Added to every transaction number.  Numbers begin anew in another PostgreSQL cluster; a restore there replaces this
# function by one that returns the largest number of the trail, and the order of the trail goes on.
SHIFT = """
CREATE FUNCTION audit_shift() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 0::bigint'
"""
NUMBER = "((pg_current_xact_id()::text)::bigint + audit_shift())"

# These run with the owner's rights, because nobody else may change the trail.  They only ever blank, and only when the
# same transaction has recorded that it does so: `audit verify` takes a blank row without such a record for tampering.
ERASE_PERSON = """
CREATE FUNCTION erase_audit_person(person uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = app, pg_temp AS $$
DECLARE
  erased bigint;
BEGIN
  PERFORM 1 FROM audit_events
    WHERE kind = 'audit.person_erased' AND target_type = 'person' AND target_id = person::text
      AND transaction = (pg_current_xact_id()::text)::bigint + audit_shift();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an erasure must be recorded by the transaction that does it' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE audit_events SET actor_name = '', address = NULL, personal = NULL, salt = NULL
    WHERE salt IS NOT NULL AND kind <> 'audit.person_erased' AND (
      actor_id = person
      OR (target_type = 'person' AND target_id = person::text)
      OR (target_type = 'session' AND target_id IN (SELECT id::text FROM sessions WHERE person_id = person))
      OR (target_type = 'token_family' AND target_id IN (SELECT id::text FROM token_families WHERE person_id = person))
    );
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END $$
"""
ERASE_BEFORE = """
CREATE FUNCTION erase_audit_before(seconds bigint, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = app, pg_temp AS $$
DECLARE
  erased bigint;
BEGIN
  PERFORM 1 FROM audit_events
    WHERE kind = 'audit.aged' AND target_type = 'moment' AND target_id = seconds::text
      AND transaction = (pg_current_xact_id()::text)::bigint + audit_shift();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'an erasure must be recorded by the transaction that does it' USING ERRCODE = 'check_violation';
  END IF;
  UPDATE audit_events SET actor_name = '', address = NULL, personal = NULL, salt = NULL
    WHERE id IN (
      SELECT id FROM audit_events WHERE at < to_timestamp(seconds) AND salt IS NOT NULL ORDER BY at LIMIT at_most
    );
  GET DIAGNOSTICS erased = ROW_COUNT;
  RETURN erased;
END $$
"""
FUNCTIONS = (
    "erase_audit_before(bigint, integer)",
    "erase_audit_person(uuid)",
    "audit_shift()",
    "audit_personal_digest(bytea, text, text)",
)


def upgrade() -> None:
    _split_personal()
    _number()
    op.drop_index("ix_audit_events_target", table_name="audit_events")
    op.create_index("ix_audit_events_target", "audit_events", ["target_id", "at"])
    op.create_index("ix_audit_events_address", "audit_events", ["address", "at"])
    op.drop_index("ix_audit_events_kind", table_name="audit_events")
    op.create_index("ix_audit_events_kind", "audit_events", ["kind", "at"], postgresql_ops={"kind": "text_pattern_ops"})
    op.create_table(
        "audit_seals",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("from_transaction", sa.BigInteger(), nullable=False),
        sa.Column("to_transaction", sa.BigInteger(), nullable=False),
        sa.Column("to_sequence", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("rows", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_seals")),
    )
    op.create_table(
        "audit_signatures",
        sa.Column("seal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["audit_seals.id"], name=op.f("fk_audit_signatures_seal_id_audit_seals")),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_audit_signatures")),
    )
    for table in ("audit_seals", "audit_signatures"):
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM scriptorium_rw")
    op.execute(ERASE_PERSON)
    op.execute(ERASE_BEFORE)
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO scriptorium_rw")


def _split_personal() -> None:
    op.add_column("audit_events", sa.Column("salt", sa.LargeBinary(), nullable=True))
    op.add_column("audit_events", sa.Column("personal_digest", sa.LargeBinary(), nullable=True))
    op.add_column("audit_events", sa.Column("personal", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.execute(DIGEST)
    op.execute("UPDATE audit_events SET salt = uuid_send(gen_random_uuid())")
    op.execute("UPDATE audit_events SET personal_digest = audit_personal_digest(salt, actor_name, address)")
    op.execute(COMPLETE)
    op.execute(TRIGGER)
    op.alter_column("audit_events", "personal_digest", nullable=False)


def _number() -> None:
    op.execute(SHIFT)
    op.alter_column("audit_events", "transaction", server_default=sa.text(NUMBER))
    op.drop_constraint("uq_audit_events_sequence", "audit_events", type_="unique")
    op.create_unique_constraint(
        op.f("uq_audit_events_transaction_sequence"), "audit_events", ["transaction", "sequence"]
    )


def downgrade() -> None:
    op.drop_table("audit_signatures")
    op.drop_table("audit_seals")
    op.drop_index("ix_audit_events_kind", table_name="audit_events")
    op.create_index("ix_audit_events_kind", "audit_events", ["kind", "at"])
    op.drop_index("ix_audit_events_address", table_name="audit_events")
    op.drop_index("ix_audit_events_target", table_name="audit_events")
    op.create_index("ix_audit_events_target", "audit_events", ["target_type", "target_id", "at"])
    op.drop_constraint("uq_audit_events_transaction_sequence", "audit_events", type_="unique")
    op.create_unique_constraint(op.f("uq_audit_events_sequence"), "audit_events", ["sequence"])
    op.alter_column("audit_events", "transaction", server_default=sa.text("(pg_current_xact_id()::text)::bigint"))
    op.execute("DROP TRIGGER audit_events_complete ON audit_events")
    op.execute("DROP FUNCTION audit_events_complete()")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    for column in ("personal", "personal_digest", "salt"):
        op.drop_column("audit_events", column)
