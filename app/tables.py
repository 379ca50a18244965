"""Imports every feature's tables, so that migrations and tests know them all."""

from __future__ import annotations

from app.accounts import models as accounts
from app.admin import models as admin
from app.attachments import models as attachments
from app.audit import models as audit
from app.database import Base
from app.documents import models as documents
from app.drafts import models as drafts
from app.journal import models as journal
from app.mail import models as mail
from app.oauth import models as oauth
from app.search import models as search
from app.tokens import models as tokens
from app.watch import models as watch
from app.web import idempotency

metadata = Base.metadata

__all__ = [
    "accounts",
    "admin",
    "attachments",
    "audit",
    "documents",
    "drafts",
    "idempotency",
    "journal",
    "mail",
    "metadata",
    "oauth",
    "search",
    "tokens",
    "watch",
]
