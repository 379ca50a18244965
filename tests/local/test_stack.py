"""A stack's life: started, stopped, killed, started again, next to another one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.errors import StackError, StopAskedError
from local.folders import LONGEST_SOCKET_PATH, Folders
from local.processes import CHECKOUT
from local.stack import Stack
from vault.client import connect

HOLD = """
import sys, time
from pathlib import Path
from local.stack import Stack
stack = Stack(Path(sys.argv[1]))
stack.start()
print("up", flush=True)
time.sleep(120)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="scriptorium-test-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A state whose servers have run once: making it takes most of what a first start takes."""
    path = Path(tempfile.mkdtemp(prefix="scriptorium-test-"))
    stack = Stack(path)
    stack.start()
    stack.stop()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def rested(made: Path) -> Iterator[Path]:
    """That state with nothing running on it; whatever a test does to it, the next start puts right."""
    assert running_on(made) == []
    yield made
    assert wait_for_nothing_on(made, 5) == []


def key_version(stack: Stack) -> int:
    rotator = connect(stack.deployer.address, stack.deployer.token("rotator"))
    metadata = rotator.secrets.kv.v2.read_secret_metadata("scriptorium/session", mount_point="kv")
    return int(metadata["data"]["current_version"])


def running_on(state: Path) -> list[psutil.Process]:
    """Every process whose command line or working folder names the state, zombies aside."""
    found = []
    for process in psutil.process_iter():
        try:
            places = [*process.cmdline(), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(state) in place for place in places):
            found.append(process)
    return found


def wait_for_nothing_on(state: Path, seconds: float) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while (left := running_on(state)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_a_restart_keeps_everything_and_changes_nothing(folder: Path) -> None:
    stack = Stack(folder)
    began = time.monotonic()
    stack.start()
    first = time.monotonic() - began
    before = (stack.environment(), stack.deployer.token("deployer"), key_version(stack))
    stack.stop()
    assert running_on(folder) == []
    began = time.monotonic()
    stack.start()
    again = time.monotonic() - began
    try:
        assert (stack.environment(), stack.deployer.token("deployer"), key_version(stack)) == before
        assert again < first / 2  # the first one makes everything and takes ten times as long
    finally:
        stack.stop()


def test_provisioning_again_makes_up_for_what_was_lost(rested: Path) -> None:
    stack = Stack(rested)
    stack.start()
    version = key_version(stack)
    stack.stop()
    (rested / "identities" / "deployer.token").unlink()
    stack.start()
    try:
        assert key_version(stack) == version
        assert stack.deployer.wrap_secret_id("scriptorium-app")
    finally:
        stack.stop()


def test_a_killed_runner_takes_its_servers_with_it_and_the_next_start_works(rested: Path) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(rested)], cwd=CHECKOUT, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    assert runner.stdout is not None
    assert runner.stdout.readline() == b"up\n"
    with pytest.raises(StackError, match=str(runner.pid)):
        Stack(rested).start()
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    runner.stdout.close()
    stack = Stack(rested)
    stack.start()
    stack.stop()
    assert wait_for_nothing_on(rested, 5) == []


def test_a_stale_pid_file_never_ends_a_stranger(rested: Path) -> None:
    stack = Stack(rested)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        record = {"name": "OpenBao", "pid": stranger.pid, "mark": "another boot:1", "signal": 15, "program": "bao"}
        (rested / "processes.json").write_text(json.dumps([record]))
        (rested / "postgres" / "postmaster.pid").write_text(
            f"{stranger.pid}\n{rested / 'postgres'}\n0\n1\n\n\n\nready\n"
        )
        stack.start()
        assert stranger.poll() is None
    finally:
        stack.stop()
        stranger.kill()
        stranger.wait()


def test_a_port_taken_by_a_stranger_is_left_to_them(rested: Path) -> None:
    stack = Stack(rested)
    port = int(json.loads((rested / "ports.json").read_text())["postgres"])
    with socket.create_server(("127.0.0.1", port)):
        stack.start()
    try:
        assert int(stack.environment()["SCRIPTORIUM_DATABASE_PORT"]) != port
        client = connect(stack.deployer.address, stack.wrap_secret_id().read_text())
        client.auth.approle.login(stack.deployer.role_id("scriptorium-app"), client.sys.unwrap()["data"]["secret_id"])
        assert client.adapter.get("/v1/database/creds/scriptorium-app")["data"]["username"]
    finally:
        stack.stop()


def test_two_stacks_stand_side_by_side(stack: Stack, rested: Path) -> None:
    other = Stack(rested)
    other.start()
    try:
        ports = {name: value for name, value in other.environment().items() if name.endswith(("_PORT", "_ADDR"))}
        assert not set(ports.items()) & set(stack.environment().items())
    finally:
        other.stop()
    assert stack.servers.crashed() is None


def test_asked_to_stop_while_starting_it_leaves_nothing(folder: Path) -> None:
    stack = Stack(folder, cancelled=lambda: True)
    with pytest.raises(StopAskedError):
        stack.start()
    assert running_on(folder) == []


def test_no_secret_in_any_argument_or_environment(stack: Stack) -> None:
    secrets = [stack.deployer.token("deployer"), stack.deployer.token("rotator")]
    secrets += json.loads((stack.folders.identities / "owner.keys").read_text())
    secrets.append(stack.wrap_secret_id().read_text())
    client = connect(stack.deployer.address, secrets[-1])
    client.auth.approle.login(stack.deployer.role_id("scriptorium-app"), client.sys.unwrap()["data"]["secret_id"])
    secrets.append(client.adapter.get("/v1/kv/data/scriptorium/valkey")["data"]["data"]["password"])
    secrets.append(client.adapter.get("/v1/database/creds/scriptorium-app")["data"]["password"])
    processes = running_on(stack.state)
    assert {process.name() for process in processes} >= {"postgres", "bao", "valkey-server"}
    for process in processes:
        exposed = [*process.cmdline(), *process.environ().values()]
        assert not [place for place in exposed for secret in secrets if secret in place]
    for log in [*stack.folders.logs.iterdir(), stack.folders.openbao / "audit.log"]:
        text = log.read_text(errors="replace")
        assert not [log for secret in secrets if secret in text]


def test_nothing_in_the_state_is_open_to_others(stack: Stack) -> None:
    for path in stack.state.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_long_state_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    path = Folders(tmp_path / ("long" * 30)).socket("secrets.sock")
    assert len(os.fsencode(path)) <= LONGEST_SOCKET_PATH
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.parent.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to run PostgreSQL as somebody else")
def test_a_folder_postgres_cannot_reach_is_refused_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(StackError, match="SCRIPTORIUM_STATE"):
        Stack(tmp_path / "closed").start()
