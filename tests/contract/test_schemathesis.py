"""schemathesis reads the OpenAPI document and tries, as every role, to make the API break its word."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.stack import Stack
from tests import makers
from tests.served import served
from tests.site import Site

CONFIG = Path(__file__).with_name("schemathesis.toml")
# What hypothesis works out about Unicode, in seconds; each run would do it anew, had it no place to look it up.
KNOWN = Path(__file__).resolve().parents[2] / ".hypothesis"
ROLES = ("visitor", "member", "sponsor", "editor", "admin")
CHECKS = (
    "not_a_server_error",
    "ignored_auth",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "use_after_free",
    "ensure_resource_availability",
)


@pytest.fixture(scope="module")
async def own_site(app_stack: Stack) -> AsyncIterator[Site]:
    """A site of its own: what is tried here ends people, sessions and keys."""
    async with served(app_stack) as site:
        yield site


async def token_for(site: Site, role: str) -> str:
    """A token of somebody in this role, who has something to read."""
    if role == "visitor":
        return ""
    person = await makers.signed_in(site, role)
    sponsor = person if role == "sponsor" else await makers.signed_in(site, "sponsor")
    await makers.document(sponsor, person if role == "editor" else None)
    await makers.entry(person)
    return person.program.token


async def run(site: Site, role: str, *options: str) -> None:
    """Run schemathesis to its end; its whole report is the message when something fails."""
    token = await token_for(site, role)
    header = ["--header", f"Authorization: Bearer {token}"] if token else []
    command = [str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"]
    address = f"{site.settings.public_url}/api/openapi.json"
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *command,
            address,
            *header,
            *("--checks", ",".join(CHECKS), "--continue-on-failure", "--no-color", "--generation-database", "none"),
            # Browsers' reports come in types of their own, which it cannot write; tests/watch sends them.
            *("--exclude-path", "/api/csp-reports"),
            *options,
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(KNOWN)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


@pytest.mark.parametrize("role", ROLES)
async def test_the_contract_holds(own_site: Site, role: str) -> None:
    await run(own_site, role, "--seed", "1", "--max-examples", "1", "--phases", "examples,fuzzing")


@pytest.mark.proof
@pytest.mark.parametrize("seed", ["fixed", "random"])
@pytest.mark.parametrize("role", ROLES)
async def test_the_contract_holds_at_length(own_site: Site, role: str, seed: str) -> None:
    chosen = "1" if seed == "fixed" else str(secrets.randbelow(2**31))
    await run(own_site, role, "--seed", chosen, "--max-examples", "50")
