"""Pages of the site itself: the API documentation and the console."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from quart import Blueprint, Response, send_file

from app.errors import NotFound
from app.web.assets import integrity_of
from app.web.context import settings
from app.web.guards import public
from app.web.headers import response_headers
from app.web.render import page

blueprint = Blueprint("site", __name__)
SWAGGER = Path(str(files("swagger_ui"))) / "static"
SWAGGER_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")


@blueprint.get("/docs")
@response_headers(csp={"img-src": "'self' data:"})
@public
async def docs() -> Response:
    return await page("docs.html", bundle=integrity_of(SWAGGER / "swagger-ui-bundle.js"))


@blueprint.get("/docs/assets/<string:name>")
@response_headers(cache_control="public, max-age=86400")
@public
async def docs_asset(name: str) -> Response:
    if name not in SWAGGER_FILES:
        raise NotFound
    return await send_file(SWAGGER / name)


@blueprint.get("/console")
@public
async def console() -> Response:
    return await page("console.html")


@blueprint.get("/security-policy")
@public
async def security_policy() -> Response:
    """How to tell us of a weakness; `security.txt` leads here."""
    return await page("security_policy.html", contact=settings().security_contact)
