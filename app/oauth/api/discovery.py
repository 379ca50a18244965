"""Where the endpoints are and what they can do (RFC 8414, OpenID Connect Discovery)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response

from app.access import SCOPES
from app.web.answers import answer
from app.web.context import settings
from app.web.guards import public
from app.web.headers import response_headers
from app.web.openapi import describe

blueprint = Blueprint("discovery", __name__)
KEPT = "public, max-age=300"


@blueprint.get("/.well-known/oauth-authorization-server")
@describe("Where the endpoints are (RFC 8414)", tag="discovery", answers={200: None})
@response_headers(cache_control=KEPT)
@public
async def metadata() -> Response:
    return answer(_metadata())


@blueprint.get("/.well-known/openid-configuration")
@describe("Where the endpoints are (OpenID Connect Discovery)", tag="discovery", answers={200: None})
@response_headers(cache_control=KEPT)
@public
async def openid_configuration() -> Response:
    return answer(_metadata())


def _metadata() -> Mapping[str, Any]:
    us = settings().public_url
    methods = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": us,
        "authorization_endpoint": f"{us}/oauth/authorize",
        "token_endpoint": f"{us}/oauth/token",
        "revocation_endpoint": f"{us}/oauth/revoke",
        "introspection_endpoint": f"{us}/oauth/introspect",
        "userinfo_endpoint": f"{us}/oauth/userinfo",
        "jwks_uri": f"{us}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "revocation_endpoint_auth_methods_supported": [*methods, "none"],
        "introspection_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "email", "name"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent"],
        "service_documentation": f"{us}/docs",
    }
