"""Who we are to Vault: AppRole with a wrapped secret-id that works once, and the periodic token it gives."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from app.vault.client import VaultClient
from app.vault.errors import Denied, Down, Invalid, VaultStartError
from app.vault.events import Events
from app.vault.lease import LeaseClock


class AppRole:
    """Signs in, renews, and signs in anew when a fresh wrapped secret-id is delivered.

    The file holds a wrapping token, not the secret-id: it opens once, so a thief who was faster leaves a trace.  Where
    the wrapping was made is asked before opening it, because anybody could wrap something that looks alike.
    """

    def __init__(
        self,
        client: VaultClient,
        role: str,
        role_id: str,
        file: Path | None,
        events: Events,
    ) -> None:
        self._client = client
        self._role = role
        self._role_id = role_id
        self._file = file
        self._events = events
        self._used = b""
        self._secret_id: str | None = None
        self.clock = LeaseClock(0.0, time.monotonic())

    def fresh(self) -> bool:
        """Whether the file holds a wrapped secret-id we have not used."""
        with suppress(OSError):
            content = self._file.read_bytes().strip() if self._file else b""
            return bool(content) and _digest(content) != self._used
        return False

    def resume(self, token: str, used: bytes) -> None:
        """Go on with the token of an earlier process of this host; `renew` tells whether it still lives."""
        self._client.use(token)
        self._used = used

    @property
    def spent(self) -> bool:
        """Whether what lies in the file is the very delivery we have used: no interception, only nothing new yet."""
        if self._secret_id is not None or not self._used or self._file is None:
            return False
        with suppress(OSError):
            return _digest(self._file.read_bytes().strip()) == self._used
        return False

    @property
    def used(self) -> bytes:
        """A digest of the last delivery we opened."""
        return self._used

    async def sign_in(self) -> str | None:
        """Take a new token and speak as it; returns the token before, still alive, for its owner to end.

        Raises VaultStartError (77) for a spent or foreign wrapping, (78) for one that was never delivered, and the
        errors of `app.vault.errors`; after Down it can be called again, an opened secret-id is not lost.
        """
        if self._secret_id is None:
            self._secret_id = await self._open()
        try:
            grant = await self._client.login(self._role_id, self._secret_id)
        except (Invalid, Denied):
            self._secret_id = None
            raise VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"Vault at {self._client.address} knows no role '{self._role}' by the id in SCRIPTORIUM_VAULT_ROLE_ID",
            ) from None
        self._secret_id = None
        before = self._client.token
        self._client.use(grant.token)
        self.clock = LeaseClock(grant.ttl, time.monotonic())
        self._events.tell("created" if before is None else "rotated", "token", ttl=round(grant.ttl))
        return before

    async def renew(self) -> None:
        """Prolong the token; raises Denied when it is dead or may not be prolonged, Down when Vault is away."""
        granted = await self._client.renew_token()
        if self.clock.full:
            self.clock.renewed(granted, time.monotonic())
        else:
            self.clock = LeaseClock(granted, time.monotonic())
        self._events.tell("renewed", "token", ttl=round(granted))

    async def _open(self) -> str:
        wrapping = self._read()
        before, self._used = (
            self._used,
            _digest(wrapping.encode()),
        )  # a bad delivery is looked at once, too
        try:
            made_by = await self._client.wrapping_path(wrapping)
            expected = f"auth/approle/role/{self._role}/secret-id"
            if made_by != expected:
                raise self._tampered(f"was made by {made_by}, not by {expected}")
            secret_id = await self._client.unwrap_secret_id(wrapping)
        except (Invalid, Denied):
            raise self._tampered("was already opened, or has expired") from None
        except Down:
            self._used = before
            raise
        return secret_id

    def _tampered(self, what: str) -> VaultStartError:
        self._events.tell("error", "secret-id", reason="possible interception")
        return VaultStartError(
            VaultStartError.TAMPERED,
            f"the wrapped secret-id in {self._file} {what}: possible interception.  "
            "Look for it in the audit log of Vault and have a fresh one delivered",
        )

    def _read(self) -> str:
        if self._file is None:
            raise VaultStartError(
                VaultStartError.MISCONFIGURED,
                "SCRIPTORIUM_VAULT_SECRET_ID_FILE is not set",
            )
        if not self._role_id:
            raise VaultStartError(VaultStartError.MISCONFIGURED, "SCRIPTORIUM_VAULT_ROLE_ID is not set")
        try:
            content = self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            content = ""
        except (OSError, UnicodeDecodeError) as error:
            raise VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"{self._file} cannot be read: {type(error).__name__}",
            ) from None
        if not content:
            raise VaultStartError(
                VaultStartError.MISCONFIGURED,
                f"{self._file} (SCRIPTORIUM_VAULT_SECRET_ID_FILE) holds no wrapped secret-id; have one delivered",
            )
        return content


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
