"""Programs signed in with one's password: seen and ended from the page and by programs, and nobody else's."""

from __future__ import annotations

from uuid import uuid4

from tests import makers
from tests.cast import Person
from tests.site import Site
from tests.soon import soon


async def sign_ins(person: Person) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await person.program.get("/api/v1/me/sign-ins")).json()["items"]
    return items


async def test_a_program_is_listed_and_ended(site: Site) -> None:
    person = await makers.signed_in(site)
    other = site.program()
    other.http.headers["User-Agent"] = "nightly-export/1.0"
    await other.sign_in(person.email, person.password)
    newest, first = await sign_ins(person)
    assert (newest["device"], newest["current"], first["current"]) == ("nightly-export/1.0", False, True)
    page = await person.browser.get("/account/applications")
    assert "nightly-export/1.0" in page.text
    answer = await person.browser.post(
        f"/account/applications/sign-ins/{newest['id']}/end", page="/account/applications"
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/applications")
    await soon(lambda: other.get("/api/v1/me"), 401)
    refused = await other.post("/api/v1/auth/refresh", {"refresh_token": other.refresh_token}, token="")
    assert refused.status_code == 401
    assert [item["id"] for item in await sign_ins(person)] == [first["id"]]
    assert [event.kind for event in await site.events(newest["id"])] == ["token.granted", "token.revoked"]


async def test_a_program_ends_another(site: Site) -> None:
    person = await makers.signed_in(site)
    other = site.program()
    await other.sign_in(person.email, person.password)
    (mine,) = [item for item in await sign_ins(person) if not item["current"]]
    path = f"/api/v1/me/sign-ins/{mine['id']}"
    assert (await person.program.delete(path)).status_code == 204
    assert (await person.program.delete(path)).status_code == 404
    await soon(lambda: other.get("/api/v1/me"), 401)


async def test_nobody_sees_or_ends_another_ones(site: Site, charlie: Person) -> None:
    person = await makers.signed_in(site)
    (victim,) = await sign_ins(person)
    assert victim["id"] not in [item["id"] for item in await sign_ins(charlie)]
    for family_id in (victim["id"], uuid4()):
        page = await charlie.browser.post(f"/account/applications/sign-ins/{family_id}/end", page="/logout")
        assert page.status_code == 404
        assert (await charlie.program.delete(f"/api/v1/me/sign-ins/{family_id}")).status_code == 404
    assert (await person.program.get("/api/v1/me")).status_code == 200
