"""Access tokens: JWTs by RFC 9068, signed with ES256 under a key ring from Vault, and the checks of RFC 8725.

The private key is held in memory, or by a setting only in Vault's transit engine; tokens and checks are the same.

The key's version is the `kid`.  `fam` names the token family and `epo` the person's epoch, so that ending either voids
the token at once although its signature stays right.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from time import time
from typing import Any, Final
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from app.access import SCOPES
from app.settings import Settings
from app.tokens.signing import Signing
from app.vault.snapshot import Key, KeyRing

ALGORITHM: Final = "ES256"
TYPE: Final = "at+jwt"
CLOCK_SKEW: Final = 5.0
MAX_LENGTH: Final = 4096
DOTS: Final = 2
FIRST_PARTY: Final = "scriptorium"


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str
    sub: UUID
    exp: float
    iat: float
    jti: str
    scope: str
    client_id: str
    fam: UUID
    epo: int


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token whose signature and claims were checked; whether its person and family still stand is asked elsewhere."""

    person_id: UUID
    family_id: UUID
    epoch: int
    scopes: frozenset[str]
    client_id: str
    token_id: str
    issued_at: float
    expires_at: float
    key_version: int


class TokenSigner:
    """Issues and verifies access tokens.  Verified signatures are remembered by token hash until they expire."""

    def __init__(
        self, settings: Settings, ring: Callable[[], KeyRing], signing: Signing, *, remember: int = 20_000
    ) -> None:
        self._settings = settings
        self._ring = ring
        self._signing = signing
        self._keys: dict[tuple[int, bytes], ECKey] = {}
        self._remembered: OrderedDict[bytes, AccessToken] = OrderedDict()
        self._remember = remember
        self.forged = 0  # tokens that nobody here ever signed; those that have merely expired are not among them
        self.unknown_keys = 0  # tokens whose key we do not know: forged, long retired, or from a host ahead of us

    async def issue(
        self, *, person_id: UUID, family_id: UUID, epoch: int, scopes: frozenset[str], client_id: str
    ) -> str:
        """A new access token, good for `settings.access_token_life` seconds; raises Unavailable."""
        moment = int(time())
        claims = {
            "iss": self._settings.public_url,
            "aud": self._settings.public_url,
            "sub": str(person_id),
            "iat": moment,
            "exp": moment + int(self._settings.access_token_life),
            "jti": secrets.token_urlsafe(12),
            "scope": " ".join(sorted(scopes)),
            "client_id": client_id,
            "fam": str(family_id),
            "epo": epoch,
        }
        return await self._signed(TYPE, claims)

    async def issue_id_token(self, claims: Mapping[str, Any]) -> str:
        """An ID token (OpenID Connect Core 2) over these claims; its type keeps it from passing as an access token."""
        moment = int(time())
        stamped = {
            "iss": self._settings.public_url,
            "iat": moment,
            "exp": moment + int(self._settings.access_token_life),
            **claims,
        }
        return await self._signed("JWT", stamped)

    def verify(self, token: str) -> AccessToken | None:
        """The checked token, or None for anything that is not a live access token of ours."""
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._remembered.get(digest)
        ring = self._ring()
        if known is not None and ring.find(known.key_version) is not None:
            return known if known.expires_at > time() else None
        claims = self._claims(token, ring)
        if claims is None:
            self.forged += 1
            return None
        checked = self._current(*claims)
        if checked is not None:
            self._remembered[digest] = checked
            if len(self._remembered) > self._remember:
                self._remembered.popitem(last=False)
        return checked

    def forget(self) -> None:
        """Drop every remembered signature, as when keys change."""
        self._remembered.clear()

    def public_keys(self) -> list[Mapping[str, Any]]:
        """The JWKS entries (RFC 7517) of every usable key, the coming one included."""
        return [
            {**self._key(key).as_dict(private=False), "kid": self._kid(key), "use": "sig", "alg": ALGORITHM}
            for key in self._ring().verifying
        ]

    def _claims(self, token: str, ring: KeyRing) -> tuple[_Claims, int] | None:
        """What a key of ours signed, and which; None for everything else."""
        if len(token) > MAX_LENGTH or token.count(".") != DOTS:
            return None
        try:
            header = msgspec.json.decode(_unpadded(token.partition(".")[0]), type=dict[str, Any])
            version = header.get("kid")
            # Exactly these three members: `jwk`, `jku`, `x5u`, `crit` and the like have no place here (RFC 8725 3.10)
            if set(header) != {"alg", "typ", "kid"} or header["alg"] != ALGORITHM or header["typ"] != TYPE:
                return None
            key = self._named(version, ring)
            if key is None:
                self.unknown_keys += 1
                return None
            decoded = jwt.decode(token, self._key(key), algorithms=[ALGORITHM])
            claims = msgspec.convert(decoded.claims, _Claims)
        except (JoseError, ValueError, TypeError, RecursionError, msgspec.MsgspecError):
            return None
        return claims, key.version

    def _current(self, claims: _Claims, key_version: int) -> AccessToken | None:
        moment, us = time(), self._settings.public_url
        if claims.iss != us or claims.aud != us or claims.exp <= moment or claims.iat > moment + CLOCK_SKEW:
            return None
        scopes = frozenset(claims.scope.split()).intersection(SCOPES)
        return AccessToken(
            claims.sub,
            claims.fam,
            claims.epo,
            scopes,
            claims.client_id,
            claims.jti,
            claims.iat,
            claims.exp,
            key_version,
        )

    async def _signed(self, kind: str, claims: Mapping[str, Any]) -> str:
        key = self._ring().signing
        header = {"alg": ALGORITHM, "typ": kind, "kid": self._kid(key)}
        data = b".".join(_part(msgspec.json.encode(one)) for one in (header, claims))
        return (data + b"." + _part(await self._signing(key, data))).decode("ascii")

    def _kid(self, key: Key) -> str:
        return f"{self._signing.prefix}{key.version}"

    def _named(self, kid: object, ring: KeyRing) -> Key | None:
        if not isinstance(kid, str) or not kid.startswith(self._signing.prefix):
            return None
        version = kid.removeprefix(self._signing.prefix)
        return ring.find(int(version)) if version.isascii() and version.isdecimal() else None

    def _key(self, key: Key) -> ECKey:
        name = (key.version, sha256(key.value).digest())
        parsed = self._keys.get(name)
        if parsed is None:
            parsed = self._keys[name] = ECKey.import_key(key.value)
        return parsed


def _part(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _unpadded(part: str) -> bytes:
    encoded = part.encode("ascii")
    return urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
