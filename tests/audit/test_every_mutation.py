"""Every route that changes something writes exactly one event; the few that do not are named, with why."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests import makers
from tests.cast import Cast, Person
from tests.matrix import Row, rows
from tests.oauth.flow import client_of, decide, tokens_for
from tests.site import Site
from tests.test_access_matrix import address, ask

MUTATING = {"POST", "PUT", "PATCH", "DELETE"}
Deed = Callable[[Site, Cast], Awaitable[httpx.Response]]

# How many events instead of one, and why.
OTHERWISE: dict[tuple[str, str], tuple[int, str]] = {
    ("POST", "/oauth/introspect"): (0, "asks, changes nothing (RFC 7662)"),
    ("POST", "/oauth/userinfo"): (0, "asks, changes nothing (OpenID Connect Core 5.3)"),
    ("POST", "/admin/people/bulk"): (0, "chooses whom; deciding is the next step"),
    ("POST", "/admin/people/bulk/decide"): (2, "an event for each person decided about, here two"),
    ("POST", "/api/v1/admin/people/bulk"): (2, "an event for each person decided about, here two"),
    ("POST", "/api/csp-reports"): (0, "reports of browsers are counted by the watch; nobody did anything"),
    ("POST", "/drafts"): (0, "keeps what somebody is typing, for themselves; saving it is the event"),
    ("POST", "/drafts/keep"): (0, "the same, by a button"),
    ("POST", "/drafts/discard"): (0, "lets go of it"),
    ("POST", "/drafts/preview"): (0, "shows, changes nothing"),
}


async def _sessions(who: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await who.program.get("/api/v1/me/sessions")).json()["items"]
    return items


async def _own_session(site: Site) -> tuple[Person, str]:
    nora = await makers.signed_in(site)
    return nora, (await _sessions(nora))[0]["id"]


async def _sign_in_id(cast: Cast, who: Person) -> str:
    found = await cast.ada.program.get(f"/api/v1/admin/people/{who.id}/sessions")
    return str(found.json()["sign_ins"][0]["id"])


async def refresh(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await nora.program.post("/api/v1/auth/refresh", {"refresh_token": nora.program.refresh_token})


async def revoke(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await nora.program.post("/api/v1/auth/revoke", {"token": nora.program.refresh_token})


async def sign_in_again(site: Site, cast: Cast) -> httpx.Response:
    """From a browser that is signed in: the old session ends in the same step."""
    nora = await makers.signed_in(site)
    return await nora.browser.send(
        "/login", {"form_token": await nora.browser.token(), "email": nora.email, "password": nora.password}
    )


async def confirm(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await nora.browser.post("/account/confirm", {"password": nora.password})


async def new_password(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    form = {"current_password": nora.password, "password": makers.passphrase()}
    return await nora.browser.post("/account/password", form)


async def new_password_by_api(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    asked = {"current_password": nora.password, "password": makers.passphrase()}
    return await nora.program.put("/api/v1/me/password", asked)


async def end_session_of(site: Site, cast: Cast) -> httpx.Response:
    nora, session = await _own_session(site)
    return await cast.ada.browser.post(f"/admin/people/{nora.id}/sessions/{session}/end", page="/logout")


async def end_session_in_list(site: Site, cast: Cast) -> httpx.Response:
    nora, session = await _own_session(site)
    return await cast.ada.browser.post(f"/admin/sessions/{nora.id}/{session}/end", page="/logout")


async def end_session_by_api(site: Site, cast: Cast) -> httpx.Response:
    nora, session = await _own_session(site)
    return await cast.ada.program.delete(f"/api/v1/admin/people/{nora.id}/sessions/{session}")


async def end_sign_in(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    path = f"/admin/people/{nora.id}/sign-ins/{await _sign_in_id(cast, nora)}/end"
    return await cast.ada.browser.post(path, page="/logout")


async def end_sign_in_by_api(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await cast.ada.program.delete(f"/api/v1/admin/people/{nora.id}/sign-ins/{await _sign_in_id(cast, nora)}")


async def end_own_sign_in(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    path = f"/account/applications/sign-ins/{await _sign_in_id(cast, nora)}/end"
    return await nora.browser.post(path, page="/logout")


async def end_own_sign_in_by_api(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await nora.program.delete(f"/api/v1/me/sign-ins/{await _sign_in_id(cast, nora)}")


async def new_roles(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.person(site)
    form = {"roles": "editor", "seen": "member", "reason": "R"}
    return await cast.ada.browser.post(f"/admin/people/{nora.id}/roles", form, page="/logout")


async def _two(site: Site) -> list[str]:
    return [str((await makers.person(site, "sponsor", status="pending")).id) for _ in range(2)]


async def _choose(site: Site, cast: Cast) -> httpx.Response:
    token = await cast.ada.browser.token()
    return await cast.ada.browser.http.post(
        "/admin/people/bulk",
        data={"form_token": token, "ids": await _two(site), "action": "approve"},
        headers={"Origin": cast.ada.browser.base_url, "Sec-Fetch-Site": "same-origin"},
    )


async def decide_chosen(site: Site, cast: Cast) -> httpx.Response:
    await _choose(site, cast)
    return await cast.ada.browser.post("/admin/people/bulk/decide", {"reason": "R"}, page="/admin/people/bulk")


async def decide_bulk_by_api(site: Site, cast: Cast) -> httpx.Response:
    body = {"ids": await _two(site), "action": "approve", "reason": "R"}
    return await cast.ada.program.post("/api/v1/admin/people/bulk", body)


async def _client(who: Person) -> tuple[str, dict[str, str]]:
    new = {"name": "N", "redirect_uris": ["https://client.example/back"], "scopes": ["entries:read"]}
    made = (await who.program.post("/api/v1/me/clients", new)).json()
    basic = b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    return made["client_id"], {"Authorization": f"Basic {basic}"}


async def _token(site: Site, cast: Cast) -> tuple[httpx.Response, dict[str, str]]:
    nora = await makers.signed_in(site)
    _, basic = await _client(nora)
    form = {"grant_type": "client_credentials", "scope": "entries:read"}
    return await site.program().http.post("/oauth/token", data=form, headers=basic), basic


async def client_token(site: Site, cast: Cast) -> httpx.Response:
    return (await _token(site, cast))[0]


async def client_revokes(site: Site, cast: Cast) -> httpx.Response:
    given, basic = await _token(site, cast)
    form = {"token": given.json()["access_token"]}
    return await site.program().http.post("/oauth/revoke", data=form, headers=basic)


async def client_introspects(site: Site, cast: Cast) -> httpx.Response:
    given, basic = await _token(site, cast)
    form = {"token": given.json()["access_token"]}
    return await site.program().http.post("/oauth/introspect", data=form, headers=basic)


async def key_by_page(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await nora.browser.post("/account/keys/new", {"name": "N", "scopes": "entries:read"})


async def key_revoked_by_page(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    made = await nora.program.post("/api/v1/me/keys", {"name": "N", "scopes": ["entries:read"]})
    return await nora.browser.post(f"/account/keys/{made.json()['id']}/revoke", page="/logout")


async def client_by_page(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    form = {"name": "N", "scopes": "openid", "kind": "confidential", "redirect_uris": "https://client.example/back"}
    return await nora.browser.post("/account/clients/new", form)


async def client_ended_by_page(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    client_id, _ = await _client(nora)
    return await nora.browser.post(f"/account/clients/{client_id}/end", page="/logout")


async def anybodys_client_ended_by_page(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    client_id, _ = await _client(nora)
    return await cast.ada.browser.post(f"/admin/clients/{client_id}/end", page="/logout")


async def consent(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    return await decide(nora.browser, (await client_of(nora)).asks())


async def userinfo(site: Site, cast: Cast) -> httpx.Response:
    nora = await makers.signed_in(site)
    tokens = await tokens_for(await client_of(nora), nora)
    return await site.program().call("POST", "/oauth/userinfo", token=tokens["access_token"])


async def _twice_saved(cast: Cast) -> str:
    """A document of Alice's and Bob's at its second version."""
    made = await makers.document(cast.alice, cast.bob)
    path = f"/api/v1/documents/{made['id']}"
    assert (await cast.alice.program.patch(path, {"body": "Other words."}, If_Match="*")).status_code == 200
    return str(made["id"])


async def restored(site: Site, cast: Cast) -> httpx.Response:
    path = f"/api/v1/documents/{await _twice_saved(cast)}/restore"
    return await cast.alice.program.post(path, {"version": 1}, If_Match="*")


async def restored_by_sponsor(site: Site, cast: Cast) -> httpx.Response:
    path = f"/sponsor/documents/{await _twice_saved(cast)}/versions/1/restore"
    return await cast.alice.browser.post(path, {"version": "2"}, page="/logout")


async def restored_by_editor(site: Site, cast: Cast) -> httpx.Response:
    path = f"/editor/documents/{await _twice_saved(cast)}/versions/1/restore"
    return await cast.bob.browser.post(path, {"version": "2"}, page="/logout")


async def _changed_entry(cast: Cast) -> str:
    """An entry of Max's at its second version."""
    made = await makers.entry(cast.max)
    path = f"/api/v1/entries/{made['id']}"
    assert (await cast.max.program.patch(path, {"body": "Other words."}, If_Match="*")).status_code == 200
    return str(made["id"])


async def entry_restored(site: Site, cast: Cast) -> httpx.Response:
    path = f"/api/v1/entries/{await _changed_entry(cast)}/restore"
    return await cast.max.program.post(path, {"version": 1}, If_Match="*")


async def entry_restored_by_page(site: Site, cast: Cast) -> httpx.Response:
    path = f"/entry/{await _changed_entry(cast)}/versions/1/restore"
    return await cast.max.browser.post(path, {"version": "2"}, page="/logout")


async def _commented(cast: Cast) -> tuple[str, str]:
    document_id = (await makers.document(cast.alice, cast.bob))["id"]
    answer = await cast.alice.program.post(f"/api/v1/documents/{document_id}/comments", {"body": "Shorter?"})
    assert answer.status_code == 201, answer.text
    return document_id, answer.json()["id"]


async def comment_resolved(site: Site, cast: Cast) -> httpx.Response:
    document_id, comment_id = await _commented(cast)
    return await cast.bob.program.post(f"/api/v1/documents/{document_id}/comments/{comment_id}/resolve")


async def comment_reopened(site: Site, cast: Cast) -> httpx.Response:
    document_id, comment_id = await _commented(cast)
    path = f"/api/v1/documents/{document_id}/comments/{comment_id}"
    assert (await cast.bob.program.post(f"{path}/resolve")).is_success
    return await cast.alice.program.post(f"{path}/reopen")


async def comment_resolved_by_sponsor(site: Site, cast: Cast) -> httpx.Response:
    document_id, comment_id = await _commented(cast)
    path = f"/sponsor/documents/{document_id}/comments/{comment_id}/resolve"
    return await cast.alice.browser.post(path, {}, page="/logout")


async def comment_resolved_by_editor(site: Site, cast: Cast) -> httpx.Response:
    document_id, comment_id = await _commented(cast)
    path = f"/editor/documents/{document_id}/comments/{comment_id}/resolve"
    return await cast.bob.browser.post(path, {}, page="/logout")


async def attached(site: Site, cast: Cast) -> httpx.Response:
    made = await makers.document(cast.alice)
    return await cast.alice.program.raw("POST", f"/api/v1/documents/{made['id']}/attachments?name=a.txt", b"Soot.")


async def attached_by_page(site: Site, cast: Cast) -> httpx.Response:
    return await _sent_file(cast, "attachments")


async def attached_by_script(site: Site, cast: Cast) -> httpx.Response:
    return await _sent_file(cast, "attachments/new")


async def _sent_file(cast: Cast, below: str) -> httpx.Response:
    made = await makers.document(cast.alice)
    browser = cast.alice.browser
    return await browser.http.post(
        f"/documents/{made['id']}/{below}",
        data={"form_token": await browser.token()},
        files={"file": ("a.txt", b"Soot.")},
        headers={"Origin": browser.base_url, "Sec-Fetch-Site": "same-origin"},
    )


# Where the access matrix sends what is well-formed but leads to nothing, and what it does not hold.
DEEDS: dict[tuple[str, str], Deed] = {
    ("POST", "/api/v1/auth/refresh"): refresh,
    ("POST", "/api/v1/auth/revoke"): revoke,
    ("POST", "/login"): sign_in_again,
    ("POST", "/account/confirm"): confirm,
    ("POST", "/account/password"): new_password,
    ("PUT", "/api/v1/me/password"): new_password_by_api,
    ("POST", "/account/keys/new"): key_by_page,
    ("POST", "/account/keys/<uuid:key_id>/revoke"): key_revoked_by_page,
    ("POST", "/account/clients/new"): client_by_page,
    ("POST", "/account/clients/<uuid:client_id>/end"): client_ended_by_page,
    ("POST", "/admin/clients/<uuid:client_id>/end"): anybodys_client_ended_by_page,
    ("POST", "/admin/people/<uuid:person_id>/sessions/<uuid:session_id>/end"): end_session_of,
    ("POST", "/admin/sessions/<uuid:person_id>/<uuid:session_id>/end"): end_session_in_list,
    ("DELETE", "/api/v1/admin/people/<uuid:person_id>/sessions/<uuid:session_id>"): end_session_by_api,
    ("POST", "/admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>/end"): end_sign_in,
    ("DELETE", "/api/v1/admin/people/<uuid:person_id>/sign-ins/<uuid:family_id>"): end_sign_in_by_api,
    ("POST", "/account/applications/sign-ins/<uuid:family_id>/end"): end_own_sign_in,
    ("DELETE", "/api/v1/me/sign-ins/<uuid:family_id>"): end_own_sign_in_by_api,
    ("POST", "/admin/people/<uuid:person_id>/roles"): new_roles,
    ("POST", "/admin/people/bulk"): _choose,
    ("POST", "/admin/people/bulk/decide"): decide_chosen,
    ("POST", "/api/v1/admin/people/bulk"): decide_bulk_by_api,
    ("POST", "/api/v1/documents/<uuid:document_id>/restore"): restored,
    ("POST", "/sponsor/documents/<uuid:document_id>/versions/<int:number>/restore"): restored_by_sponsor,
    ("POST", "/editor/documents/<uuid:document_id>/versions/<int:number>/restore"): restored_by_editor,
    ("POST", "/api/v1/entries/<uuid:entry_id>/restore"): entry_restored,
    ("POST", "/entry/<uuid:entry_id>/versions/<int:number>/restore"): entry_restored_by_page,
    ("POST", "/api/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/resolve"): comment_resolved,
    ("POST", "/api/v1/documents/<uuid:document_id>/comments/<uuid:comment_id>/reopen"): comment_reopened,
    (
        "POST",
        "/sponsor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>",
    ): comment_resolved_by_sponsor,
    (
        "POST",
        "/editor/documents/<uuid:document_id>/comments/<uuid:comment_id>/<string:verb>",
    ): comment_resolved_by_editor,
    ("POST", "/api/v1/documents/<uuid:document_id>/attachments"): attached,
    ("POST", "/documents/<uuid:document_id>/attachments"): attached_by_page,
    ("POST", "/documents/<uuid:document_id>/attachments/new"): attached_by_script,
    ("POST", "/oauth/token"): client_token,
    ("POST", "/oauth/revoke"): client_revokes,
    ("POST", "/oauth/introspect"): client_introspects,
    ("POST", "/oauth/authorize"): consent,
    ("POST", "/oauth/userinfo"): userinfo,
}
SIGN_UPS = {"/register", "/signupsponsor", "/signupeditor"}
ROWS = {row.key: row for row in rows() if row.method in MUTATING}


async def do(site: Site, cast: Cast, key: tuple[str, str]) -> httpx.Response:
    """Do it once, with success."""
    if key in DEEDS:
        return await DEEDS[key](site, cast)
    row: Row = ROWS[key]
    path = await address(site, cast, row)
    if row.rule in SIGN_UPS:  # they lead on to the sign-in page
        return await ask(site, row, path, cast.visitor)
    everybody = cast.everybody()
    for name in sorted(everybody, key=lambda name: name == "visitor"):
        if row.answers[name] == "done" or row.answers[name].startswith("2"):
            return await ask(site, row, path, everybody[name])
    raise AssertionError(f"nobody may do this: {key}")


@pytest.mark.parametrize("key", sorted({**ROWS, **DEEDS}), ids=" ".join)
async def test_it_writes_exactly_one_event(site: Site, cast: Cast, key: tuple[str, str]) -> None:
    answer = await do(site, cast, key)
    assert answer.status_code < 400, answer.text
    found = await site.rows("SELECT kind FROM audit_events WHERE request_id = :id", id=answer.headers["x-request-id"])
    wanted, why = OTHERWISE.get(key, (1, "one deed, one event"))
    assert len(found) == wanted, f"{why}; written: {[row.kind for row in found]}"


async def test_no_route_that_changes_something_is_left_out(site: Site) -> None:
    known = {**ROWS, **DEEDS}
    missing = [
        f"{method} {rule.rule}"
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) & MUTATING
        if (method, rule.rule) not in known
    ]
    assert missing == []
