"""Accounts: applying for one, recognising its owner, deciding about it.  Callers own the transaction."""

from app.accounts.life import DECISIONS, decisions_from
from app.accounts.service.acting import actor
from app.accounts.service.applications import Application, email_key, make_admin, register
from app.accounts.service.by_operator import person_with, set_password
from app.accounts.service.decisions import (
    Decided,
    Decision,
    change_roles,
    check_decision,
    decide,
    end_everything,
    end_suspensions,
    told,
)
from app.accounts.service.own import change_password, rename
from app.accounts.service.reading import (
    active_editors,
    counts,
    history,
    is_active_editor,
    names,
    people,
    person,
)

__all__ = [
    "DECISIONS",
    "Application",
    "Decided",
    "Decision",
    "active_editors",
    "actor",
    "change_password",
    "change_roles",
    "check_decision",
    "counts",
    "decide",
    "decisions_from",
    "email_key",
    "end_everything",
    "end_suspensions",
    "history",
    "is_active_editor",
    "make_admin",
    "names",
    "people",
    "person",
    "person_with",
    "register",
    "rename",
    "set_password",
    "told",
]
