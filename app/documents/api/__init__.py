"""JSON routes of documents, one module for each side of them."""

from __future__ import annotations

from quart import Blueprint

from app.documents.api import comments, document, history, steps

blueprint = Blueprint("documents_api", __name__)
for side in (document, steps, history, comments):
    blueprint.register_blueprint(side.blueprint)
