"""The OS user PostgreSQL runs as when we are root, since it refuses to be root itself."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from local.errors import StackError

KNOWN_ACCOUNT = "postgres"
OWN_ACCOUNT = "scriptorium-postgres"


@dataclass(frozen=True)
class Account:
    """An OS user and its primary group, by number."""

    uid: int
    gid: int
    name: str


def account_for(data: Path) -> Account | None:
    """Return who must run PostgreSQL over `data`: None for "whoever we are", else another user than root.

    Existing data decides by its owner.  Otherwise the machine's own `postgres` user is taken, or one is made.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        entry = pwd.getpwuid(data.stat().st_uid)
    else:
        entry = _entry(KNOWN_ACCOUNT) or _entry(OWN_ACCOUNT) or _make_account()
    return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _make_account() -> pwd.struct_passwd:
    tool = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        raise StackError(
            "PostgreSQL does not run as root and this machine has no user for it: "
            f"make one called {OWN_ACCOUNT!r}, or run as an ordinary user."
        )
    subprocess.run(
        [tool, "--system", "--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin", OWN_ACCOUNT],
        check=True,
        capture_output=True,
    )
    return pwd.getpwnam(OWN_ACCOUNT)


def can_reach(account: Account | None, path: Path) -> bool:
    """Tell whether that user can enter the folder (or run the file) at `path`."""
    if account is None:
        return os.access(path, os.X_OK)
    probe = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        env={},
        check=False,
        capture_output=True,
    )
    return probe.returncode == 0
