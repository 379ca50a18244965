"""A backup holds everything people made; a restore puts it into an empty house, all of it or nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from app.backup import service, tables
from app.errors import Conflict
from tests import makers
from tests.site import TABLES, Site, as_owner

LEFT_OUT = {"sessions", "token_families", "refresh_tokens", "authorization_codes", "kept_answers"}
# What goes on in a house by itself while a test looks.
BY_ITSELF = {"audit_events", "refusals", "security_hours", "security_events"}


async def command(site: Site, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and complaints of an operator's command."""
    environment = {
        **os.environ,
        **site.stack.environment(),
        "SCRIPTORIUM_SECRETS_SOCKET": str(site.settings.secrets_socket),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(), complained.decode()


async def emptied(site: Site) -> None:
    """As if the database had been lost and made anew."""
    async with as_owner(site.stack) as db:
        await db.execute(f"TRUNCATE {', '.join(TABLES)}")
    await site.change("SELECT 1")  # the workers know nobody any more


async def test_everything_comes_back(empty_house: Site, tmp_path: Path) -> None:
    site, file = empty_house, str(tmp_path / "backup.tar.gz")
    sponsor, editor = await makers.signed_in(site, "sponsor"), await makers.signed_in(site, "editor")
    made = await makers.document(sponsor, editor, "published", body="# Ink\n\nTab\there, \\N there, \u202eand 墨.")
    path = f"/api/v1/documents/{made['id']}/attachments"
    attached = await sponsor.program.raw("POST", f"{path}?name=soot.txt", b"Soot and gum.")
    before, text = await site.counts(), (await sponsor.program.get(f"/api/v1/documents/{made['id']}")).json()

    code, said, complained = await command(site, "backup", file, "--json")
    assert (code, complained) == (0, "")
    assert json.loads(said)["files"] == 1
    assert mode(file) == 0o600
    await emptied(site)
    code, said, complained = await command(site, "restore", file, "--json")
    assert (code, complained) == (0, "")
    found: dict[str, Any] = json.loads(said)
    assert found["trail"]["good"], found

    after = await site.counts()
    same = set(before) - LEFT_OUT - BY_ITSELF
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert {after[name] for name in LEFT_OUT} == {0}
    assert (await sponsor.program.get("/api/v1/me")).status_code == 401, "everybody signs in again"
    await sponsor.program.sign_in(sponsor.email, sponsor.password)
    assert (await sponsor.program.get(f"/api/v1/documents/{made['id']}")).json() == text
    content = await sponsor.program.get(f"{path}/{attached.json()['id']}/content")
    assert content.content == b"Soot and gum."
    kinds = [row.kind for row in await site.rows("SELECT kind FROM audit_events ORDER BY transaction, sequence")]
    assert "instance.restored" in kinds[-4:], "and the trail goes on behind what was put back"
    assert kinds.index("instance.restored") > kinds.index("document.published")

    code, _, complained = await command(site, "restore", file)
    assert code == 1
    assert "the database is not empty" in complained
    code, _, complained = await command(site, "backup", file)
    assert code == 1
    assert "already" in complained


async def test_numbers_go_on_behind_those_of_another_database(empty_house: Site) -> None:
    reached = "SELECT (pg_current_xact_id()::text)::bigint + audit_shift() AS number"
    here = (await empty_house.rows(reached))[0].number
    await tables.advance(empty_house.resources.database, here + 500)
    assert here + 500 < (await empty_house.rows(reached))[0].number < here + 1000


def mode(file: str) -> int:
    """What the file system lets whom do."""
    return Path(file).stat().st_mode & 0o777


def changed(file: Path, target: Path, how: str) -> Path:
    """A backup somebody tampered with, or that was cut off."""
    with tarfile.open(file) as old, tarfile.open(target, "w:gz") as new:
        for member in old.getmembers():
            content = old.extractfile(member)
            data = content.read() if content else b""
            if member.name == "tables/people":
                if how == "missing":
                    continue
                data = data.replace(b"Somebody", b"Somebodx") if how == "changed" else data
            new.addfile(member, BytesIO(data))
        if how == "more":
            new.addfile(tarfile.TarInfo("tables/more"), BytesIO(b""))
    return target


async def test_what_is_no_whole_backup_changes_nothing(empty_house: Site, tmp_path: Path) -> None:
    site, file = empty_house, tmp_path / "backup.tar.gz"
    await makers.person(site, name="Somebody")
    await service.make(site.settings, file, unseen)
    await emptied(site)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(file.read_bytes()[:-400])
    text = tmp_path / "text.tar.gz"
    text.write_text("no backup at all")
    bad = [changed(file, tmp_path / f"{how}.tar.gz", how) for how in ("missing", "changed", "more")]
    for one in (cut, text, *bad):
        with pytest.raises(Conflict, match="is not a whole backup"):
            await service.restore(site.settings, one, unseen)
        assert (await site.rows("SELECT count(*) FROM people"))[0][0] == 0


def unseen(_step: str) -> None:
    """Progress nobody looks at."""


async def test_without_an_instance_it_ends_with_69(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "restore", __file__),
        env={**os.environ, "SCRIPTORIUM_STATE": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complained = await process.communicate()
    assert process.returncode == 69
    assert b"no running instance" in complained
