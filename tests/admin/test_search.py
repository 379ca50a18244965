"""Finding people: by parts of names and addresses, whatever the case and script; short words begin a name."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests import makers
from tests.cast import Person
from tests.client import Program
from tests.site import Site


async def found(program: Program, query: str) -> list[str]:
    answer = await program.get(f"/api/v1/admin/people?limit=100&q={quote(query)}")
    assert answer.status_code == 200, answer.text
    return [item["display_name"] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("quillfeather", True),
        ("ILLFEAT", True),
        ("ÉLOÏSE", True),
        ("loïse quill", True),
        ("zq", True),
        ("éloï", True),
        ("uf", False),
        ("quill_feather", False),
        ("100%", False),
    ],
)
async def test_words(site: Site, ada: Person, query: str, hit: bool) -> None:
    await makers.person(site, name="Éloïse Quillfeather zqx")
    assert ("Éloïse Quillfeather zqx" in await found(ada.program, query)) == hit


async def test_two_signs_of_another_script_are_found_anywhere(site: Site, ada: Person) -> None:
    await makers.person(site, name="司馬相如")
    assert await found(ada.program, "相如") == ["司馬相如"]


async def test_the_total_is_counted_over_all_pages(empty_house: Site) -> None:
    admin = await makers.signed_in(empty_house, "admin", name="Ada")
    for _ in range(3):
        await makers.person(empty_house, "sponsor", name="Quillfeather", status="pending")
    answer = (await admin.program.get("/api/v1/admin/people?limit=2&q=quillfeather")).json()
    assert (len(answer["items"]), answer["total"], answer["total_exact"]) == (2, 3, True)
    rest = await admin.program.get(f"/api/v1/admin/people?q=quillfeather&cursor={answer['next_cursor']}")
    assert len(rest.json()["items"]) == 1
    assert "3 people found" in (await admin.browser.get("/admin/people?q=quillfeather")).text
    assert "3 people waiting" in (await admin.browser.get("/admin/queue")).text
    assert "1 person found" in (await admin.browser.get("/admin/people?role=admin")).text


async def test_many_are_found_in_their_order_and_few_put_in_order(
    empty_house: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = await makers.signed_in(empty_house, "admin", name="Ada")
    for _ in range(5):
        await makers.person(empty_house, name="Quillfeather")
    pages: list[list[str]] = []
    for few in (0, 1000):
        monkeypatch.setattr("app.accounts.queries.FEW", few)
        ids: list[str] = []
        cursor = ""
        while True:
            answer = await admin.program.get(f"/api/v1/admin/people?limit=2&q=quill{cursor}")
            ids += [item["id"] for item in answer.json()["items"]]
            if answer.json()["next_cursor"] is None:
                break
            cursor = f"&cursor={answer.json()['next_cursor']}"
        pages.append(ids)
    assert pages[0] == pages[1]
    assert len(pages[0]) == 5
