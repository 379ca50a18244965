"""Every call to Vault: hvac on threads of its own, short timeouts, and errors translated into a few of ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import hvac
import requests
from hvac import exceptions as hvac_errors
from hvac.adapters import JSONAdapter

from app.vault.errors import Denied, Down, Gone, Invalid, Missing, Sealed, VaultError
from app.vault.grants import LoginGrant, StaticGrant, TokenGrant, pick
from app.vault.lease import draw
from app.vault.tally import Tally
from app.vault.transit import ATTEMPTS, Transit

T = TypeVar("T")

TIMEOUT: Final = 3.0  # seconds for one answer; hvac's own default is 30
REDIRECTS: Final = range(300, 400)
HEALTH_WORDS: Final[Mapping[int, str]] = {
    200: "ready",
    429: "a standby",
    472: "a disaster recovery secondary",
    473: "a performance standby",
    501: "not initialised",
    503: "sealed",
}

# Theirs, ours, why, and whether to ask again at once.  The first that fits counts.
TRANSLATION: Final[tuple[tuple[type[Exception], type[VaultError], str, bool], ...]] = (
    (requests.Timeout, Down, "{vault} does not answer in time", False),
    (requests.exceptions.SSLError, Down, "the certificate of {vault} is not trusted (SCRIPTORIUM_VAULT_CA)", False),
    (requests.RequestException, Down, "{vault} is not reachable", False),
    (hvac_errors.VaultDown, Sealed, "{vault} is sealed", False),
    (hvac_errors.VaultNotInitialized, Sealed, "{vault} is not initialised", False),
    (hvac_errors.Forbidden, Denied, "permission denied by {vault}", False),
    (hvac_errors.Unauthorized, Denied, "permission denied by {vault}", False),
    (hvac_errors.InvalidRequest, Invalid, "refused by {vault}", False),
    (hvac_errors.RateLimitExceeded, Down, "{vault} asks for patience", True),
    (hvac_errors.VaultError, Down, "{vault} failed inside", True),
)


class _NotVaultError(Exception):
    """An answer hvac takes for a success although it is none: a redirect, or a status it does not know."""


class _Adapter(JSONAdapter):  # type: ignore[misc]  # hvac carries no types
    """Treats redirects as failures: following one would hand the token to another host (RFC 9110 15.4)."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        answer = super().request(*args, **kwargs)
        if isinstance(answer, requests.Response) and answer.status_code in REDIRECTS:
            raise _NotVaultError(f"answers with a redirect ({answer.status_code})")
        return answer


class VaultClient:
    """One Vault as one identity.  Methods raise the errors of `app.vault.errors` only, after a bounded time.

    hvac is synchronous.  It gets four threads of its own: sharing the loop's default executor with password hashing
    was measured to delay a renewal by seconds.
    """

    def __init__(self, address: str, ca: Path | None = None, *, kv_mount: str = "kv") -> None:
        self.address = address.rstrip("/")
        self._ca = ca
        self._kv_mount = kv_mount
        self._executor = ThreadPoolExecutor(4, thread_name_prefix="vault")
        self._hvac = self._connect(None)
        self._closed = False
        self.tally = Tally()
        self.transit = Transit(self._call)

    def __repr__(self) -> str:
        return f"VaultClient({self.address})"

    def _connect(self, token: str | None) -> hvac.Client:
        session = requests.Session()
        session.trust_env = False  # no proxy, .netrc or CA from the environment
        session.verify = str(self._ca) if self._ca else True  # hvac prefers the session's word to its own argument
        client = hvac.Client(
            url=self.address,
            token="",
            verify=str(self._ca) if self._ca else True,
            timeout=TIMEOUT,
            allow_redirects=False,
            session=session,
            adapter=_Adapter,
        )
        client.token = token  # hvac would otherwise adopt a token from the environment or a file
        return client

    # --- identity

    @property
    def token(self) -> str | None:
        return self._hvac.token  # type: ignore[no-any-return]  # hvac has no types

    def use(self, token: str | None) -> None:
        """Speak as this token from now on."""
        self._hvac.token = token

    def speaking_as(self, token: str) -> VaultClient:
        """A second client on the same threads with another token, for ending an old identity."""
        other = object.__new__(VaultClient)
        other.address, other._ca, other._kv_mount = (
            self.address,
            self._ca,
            self._kv_mount,
        )
        other._executor = self._executor
        other._hvac = self._connect(token)
        other._closed = False
        other.tally = self.tally
        other.transit = Transit(other._call)
        return other

    def close(self) -> None:
        self._closed = True
        self._hvac.token = None
        self._hvac.adapter.close()
        self._executor.shutdown(wait=False, cancel_futures=True)

    # --- server and token

    async def health(self) -> str:
        """One word for the state of the server: "ready", "sealed", ...; raises Down when it does not answer."""

        def ask(client: hvac.Client) -> int:
            answer = client.adapter.get(
                "/v1/sys/health",
                params={"standbyok": "true", "perfstandbyok": "true"},
                raise_exception=False,
            )
            return answer.status_code if isinstance(answer, requests.Response) else 200

        status = await self._call("health", ask, attempts=1)
        return HEALTH_WORDS.get(status, f"answering {status}")

    async def wrapping_path(self, wrapping_token: str) -> str:
        """The path that made a wrapped secret, asked before unwrapping it; raises Invalid when it is spent."""
        answer = await self._call(
            "wrapping lookup",
            lambda client: client.write_data("sys/wrapping/lookup", data={"token": wrapping_token}),
            client=self._connect(None),
        )
        return str(pick(answer, "data", "creation_path"))

    async def unwrap_secret_id(self, wrapping_token: str) -> str:
        """Take the secret-id out of its wrapping, which works once; raises Invalid or Denied when it is spent."""
        answer = await self._call(
            "unwrap",
            lambda client: client.sys.unwrap(),
            client=self._connect(wrapping_token),
            attempts=1,
        )
        return str(pick(answer, "data", "secret_id"))

    async def login(self, role_id: str, secret_id: str) -> TokenGrant:
        """Sign in by AppRole; does not switch to the new token."""
        answer = await self._call(
            "approle login",
            lambda client: client.auth.approle.login(role_id, secret_id, use_token=False),
            client=self._connect(None),
            attempts=1,
        )
        return TokenGrant(
            pick(answer, "auth", "client_token"),
            float(pick(answer, "auth", "lease_duration")),
        )

    async def token_alive(self) -> bool:
        """Tell a dead token from a missing policy: a living one may look at itself."""
        try:
            await self._call("token lookup", lambda client: client.auth.token.lookup_self())
        except Denied:
            return False
        return True

    async def renew_token(self) -> float:
        """Seconds the token lives from now."""
        answer = await self._call("token renewal", lambda client: client.auth.token.renew_self())
        return float(pick(answer, "auth", "lease_duration"))

    async def revoke_token(self) -> None:
        """End this identity and every lease made with it."""
        await self._call("token revocation", lambda client: client.auth.token.revoke_self())

    # --- database logins

    async def database_login(self, role: str) -> LoginGrant:
        """Let Vault make a database login.  Tried once: a second try could leave a second login behind."""
        answer = await self._call(
            f"database login of role {role}",
            lambda client: client.secrets.database.generate_credentials(role),
            path=f"database/creds/{role}",
            attempts=1,
        )
        return LoginGrant(
            lease_id=pick(answer, "lease_id"),
            ttl=float(pick(answer, "lease_duration")),
            user=pick(answer, "data", "username"),
            password=pick(answer, "data", "password"),
        )

    async def static_login(self, role: str) -> StaticGrant:
        """The one lasting login of a role, as it is now; reading it makes nothing and can be repeated."""
        answer = await self._call(
            f"static login of role {role}",
            lambda client: client.secrets.database.get_static_credentials(role),
            path=f"database/static-creds/{role}",
        )
        return StaticGrant(
            ttl=float(pick(answer, "data", "ttl")),
            period=float(pick(answer, "data", "rotation_period")),
            user=pick(answer, "data", "username"),
            password=pick(answer, "data", "password"),
        )

    async def turn_static_login(self, role: str) -> None:
        """Have Vault change the password of a lasting login now; open sessions live on."""
        await self._call(
            f"rotation of role {role}",
            lambda client: client.secrets.database.rotate_static_role_credentials(role),
            path=f"database/rotate-role/{role}",
        )

    async def renew_lease(self, lease_id: str) -> float:
        """Seconds granted from now; raises Gone when the lease ended or the database refused."""
        try:
            answer = await self._call("lease renewal", lambda client: client.sys.renew_lease(lease_id))
        except Invalid:
            raise Gone("the lease is gone or the database refused to prolong it") from None
        return float(pick(answer, "lease_duration"))

    async def revoke_lease(self, lease_id: str) -> None:
        """End a lease; repeating it is harmless."""
        await self._call("lease revocation", lambda client: client.sys.revoke_lease(lease_id))

    # --- key/value

    async def kv_metadata(self, path: str) -> Mapping[str, Any]:
        """`versions` and `custom_metadata` of a secret, no values; raises Missing."""
        answer = await self._call(
            f"metadata of {self._kv_mount}/{path}",
            lambda client: client.secrets.kv.v2.read_secret_metadata(path, mount_point=self._kv_mount),
            path=f"{self._kv_mount}/{path}",
        )
        return pick(answer, "data")  # type: ignore[no-any-return]  # hvac has no types

    async def kv_read(self, path: str, version: int | None = None) -> Mapping[str, Any]:
        """The fields of one version of a secret, by default the newest; raises Missing, also when it was deleted."""
        answer = await self._call(
            f"reading {self._kv_mount}/{path}",
            lambda client: client.secrets.kv.v2.read_secret_version(
                path,
                version=version,
                mount_point=self._kv_mount,
                raise_on_deleted_version=True,
            ),
            path=f"{self._kv_mount}/{path}",
        )
        return pick(answer, "data", "data")  # type: ignore[no-any-return]  # hvac has no types

    async def kv_write(self, path: str, fields: Mapping[str, str]) -> int:
        """Add a version and return its number.  Tried once: a second try could add a second one."""
        answer = await self._call(
            f"writing {self._kv_mount}/{path}",
            lambda client: client.secrets.kv.v2.create_or_update_secret(path, dict(fields), mount_point=self._kv_mount),
            attempts=1,
        )
        return int(pick(answer, "data", "version"))

    async def kv_keep_versions(self, path: str, count: int) -> None:
        """How many versions Vault keeps of a secret; nothing else about it changes."""
        await self._call(
            f"metadata of {self._kv_mount}/{path}",
            lambda client: client.secrets.kv.v2.update_metadata(path, max_versions=count, mount_point=self._kv_mount),
        )

    async def kv_destroy(self, path: str, versions: Sequence[int]) -> None:
        """Destroy these versions, for ever."""
        await self._call(
            f"destroying versions of {self._kv_mount}/{path}",
            lambda client: client.secrets.kv.v2.destroy_secret_versions(
                path, list(versions), mount_point=self._kv_mount
            ),
        )

    async def revoke_prefix(self, prefix: str) -> None:
        """End every lease below a path; repeating it is harmless."""
        await self._call(f"revocation of {prefix}", lambda client: client.sys.revoke_prefix(prefix))

    # --- the one way out

    async def _call(
        self,
        operation: str,
        ask: Callable[[hvac.Client], T],
        *,
        client: hvac.Client | None = None,
        path: str = "",
        attempts: int = ATTEMPTS,
    ) -> T:
        """Run one hvac call on our threads; tries again on busy or failing answers, never after silence."""
        if self._closed:
            raise Down(f"{operation}: the conversation with Vault has ended")
        loop = asyncio.get_running_loop()
        speaker = client or self._hvac
        delay = 0.1
        while True:
            attempts -= 1
            began = time.monotonic()
            try:
                # The socket timeout bounds silence; this bounds an answer that drips.
                async with asyncio.timeout(TIMEOUT * 2):
                    answer = await loop.run_in_executor(self._executor, ask, speaker)
                self.tally.asked(operation, "answered", time.monotonic() - began)
                return answer
            except TimeoutError:
                self.tally.asked(operation, "slow", time.monotonic() - began)
                raise Down(f"{operation}: Vault at {self.address} answers too slowly") from None
            except (
                hvac_errors.VaultError,
                requests.RequestException,
                _NotVaultError,
            ) as error:
                # The original carries bodies and addresses, so it is dropped, not chained.
                failure, again = self._translate(operation, path, error)
                self.tally.asked(operation, type(failure).__name__.lower(), time.monotonic() - began)
            if not again or attempts <= 0:
                raise failure
            await asyncio.sleep(delay * draw(0.5, 1.0))
            delay *= 2

    def _translate(self, operation: str, path: str, error: Exception) -> tuple[VaultError, bool]:
        """Our error for theirs, and whether asking again at once makes sense."""
        if isinstance(error, hvac_errors.InvalidPath):
            return Missing(path or operation), False
        for theirs, ours, reason, again in TRANSLATION:
            if isinstance(error, theirs):
                return ours(f"{operation}: {reason.format(vault=f'Vault at {self.address}')}"), again
        return Down(f"{operation}: Vault at {self.address} {error}"), False
