"""The note a running instance leaves in its state, by which commands and people find it.  It holds no secret."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Mapping

from local.folders import write_private
from local.stack import Stack


def announce(stack: Stack, url: str, environment: Mapping[str, str], *, ready: bool) -> None:
    """Write `instance.json`: who runs, where, with which settings, and where a command finds its own secret-id."""
    note = {
        "pid": os.getpid(),
        "url": url,
        "ready": ready,
        "written_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "environment": {name: environment[name] for name in sorted(environment) if name.startswith("SCRIPTORIUM_")},
        "command_secret_id_file": str(stack.command_secret_id_file),
        "rotator_token_file": str(stack.folders.identities / "rotator.token"),
        "logs": str(stack.folders.logs),
    }
    write_private(stack.state / "instance.json", json.dumps(note, indent=2) + "\n")


def withdraw(stack: Stack) -> None:
    """Remove the note."""
    (stack.state / "instance.json").unlink(missing_ok=True)
