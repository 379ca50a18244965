"""Runs migrations one process at a time, without ever queueing traffic behind a lock.

The connection is given by `app.migrations`, which has its own short-lived login from Vault.  An advisory lock keeps two
migration jobs apart; `lock_timeout` makes a migration that would block the running application fail instead, to be tried
again (expand and contract: adjacent versions of the application run together).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from alembic import context

ADVISORY_LOCK = 0x5C819708
LOCK_TIMEOUT = "4s"


def run(connection: Connection) -> None:
    """Bring the schema to the wanted revision in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata"),  # only where the two are compared
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.commit()
    try:
        with context.begin_transaction():
            context.run_migrations()
        # By default the application may write what we own; which version the schema has is ours alone to say.
        connection.execute(text("REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM scriptorium_rw"))
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


run(context.config.attributes["connection"])
