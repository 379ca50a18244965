"""`scriptorium serve` as processes: what dies comes back, what stops leaves nothing, and no secret shows anywhere."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

from app.vault.subscriber import Subscriber
from tests.vault.conftest import House

START = 60.0  # seconds; other tests run beside this one
PATIENCE = 30.0  # for what has no promise of its own; where there is one, what `until` returns is held against it
LOADED = "multiprocessing.forkserver"  # the name of the loaded process, and of its copies


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(true: Callable[[], object], seconds: float = PATIENCE, pause: float = 0.05) -> float:
    """Wait until something is true; how many seconds that took.  What costs Vault much is not asked often."""
    start = time.monotonic()
    while not true():
        assert time.monotonic() - start < seconds, "it did not come true in time"
        time.sleep(pause)
    return time.monotonic() - start


@dataclass
class Serving:
    """One `scriptorium serve` with everything it started."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    environment: dict[str, str]

    def delivered(self) -> str:
        return Path(self.environment["SCRIPTORIUM_VAULT_SECRET_ID_FILE"]).read_text()

    def socket_left(self) -> bool:
        return Path(self.environment["SCRIPTORIUM_SECRETS_SOCKET"]).exists()

    def answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5.0)
        try:
            connection.request("GET", "/health/live")
            return connection.getresponse().status > 0
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def ready(self) -> bool:
        return '"serving"' in self.log.read_text() or (
            self.environment.get("SCRIPTORIUM_WORKERS") == "1" and self.answers()
        )

    def family(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def named(self, word: str) -> list[int]:
        found = []
        for process in self.family():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if any(word in part for part in process.cmdline()):
                    found.append(process.pid)
        return found

    def broker(self) -> list[int]:
        return self.named("app.supervisor.broker_process")

    def workers(self) -> list[int]:
        """The copies of the loaded process, which has their name and is their parent."""
        return self._named_after(self.loaded())

    def loaded(self) -> list[int]:
        """The process that has loaded the application."""
        return self._named_after([self.process.pid])

    def _named_after(self, parents: list[int]) -> list[int]:
        found = []
        for pid in self.named(LOADED):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if psutil.Process(pid).ppid() in parents:
                    found.append(pid)
        return found


def launch(house: House, name: str, **changes: str) -> Serving:
    port = free_port()
    mapping = house.environment(name, **({"port": str(port), "vault_wait": "20"} | changes))
    mapping["SCRIPTORIUM_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ} | mapping
    log = house.place / name / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve"], stdout=stream, stderr=stream, env=environment
        )
    return Serving(process, int(mapping["SCRIPTORIUM_PORT"]), log, environment)


@contextmanager
def serving(house: House, name: str, **changes: str) -> Iterator[Serving]:
    serve = launch(house, name, **changes)
    try:
        try:
            until(lambda: serve.ready() or serve.process.poll() is not None, START)
        except AssertionError:
            raise AssertionError(f"it did not begin to serve:\n{serve.log.read_text()}") from None
        assert serve.process.poll() is None, serve.log.read_text()
        yield serve
    finally:
        family = serve.family()
        if serve.process.poll() is None:
            serve.process.terminate()
        try:
            serve.process.wait(20)
        except subprocess.TimeoutExpired:
            for process in family:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            serve.process.wait()


def ended(serve: Serving) -> tuple[int, str]:
    code = serve.process.wait(START)
    text = serve.log.read_text()
    assert "Traceback" not in text
    return code, text


async def everything_secret(serve: Serving) -> list[str]:
    """All values the application holds, in the forms in which they could show."""
    source = Subscriber(Path(serve.environment["SCRIPTORIUM_SECRETS_SOCKET"]), role="tool")
    await source.start()
    snapshot = source.snapshot
    await source.stop()
    found = [snapshot.login.user, snapshot.login.password, snapshot.valkey_password]
    for ring in snapshot.rings.values():
        for key in ring.keys:
            coded = base64.b64encode(key.value).decode().rstrip("=")
            found += [coded, coded.replace("+", "-").replace("/", "_"), key.value.hex()]
    return [value for value in found if len(value) > 8]


async def test_what_dies_comes_back_and_nothing_shows(house: House) -> None:
    with serving(house, "serve") as serve:
        assert len(serve.workers()) == 2
        until(lambda: house.logins() == 1)
        hidden = await everything_secret(serve)
        hidden.append(serve.delivered())

        (broker,) = serve.broker()
        os.kill(broker, signal.SIGKILL)
        assert serve.answers()
        assert until(lambda: serve.broker() not in ([], [broker])) < 5.0
        assert serve.answers()

        victim, survivor = serve.workers()
        os.kill(survivor, signal.SIGSTOP)  # one that hangs must not keep another from coming back
        os.kill(victim, signal.SIGKILL)
        assert until(lambda: len(now := set(serve.workers())) == 2 and victim not in now) < 5.0
        os.kill(survivor, signal.SIGCONT)
        assert all(serve.answers() for _ in range(5))
        assert survivor in serve.workers()

        (loaded,), before = serve.loaded(), set(serve.workers())
        os.kill(loaded, signal.SIGKILL)
        until(lambda: len(now := set(serve.workers())) == 2 and not before & now)  # as long as loading takes
        until(lambda: serve.loaded() not in ([], [loaded]))
        until(serve.answers)
        assert serve.process.poll() is None
        until(lambda: house.logins() == 1)

        seen = serve.log.read_text()
        for process in serve.family():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                seen += "\0".join([*process.cmdline(), *process.environ().values()])
        assert not [value for value in hidden if value in seen]
        assert "hvs." not in seen

        family = serve.family()
        serve.process.terminate()
        assert serve.process.wait(20) == 0
        until(lambda: not [process for process in family if process.is_running()])
    until(lambda: house.logins() == 0)
    assert not serve.socket_left()


def test_nothing_outlives_a_killed_supervisor(house: House) -> None:
    with serving(house, "orphans") as serve:
        family = serve.family()
        serve.process.kill()
        serve.process.wait()
        until(lambda: not [process for process in family if process.is_running()])
    until(lambda: house.logins() == 0)


def test_one_worker_keeps_everything_in_one_process(house: House) -> None:
    with serving(house, "single", workers="1") as serve:
        assert len(serve.family()) == 1
        assert serve.socket_left()
        serve.process.send_signal(signal.SIGINT)
        assert serve.process.wait(20) == 0
    until(lambda: house.logins() == 0)


def test_a_taken_port_is_said_and_costs_nothing(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, text = ended(launch(house, "port", port=port))
    assert code == 98
    assert f"127.0.0.1:{port} is taken" in text
    until(lambda: house.logins() == 0)


def test_told_to_stop_while_waiting_for_vault(house: House) -> None:
    serve = launch(house, "impatient", vault_addr="http://127.0.0.1:9")
    until(lambda: "waiting up to" in serve.log.read_text(), START)
    serve.process.terminate()
    assert ended(serve)[0] == 0
