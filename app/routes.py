"""The site map: every blueprint of every feature is mounted here, and no view without an access stamp gets past."""

from __future__ import annotations

from quart import Blueprint, Quart

from app.accounts import api as accounts_api
from app.accounts import confirm_pages, profile_pages
from app.accounts import pages as accounts_pages
from app.admin import api as admin_api
from app.admin import pages as admin_pages
from app.attachments import api as attachments_api
from app.attachments import pages as attachments_pages
from app.documents import api as documents_api
from app.documents import pages as documents_pages
from app.drafts import pages as drafts_pages
from app.exports import api as exports_api
from app.exports import pages as exports_pages
from app.exports import quotas
from app.history import api as history_api
from app.history import pages as history_pages
from app.journal import api as journal_api
from app.journal import pages as journal_pages
from app.live import pages as live_pages
from app.oauth import api as oauth_api
from app.oauth import pages as oauth_pages
from app.search import api as search_api
from app.search import pages as search_pages
from app.tokens import api as tokens_api
from app.tokens import pages as tokens_pages
from app.tokens import password_pages
from app.web import api as site_api
from app.web import pages as site_pages
from app.web import policy_reports
from app.web.guards import access_of

# Served by Quart itself, to everybody.
UNSTAMPED = frozenset({"static"})


def mount(app: Quart) -> None:
    """Register all routes; raises LookupError naming a view that does not say who may enter."""
    pages = Blueprint("pages", __name__)
    for module in (
        journal_pages,
        accounts_pages,
        history_pages,
        confirm_pages,
        profile_pages,
        password_pages,
        documents_pages,
        drafts_pages,
        search_pages,
        attachments_pages,
        exports_pages,
        live_pages,
        tokens_pages,
        oauth_pages,
        admin_pages,
        site_pages,
    ):
        pages.register_blueprint(module.blueprint)
    api = Blueprint("api", __name__, url_prefix="/api")
    for module in (
        tokens_api,
        accounts_api,
        history_api,
        journal_api,
        documents_api,
        search_api,
        attachments_api,
        exports_api,
        oauth_api,
        admin_api,
        policy_reports,
    ):
        api.register_blueprint(module.blueprint)
    pages.register_blueprint(quotas.pages)
    api.register_blueprint(quotas.api)
    app.register_blueprint(pages)
    app.register_blueprint(api)
    app.register_blueprint(tokens_api.roots)
    app.register_blueprint(oauth_api.roots)
    app.register_blueprint(site_api.blueprint)
    check_stamps(app)


def check_stamps(app: Quart) -> None:
    """Refuse to go on with a view that does not say who may enter; which page they come from says nothing about that."""
    for endpoint, view in app.view_functions.items():
        access = access_of(view)
        if endpoint not in UNSTAMPED and (access is None or access.kind == "step"):
            raise LookupError(f"the view {endpoint} ({view.__module__}.{view.__qualname__}) declares no access rule")
