"""Pages about programs: consent, what is connected to an account, and clients for their owners and administrators."""

from __future__ import annotations

from quart import Blueprint

from app.oauth.pages import clients, connected, consent

blueprint = Blueprint("oauth", __name__)
for area in (consent, connected, clients):
    blueprint.register_blueprint(area.blueprint)
