"""The code flow and its neighbours, as the RFCs have them, for clients that do everything right."""

from __future__ import annotations

from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet

from app.web.headers import CSP
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.oauth.flow import CALLBACK, client_of, decide, parameters, tokens_for
from tests.site import Site
from tests.soon import soon


async def claims_of(program: Program, token: str) -> dict[str, Any]:
    """The claims of a token, its signature checked by the published keys."""
    keys = KeySet.import_key_set((await program.get("/.well-known/jwks.json")).json())
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


async def test_discovery_names_endpoints_that_are_there(program: Program, site: Site) -> None:
    for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
        found = (await program.get(path)).json()
        assert found["issuer"] == site.settings.public_url
        assert found["code_challenge_methods_supported"] == ["S256"]
        assert found["response_types_supported"] == ["code"]
        for name, url in found.items():
            if name.endswith("_endpoint") or name == "jwks_uri":
                answer = await program.call("OPTIONS", url.removeprefix(found["issuer"]))
                assert answer.status_code == 200, (name, answer.status_code)


async def test_a_person_signs_in_to_a_client(alice: Person, max: Person) -> None:
    client = await client_of(alice)
    back = parameters(await decide(max.browser, client.asks()))
    assert (back["state"], back["iss"]) == ("a state", max.site.settings.public_url)
    answer = await client.redeem(back["code"])
    assert answer.status_code == 200, answer.text
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")
    made = answer.json()
    assert (made["token_type"], made["expires_in"]) == ("Bearer", 900)
    identity = await claims_of(client.program, made["id_token"])
    assert (identity["aud"], identity["sub"], identity["nonce"]) == (client.id, str(max.id), "a nonce")
    assert identity["auth_time"] <= identity["iat"]
    access = await claims_of(client.program, made["access_token"])
    assert (access["client_id"], access["sub"]) == (client.id, str(max.id))
    info = (await client.program.call("GET", "/oauth/userinfo", token=made["access_token"])).json()
    assert info == {"sub": str(max.id), "email": max.email, "name": max.name}
    assert (await client.program.call("GET", "/api/v1/me", token=made["access_token"])).status_code == 200
    refused = await client.program.call("GET", "/api/v1/documents", token=made["access_token"])
    assert refused.status_code == 403, "a scope nobody agreed to"


async def test_tokens_are_refreshed_narrowed_and_revoked(alice: Person, max: Person) -> None:
    client = await client_of(alice)
    made = await tokens_for(client, max)
    more = await client.refresh(made["refresh_token"], scope="entries:read admin:write")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    second = (await client.refresh(made["refresh_token"], scope="entries:read")).json()
    assert second["scope"] == "entries:read"
    assert (await client.program.call("GET", "/api/v1/me", token=second["access_token"])).status_code == 403
    third = (await client.refresh(second["refresh_token"])).json()
    assert "profile:read" in third["scope"], "what was agreed to stays"
    about = await client.about(third["access_token"])
    assert (about["active"], about["client_id"], about["sub"]) == (True, client.id, str(max.id))
    gone = await client.program.http.post("/oauth/revoke", data={"token": third["refresh_token"]}, auth=client.auth)
    assert (gone.status_code, gone.content) == (200, b"")
    assert await client.about(third["access_token"]) == {"active": False}
    assert (await client.refresh(third["refresh_token"])).json()["error"] == "invalid_grant"
    await soon(lambda: client.program.call("GET", "/oauth/userinfo", token=third["access_token"]), 401)


async def test_a_client_acts_for_its_owner_and_never_for_more(alice: Person) -> None:
    client = await client_of(alice, redirect_uris=[], scopes=["entries:read", "profile:read", "admin:read"])
    answer = await client.token(grant_type="client_credentials")
    made = answer.json()
    assert "refresh_token" not in made
    assert (await client.program.call("GET", "/api/v1/me", token=made["access_token"])).json()["id"] == str(alice.id)
    refused = await client.program.call("GET", "/api/v1/admin/people", token=made["access_token"])
    assert refused.status_code == 403, "alice is no administrator"
    assert (await client.token(grant_type="client_credentials", scope="openid")).json()["error"] == "invalid_scope"


async def test_a_public_client_needs_no_secret(alice: Person, max: Person) -> None:
    client = await client_of(alice, kind="public")
    assert client.secret is None
    made = await tokens_for(client, max)
    assert (await client.refresh(made["refresh_token"])).status_code == 200
    refused = await client.token(grant_type="client_credentials")
    assert refused.json()["error"] == "unauthorized_client"


async def test_the_consent_page_says_who_asks_for_what(alice: Person, max: Person) -> None:
    client = await client_of(alice, name="<b>Reading & list</b>")
    shown = await max.browser.http.get("/oauth/authorize", params=client.asks())
    for words in (
        "&lt;b&gt;Reading &amp; list",
        "See your email address",
        "Read the journal",
        "127.0.0.1:9999",
        "30 days",
    ):
        assert words in shown.text, words
    policy = dict(part.strip().partition(" ")[::2] for part in shown.headers["content-security-policy"].split(";"))
    assert policy == {**CSP, "form-action": "'self' http://127.0.0.1:9999"}


async def test_declining_tells_the_client_so(alice: Person, max: Person) -> None:
    client = await client_of(alice)
    back = parameters(await decide(max.browser, client.asks(), "decline"))
    assert (back["error"], back["state"]) == ("access_denied", "a state")
    assert "code" not in back


async def test_a_visitor_signs_in_and_comes_back(site: Site, alice: Person) -> None:
    client, person = await client_of(alice), await makers.person(site)
    sent = await person.browser.http.get("/oauth/authorize", params=client.asks())
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/login?next=")
    target = dict(item.split("=", 1) for item in [sent.headers["location"].partition("?")[2]])["next"]
    answer = await person.browser.sign_in(person.email, person.password, target=_unquoted(target))
    assert answer.headers["location"].startswith("/oauth/authorize?"), answer.headers["location"]
    assert "asks for access" in (await person.browser.follow(answer)).text


def _unquoted(text: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415 - only here

    return unquote(text)


async def test_an_old_sign_in_is_confirmed_first(site: Site, alice: Person) -> None:
    client, person = await client_of(alice), await makers.signed_in(site)
    for wish in ({"prompt": "login"}, {"max_age": "60"}):
        await site.change(
            "UPDATE sessions SET fresh_at = now() - interval '1 hour' WHERE person_id = :id", id=person.id
        )
        sent = await person.browser.http.get("/oauth/authorize", params=client.asks(**wish))
        assert sent.headers["location"].startswith("/account/confirm?next="), wish
        shown = await person.browser.follow(sent)
        assert "Confirm that it is you" in shown.text
        target = _unquoted(sent.headers["location"].partition("next=")[2])
        answer = await person.browser.post(
            "/account/confirm", {"password": person.password, "next": target}, page="/account/confirm"
        )
        assert answer.headers["location"] == target
        assert "asks for access" in (await person.browser.follow(answer)).text
    made = await tokens_for(client, person)
    identity = await claims_of(client.program, made["id_token"])
    assert identity["iat"] - identity["auth_time"] < 60


async def test_disconnecting_ends_it_at_once(site: Site, alice: Person) -> None:
    client, person = await client_of(alice), await makers.signed_in(site)
    made = await tokens_for(client, person)
    assert "Reading list" in (await person.browser.get("/account/applications")).text
    listed = (await person.program.get("/api/v1/me/applications")).json()["items"]
    assert [item["client_id"] for item in listed] == [client.id]
    answer = await person.browser.post(f"/account/applications/{client.id}/disconnect", page="/account/applications")
    assert answer.status_code == 303
    await soon(lambda: client.program.call("GET", "/oauth/userinfo", token=made["access_token"]), 401)
    assert (await client.refresh(made["refresh_token"])).json()["error"] == "invalid_grant"
    assert CALLBACK not in (await person.browser.get("/account/applications")).text
