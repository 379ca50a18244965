"""`scriptorium headers`: every route, what its answers carry, and what it declared beside itself."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from quart import Quart, Response

from app.cli import main
from app.factory import create_app
from app.settings import Settings
from app.web.header_list import header_list, in_words
from app.web.headers import content_security_policy, may_answer, response_headers, security_headers


def listed(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and all it said."""
    told = {f"SCRIPTORIUM_{name}": value for name, value in environment.items()}
    done = CliRunner().invoke(main, ["headers", *arguments], env={"SCRIPTORIUM_STATE": "/nowhere", **told})
    return done.exit_code, done.output


def test_every_route_with_its_headers() -> None:
    code, said = listed("--json")
    assert code == 0
    found = json.loads(said)
    app = create_app(Settings.from_environment({}))
    assert sorted(route["rule"] for route in found["routes"]) == sorted(rule.rule for rule in app.url_map.iter_rules())
    assert found["every_answer"] == security_headers(https=False)
    for route in found["routes"]:
        assert route["headers"] == {**security_headers(https=False), **route["declared"]}
        assert route["methods"]
        assert route["open_to"]


def test_what_is_different_is_said_under_the_route() -> None:
    code, said = listed("/docs")
    assert code == 0
    assert "GET /docs  [everybody]\n  content-security-policy: ... img-src 'self' data:\n" in said
    assert "GET /docs/assets/<string:name>  [everybody]\n  cache-control: public, max-age=86400\n" in said
    assert "/login" not in said
    assert said.endswith("2 routes, 2 of them with headers of their own.\n")


def test_over_https_all_are_told_to_stay() -> None:
    code, said = listed("/login", "--json", PUBLIC_URL="https://journal.example", TRUSTED_PROXIES="10.0.0.0/8")
    assert code == 0
    assert "strict-transport-security" in json.loads(said)["every_answer"]


def test_an_address_that_no_route_has() -> None:
    code, said = listed("/nothing-here")
    assert (code, said) == (1, "scriptorium: no route begins with /nothing-here\n")


def test_settings_that_cannot_be_used() -> None:
    code, said = listed(PORT="x")
    assert code == 78
    assert "SCRIPTORIUM_PORT" in said


def test_help_says_what_it_does() -> None:
    code, said = listed("--help")
    assert code == 0
    assert "Exits with 0" in said


def test_declarations_add_up_whatever_their_order() -> None:
    app = Quart("planted")

    @app.get("/a")
    @may_answer(cache_control="public, *")
    @response_headers(csp={"img-src": "'self' data:"})
    async def first() -> Response:
        return Response("a")

    @app.get("/b")
    @response_headers(csp={"img-src": "'self' data:"})
    @may_answer(cache_control="public, *")
    async def second() -> Response:
        return Response("b")

    found = header_list(app, https=False)
    for route in found.routes[:2]:
        assert route.declared == {"content-security-policy": content_security_policy({"img-src": "'self' data:"})}
        assert route.sometimes == {"cache-control": "public, *"}
    assert "sometimes cache-control: public, *" in in_words(found, found.routes)


@pytest.mark.parametrize(
    ("method", "rule", "header"), [("GET", "/login", None), ("POST", "/logout", "clear-site-data")]
)
def test_most_routes_declare_nothing(method: str, rule: str, header: str | None) -> None:
    found = header_list(create_app(Settings.from_environment({})), https=False)
    route = next(route for route in found.routes if route.rule == rule and method in route.methods)
    assert list(route.sometimes) == ([header] if header else [])
    assert route.declared == {}


def weaknesses(policy: str) -> list[str]:
    """What a reader of policies would call serious (as csp_evaluator does, by `make proof`)."""
    directives = {words[0]: words[1:] for words in (part.split() for part in policy.split("; ")) if words}
    found = [name for name, values in directives.items() for value in values if value.startswith("'unsafe-")]
    found += [
        f"{name} {value}"
        for name, values in directives.items()
        for value in values
        if value in ("*", "http:", "https:")
    ]
    scripts = directives.get("script-src", directives.get("default-src", ["*"]))
    found += ["scripts" for value in scripts if value not in ("'self'", "'none'")]
    found += ["objects"] if directives.get("object-src", directives.get("default-src")) != ["'none'"] else []
    found += [name for name in ("base-uri", "frame-ancestors") if directives.get(name) != ["'none'"]]
    return found + (["forms"] if "form-action" not in directives else [])


def test_no_policy_of_any_route_is_weak() -> None:
    found = header_list(create_app(Settings.from_environment({})), https=True)
    name = "content-security-policy"
    policies = {route.headers[name] for route in found.routes}
    # The consent page lets its form lead to the one client it asks about, wherever that is.
    policies |= {
        route.sometimes[name].replace("'self' *", "'self'") for route in found.routes if name in route.sometimes
    }
    assert len(policies) >= 3
    for policy in policies:
        assert weaknesses(policy) == [], policy
    assert weaknesses("default-src *; script-src 'self' 'unsafe-inline'")
