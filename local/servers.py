"""The three servers as running processes: started side by side, watched, stopped in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from local.errors import StackError
from local.folders import Folders
from local.openbao import ACTIVE, NOT_INITIALISED, OpenBao, health
from local.ports import LOOPBACK, Ports, is_free
from local.postgres import Postgres
from local.processes import Child, wait_until
from local.strays import remember
from local.valkey import Valkey, answers

STARTS = 3


class Servers:
    """PostgreSQL, OpenBao and Valkey over the folders of one state that is ours."""

    def __init__(
        self, folders: Folders, postgres: Postgres, openbao: OpenBao, valkey: Valkey, cancelled: Callable[[], bool]
    ) -> None:
        self.ports = Ports(folders.state / "ports.json")
        self._records = records_of(folders)
        self._postgres, self._openbao, self._valkey = postgres, openbao, valkey
        self._cancelled = cancelled
        self._children: dict[str, Child] = {}

    @property
    def vault_address(self) -> str:
        """The URL of OpenBao."""
        return f"http://{LOOPBACK}:{self.ports['openbao']}"

    def start(self, initialise: Callable[[], None]) -> None:
        """Start all three and wait until they are of use; `initialise` is called when OpenBao is empty.

        Raises StackError when one ends or takes too long, StopAskedError when asked to stop.
        """
        self._start_openbao()
        self._start_postgres()
        self._start_valkey()
        self._await("openbao", self._openbao_answers, self._start_openbao)
        if self._openbao_status() == NOT_INITIALISED:
            initialise()
            self._await("openbao", self._openbao_is_active, self._start_openbao)
        self._await("postgres", self._postgres.is_ready, self._start_postgres)
        self._await("valkey", lambda: answers(self.ports["valkey"]), self._start_valkey)

    def restart_openbao(self, *, owner_door: bool) -> None:
        """Start OpenBao again, with its owner's door open or shut."""
        self._children["openbao"].stop()
        self._start_openbao(owner_door=owner_door)
        self._await("openbao", self._openbao_is_active, lambda: self._start_openbao(owner_door=owner_door))

    def _start_openbao(self, *, owner_door: bool = False) -> None:
        ports = self.ports.settle("openbao"), self.ports.settle("openbao_cluster")
        self._adopt("openbao", self._openbao.start(*ports, owner_door=owner_door))

    def _start_postgres(self) -> None:
        self._adopt("postgres", self._postgres.start(self.ports.settle("postgres")))

    def _start_valkey(self) -> None:
        self._adopt("valkey", self._valkey.start(self.ports.settle("valkey")))

    def _openbao_status(self) -> int | None:
        return health(self.ports["openbao"])

    def _openbao_answers(self) -> bool:
        return self._openbao_status() in (ACTIVE, NOT_INITIALISED)

    def _openbao_is_active(self) -> bool:
        return self._openbao_status() == ACTIVE

    def _await(self, name: str, ready: Callable[[], bool], again: Callable[[], None]) -> None:
        """Wait for a server; one that lost its port to a stranger in the last moment is started on another."""
        for _ in range(STARTS):
            try:
                return wait_until(ready, self._children[name], self._cancelled)
            except StackError:
                if self._children[name].ended is None or is_free(self.ports[name]):
                    raise
            again()
        raise StackError(self._children[name].epitaph())

    def _adopt(self, name: str, child: Child) -> None:
        self._children[name] = child
        self.remember()

    def remember(self, *others: Child) -> None:
        """Write down what runs, so that the next start can end it should we be killed."""
        remember(self._records, [*self._children.values(), *others])

    def crashed(self) -> Child | None:
        """Return a server that has ended although nobody asked it to."""
        return next((child for child in self._children.values() if child.ended is not None), None)

    def tidy(self) -> None:
        """Do the housekeeping of a long run; costs next to nothing when there is none."""
        self._openbao.rotate_audit_log(self._children["openbao"])

    def stop(self) -> None:
        """Stop what runs, what others use last: OpenBao ends leases in PostgreSQL."""
        for name in ("valkey", "openbao", "postgres"):
            child = self._children.pop(name, None)
            if child is not None:
                child.stop()
        self._records.unlink(missing_ok=True)


def records_of(folders: Folders) -> Path:
    """Return where the running processes of a state are written down."""
    return folders.state / "processes.json"
