"""JSON routes of the journal, one module for each side of it."""

from __future__ import annotations

from quart import Blueprint

from app.journal.api import entries, history

blueprint = Blueprint("journal_api", __name__)
for side in (entries, history):
    blueprint.register_blueprint(side.blueprint)
