"""HTML routes of documents, one module for each side of them."""

from __future__ import annotations

from quart import Blueprint

from app.documents.pages import comments, document, history, lists

blueprint = Blueprint("documents", __name__)
for side in (lists, history, comments, document):
    blueprint.register_blueprint(side.blueprint)
