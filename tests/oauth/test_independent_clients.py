"""Clients written by others, as judges: each goes the whole way, against the server on a real port."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.cast import Person
from tests.oauth.flow import CALLBACK, EVERYTHING, client_of, decide
from tests.oauth.programs import node, run
from tests.site import Site


@pytest.mark.parametrize("script", ["oauth4webapi.mjs", "openid-client.mjs"])
async def test_javascript_clients(served_site: Site, reader: Person, script: str) -> None:
    client = await client_of(reader)
    assert client.secret is not None
    said = await run(node(), script, served_site.settings.public_url, client.id, client.secret, CALLBACK, person=reader)
    told = json.loads(said.strip().splitlines()[-1])
    assert (told["done"], told["sub"], told["email"]) == (True, str(reader.id), reader.email)


async def test_a_public_javascript_client(served_site: Site, reader: Person) -> None:
    client = await client_of(reader, kind="public")
    said = await run(
        node(), "openid-client.mjs", served_site.settings.public_url, client.id, "", CALLBACK, person=reader
    )
    assert json.loads(said.strip().splitlines()[-1])["sub"] == str(reader.id)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlib(served_site: Site, reader: Person, method: str) -> None:
    client, us = await client_of(reader), served_site.settings.public_url
    async with httpx.AsyncClient() as plain:
        found = (await plain.get(f"{us}/.well-known/openid-configuration")).json()
        keys = KeySet.import_key_set((await plain.get(found["jwks_uri"])).json())
    async with AsyncOAuth2Client(
        client.id,
        client.secret,
        scope=" ".join(EVERYTHING),
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method=method,
    ) as session:
        address, state = session.create_authorization_url(
            found["authorization_endpoint"], code_verifier=client.verifier, nonce="n"
        )
        back = await decide(reader.browser, dict(parse_qsl(urlsplit(address).query)))
        made = await session.fetch_token(
            found["token_endpoint"],
            authorization_response=back.headers["location"],
            code_verifier=client.verifier,
            state=state,
        )
        identity = jwt.decode(made["id_token"], keys, algorithms=["ES256"]).claims
        assert (identity["sub"], identity["nonce"]) == (str(reader.id), "n")
        assert (await session.get(found["userinfo_endpoint"])).json()["email"] == reader.email
        second = await session.refresh_token(found["token_endpoint"])
        assert second["refresh_token"] != made["refresh_token"]
        about = await session.introspect_token(found["introspection_endpoint"], token=second["access_token"])
        assert about.json()["active"] is True
        await session.revoke_token(found["revocation_endpoint"], token=second["refresh_token"])
        with pytest.raises(OAuthError, match="invalid_grant"):
            await session.refresh_token(found["token_endpoint"], refresh_token=second["refresh_token"])
    async with AsyncOAuth2Client(
        client.id, client.secret, scope="profile:read", token_endpoint_auth_method=method
    ) as itself:
        await itself.fetch_token(found["token_endpoint"], grant_type="client_credentials")
        assert (await itself.get(f"{us}/api/v1/me")).json()["id"] == str(reader.id)
