"""The deployer of this machine: provisions OpenBao and mints wrapped secret-ids for the application."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import hvac
from hvac.exceptions import Forbidden

from local.errors import StackError
from local.folders import write_private
from vault import provision as provisioning
from vault.client import connect
from vault.engines import Database
from vault.unsealing import borrowed_root, initialise

VAULT_FILES = Path(provisioning.__file__).parent
IDENTITY_PERIOD = "768h"
WRAP_SECONDS = 600


@dataclass
class Deployer:
    """Works from one private folder that holds what a deployer holds."""

    folder: Path
    address: str = ""
    _client: hvac.Client | None = field(default=None, repr=False)

    @property
    def _owner_keys(self) -> Path:
        return self.folder / "owner.keys"

    @property
    def _first_root(self) -> Path:
        return self.folder / "root.first"

    @property
    def _marker(self) -> Path:
        return self.folder / "provisioned"

    @property
    def has_provisioned(self) -> bool:
        """Whether provisioning has come to its end once."""
        return self._marker.exists()

    def forget_provisioning(self) -> None:
        """Take what the server was told for void, because one of those it was told about has been made anew."""
        self._marker.unlink(missing_ok=True)

    @property
    def can_recover(self) -> bool:
        """Whether an initialised server is still ours to provision."""
        return self._owner_keys.exists()

    def initialise(self) -> None:
        """Initialise the empty server and keep its recovery key.

        A deployment gives that key to people.  Here it lies beside the seal key, which opens everything anyway.
        """
        answer = initialise(connect(self.address), auto_unseal=True)
        write_private(self._first_root, answer.root_token)
        write_private(self._owner_keys, json.dumps(answer.keys))

    @property
    def has_first_root(self) -> bool:
        """Whether the root token of initialisation still waits to be used up."""
        return self._first_root.exists()

    def provision(self, database: Database, valkey_password: str | None, cause: str) -> None:
        """Provision and revoke the privileged token; `cause` is remembered for `is_current`.

        After the first time this borrows root with the recovery key, so the server must have its owner's door open.
        """
        kept = provisioning.load_tokens(self.folder)
        plan = provisioning.Plan(
            database,
            valkey_password=valkey_password,
            bound_cidrs=["127.0.0.1/32"],
            identity_period=IDENTITY_PERIOD,
            keep=kept,
        )
        with self._root() as client:
            provisioning.save(provisioning.provision(client, plan), self.folder)
        write_private(self._marker, fingerprint(cause))
        self.retire_first_root()
        self._client = None

    @contextmanager
    def _root(self) -> Iterator[hvac.Client]:
        if self.has_first_root:
            yield connect(self.address, self._first_root.read_text("utf-8"))
        else:
            with borrowed_root(connect(self.address), json.loads(self._owner_keys.read_text("utf-8"))) as client:
                yield client

    def retire_first_root(self) -> None:
        """Revoke the root token of initialisation once provisioning has come to its end, and forget it."""
        if not (self.has_provisioned and self.has_first_root):
            return
        with suppress(Forbidden):  # revoked already, by a run that was cut short before the file was gone
            connect(self.address, self._first_root.read_text("utf-8")).auth.token.revoke_self()
        self._first_root.unlink()

    def is_current(self, cause: str) -> bool:
        """Tell whether the server was told what `vault/` says now, under the same `cause`, and we can still sign in."""
        if not self.has_provisioned or self._marker.read_text("utf-8") != fingerprint(cause):
            return False
        try:
            self._signed_in().auth.token.renew_self()
            connect(self.address, self.token("rotator")).auth.token.renew_self()
        except (Forbidden, FileNotFoundError):
            return False
        return True

    def token(self, holder: str) -> str:
        """Return the token of the deployer or the rotator."""
        return (self.folder / f"{holder}.token").read_text("utf-8").strip()

    def role_id(self, role: str) -> str:
        """Return the role id of an AppRole."""
        return (self.folder / f"{role}.role-id").read_text("utf-8").strip()

    def wrap_secret_id(self, role: str, seconds: int = WRAP_SECONDS) -> str:
        """Return a wrapping token around a fresh single-use secret-id; it opens once, within `seconds`."""
        answer = self._signed_in().auth.approle.generate_secret_id(role, wrap_ttl=f"{seconds}s")
        token: str = answer["wrap_info"]["token"]
        return token

    def is_unused(self, wrapping_token: str) -> bool:
        """Tell whether a wrapping token can still be opened.  Looking does not use it up."""
        client = connect(self.address, wrapping_token)
        try:
            client.adapter.post("/v1/sys/wrapping/lookup", json={"token": wrapping_token})
        except (hvac.exceptions.InvalidRequest, Forbidden):
            return False
        return True

    def renew(self) -> None:
        """Start the deployer's and the rotator's period again."""
        self._signed_in().auth.token.renew_self()
        connect(self.address, self.token("rotator")).auth.token.renew_self()

    def _signed_in(self) -> hvac.Client:
        if self._client is None or self._client.url != self.address:
            self._client = connect(self.address, self.token("deployer"))
        return self._client


def fingerprint(cause: str, files: Sequence[Path] | None = None) -> str:
    """Return a digest of everything in `vault/` that decides what a server is told, together with `cause`."""
    digest = hashlib.sha256(cause.encode())
    for path in sorted(
        files or [*VAULT_FILES.glob("*.py"), *VAULT_FILES.glob("policies/*"), *VAULT_FILES.glob("sql/*")]
    ):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def damaged(state: Path) -> StackError:
    """Return the error for a state whose Vault data has gone while the rest is there."""
    return StackError(
        f"The OpenBao data in {state} does not belong to the rest of the state; "
        "restore it from a backup or start over with `make reset`."
    )
