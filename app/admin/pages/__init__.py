"""HTML routes of the administration, one module for each of its areas."""

from __future__ import annotations

from quart import Blueprint

from app.admin.pages import bulk, documents, overview, people, person, secrets, security, sessions, trail

blueprint = Blueprint("admin", __name__)
for area in (overview, people, documents, bulk, person, secrets, security, sessions, trail):
    blueprint.register_blueprint(area.blueprint)
