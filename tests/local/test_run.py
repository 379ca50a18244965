"""`python -m local run` as a person at a terminal meets it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.ports import is_free
from local.processes import CHECKOUT
from tests.local.test_stack import wait_for_nothing_on

PATIENCE = 60


@dataclass
class House:
    """A state folder and a port, and the runner over them."""

    state: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        canary = {"DEVELOPERS_OWN_SECRET": "must-not-be-passed-on"}
        return {**os.environ, **canary, "SCRIPTORIUM_STATE": str(self.state), "PORT": str(self.port), **self.extra}

    def command(self, what: str) -> list[str]:
        return [sys.executable, "-m", "local", what]

    def run(self) -> subprocess.Popen[str]:
        """Start it and wait for the line that says so."""
        runner = subprocess.Popen(
            self.command("run"),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert runner.stderr is not None
        said = []
        for line in runner.stderr:
            said.append(line)
            if "is ready:" in line:
                return runner
        runner.stderr.close()
        pytest.fail(f"the runner ended with {runner.wait()}: {''.join(said)}")

    def note(self) -> dict[str, Any]:
        note: dict[str, Any] = json.loads((self.state / "instance.json").read_text())
        return note

    def once(self, what: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(what),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def end_of(runner: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return the exit code and what was said since the ready line."""
    _, said = runner.communicate(timeout=PATIENCE)
    return runner.returncode, said


@pytest.fixture
def house() -> Iterator[House]:
    state = Path(tempfile.mkdtemp(prefix="scriptorium-test-"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    yield House(state, port)
    assert wait_for_nothing_on(state, 10) == []
    shutil.rmtree(state)


def test_one_run_from_ready_to_nothing_left(house: House) -> None:
    runner = house.run()
    note = house.note()
    assert (note["pid"], note["ready"]) == (runner.pid, True)
    assert note["url"] == f"http://127.0.0.1:{house.port}"
    assert httpx.get(f"{note['url']}/health/ready").status_code == 200

    second = house.once("run")
    assert second.returncode == 1
    assert str(runner.pid) in second.stderr
    assert house.once("reset").returncode == 1

    handed_over = Path(note["command_secret_id_file"])
    handed_over.unlink()
    deadline = time.monotonic() + 30
    while not handed_over.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert handed_over.stat().st_mode & 0o777 == 0o600

    os.killpg(runner.pid, signal.SIGINT)  # what a terminal does on Ctrl-C
    code, rest = end_of(runner)
    assert code == 0
    assert "stopped" in rest
    assert not (house.state / "instance.json").exists()


def test_https_then_a_crash_then_reset(house: House) -> None:
    house.extra["TLS"] = "1"
    runner = house.run()
    trust = ssl.create_default_context(cafile=str(house.state / "tls" / "ca.pem"))
    assert httpx.get(f"https://localhost:{house.port}/health/live", verify=trust).status_code == 200

    records = json.loads((house.state / "processes.json").read_text())
    for record in records:
        environment = Path(f"/proc/{record['pid']}/environ").read_text()
        assert "must-not-be-passed-on" not in environment
    os.kill(next(record["pid"] for record in records if record["name"] == "Valkey"), signal.SIGKILL)
    code, rest = end_of(runner)
    assert code == 1
    assert "Valkey ended by itself" in rest

    (house.state / "letter.txt").write_text("not part of it")
    assert house.once("reset").returncode == 1
    house.extra["YES"] = "1"
    assert house.once("reset").returncode == 0
    assert [path.name for path in house.state.iterdir()] == ["letter.txt"]


def test_a_taken_port_is_named_with_the_way_out(house: House) -> None:
    with socket.create_server(("127.0.0.1", house.port)):
        assert not is_free(house.port)
        refused = house.once("run")
    assert refused.returncode == 1
    assert f"Port {house.port}" in refused.stderr
    assert "PORT=" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [("PORT", "abc", "SCRIPTORIUM_PORT"), ("TLS", "maybe", "TLS"), ("HOST", "192.0.2.1", "SCRIPTORIUM_HOST")],
)
def test_an_unusable_choice_is_named_before_anything_starts(house: House, name: str, value: str, word: str) -> None:
    house.extra[name] = value
    refused = house.once("run")
    assert refused.returncode == 1
    assert word in refused.stderr
    assert list(house.state.iterdir()) == []


def test_a_folder_with_other_things_in_it_is_left_alone(house: House) -> None:
    (house.state / "letter.txt").write_text("not ours")
    before = house.state.stat().st_mode
    refused = house.once("run")
    assert refused.returncode == 1
    assert "SCRIPTORIUM_STATE" in refused.stderr
    assert house.state.stat().st_mode == before
