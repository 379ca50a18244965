"""What was asked of a stack's OpenBao, by its own audit log: every request of whoever spoke to it, with its path."""

from __future__ import annotations

import json

from local.stack import Stack
from vault.endpoints import unshared


def asked_for(stack: Stack) -> set[str]:
    """The paths of all requests since the server was made."""
    folder, found = stack.folders.openbao, set()
    for part in folder.glob("audit.log*"):
        for line in part.read_text("utf-8", "replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut off by a kill
            if entry.get("type") == "request":
                found.add(str(entry["request"]["path"]))
    assert found, "the audit log is empty"
    return found


def asked_of_one_server_only(stack: Stack) -> list[str]:
    """The requests HashiCorp Vault may not know; a stack ends its tests with none."""
    return unshared(asked_for(stack))
