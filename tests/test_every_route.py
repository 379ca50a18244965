"""Walks the site map: every view says who may enter, every JSON route is described, every route is in the matrix."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from quart import Quart
from werkzeug.routing import Rule

from app import routes
from app.web.faces import for_programs
from app.web.guards import access_of, after_step, public, signed_in
from app.web.openapi import operation_of
from tests.cast import Cast
from tests.matrix import WORDS, rows
from tests.site import Site

# What programs read that is not JSON, and so has no place in the OpenAPI document.
NOT_JSON = {"/.well-known/security.txt", "/metrics"}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def each(site: Site) -> Iterator[tuple[Rule, str]]:
    for rule in site.app.url_map.iter_rules():
        if rule.websocket:  # sockets have tests of their own
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def concrete(rule: str) -> str:
    """The rule with ids that nothing has."""
    for name, value in WORDS.get(rule, {}).items():
        rule = re.sub(rf"<\w+:{name}>", value, rule)
    rule = re.sub(r"<uuid:\w+>", "0197b8c4-0000-7000-8000-000000000000", rule)
    return re.sub(r"<\w+:\w+>", "x", rule)


def test_every_view_says_who_may_enter(site: Site) -> None:
    routes.check_stamps(site.app)
    for rule, _ in each(site):
        assert rule.endpoint in routes.UNSTAMPED or access_of(site.app.view_functions[rule.endpoint]), rule.endpoint


def test_a_view_without_a_rule_stops_the_start() -> None:
    app = Quart("planted")

    @app.get("/open")
    @public
    async def opened() -> str:
        return ""

    @app.get("/forgotten")
    async def forgotten() -> str:
        return ""

    app.view_functions.pop("static", None)
    with pytest.raises(LookupError, match="forgotten"):
        routes.check_stamps(app)


def test_a_step_alone_is_no_rule() -> None:
    """It says which page they come from, and nothing about who they are."""
    app = Quart("stepped", static_folder=None)

    @app.get("/second")
    @signed_in
    @after_step("first", begin="/first")
    async def guarded() -> str:
        return ""

    routes.check_stamps(app)

    @app.get("/third")
    @after_step("second", begin="/first")
    async def stepped() -> str:
        return ""

    with pytest.raises(LookupError, match="stepped"):
        routes.check_stamps(app)


def test_every_route_is_in_the_matrix_and_the_other_way_round(site: Site) -> None:
    known = {row.key for row in rows()}
    there = {(method, rule.rule) for rule, method in each(site)}
    assert not there - known, "these routes are in nobody's table; add a line to tests/matrix.py"
    assert not known - there, "the table speaks of routes that do not exist"


def test_every_program_route_is_described(site: Site) -> None:
    for rule, _ in each(site):
        if for_programs(rule.rule) and rule.rule not in NOT_JSON:
            assert operation_of(site.app.view_functions[rule.endpoint]), f"{rule.endpoint} has no @describe"


async def test_every_page_takes_a_trailing_slash(site: Site, cast: Cast) -> None:
    """With or without it, an address leads to the same page, or there by a permanent redirect; never to a 404."""
    for rule, method in each(site):
        if method != "GET" or rule.rule == "/" or rule.rule.startswith("/static/"):
            continue
        path = concrete(rule.rule)
        other = path.rstrip("/") if path.endswith("/") else f"{path}/"
        for who in (cast.visitor, cast.ada, cast.alice, cast.bob):
            ask = who.program.get if for_programs(path) else who.browser.get
            plain, slashed = await ask(path), await ask(other)
            if slashed.status_code == 308:
                assert slashed.headers["location"] in (path, f"{site.settings.public_url}{path}")
            else:
                assert slashed.status_code == plain.status_code, other


async def test_safe_methods_answer_everywhere(site: Site, cast: Cast) -> None:
    """HEAD is GET without a body; OPTIONS names the methods; anything else is 405 with Allow."""
    for rule, method in each(site):
        path = concrete(rule.rule)
        caller = cast.visitor.program if for_programs(path) else cast.visitor.browser
        options = await caller.http.options(path)
        assert options.status_code in (200, 204), path
        assert method in options.headers["allow"], path
        wrong = await caller.http.request("DELETE" if "DELETE" not in (rule.methods or ()) else "PUT", path)
        if wrong.status_code == 405:
            assert wrong.request.method not in wrong.headers.get("allow", wrong.request.method), path
        if method == "GET":
            got, head = await caller.http.get(path), await caller.http.head(path)
            assert (head.status_code, head.content) == (got.status_code, b""), path


async def test_looking_never_changes_anything(site: Site, cast: Cast) -> None:
    """GET, HEAD and OPTIONS of every address by an administrator, a sponsor and a visitor leave all tables alike.

    The trail alone may grow: that somebody carried it off is written down too.
    """
    before = await site.counts()
    for rule, method in each(site):
        if method == "GET":
            for who in (cast.visitor, cast.ada, cast.alice):
                caller = who.program if for_programs(rule.rule) else who.browser
                token = {"Authorization": f"Bearer {who.program.token}"} if for_programs(rule.rule) else {}
                for verb in ("GET", "HEAD", "OPTIONS"):
                    answer = await caller.http.request(verb, concrete(rule.rule), headers=token)
                    assert answer.status_code < 500, (verb, rule.rule)
    after = await site.counts()
    assert {**after, "audit_events": 0} == {**before, "audit_events": 0}


async def test_every_form_needs_its_token(site: Site, cast: Cast) -> None:
    """Without a token, with a visitor's or from another site, no page takes a form; programs need none, having no cookie."""
    foreign = await site.browser().token("/login")
    before = await site.counts()
    for rule, method in each(site):
        if method not in UNSAFE or for_programs(rule.rule):
            continue
        path = concrete(rule.rule)
        good = await cast.ada.browser.token()
        for form, headers in (
            ({"title": "x"}, {}),
            ({"form_token": ""}, {}),
            ({"form_token": foreign}, {}),
            ({"form_token": good[:-1]}, {}),
            ({"form_token": good}, {"Origin": "https://evil.example"}),
            ({"form_token": good}, {"Origin": "null"}),
            ({"form_token": good}, {"Sec_Fetch_Site": "cross-site"}),
            ({"form_token": good}, {"Sec_Fetch_Site": "same-site"}),
        ):
            answer = await cast.ada.browser.send(path, form, **headers)
            assert answer.status_code == 403, (path, form, headers)
    assert await site.counts() == before
