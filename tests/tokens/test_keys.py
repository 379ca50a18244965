"""API keys: made with a fresh sign-in and shown once, bounded by scopes, networks, time and what their owner may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.ids import now
from app.rights.touches import KeyTouches
from app.tokens import keys
from app.web.parsing import FORM_TOKEN
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site
from tests.soon import soon


async def key_of(person: Person, *scopes: str, **more: Any) -> dict[str, Any]:
    """A key of this person's, as it is shown once."""
    wanted = {"name": "for a test", "scopes": list(scopes) or ["profile:read"]} | more
    answer = await person.program.post("/api/v1/me/keys", wanted)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_key_checks_itself() -> None:
    key = keys.make_key()
    assert keys.well_formed(key)
    for place in range(len(key)):
        changed = key[:place] + ("0" if key[place] != "0" else "1") + key[place + 1 :]
        assert not keys.well_formed(changed), place
    assert not keys.well_formed(key + "0")
    assert not keys.well_formed("")


async def test_a_key_does_what_its_scopes_say(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person, "profile:read")
    me = await program.call("GET", "/api/v1/me", token=made["key"])
    assert me.json()["id"] == str(person.id)
    written = await program.call("POST", "/api/v1/entries", {"title": "x", "body": "x"}, token=made["key"])
    assert written.status_code == 403
    listed = (await person.program.get("/api/v1/me/keys")).json()["items"]
    assert [item["id"] for item in listed] == [made["id"]]
    assert made["key"] not in str(listed)
    stored = await site.rows("SELECT * FROM api_keys WHERE id = :id", id=made["id"])
    assert made["key"] not in str(stored)


async def test_a_key_never_does_more_than_its_owner_may_now(site: Site, ada: Person, program: Program) -> None:
    person = await makers.signed_in(site, "sponsor", "admin")
    made = await key_of(person, "admin:read", "documents:read")
    assert (await program.call("GET", "/api/v1/admin/people", token=made["key"])).status_code == 200
    answer = await ada.program.put(
        f"/api/v1/admin/people/{person.id}/roles", {"roles": ["sponsor"], "reason": "for the test"}
    )
    assert answer.status_code == 200
    refused = await soon_refused(program, "/api/v1/admin/people", made["key"])
    assert refused in (401, 403)


async def soon_refused(program: Program, path: str, token: str) -> int:
    """How the first refusal reads; it must come within a second."""
    start = now()
    while (answer := await program.call("GET", path, token=token)).status_code == 200:
        assert now() - start < timedelta(seconds=1)
    return answer.status_code


@pytest.mark.parametrize("way", ["revoke", "suspend", "page"])
async def test_an_ended_key_opens_nothing(site: Site, ada: Person, program: Program, way: str) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person)
    assert (await program.call("GET", "/api/v1/me", token=made["key"])).status_code == 200
    if way == "revoke":
        assert (await person.program.delete(f"/api/v1/me/keys/{made['id']}")).status_code == 204
        assert (await person.program.delete(f"/api/v1/me/keys/{made['id']}")).status_code == 404
    elif way == "page":
        answer = await person.browser.post(f"/account/keys/{made['id']}/revoke", page="/account/keys")
        assert answer.status_code == 303
    else:
        await ada.program.post(f"/api/v1/admin/people/{person.id}/suspend", {"reason": "for the test"})
    assert await soon_refused(program, "/api/v1/me", made["key"]) == 401


async def test_a_key_runs_out(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person, expires_at=(now() + timedelta(days=1)).isoformat())
    assert (await program.call("GET", "/api/v1/me", token=made["key"])).status_code == 200
    await site.change("UPDATE api_keys SET expires_at = now() WHERE id = :id", id=made["id"])
    assert (await program.call("GET", "/api/v1/me", token=made["key"])).status_code == 401


async def test_a_key_stays_in_its_network(site: Site) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person, networks=["192.0.2.0/24", "2001:db8::/32"])
    for address, status in (("192.0.2.7", 200), ("192.0.3.7", 401), ("2001:db8::1", 200), ("127.0.0.1", 401)):
        caller = site.program(address)
        assert (await caller.call("GET", "/api/v1/me", token=made["key"])).status_code == status, address


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": []},
        {"scopes": ["everything"]},
        {"name": ""},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"expires_at": "2999-01-01T00:00:00Z"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"networks": ["nowhere"]},
    ],
)
async def test_what_is_no_key(alice: Person, wrong: dict[str, Any]) -> None:
    answer = await alice.program.post("/api/v1/me/keys", {"name": "x", "scopes": ["profile:read"]} | wrong)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, list(wrong))


async def test_a_key_begets_no_wider_key(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person, "profile:write")
    wider = {"name": "wider", "scopes": ["entries:write"]}
    answer = await program.call("POST", "/api/v1/me/keys", wider, token=made["key"])
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["scopes"])


async def test_strangers_cannot_revoke_it(site: Site, charlie: Person) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person)
    assert (await charlie.program.delete(f"/api/v1/me/keys/{made['id']}")).status_code == 404
    answer = await charlie.browser.post(f"/account/keys/{made['id']}/revoke", page="/account/keys/new")
    assert answer.status_code == 404


async def test_the_last_use_is_written_once_a_minute(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    made = await key_of(person)
    touches: KeyTouches = site.app.extensions[KeyTouches.__name__]
    seen = []
    for _ in range(2):
        await program.call("GET", "/api/v1/me", token=made["key"])
        await touches.write()
        rows = await site.rows("SELECT last_used_at, xmin::text FROM api_keys WHERE id = :id", id=made["id"])
        seen.append(tuple(rows[0]))
    assert seen[0][0] is not None
    assert seen[0] == seen[1], "the second use within a minute writes nothing"


async def test_making_one_by_page(site: Site) -> None:
    person = await makers.signed_in(site)
    form = {"name": "Nightly export", "scopes": "entries:read", "expires_on": "", "networks": "192.0.2.0/24"}
    answer = await person.browser.post("/account/keys/new", form)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    shown = (await person.browser.get("/account/keys")).text
    assert "Nightly export" in shown
    assert "scr_" in shown
    wrong = await person.browser.post("/account/keys/new", {"name": "Nightly", "networks": "nowhere"})
    assert wrong.status_code == 422
    assert 'value="Nightly"' in wrong.text


async def test_an_old_sign_in_confirms_first(site: Site) -> None:
    person = await makers.signed_in(site)
    stale = "UPDATE sessions SET fresh_at = now() - interval '1 day' WHERE person_id = :id"
    await site.change(stale, id=person.id)
    before = person.browser.cookies()
    thief = person.browser.copy(site.app)
    for path in ("/account/keys/new", "/account/clients/new"):
        sent = await person.browser.get(path)
        assert (sent.status_code, sent.headers["location"]) == (303, f"/account/confirm?next={path}")
    unsent = await person.browser.post("/account/keys/new", {"name": "x"}, page="/account/keys")
    assert unsent.headers["location"] == "/account/confirm?next=/account/keys/new"
    wrong = await person.browser.post("/account/confirm", {"password": "wrong", "next": "/account/keys/new"})
    assert wrong.status_code == 422
    assert 'value="/account/keys/new"' in wrong.text
    right = {"password": person.password, "next": "/account/keys/new"}
    answer = await person.browser.post("/account/confirm", right)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/keys/new")
    assert person.browser.cookies() != before, "the session goes on under another token"
    assert (await person.browser.get("/account/keys/new")).status_code == 200
    await soon(lambda: thief.get("/account"), 303)
    assert "Sign out here" in (await person.browser.get("/account/sessions")).text


async def test_confirming_leads_nowhere_else(site: Site) -> None:
    person = await makers.signed_in(site)
    answer = await person.browser.post(
        "/account/confirm", {"password": person.password, "next": "https://evil.example/"}, page="/account/confirm"
    )
    assert answer.headers["location"] == "/account"


async def test_confirming_draws_from_the_sign_in_limit(site: Site) -> None:
    person = await makers.person(site)
    await person.browser.sign_in(person.email, person.password)
    token = await person.browser.token("/account/confirm")
    form = {FORM_TOKEN: token, "password": "wrong", "next": ""}
    await person.browser.send("/account/confirm", form)
    events = await site.rows("SELECT kind FROM audit_events WHERE target_id = :id", id=str(person.id))
    assert "sign_in.refused" in [event.kind for event in events]


async def test_clients_by_page(site: Site, ada: Person) -> None:
    person = await makers.signed_in(site)
    form = {
        "name": "Page client",
        "kind": "confidential",
        "redirect_uris": "https://app.example/cb",
        "scopes": "openid",
    }
    made = await person.browser.post("/account/clients/new", form)
    assert made.status_code == 201, made.text
    assert "scr_cs_" in made.text
    wrong = await person.browser.post("/account/clients/new", form | {"redirect_uris": "http://app.example/cb"})
    assert wrong.status_code == 422
    listed = (await person.program.get("/api/v1/me/clients")).json()["items"]
    assert [item["name"] for item in listed] == ["Page client"]
    assert "Page client" in (await ada.browser.get("/admin/clients")).text
    assert (await person.browser.get("/admin/clients")).status_code == 403
    ended = await ada.browser.post(f"/admin/clients/{listed[0]['client_id']}/end", page="/admin/clients")
    assert ended.status_code == 303
    assert (await person.program.get("/api/v1/me/clients")).json()["items"] == []
