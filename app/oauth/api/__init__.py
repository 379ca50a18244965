"""The OAuth and OpenID endpoints for programs, in the forms their RFCs prescribe, and clients as JSON."""

from __future__ import annotations

from quart import Blueprint

from app.oauth.api import clients, connected, discovery, endpoints
from app.oauth.api.forms import oauth_problem

blueprint = Blueprint("oauth_api", __name__)
blueprint.register_blueprint(clients.blueprint)
blueprint.register_blueprint(connected.blueprint)
roots = Blueprint("oauth_roots", __name__)
roots.register_blueprint(endpoints.blueprint)
roots.register_blueprint(discovery.blueprint)

__all__ = ["blueprint", "oauth_problem", "roots"]
