"""Plays the whole access matrix: every route, by every person, answered as the table says and changing nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.web.faces import for_programs
from app.web.guards import access_of
from app.web.openapi import operation_of
from tests import makers
from tests.cast import Cast, Person
from tests.client import Browser
from tests.matrix import BASIC, ENDS_SESSIONS, PEOPLE, QUERY, SENT, STATE, WORDS, Row, rows
from tests.site import Site

REFUSED = {"401", "403", "404", "login", "status"}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


async def document_id(site: Site, cast: Cast, row: Row) -> object:
    return (await makers.document(cast.alice, cast.bob, STATE.get(row.key, "in_progress")))["id"]


async def person_id(site: Site, cast: Cast, row: Row) -> object:
    return (await makers.person(site, "sponsor", status=STATE.get(row.key, "active"))).id


async def entry_id(site: Site, cast: Cast, row: Row) -> object:
    made = (await makers.entry(cast.max))["id"]
    if STATE.get(row.key) == "withdrawn":
        assert (await cast.max.program.delete(f"/api/v1/entries/{made}")).status_code == 204
    return made


async def session_id(site: Site, cast: Cast, row: Row) -> object:
    """A session of Max in another browser."""
    before = {item["id"] for item in (await cast.max.program.get("/api/v1/me/sessions")).json()["items"]}
    await site.browser().sign_in(cast.max.email, cast.max.password)
    after = {item["id"] for item in (await cast.max.program.get("/api/v1/me/sessions")).json()["items"]}
    return (after - before).pop()


async def key_id(site: Site, cast: Cast, row: Row) -> object:
    made = await cast.max.program.post("/api/v1/me/keys", {"name": "N", "scopes": ["entries:read"]})
    return made.json()["id"]


async def client_id(site: Site, cast: Cast, row: Row) -> object:
    new = SENT["POST", "/api/v1/me/clients"]
    made = await cast.max.program.post("/api/v1/me/clients", new)
    assert made.status_code == 201, made.text
    return made.json().get("client_id") or made.json()["id"]


async def nothing(site: Site, cast: Cast, row: Row) -> object:
    return uuid4()


OBJECTS: dict[str, Callable[[Site, Cast, Row], Awaitable[object]]] = {
    "document_id": document_id,
    "person_id": person_id,
    "entry_id": entry_id,
    "session_id": session_id,
    "key_id": key_id,
    "client_id": client_id,
    "family_id": nothing,
    "comment_id": nothing,
    "attachment_id": nothing,
}


async def address(site: Site, cast: Cast, row: Row) -> str:
    """The row's address, with a new object of each kind it speaks of."""
    values: dict[str, Any] = dict(WORDS.get(row.rule, {}))
    for rule in site.app.url_map.iter_rules():
        if rule.rule == row.rule:
            for name in rule.arguments - values.keys():
                if rule.defaults is None or name not in rule.defaults:
                    values[name] = await OBJECTS[name](site, cast, row)
            break
    if "attachment_id" in values:
        values["attachment_id"] = await makers.attachment(cast.alice, values["document_id"])
    path = row.rule
    for name, value in values.items():
        for converter in ("uuid", "string", "path", "int"):
            path = path.replace(f"<{converter}:{name}>", str(value))
    return path + QUERY.get(row.rule, "")


def filled(sent: dict[str, Any], who: Person) -> dict[str, Any]:
    words = {
        "$email": who.email or makers.address(),
        "$password": who.password or makers.passphrase(),
        "$unused": makers.address(),
        "$phrase": makers.passphrase(),
        "$name": who.name or "N",
    }
    return {name: words.get(value, value) if isinstance(value, str) else value for name, value in sent.items()}


_TOKENS: dict[frozenset[tuple[str, str]], str] = {}


async def form_token(browser: Browser) -> str:
    """The form token of a session, which stays the same for as long as its cookies do: looked up once."""
    if (known := _TOKENS.get(frozenset(browser.cookies().items()))) is not None:
        return known
    token = await browser.token()
    _TOKENS[frozenset(browser.cookies().items())] = token
    return token


async def ask(site: Site, row: Row, path: str, who: Person) -> httpx.Response:
    if row.key in ENDS_SESSIONS and who.email:
        who = await (await makers.person(site, *who.roles, status=who.status)).sign_in()
    sent = filled(SENT.get(row.key, {}), who)
    if for_programs(row.rule):
        if row.rule in BASIC:
            auth = (who.email, who.password) if who.email else None
            return await site.program().http.request(row.method, path, auth=auth)
        if media_type(site, row) == FORM:
            token = {"Authorization": f"Bearer {who.program.token}"} if who.program.token else {}
            return await who.program.http.request(row.method, path, data=sent, headers=token)
        body = sent if row.key in SENT else None
        return await who.program.call(row.method, path, body, If_Match="*")
    browser = who.browser
    if row.method == "GET":
        return await browser.get(path)
    return await browser.send(path, {"form_token": await form_token(browser), **sent})


def views(site: Site, row: Row) -> Iterator[Callable[..., Any]]:
    for rule in site.app.url_map.iter_rules():
        if rule.rule == row.rule and row.method in (rule.methods or ()):
            yield site.app.view_functions[rule.endpoint]


def media_type(site: Site, row: Row) -> str:
    return next((found.media_type for view in views(site, row) if (found := operation_of(view)) is not None), JSON)


async def forget_steps(site: Site, row: Row) -> None:
    """A page that comes after another one is asked for by people who have not passed it, whatever was done before."""
    if any((access := access_of(view)) is not None and access.step for view in views(site, row)):
        await site.change("UPDATE sessions SET steps = '{}'")


def said(answer: httpx.Response) -> str:
    if answer.status_code != 303:
        return str(answer.status_code)
    where = answer.headers["location"].partition("?")[0]
    return {"/login": "login", "/account/status": "status"}.get(where, "done")


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.method} {row.rule}")
async def test_row(site: Site, cast: Cast, row: Row) -> None:
    await forget_steps(site, row)
    path = await address(site, cast, row)
    everybody = cast.everybody()
    # Those who are refused come first: had one of them changed anything, the others would be answered differently.
    order = sorted(PEOPLE, key=lambda name: row.answers[name] not in REFUSED)
    answers: dict[str, str] = {}
    for name in order:
        if row.method != "GET" and answers and row.answers[name] not in REFUSED:
            path = await address(site, cast, row)  # what was done to the one before would be in the way
        answers[name] = said(await ask(site, row, path, everybody[name]))
    shown = " ".join(f"{answers[name]:7}" for name in PEOPLE)
    assert answers == row.answers, f"\n{row.method:6} {row.rule:63} {shown}"
