"""Access tokens and everything that is not one: a matrix of forged, broken, foreign and outlived tokens (RFC 8725)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from time import time
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from app.tokens.service import Tokens
from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site

Header = dict[str, Any]
Claims = dict[str, Any]


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def opened(token: str) -> tuple[Header, Claims]:
    head, body, _ = token.split(".")
    return json.loads(urlsafe_b64decode(head + "==")), json.loads(urlsafe_b64decode(body + "=="))


class Forge:
    """Makes tokens from a good one: re-signed with the true key, with another, or with none."""

    def __init__(self, token: str, key: ECKey) -> None:
        self.token = token
        self.header, self.claims = opened(token)
        self.key = key

    def signed(self, header: Header | None = None, claims: Claims | None = None, key: ECKey | None = None) -> str:
        """Signed as asked, also where no library would do so."""
        head = {**self.header, **(header or {})}
        body = {**self.claims, **(claims or {})}
        head = {name: value for name, value in head.items() if value is not ...}
        body = {name: value for name, value in body.items() if value is not ...}
        return self.raw(part(head), part(body), key)

    def raw(self, head: str, body: str, key: ECKey | None = None) -> str:
        """The true algorithm (RFC 7518 3.4) over any two parts."""
        message = f"{head}.{body}".encode()
        private = (key or self.key).private_key
        assert private is not None
        r, s = utils.decode_dss_signature(private.sign(message, ec.ECDSA(SHA256())))
        return f"{head}.{body}.{part(r.to_bytes(32) + s.to_bytes(32))}"


def hs256(forge: Forge, secret: bytes, header: Header | None = None) -> str:
    """The classic confusion: an HMAC under something public."""
    head, body = part({**forge.header, "alg": "HS256", **(header or {})}), part(forge.claims)
    return f"{head}.{body}.{part(hmac.new(secret, f'{head}.{body}'.encode(), hashlib.sha256).digest())}"


OTHER = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
Bad = Callable[[Forge], str]
HEADERS: dict[str, Header] = {
    "no algorithm": {"alg": ...},
    "algorithm none": {"alg": "none"},
    "algorithm None": {"alg": "None"},
    "algorithm in lower case": {"alg": "es256"},
    "another curve": {"alg": "ES384"},
    "an algorithm for RSA": {"alg": "RS256"},
    "algorithm not a text": {"alg": ["ES256"]},
    "no type": {"typ": ...},
    "type of any JWT": {"typ": "JWT"},
    "type of an identity token": {"typ": "id+jwt"},
    "no key id": {"kid": ...},
    "an unknown key id": {"kid": "99"},
    "a key id that is a number": {"kid": 1},
    "a key id that is a path": {"kid": "../../dev/null"},
    "a key id that is SQL": {"kid": "1' OR '1'='1"},
    "a negative key id": {"kid": "-1"},
    "a key id with a superscript": {"kid": "¹"},
    "an endless key id": {"kid": "9" * 3000},
    "a key brought along": {"jwk": OTHER.as_dict(private=False)},
    "an address of keys": {"jku": "http://127.0.0.1:1/keys"},
    "an address of a certificate": {"x5u": "http://127.0.0.1:1/x"},
    "a certificate brought along": {"x5c": ["AAAA"]},
    "a critical extension": {"crit": ["b64"], "b64": False},
    "a zipped payload": {"zip": "DEF"},
    "a nested token": {"cty": "JWT"},
}
CLAIMS: dict[str, Callable[[], Claims]] = {
    "expired": lambda: {"exp": int(time()) - 1},
    "expired long ago": lambda: {"exp": 0},
    "never expires": lambda: {"exp": ...},
    "expiry as text": lambda: {"exp": "9999999999"},
    "expiry null": lambda: {"exp": None},
    "from the future": lambda: {"iat": int(time()) + 600},
    "no time of issue": lambda: {"iat": ...},
    "another issuer": lambda: {"iss": "https://evil.example"},
    "no issuer": lambda: {"iss": ...},
    "issuer with a slash": lambda: {"iss": "http://127.0.0.1:5000/"},
    "another audience": lambda: {"aud": "https://other.example"},
    "no audience": lambda: {"aud": ...},
    "many audiences": lambda: {"aud": ["http://127.0.0.1:5000", "https://other.example"]},
    "nobody": lambda: {"sub": ...},
    "somebody unknown": lambda: {"sub": str(uuid4())},
    "subject no id": lambda: {"sub": "admin"},
    "an unknown family": lambda: {"fam": str(uuid4())},
    "no family": lambda: {"fam": ...},
    "another epoch": lambda: {"epo": 99},
    "epoch as text": lambda: {"epo": "0"},
    "epoch true": lambda: {"epo": True},
    "no scope": lambda: {"scope": ...},
    "scopes as a list": lambda: {"scope": ["protected:read"]},
    "no token id": lambda: {"jti": ...},
    "no client": lambda: {"client_id": ...},
}


def with_header(change: Header) -> Bad:
    return lambda forge: forge.signed(header=change)


def with_claims(change: Callable[[], Claims]) -> Bad:
    return lambda forge: forge.signed(claims=change())


FORGED: dict[str, Bad] = {
    "nothing": lambda _: "",
    "a word": lambda _: "xyzzy",
    "two parts": lambda f: ".".join(f.token.split(".")[:2]),
    "four parts": lambda f: f.token + ".x",
    "five parts": lambda f: f"{f.token}.x.y",
    "no signature": lambda f: ".".join(f.token.split(".")[:2]) + ".",
    "unsigned by its own word": lambda f: (
        part({"alg": "none", "typ": "at+jwt", "kid": f.header["kid"]}) + f".{part(f.claims)}."
    ),
    "a signature cut short": lambda f: f.token[:-6],
    "a signature with one bit changed": lambda f: f.token[:-10] + ("A" if f.token[-10] != "A" else "B") + f.token[-9:],
    "a signature of zeros": lambda f: ".".join(f.token.split(".")[:2]) + "." + part(bytes(64)),
    "signed by somebody else": lambda f: f.signed(key=OTHER),
    "claims changed under the old signature": lambda f: ".".join(
        (f.token.split(".")[0], part({**f.claims, "scope": "admin:write"}), f.token.split(".")[2])
    ),
    "an HMAC under the public key": lambda f: hs256(f, f.key.as_pem(private=False)),
    "an HMAC under the public key as JSON": lambda f: hs256(f, json.dumps(f.key.as_dict(private=False)).encode()),
    "an HMAC under nothing": lambda f: hs256(f, b""),
    "an HMAC by a library": lambda f: jwt.encode(
        {**f.header, "alg": "HS256"}, f.claims, OctKey.import_key(b"x" * 32), algorithms=["HS256"]
    ),
    "signed with RSA": lambda f: jwt.encode({**f.header, "alg": "RS256"}, f.claims, RSA, algorithms=["RS256"]),
    "a header that is a list": lambda f: f.raw(part(["ES256"]), part(f.claims)),
    "a header that is no JSON": lambda f: f.raw(part(b"{"), part(f.claims)),
    "a header nested deeply": lambda f: f.raw(part(b'{"alg":' + b"[" * 2000), part(f.claims)),
    "a header that is no base64": lambda f: "!!!." + ".".join(f.token.split(".")[1:]),
    "claims that are a list": lambda f: f.raw(part(f.header), part([f.claims])),
    "claims that are no JSON": lambda f: f.raw(part(f.header), part(b"\xff")),
    "claims that are null": lambda f: f.raw(part(f.header), part(None)),
    "no claims at all": lambda f: f.raw(part(f.header), ""),
    "claims nested deeply": lambda f: f.raw(part(f.header), part(b"[" * 2000)),
    "padding": lambda f: f.token + "==",
    "a line break": lambda f: f.token.replace(".", ".\t", 1),
    "a letter beyond ASCII": lambda f: "é" + f.token[1:],
    "a token of a megabyte": lambda f: f.signed(claims={"jti": "x" * 5000}),
    **{f"header: {name}": with_header(change) for name, change in HEADERS.items()},
    **{f"claims: {name}": with_claims(change) for name, change in CLAIMS.items()},
}


@pytest.fixture
def forge(site: Site, bob: Person) -> Forge:
    ring = site.resources.secrets.snapshot.rings["token"]
    return Forge(bob.program.token, ECKey.import_key(ring.signing.value))


async def test_the_forge_can_make_good_ones(program: Program, forge: Forge) -> None:
    assert (await program.call("GET", "/api/v1/me", token=forge.signed())).status_code == 200
    assert len(FORGED) >= 40


@pytest.mark.parametrize("name", FORGED)
async def test_what_is_no_token_of_ours(program: Program, forge: Forge, name: str) -> None:
    token = FORGED[name](forge)
    header = b"Bearer " + token.encode("utf-8")
    for path in ("/api/secure", "/protected_data"):
        refused = await program.http.get(path, headers={b"authorization": header})
        assert refused.status_code == 401, name
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert refused.headers["content-type"] == "application/problem+json"
        assert token == "" or token not in refused.text


async def test_a_foreign_scope_is_not_taken_over(program: Program, forge: Forge) -> None:
    """Scopes in a well-signed token are held against the vocabulary and the family, never simply believed."""
    token = forge.signed(claims={"scope": "profile:read everything:write"})
    assert (await program.call("GET", "/api/v1/me", token=token)).status_code == 200
    assert (await program.call("GET", "/protected_data", token=token)).status_code == 403


async def test_an_expired_token_is_forgotten_too(site: Site, program: Program, forge: Forge) -> None:
    """A token whose signature was remembered ends at its time all the same."""
    tokens: Tokens = site.app.extensions[Tokens.__name__]
    ends = time()
    while time() >= ends:  # a machine that was busy for so long that it ended meanwhile has shown nothing
        ends = int(time() + 0.5) + 1
        token = forge.signed(claims={"exp": ends})
        told = [tokens.signer.verify(token) for _ in range(2)]
    assert None not in told
    await asyncio.sleep(float(opened(token)[1]["exp"]) - time())
    assert tokens.signer.verify(token) is None
    assert (await program.call("GET", "/api/v1/me", token=token)).status_code == 401


async def test_what_a_token_says(site: Site, bob: Person) -> None:
    header, claims = opened(bob.program.token)
    version = site.resources.secrets.snapshot.rings["token"].signing.version
    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": str(version)}
    assert claims.keys() == {"iss", "aud", "sub", "iat", "exp", "jti", "scope", "client_id", "fam", "epo"}
    assert claims["exp"] - claims["iat"] <= 900
    assert bob.email not in json.dumps(claims)


async def test_the_published_keys_verify_it_and_say_nothing_private(program: Program, bob: Person) -> None:
    answer = await program.get("/.well-known/jwks.json")
    assert answer.status_code == 200
    keys = answer.json()["keys"]
    assert keys
    for key in keys:
        assert key.keys() >= {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert "d" not in key
        assert (key["use"], key["alg"]) == ("sig", "ES256")
    decoded = jwt.decode(bob.program.token, KeySet.import_key_set(answer.json()), algorithms=["ES256"])
    assert decoded.claims["sub"] == str(bob.id)


async def test_two_authorization_headers_are_refused(site: Site, bob: Person) -> None:
    pair = [("authorization", f"Bearer {bob.program.token}"), ("authorization", "Bearer x")]
    for headers in (pair, pair[::-1]):
        answer = await site.program().http.get("/api/secure", headers=headers)
        assert answer.status_code in (400, 401)


async def test_a_token_in_the_address_is_not_looked_at(program: Program, bob: Person) -> None:
    for query in (f"access_token={bob.program.token}", f"token={bob.program.token}"):
        assert (await program.get(f"/api/secure?{query}")).status_code == 401


async def test_a_token_of_another_house_is_not_taken(site: Site, program: Program) -> None:
    person = await makers.signed_in(site)
    header, claims = opened(person.program.token)
    alien = jwt.encode(header, claims, OTHER, algorithms=["ES256"])
    assert (await program.call("GET", "/api/v1/me", token=alien)).status_code == 401
