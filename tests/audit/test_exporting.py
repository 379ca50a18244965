"""The trail as a file: complete, bounded, filtered like the list, and nothing in it a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from app.audit.exporting import export, harmless
from app.audit.queries import Filters
from tests import makers
from tests.cast import Person
from tests.site import Site

NASTY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", NASTY)
def test_no_cell_is_a_formula(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "1-1", "a=b", "Ada", "[1]", "'=1"])
def test_other_cells_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


def test_nothing_is_an_empty_cell() -> None:
    assert harmless(None) == ""


async def test_both_files_hold_what_the_list_shows(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site, name="=Nora()")
    await makers.entry(nora)
    query = f"actor={nora.id}"
    listed = (await ada.program.get(f"/api/v1/admin/audit?{query}")).json()["items"]
    lines = await ada.program.get(f"/api/v1/admin/audit.jsonl?{query}")
    assert lines.headers["content-type"] == "application/jsonl"
    assert [json.loads(line) for line in lines.text.splitlines()] == listed
    table = await ada.program.get(f"/api/v1/admin/audit.csv?{query}")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["id"] for row in rows] == [item["id"] for item in listed]
    assert {row["actor_name"] for row in rows} == {"'=Nora()"}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


async def test_the_pages_give_the_same_files(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site)
    shown = await ada.browser.get("/admin/audit", params={"actor": str(nora.id)})
    assert f'href="/admin/audit.csv?actor={nora.id}"' in shown.text
    for form in ("csv", "jsonl"):
        by_page = await ada.browser.get(f"/admin/audit.{form}", params={"actor": str(nora.id)})
        by_program = await ada.program.get(f"/api/v1/admin/audit.{form}?actor={nora.id}")
        assert by_page.status_code == 200
        assert by_page.text == by_program.text


async def test_carrying_off_the_trail_is_in_the_trail(site: Site, ada: Person) -> None:
    before = datetime.now(UTC)
    await ada.program.get("/api/v1/admin/audit.csv?kind=session")
    (event,) = [event for event in await site.events("csv", "audit.exported") if event.at >= before]
    assert (event.actor_id, event.details) == (ada.id, {"kind": "session"})


async def test_a_file_has_at_most_so_many_events(site: Site, ada: Person) -> None:
    nora = await makers.signed_in(site)
    for number in range(7):
        await makers.entry(nora, title=f"Number {number}")
    filters = Filters(kind="entry", actor_id=nora.id)
    for most, parts in ((5, 5), (7, 7), (100, 7)):
        given = b"".join([part async for part in export(site.resources.database, filters, "jsonl", most=most)])
        assert len(given.splitlines()) == parts


async def test_filters_by_address_and_time(site: Site, ada: Person) -> None:
    program = site.program("198.51.100.77")
    nora = await makers.person(site)
    await program.sign_in(nora.email, nora.password)
    listed = (await ada.program.get("/api/v1/admin/audit?address=198.51.100.77")).json()["items"]
    assert [item["actor_id"] for item in listed] == [str(nora.id)]
    at = datetime.fromisoformat(listed[0]["at"])
    query = "/api/v1/admin/audit?address=198.51.100.77&"
    for since, until, found in ((at, None, 1), (None, at, 0), (at + timedelta(microseconds=1), None, 0)):
        asked = {"since": since, "until": until}
        parts = [f"{name}={moment.isoformat().replace('+00:00', 'Z')}" for name, moment in asked.items() if moment]
        assert len((await ada.program.get(query + "&".join(parts))).json()["items"]) == found
    assert (await ada.program.get("/api/v1/admin/audit?since=2026-01-01T00:00:00")).status_code == 422
    shown = await ada.browser.get("/admin/audit?address=198.51.100.77&since=2026-01-01T00:00")
    assert str(nora.id) in shown.text
    assert (await ada.browser.get("/admin/audit?since=yesterday")).status_code == 422


async def test_only_for_administrators(alice: Person, ada: Person) -> None:
    for form in ("csv", "jsonl"):
        assert (await alice.program.get(f"/api/v1/admin/audit.{form}")).status_code == 403
        assert (await alice.browser.get(f"/admin/audit.{form}")).status_code == 403
        assert (await ada.program.get(f"/api/v1/admin/audit.{form}?limit=3")).status_code == 422
