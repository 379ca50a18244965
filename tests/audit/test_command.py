"""`scriptorium audit verify` as operators and their monitoring call it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from tests.audit.conftest import Trail


async def verify(trail: Trail, *options: str, **changes: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of the command."""
    environment = {
        **os.environ,
        **trail.stack.environment(),
        "SCRIPTORIUM_SECRETS_SOCKET": str(trail.settings.secrets_socket),
        **{f"SCRIPTORIUM_{name}": value for name, value in changes.items()},
    }
    command = [sys.executable, "-m", "app.cli", "audit", "verify", *options]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def test_a_whole_trail_ends_with_0(trail: Trail) -> None:
    await trail.sealed(3)
    code, said, complained = await verify(trail)
    assert (code, complained) == (0, "")
    assert "3 sealed events" in said
    assert said.endswith("The audit trail is whole.\n")


async def test_a_fault_ends_with_1_and_names_the_event(trail: Trail) -> None:
    made = await trail.sealed(3)
    await trail.do("UPDATE audit_events SET kind = 'x.y' WHERE id = $1", made[1])
    code, said, _ = await verify(trail)
    assert code == 1
    assert f"BAD, edited: event {made[1]}" in said
    code, said, _ = await verify(trail, "--json", "--copy", str(trail.settings.audit_copy))
    assert code == 1
    report: dict[str, Any] = json.loads(said)
    assert report["good"] is False
    assert (report["fault"]["what"], report["fault"]["event_id"]) == ("edited", str(made[1]))


async def test_without_an_instance_it_ends_with_69(trail: Trail) -> None:
    code, said, complained = await verify(trail, SECRETS_SOCKET=str(trail.settings.secrets_socket) + "x")
    assert (code, said) == (69, "")
    assert "no running instance" in complained


async def test_without_the_keys_it_ends_with_69_because_half_a_verification_is_none(trail: Trail) -> None:
    await trail.sealed(1)
    servers = trail.stack.servers
    servers._children["openbao"].stop()
    try:
        code, _, complained = await verify(trail)
    finally:
        await asyncio.to_thread(servers.restart_openbao, owner_door=False)
    assert code == 69
    assert "signatures cannot be checked" in complained


async def test_a_copy_that_is_not_there_is_a_mistake_of_the_caller(trail: Trail) -> None:
    code, _, complained = await verify(trail, "--copy", "/nonexistent")
    assert code == 2
    assert "does not exist" in complained
