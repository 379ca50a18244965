"""Pack the versions that are there, document by document; only rows are locked, so the application goes on."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op
from app.versions.packing import FullCopy, pack_bytes, unpack_bytes

revision = "writing_packed"
down_revision = "writing_versions"

_DOCUMENTS = sa.text("SELECT DISTINCT document_id FROM document_versions ORDER BY 1")
_VERSIONS = sa.text("SELECT version FROM document_versions WHERE document_id = :document ORDER BY version")
_PLAIN = sa.text(
    "SELECT brief, body FROM document_versions WHERE document_id = :document AND version = :version AND packed IS NULL"
)
_PACK = sa.text(
    "UPDATE document_versions SET packed = :packed, base = :base, brief = NULL, body = NULL"
    " WHERE document_id = :document AND version = :version"
)
_PACKED = sa.text(
    "SELECT version.packed, full_copy.packed FROM document_versions version LEFT JOIN document_versions full_copy"
    " ON full_copy.document_id = version.document_id AND full_copy.version = version.base"
    " WHERE version.document_id = :document AND version.version = :version AND version.body IS NULL"
)
_UNPACK = sa.text(
    "UPDATE document_versions SET brief = :brief, body = :body WHERE document_id = :document AND version = :version"
)


def upgrade() -> None:
    db = op.get_bind()
    for (document,) in db.execute(_DOCUMENTS).all():
        copy: FullCopy | None = None
        for (version,) in db.execute(_VERSIONS, {"document": document}).all():
            key = {"document": document, "version": version}
            row = db.execute(_PLAIN, key).first()
            if row is None:
                continue
            made = pack_bytes(f"{row[0]}\0{row[1]}".encode(), version, copy)
            db.execute(_PACK, {**key, "packed": made.data, "base": made.base})
            if made.base is None:
                copy = FullCopy(version, made.data)


def downgrade() -> None:
    db = op.get_bind()
    for (document,) in db.execute(_DOCUMENTS).all():
        for (version,) in db.execute(_VERSIONS, {"document": document}).all():
            key = {"document": document, "version": version}
            row = db.execute(_PACKED, key).first()
            if row is not None:
                brief, _, body = unpack_bytes(row[0], row[1]).decode().partition("\0")
                db.execute(_UNPACK, {**key, "brief": brief, "body": body})
