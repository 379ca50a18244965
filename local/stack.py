"""The three servers of one state as one thing that can be started, asked for its settings, and stopped."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

from local.accounts import account_for
from local.deployer import Deployer, damaged
from local.errors import Cancelled, StackError
from local.folders import Folders, write_private
from local.lock import InstanceLock
from local.migrating import migrate
from local.openbao import ACTIVE, NOT_INITIALISED, OpenBao, health
from local.ports import LOOPBACK, Ports, is_free
from local.postgres import DATABASE, Postgres
from local.processes import Child, wait_until
from local.progress import Progress, Silent
from local.strays import end_strays, remember
from local.valkey import Valkey, answers
from vault.engines import Database

APP_ROLE, MIGRATE_ROLE = "scriptorium-app", "scriptorium-migrate"


def _never() -> bool:
    return False


class Stack:
    """PostgreSQL, OpenBao and Valkey over one state folder.

    `cancelled` is asked while waiting; when it says yes, `start` raises Cancelled and `stop` must be called.
    """

    def __init__(
        self, state: Path, *, progress: Progress | None = None, cancelled: Callable[[], bool] = _never
    ) -> None:
        self.state = Path(os.path.abspath(state))
        self.folders = Folders(self.state)
        self.deployer = Deployer(self.folders.identities)
        self.children: dict[str, Child] = {}
        self._progress = progress or Silent()
        self._cancelled = cancelled
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
                self._start_servers()
            self._provision()
        except BaseException:
            self.stop()
            raise

    @property
    def is_ours(self) -> bool:
        """Whether this object has claimed the state and not let it go."""
        return self._lock.held

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
        end_strays(self._records, self.state)
        self._postgres.clear_stale()
        self._ports = Ports(self.state / "ports.json")

    @property
    def _records(self) -> Path:
        return self.state / "processes.json"

    def _make_ready(self) -> None:
        """Do what must be done while the servers are down."""
        if self._postgres.is_new:
            with self._progress.step("Making the database", "The database is made"):
                self._postgres.create()
        self._check_cancelled()
        if not self.deployer.has_provisioned:
            if not self.deployer.can_recover and self._openbao.data.exists():
                shutil.rmtree(self._openbao.data)
            self._manager_password = secrets.token_urlsafe(32)
        self._postgres.prepare(self._manager_password)
        if self._valkey.password_hash is None or not self.deployer.has_provisioned:
            self._valkey_password = self._valkey.new_password()
        self._check_cancelled()

    def _start_servers(self) -> None:
        self._start_openbao()
        self._start_postgres()
        self._start_valkey()
        self._await("openbao", lambda: health(self._ports["openbao"]) in (ACTIVE, NOT_INITIALISED), self._start_openbao)
        if health(self._ports["openbao"]) == NOT_INITIALISED:
            self._initialise()
        self._await("postgres", self._postgres.is_ready, self._start_postgres)
        self._await("valkey", lambda: answers(self._ports["valkey"]), self._start_valkey)

    def _start_openbao(self, *, owner_door: bool = False) -> None:
        ports = self._ports.settle("openbao"), self._ports.settle("openbao_cluster")
        self.deployer.address = f"http://{LOOPBACK}:{ports[0]}"
        self._adopt("openbao", self._openbao.start(*ports, owner_door=owner_door))

    def _restart_openbao(self, *, owner_door: bool) -> None:
        self.children["openbao"].stop()
        self._start_openbao(owner_door=owner_door)
        self._await("openbao", self._openbao_is_active, self._start_openbao)

    def _openbao_is_active(self) -> bool:
        return health(self._ports["openbao"]) == ACTIVE

    def _start_postgres(self) -> None:
        self._adopt("postgres", self._postgres.start(self._ports.settle("postgres")))

    def _start_valkey(self) -> None:
        self._adopt("valkey", self._valkey.start(self._ports.settle("valkey")))

    def _await(self, name: str, ready: Callable[[], bool], again: Callable[[], None]) -> None:
        """Wait for a server; one that lost its port to a stranger in the last moment is started again on another."""
        for _ in range(3):
            try:
                return wait_until(ready, self.children[name], self._cancelled)
            except StackError:
                if self.children[name].ended is None or is_free(self._ports[name]):
                    raise
            again()
        raise StackError(self.children[name].epitaph())

    def _initialise(self) -> None:
        if self.deployer.has_provisioned:
            raise damaged(self.state)
        self.deployer.initialise()
        self._await("openbao", self._openbao_is_active, self._start_openbao)

    def _provision(self) -> None:
        cause = f"{self._ports['postgres']} {self._valkey.password_hash}"
        self.deployer.retire_first_root()
        if self._manager_password is None and self.deployer.is_current(cause):
            return
        if not self.deployer.can_recover:
            raise damaged(self.state)
        database = Database(LOOPBACK, self._ports["postgres"], DATABASE, manager_password=self._manager_password)
        with self._progress.step("Provisioning OpenBao", "OpenBao is provisioned, its root token revoked"):
            again = not self.deployer.has_first_root
            if again:
                self._restart_openbao(owner_door=True)
            self.deployer.provision(database, self._valkey_password, cause)
            if again:
                self._restart_openbao(owner_door=False)
        self._manager_password = self._valkey_password = None

    def _adopt(self, name: str, child: Child) -> None:
        self.children[name] = child
        self.remember()

    def remember(self, *others: Child) -> None:
        """Write down what runs, so that the next start can end it should we be killed."""
        remember(self._records, [*self.children.values(), *others])

    def _check_cancelled(self) -> None:
        if self._cancelled():
            raise Cancelled

    def environment(self) -> dict[str, str]:
        """Return the SCRIPTORIUM_* settings of an application on this stack.  None of them is a secret."""
        return {
            "SCRIPTORIUM_STATE": str(self.state),
            "SCRIPTORIUM_VAULT_NAME": "scriptorium",
            "SCRIPTORIUM_VAULT_KV_MOUNT": "kv",
            "SCRIPTORIUM_VAULT_ADDR": self.deployer.address,
            "SCRIPTORIUM_VAULT_ROLE_ID": self.deployer.role_id(APP_ROLE),
            "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(self.secret_id_file()),
            "SCRIPTORIUM_SECRETS_SOCKET": str(self.folders.socket("secrets.sock")),
            "SCRIPTORIUM_DATABASE_HOST": LOOPBACK,
            "SCRIPTORIUM_DATABASE_PORT": str(self._ports["postgres"]),
            "SCRIPTORIUM_DATABASE_NAME": DATABASE,
            "SCRIPTORIUM_DATABASE_TLS": "off",
            "SCRIPTORIUM_VALKEY_HOST": LOOPBACK,
            "SCRIPTORIUM_VALKEY_PORT": str(self._ports["valkey"]),
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
        """Bring the database to the newest version under the migration's own login; raises StackError when it fails."""
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

    def crashed(self) -> Child | None:
        """Return a server that has ended although nobody asked it to."""
        return next((child for child in self.children.values() if child.ended is not None), None)

    def tidy(self) -> None:
        """Do the housekeeping of a long run; costs next to nothing when there is none."""
        self._openbao.rotate_audit_log(self.children["openbao"])

    def stop(self) -> None:
        """Stop the servers, those in use by others last, and let the state go.  May be called twice."""
        for name in ("valkey", "openbao", "postgres"):
            child = self.children.pop(name, None)
            if child is not None:
                child.stop()
        if self._lock.held:
            self._records.unlink(missing_ok=True)
            self._lock.release()
