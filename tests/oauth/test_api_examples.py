"""Runs every example of docs/api.md as it stands there, against a running server."""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path

import pytest

from tests import makers
from tests.cast import Person
from tests.oauth.flow import CALLBACK, EVERYTHING, client_of
from tests.oauth.programs import NODE, node, run
from tests.site import Site

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
# Every call must be answered with a success; the address of the site is given by the test.
# A picture to attach lies at hand.
PREAMBLE = 'set -eu\ncd "$HERE"\ncurl() { command curl --fail-with-body --max-time 20 "$@"; echo; }\n'


def of(language: str) -> list[str]:
    """The examples in one language."""
    return [text for name, text in BLOCKS if name == language]


def test_there_are_examples_in_every_language() -> None:
    assert len(of("sh")) > 8
    assert len(of("python")) == 2
    assert len(of("js")) == 2


@pytest.fixture
async def environment(served_site: Site, reader: Person) -> dict[str, str]:
    """What the examples take from the shell they run in."""
    tokens = await reader.program.post("/api/login", {"email": reader.email, "password": reader.password})
    client = await client_of(reader, scopes=EVERYTHING)
    return {
        "SITE": served_site.settings.public_url,
        "EMAIL": reader.email,
        "PASSWORD": reader.password,
        "TOKEN": reader.program.token,
        "REFRESH": tokens.json()["refresh_token"],
        "ID": (await makers.document(reader))["id"],
        "ENTRY": (await makers.entry(reader))["id"],
        "CLIENT_ID": client.id,
        "CLIENT_SECRET": client.secret or "",
        "REDIRECT_URI": CALLBACK,
    }


async def test_shell(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ink.png").write_bytes(makers.PIXEL)
    environment["HERE"] = str(tmp_path)
    script = "\n".join(text for text in of("sh") if "SITE=" not in text)
    said = await run("bash", "-c", PREAMBLE + script, environment=environment)
    for words in ("scr_", "A history of ink", "client_secret", "On Mondays"):
        assert words in said, said


@pytest.mark.parametrize("number", range(2))
async def test_python(environment: dict[str, str], reader: Person, number: int) -> None:
    said = await run(sys.executable, "-c", of("python")[number], person=reader, environment=environment)
    assert ("A history of ink" if number == 0 else f"Hello, {reader.email}") in said


@pytest.mark.parametrize("number", range(2))
async def test_javascript(environment: dict[str, str], reader: Person, number: int) -> None:
    program = node()
    example = NODE / f".example-{secrets.token_hex(6)}.mjs"  # beside the packages it imports
    example.write_text(of("js")[number], "utf-8")
    try:
        said = await run(program, example, person=reader, environment=environment)
    finally:
        example.unlink()
    assert ("On copying" if number == 0 else f"Hello, {reader.email}") in said
