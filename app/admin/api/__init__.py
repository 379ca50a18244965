"""JSON routes of the administration: every action its pages have."""

from __future__ import annotations

from quart import Blueprint

from app.admin.api import overview, people, secrets, security, sessions, trail

blueprint = Blueprint("admin_api", __name__)
for area in (overview, people, secrets, security, sessions, trail):
    blueprint.register_blueprint(area.blueprint)
