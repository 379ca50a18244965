"""What is refused: replays, mixed clients, redirect tricks, PKCE downgrades, confused algorithms, races (RFC 9700)."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from app.oauth.clients import acceptable_redirect, registered
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.oauth.flow import CALLBACK, Client, client_of, code_for, decide, parameters, tokens_for
from tests.site import Site
from tests.soon import soon

TRICKS = [
    CALLBACK + "/more",
    CALLBACK + "/",
    CALLBACK + "?x=1",
    CALLBACK + "?",
    CALLBACK + "#",
    CALLBACK + "#fragment",
    CALLBACK + ";x",
    CALLBACK + "\t",
    CALLBACK + "%09",
    CALLBACK + "%2f..",
    CALLBACK.replace("/cb", "/CB"),
    CALLBACK.replace("/cb", "/%63b"),
    CALLBACK.replace("/cb", "//cb"),
    CALLBACK.replace("/cb", "/x/../cb"),
    CALLBACK.replace("/cb", "\\cb"),
    CALLBACK.replace("http:", "HTTP:"),
    CALLBACK.replace("http:", "https:"),
    CALLBACK.replace("http://", "http:/"),
    CALLBACK.replace("http://", "//"),
    CALLBACK.replace("http://", "http://user@"),
    CALLBACK.replace("http://", "http://evil.example@"),
    CALLBACK.replace("127.0.0.1", "127.0.0.1.evil.example"),
    CALLBACK.replace("127.0.0.1:9999", "127.0.0.1:9999@evil.example"),
    CALLBACK.replace("127.0.0.1:9999", "127.0.0.1:0"),
    CALLBACK.replace("127.0.0.1:9999", "127.0.0.1:99999"),
    CALLBACK.replace("127.0.0.1:9999", "127.0.0.1:"),
    CALLBACK.replace("127.0.0.1:9999", "127.0.0.1: 80"),
    CALLBACK.replace("127.0.0.1", "127.0.0.2"),
    CALLBACK.replace("127.0.0.1", "0x7f.1"),
    CALLBACK.replace("127.0.0.1", "localhost"),
    CALLBACK.replace("127.0.0.1", "[::1]"),
    " " + CALLBACK,
    CALLBACK + " ",
    CALLBACK + "\n",
    "https://evil.example/cb",
    "javascript:alert(1)",
    "data:text/html,x",
    "",
    "*",
]


@pytest.fixture(scope="module")
async def owner(site: Site) -> Person:
    """Whoever runs the client."""
    return await makers.signed_in(site)


@pytest.fixture(scope="module")
async def client(owner: Person) -> Client:
    return await client_of(owner)


@pytest.mark.parametrize("uri", TRICKS)
async def test_a_code_goes_to_the_registered_address_only(client: Client, max: Person, uri: str) -> None:
    answer = await max.browser.http.get("/oauth/authorize", params=client.asks(redirect_uri=uri))
    assert answer.status_code in (400, 422), (answer.status_code, answer.headers.get("location"))
    assert "location" not in answer.headers
    assert not registered(uri, [CALLBACK])


def test_only_the_port_of_a_loopback_address_is_free() -> None:
    assert registered("http://127.0.0.1:1234/cb", [CALLBACK])
    assert registered("http://127.0.0.1/cb", [CALLBACK])
    assert registered("http://[::1]:1234/cb", ["http://[::1]/cb"])
    assert not registered("https://app.example:444/cb", ["https://app.example/cb"])
    assert not registered("http://localhost:1/cb", ["http://localhost/cb"])


@pytest.mark.parametrize(
    "uri",
    [
        "http://app.example/cb",
        "https://*.app.example/cb",
        "https://user@app.example/cb",
        "https://app.example/cb#x",
        "https://app.example;script-src/cb",
        "https://app.example,x/cb",
        "https://app.example:99999/cb",
        "https:///cb",
        "https://app.example/\u202e",
        "https://app.example/a b",
        "http://127.0.0.1.evil.example/",
        "javascript:alert(1)",
        "myapp:/cb",
        "com.example.app:alert(1)",
        "data:text/html,x",
        "",
    ],
)
async def test_what_no_client_may_register(alice: Person, uri: str) -> None:
    assert not acceptable_redirect(uri)
    answer = await alice.program.post("/api/v1/me/clients", {"name": "x", "redirect_uris": [uri]})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["redirect_uris"])


@pytest.mark.parametrize(
    "uri", ["https://app.example/cb?x=1", "http://localhost:8080/", "http://[::1]/cb", "com.example.app:/cb"]
)
def test_what_a_client_may_register(uri: str) -> None:
    assert acceptable_redirect(uri)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_not_supported"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"scope": "entries:read admin:write"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"prompt": "none"}, "consent_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"nonce": "x" * 1001}, "invalid_request"),
    ],
)
async def test_what_a_client_may_not_ask(client: Client, max: Person, changes: dict[str, Any], error: str) -> None:
    back = parameters(await max.browser.http.get("/oauth/authorize", params=client.asks(**changes)))
    assert (back["error"], back["state"], back["iss"]) == (error, "a state", max.site.settings.public_url)
    assert "code" not in back


async def test_prompt_none_tells_that_nobody_is_signed_in(site: Site, client: Client) -> None:
    answer = await site.browser().http.get("/oauth/authorize", params=client.asks(prompt="none"))
    assert parameters(answer)["error"] == "login_required"


async def test_a_stranger_is_not_sent_elsewhere(site: Site, client: Client) -> None:
    answer = await site.browser().http.get("/oauth/authorize", params=client.asks(response_type="token"))
    assert answer.headers["location"].startswith("/login"), "whoever follows a link must see this site first"


async def test_parameters_come_once(client: Client, max: Person) -> None:
    twice = urlencode([*client.asks().items(), ("redirect_uri", "https://evil.example/cb")])
    answer = await max.browser.http.get(f"/oauth/authorize?{twice}")
    assert answer.status_code == 422


async def test_consent_needs_the_form_token(client: Client, max: Person) -> None:
    answer = await max.browser.send("/oauth/authorize", client.asks() | {"decision": "agree"})
    assert answer.status_code == 403


@pytest.mark.parametrize("verifier", ["", "short", "x" * 43, "x" * 129, "ü" * 43, "a b" * 20])
async def test_the_verifier_must_be_the_right_one(client: Client, max: Person, verifier: str) -> None:
    code = await code_for(client, max)
    refused = await client.redeem(code, code_verifier=verifier)
    assert refused.status_code == 400
    assert refused.json()["error"] in ("invalid_grant", "invalid_request")
    if verifier:
        assert (await client.redeem(code)).json()["error"] == "invalid_grant", "a code is tried once"


async def test_the_challenge_is_no_verifier(client: Client, max: Person) -> None:
    code = await code_for(client, max)
    assert (await client.redeem(code, code_verifier=client.asks()["code_challenge"])).status_code == 400


async def test_a_code_replayed_ends_what_it_got(site: Site, client: Client, max: Person) -> None:
    code = await code_for(client, max)
    made = (await client.redeem(code)).json()
    second = (await client.refresh(made["refresh_token"])).json()
    replayed = await client.redeem(code)
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")
    assert await client.about(second["access_token"]) == {"active": False}
    assert (await client.refresh(second["refresh_token"])).json()["error"] == "invalid_grant"
    await soon(lambda: client.program.call("GET", "/oauth/userinfo", token=second["access_token"]), 401)


async def test_of_80_redemptions_at_once_one_gets_tokens(site: Site, client: Client, max: Person) -> None:
    code = await code_for(client, max)
    answers = await asyncio.gather(*(client.redeem(code) for _ in range(80)))
    good = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    refused = {answer.json()["error"] for answer in answers if answer.status_code != 200}
    # On a crowded machine some may have to wait longer for the code's row than anybody is let wait.
    assert refused <= {"invalid_grant", "temporarily_unavailable"}
    assert await client.about(good[0]["access_token"]) == {"active": False}, "and then loses them"


async def test_a_code_is_good_for_a_minute(site: Site, client: Client, max: Person) -> None:
    code = await code_for(client, max)
    await site.change("UPDATE authorization_codes SET expires_at = now() WHERE used_at IS NULL")
    assert (await client.redeem(code)).json()["error"] == "invalid_grant"


async def test_clients_do_not_mix(owner: Person, client: Client, max: Person) -> None:
    other = await client_of(owner, name="Another")
    code = await code_for(client, max)
    other.verifier = client.verifier
    assert (await other.redeem(code)).json()["error"] == "invalid_grant"
    made = await tokens_for(client, max)
    assert (await other.refresh(made["refresh_token"])).json()["error"] == "invalid_grant"
    assert await other.about(made["access_token"]) == {"active": False}
    await other.program.http.post("/oauth/revoke", data={"token": made["access_token"]}, auth=other.auth)
    assert (await client.about(made["access_token"]))["active"] is True
    first_party = await client.program.post("/api/v1/auth/refresh", {"refresh_token": made["refresh_token"]})
    assert first_party.status_code == 401
    assert (await client.refresh(made["refresh_token"])).status_code == 200, "and nothing of that harmed it"
    assert (await client.refresh(max.program.refresh_token)).json()["error"] == "invalid_grant"


async def test_redirect_address_and_code_belong_together(owner: Person, max: Person) -> None:
    second = "https://app.example/cb"
    client = await client_of(owner, redirect_uris=[CALLBACK, second])
    code = await code_for(client, max)
    assert (await client.redeem(code, redirect_uri=second)).json()["error"] == "invalid_grant"


async def test_clients_prove_who_they_are(program: Program, client: Client, max: Person) -> None:
    code = await code_for(client, max)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": client.verifier,
    }
    refused: list[dict[str, Any]] = [
        {"data": form},
        {"data": form | {"client_id": client.id}},
        {"data": form | {"client_id": client.id, "client_secret": "wrong"}},
        {"data": form, "auth": (client.id, "wrong")},
        {"data": form, "auth": ("nobody", "wrong")},
        {"data": form, "headers": {"Authorization": "Bearer x"}},
        {"data": form, "headers": {"Authorization": "Basic %%%"}},
    ]
    for request in refused:
        for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke"):
            answer = await program.http.post(path, **request)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), request
            assert answer.headers["www-authenticate"].startswith("Basic")
    twice = await program.http.post(
        "/oauth/token", data=form | {"client_id": client.id, "client_secret": client.secret or ""}, auth=client.auth
    )
    assert twice.json()["error"] == "invalid_request"
    assert (await client.redeem(code)).status_code == 200


@pytest.mark.parametrize("grant", ["password", "implicit", "", "urn:ietf:params:oauth:grant-type:device_code"])
async def test_other_grants_are_not_offered(client: Client, grant: str) -> None:
    answer = await client.token(grant_type=grant, username="x", password="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_an_id_token_is_no_access_token(client: Client, max: Person) -> None:
    made = await tokens_for(client, max)
    assert (await client.program.call("GET", "/api/v1/me", token=made["id_token"])).status_code == 401
    assert (await client.program.call("GET", "/oauth/userinfo", token=made["id_token"])).status_code == 401
    assert await client.about(made["id_token"]) == {"active": False}


async def test_endpoints_take_forms_only(client: Client) -> None:
    answer = await client.program.http.post("/oauth/token", json={"grant_type": "client_credentials"}, auth=client.auth)
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")
    query = await client.program.http.post("/oauth/token?grant_type=client_credentials", auth=client.auth)
    assert query.status_code in (400, 415)


async def test_a_narrow_token_begets_no_wide_client(site: Site) -> None:
    person = await makers.signed_in(site, "admin")
    key = await person.program.post("/api/v1/me/keys", {"name": "k", "scopes": ["profile:write"]})
    answer = await person.program.call(
        "POST", "/api/v1/me/clients", {"name": "x", "scopes": ["admin:write"]}, token=key.json()["key"]
    )
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["scopes"])


@pytest.mark.parametrize("status", ["suspended"])
async def test_a_barred_person_loses_grants_and_clients(site: Site, ada: Person, max: Person, status: str) -> None:
    owner = await makers.signed_in(site)
    client = await client_of(owner, scopes=["openid", "entries:read"])
    theirs = await tokens_for(client, max, scope="openid")
    own = await tokens_for(client, owner, scope="openid")
    itself = (await client.token(grant_type="client_credentials")).json()
    code = await code_for(client, owner, scope="openid")
    await ada.program.post(f"/api/v1/admin/people/{owner.id}/suspend", {"reason": "for the test"})
    for token in (own, itself):
        await soon(lambda: client.program.call("GET", "/protected_data", token=token["access_token"]), 401)  # noqa: B023 - awaited here
    assert (await client.redeem(code)).json()["error"] == "invalid_client"
    assert (await client.refresh(theirs["refresh_token"])).json()["error"] == "invalid_client"
    assert (await client.token(grant_type="client_credentials")).json()["error"] == "invalid_client"


async def test_deciding_twice_gives_two_codes(client: Client, max: Person) -> None:
    one, two = [parameters(await decide(max.browser, client.asks()))["code"] for _ in range(2)]
    assert one != two
