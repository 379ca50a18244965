"""HTML routes of the journal, one module for each side of it."""

from __future__ import annotations

from quart import Blueprint

from app.journal.pages import editing, history, reading, writing

blueprint = Blueprint("journal", __name__)
for side in (writing, editing, history, reading):
    blueprint.register_blueprint(side.blueprint)
