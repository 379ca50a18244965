"""Which other origins may read what: nobody by default, exact origins by setting, never with credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.settings import Settings, SettingsError
from local.stack import Stack
from tests.client import Program
from tests.site import Site, running

FRIEND = "https://app.example"
STRANGERS = [
    "https://evil.example",
    "https://app.example.evil.example",
    "https://notapp.example",
    "http://app.example",
    "https://app.example:444",
    "https://APP.example",
    "https://app.example.",
    "https://app.example/",
    "null",
]
GROUPS = {
    "api": ("/api/unsecure", "/api/secure", "/api/v1/entries", "/protected_data"),
    "oauth": ("/oauth/userinfo",),
    "discovery": ("/.well-known/jwks.json", "/.well-known/openid-configuration", "/api/openapi.json"),
}
NEVER = ("/", "/login", "/oauth/authorize", "/health/live", "/console", "/docs")


@pytest.fixture(scope="module")
async def open_site(app_stack: Stack) -> AsyncIterator[Site]:
    async with running(app_stack, CORS_ORIGINS=FRIEND, CORS_DISCOVERY_ORIGINS="*") as site:
        yield site


async def allowed(program: Program, path: str, origin: str) -> str | None:
    """The origin an answer lets read it; preflight and answer must agree."""
    preflight = await program.http.options(
        path,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )
    answer = await program.http.get(path, headers={"Origin": origin})
    found: list[str | None] = [reply.headers.get("access-control-allow-origin") for reply in (preflight, answer)]
    assert found[0] == found[1], (path, origin)
    for reply in (preflight, answer):
        assert "access-control-allow-credentials" not in reply.headers
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
    return found[1]


@pytest.mark.parametrize("path", [path for paths in GROUPS.values() for path in paths] + list(NEVER))
async def test_closed_by_default(program: Program, path: str) -> None:
    for origin in (FRIEND, "null"):
        assert await allowed(program, path, origin) is None


@pytest.mark.parametrize("path", [*GROUPS["api"], *GROUPS["oauth"]])
async def test_an_exact_origin_may_read(open_site: Site, path: str) -> None:
    program = open_site.program()
    assert await allowed(program, path, FRIEND) == FRIEND
    for stranger in STRANGERS:
        assert await allowed(program, path, stranger) is None, stranger
    plain = await program.http.get(path)
    assert "Origin" in plain.headers["vary"], "caches must not mix callers up"


@pytest.mark.parametrize("path", GROUPS["discovery"])
async def test_discovery_may_be_open_to_all(open_site: Site, path: str) -> None:
    assert await allowed(open_site.program(), path, "https://evil.example") == "*"


@pytest.mark.parametrize("path", NEVER)
async def test_pages_are_never_readable(open_site: Site, path: str) -> None:
    assert await allowed(open_site.program(), path, FRIEND) is None


async def test_a_preflight_says_what_is_allowed_and_may_be_kept(open_site: Site) -> None:
    answer = await open_site.program().http.options(
        "/api/v1/documents",
        headers={
            "Origin": FRIEND,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization, if-match, x-evil",
        },
    )
    assert answer.headers["access-control-max-age"] == "600"
    said = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert said == {"authorization", "if-match"}
    assert "PATCH" in answer.headers["access-control-allow-methods"]


async def test_refusals_can_be_read_too(open_site: Site) -> None:
    answer = await open_site.program().http.get("/api/secure", headers={"Origin": FRIEND})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "www-authenticate" in answer.headers["access-control-expose-headers"].lower()


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*.example",
        "https://app.example/",
        "https://app.example/x",
        "https://APP.example",
        "https://app.example:443",
        "https://app.example.",
        "https://user@app.example",
        "https://app.example?x",
        "app.example",
        "null",
        "ftp://app.example",
        "https://äpp.example",
    ],
)
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(SettingsError, match="CORS_ORIGINS"):
        Settings.from_environment({"SCRIPTORIUM_CORS_ORIGINS": origin})


def test_a_group_follows_the_first_setting_or_stands_alone() -> None:
    settings = Settings.from_environment({"SCRIPTORIUM_CORS_ORIGINS": FRIEND, "SCRIPTORIUM_CORS_OAUTH_ORIGINS": "none"})
    assert settings.cors_discovery_origins == (FRIEND,)
    assert settings.cors_oauth_origins == ()
