"""The local stack as one thing that can be started, asked for its settings, and stopped."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from local.accounts import account_for
from local.deployer import Deployer, damaged
from local.errors import StopAskedError
from local.folders import Folders, write_private
from local.lock import InstanceLock
from local.migrating import migrate, migrations_digest
from local.openbao import OpenBao
from local.ports import LOOPBACK
from local.postgres import DATABASE, Postgres
from local.progress import Progress, Silent
from local.servers import Servers, records_of
from local.strays import end_strays
from local.valkey import Valkey
from vault.engines import Database

APP_ROLE, MIGRATE_ROLE = "scriptorium-app", "scriptorium-migrate"


def _never() -> bool:
    return False


MIGRATED = "migrated"  # which migrations this database has had


class Stack:
    """PostgreSQL, OpenBao and Valkey over one state folder.

    `cancelled` is asked while waiting; when it says yes, `start` raises StopAskedError.  `lasting_login` has OpenBao
    told about the static login, too.  `servers` is there after `claim`.
    """

    servers: Servers

    def __init__(
        self,
        state: Path,
        *,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] = _never,
        lasting_login: bool = False,
    ) -> None:
        self.state = state.absolute()
        self.folders = Folders(self.state)
        self.deployer = Deployer(self.folders.identities)
        self._progress = progress or Silent()
        self._cancelled = cancelled
        self._lasting_login = lasting_login
        self._lock = InstanceLock(self.state / "runner.lock")
        self._valkey = Valkey(self.folders)
        self._openbao = OpenBao(self.folders)
        self._valkey_password: str | None = None
        self._manager_password: str | None = None

    def start(self) -> None:
        """Start the servers, making and provisioning what is not there yet.

        Raises StackError with one sentence when that cannot be; what was started is stopped again.
        """
        try:
            self.claim()
            self._make_ready()
            with self._progress.step("Starting the servers", "PostgreSQL, OpenBao and Valkey are up"):
                self.servers.start(self._initialise)
            self.deployer.address = self.servers.vault_address
            self._provision()
        except BaseException:
            self.stop()
            raise

    def claim(self) -> None:
        """Make the state ours alone and end what a killed run left in it; `start` does this too.

        Raises StackError naming the process that has it.
        """
        if self._lock.held:
            return
        account = account_for(self.folders.postgres)
        self.folders.prepare(account)
        self._lock.take()
        self._postgres = Postgres(self.folders, account)
        end_strays(records_of(self.folders), self.state)
        self._postgres.clear_stale()
        self.servers = Servers(self.folders, self._postgres, self._openbao, self._valkey, self._cancelled)

    def _make_ready(self) -> None:
        """Do what must be done while the servers are down."""
        if self._postgres.is_new or self._valkey.password_hash is None:
            self.deployer.forget_provisioning()
        if self._postgres.is_new:
            with self._progress.step("Making the database", "The database is made"):
                (self.state / MIGRATED).unlink(missing_ok=True)
                self._postgres.create()
        self._check_cancelled()
        if not self.deployer.has_provisioned:
            if not self.deployer.can_recover and self._openbao.data.exists():
                shutil.rmtree(self._openbao.data)
            self._manager_password = secrets.token_urlsafe(32)
            self._valkey_password = self._valkey.new_password()
        self._postgres.prepare(self._manager_password)
        self._check_cancelled()

    def _initialise(self) -> None:
        if self.deployer.can_recover:
            raise damaged(self.state)
        self.deployer.address = self.servers.vault_address
        self.deployer.initialise()

    def _provision(self) -> None:
        port = self.servers.ports["postgres"]
        cause = f"{port} {self._valkey.password_hash}" + (" with a lasting login" if self._lasting_login else "")
        self.deployer.retire_first_root()
        if self.deployer.is_current(cause):
            return
        if not self.deployer.can_recover:
            raise damaged(self.state)
        database = Database(
            LOOPBACK, port, DATABASE, manager_password=self._manager_password, lasting_login=self._lasting_login
        )
        with self._progress.step("Provisioning OpenBao", "OpenBao is provisioned, its root token revoked"):
            again = not self.deployer.has_first_root
            if again:
                self._move_openbao(owner_door=True)
            self.deployer.provision(database, self._valkey_password, cause)
            if again:
                self._move_openbao(owner_door=False)
        self._manager_password = self._valkey_password = None

    def _move_openbao(self, *, owner_door: bool) -> None:
        self.servers.restart_openbao(owner_door=owner_door)
        self.deployer.address = self.servers.vault_address

    def _check_cancelled(self) -> None:
        if self._cancelled():
            raise StopAskedError

    def environment(self) -> dict[str, str]:
        """Return the SCRIPTORIUM_* settings of an application on this stack.  None of them is a secret."""
        return {
            "SCRIPTORIUM_STATE": str(self.state),
            "SCRIPTORIUM_VAULT_NAME": "scriptorium",
            "SCRIPTORIUM_VAULT_KV_MOUNT": "kv",
            "SCRIPTORIUM_VAULT_ADDR": self.deployer.address,
            "SCRIPTORIUM_VAULT_ROLE_ID": self.deployer.role_id(APP_ROLE),
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(self.secret_id_file()),
            "SCRIPTORIUM_ROTATOR_TOKEN_FILE": str(self.folders.identities / "rotator.token"),
            "SCRIPTORIUM_SECRETS_SOCKET": str(self.folders.socket("secrets.sock")),
            "SCRIPTORIUM_DATABASE_HOST": LOOPBACK,
            "SCRIPTORIUM_DATABASE_PORT": str(self.servers.ports["postgres"]),
            "SCRIPTORIUM_DATABASE_NAME": DATABASE,
            "SCRIPTORIUM_DATABASE_TLS": "off",
            "SCRIPTORIUM_VALKEY_HOST": LOOPBACK,
            "SCRIPTORIUM_VALKEY_PORT": str(self.servers.ports["valkey"]),
            "SCRIPTORIUM_VALKEY_TLS": "off",
        }

    def secret_id_file(self, role: str = APP_ROLE) -> Path:
        """Return where the wrapped secret-id of a role is handed over."""
        return self.folders.identities / f"{role}.wrapped-secret-id"

    @property
    def command_secret_id_file(self) -> Path:
        """Where a running instance keeps a wrapped secret-id ready for operators' commands."""
        return self.folders.identities / "command.wrapped-secret-id"

    def wrap_secret_id(self, role: str = APP_ROLE, path: Path | None = None) -> Path:
        """Write a fresh wrapped secret-id of a role to its file, or to `path`, and return where it is."""
        target = path or self.secret_id_file(role)
        write_private(target, self.deployer.wrap_secret_id(role))
        return target

    def migrate(self) -> None:
        """Bring the database to the newest version under the migration's own login; raises StackError when it fails.

        A database that was brought there before by the very same migrations is left alone: that saves a second.
        """
        wanted, known = migrations_digest(), self.state / MIGRATED
        if known.exists() and known.read_text() == wanted:
            return
        secret_id = self.wrap_secret_id(MIGRATE_ROLE)
        settings = {
            **self.environment(),
            "SCRIPTORIUM_VAULT_ROLE_ID": self.deployer.role_id(MIGRATE_ROLE),
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(secret_id),
        }
        try:
            migrate(settings, self.folders.logs / "migrate.log", self._cancelled)
        finally:
            secret_id.unlink(missing_ok=True)
        write_private(known, wanted)

    def stop(self) -> None:
        """Stop the servers and let the state go.  May be called twice."""
        if self._lock.held:
            if hasattr(self, "servers"):
                self.servers.stop()
            self._lock.release()
