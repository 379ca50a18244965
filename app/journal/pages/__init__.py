"""HTML routes of the journal, one module for each side of it."""

from __future__ import annotations

from quart import Blueprint

from app.journal.pages import editing, feeds, history, reading, writing

blueprint = Blueprint("journal", __name__)
for side in (writing, editing, history, feeds, reading):
    blueprint.register_blueprint(side.blueprint)
