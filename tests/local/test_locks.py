"""The lock files are fit to be used anywhere: hashes for everything, addresses for nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from local.locks import complaints, locks
from local.processes import CHECKOUT


@pytest.mark.parametrize("lock", locks(), ids=lambda lock: lock.name)
def test_a_lock_holds_hashes_and_no_address(lock: Path) -> None:
    assert complaints(lock) == []


def test_the_three_locks_are_there() -> None:
    assert [lock.name for lock in locks()] == ["app.txt", "local.txt", "test.txt"]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {"app.txt": project["dependencies"], "local.txt": extras["local"], "test.txt": extras["test"]}
    for name, requirements in wanted.items():
        text = (CHECKOUT / "requirements" / name).read_text()
        locked = {line.split("==")[0].split("[")[0] for line in text.splitlines() if "==" in line}
        names = {requirement.split(">")[0].split("=")[0].split("[")[0].lower() for requirement in requirements}
        assert names <= locked


@pytest.mark.parametrize(
    "text",
    ["quart==0.22.0\n", "--index-url https://example.org\n", "quart @ file:///wheels/quart.whl --hash=sha256:0\n"],
)
def test_an_unfit_lock_is_refused(tmp_path: Path, text: str) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text(text)
    assert complaints(lock)
