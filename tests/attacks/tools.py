"""The attack tools: taken from this machine, or fetched once by its ordinary package clients into a folder of their own.

A tool that cannot be had fails the proof with one sentence: what was not looked at is not proved.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(sys.prefix) / "attack-tools"
OBSERVATORY: Final = "@mdn/mdn-http-observatory@1.4.8"
EVALUATOR: Final = "csp_evaluator@1.1.8"
WAPITI: Final = "wapiti3==3.2.3"
SQLMAP: Final = "sqlmap==1.10.10"
# testssl asks for a resolver and hexdump even where neither is needed.
DEBIAN: Final = ("slowhttptest", "testssl.sh", "ldnsutils", "libldns3", "bsdextrautils")


class ToolMissingError(AssertionError):
    """A tool of the proof cannot be had on this machine."""


def run(
    *words: str | Path, patience: float = 600, folder: Path | None = None, more: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; never with anything typed into it."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env={**os.environ, **(more or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=patience,
        check=False,
    )


def _fetched(what: str, *words: str | Path, folder: Path) -> None:
    if shutil.which(str(words[0])) is None:
        raise ToolMissingError(f"The proof needs {what}, and there is no {words[0]} on this machine to fetch it with.")
    done = run(*words, folder=folder)
    if done.returncode:
        raise ToolMissingError(f"The proof needs {what} and could not fetch it: {(done.stderr or done.stdout)[-400:]}")


def node_modules() -> Path:
    """The folder in which the tools written for Node lie."""
    place = FOLDER / "node"
    made = place / ".complete"
    if not made.exists():
        place.mkdir(parents=True, exist_ok=True)
        words = (
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
            place,
            OBSERVATORY,
            EVALUATOR,
        )
        _fetched("the HTTP Observatory and csp_evaluator", *words, folder=place)
        lists = place / "node_modules" / "@mdn" / "mdn-http-observatory" / "conf"
        lists.mkdir(exist_ok=True)
        # What its own installation would download: sites that browsers know by heart, and names of registries.
        (lists / "hsts-preload.json").write_text("{}")
        (lists / "tld-list.json").write_text('["com"]')
        made.touch()
    return place / "node_modules"


def python_program(requirement: str, name: str) -> Path:
    """A program from the Python index, in an environment of its own: none of its libraries meets ours."""
    place = FOLDER / name
    program = place / "bin" / name
    if not program.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        _fetched(name, sys.executable, "-m", "venv", place, folder=FOLDER)
        pip = (place / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)
        _fetched(name, *pip, folder=FOLDER)
    return program


def debian_program(name: str) -> tuple[Path, dict[str, str]]:
    """A program of this machine, or of Debian's, unpacked and not installed; and the environment it wants."""
    if (found := shutil.which(name)) is not None:
        return Path(found), {}
    place = FOLDER / "debian"
    program = place / "root" / "usr" / "bin" / name
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        _fetched(name, "apt-get", "download", *DEBIAN, folder=place)
        for package in place.glob("*.deb"):
            _fetched(name, "dpkg", "-x", package, place / "root", folder=place)
    root = place / "root"
    libraries = ":".join(map(str, (root / "usr" / "lib").glob("*-linux-gnu")))
    return program, {
        "PATH": f"{root / 'usr' / 'bin'}:{os.environ['PATH']}",
        "LD_LIBRARY_PATH": libraries,
        "TESTSSL_INSTALL_DIR": str(root / "etc" / "testssl"),
    }
