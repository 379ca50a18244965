"""How the secrets stand, for administrators: versions and moments, never a value; rotating asks for a fresh sign-in."""

from __future__ import annotations

import base64

from tests.cast import Person
from tests.site import Site

RINGS = {"session", "csrf", "token", "refresh", "pepper"}


def values(site: Site) -> list[str]:
    """Everything that must not be shown, in the forms it could be shown in."""
    snapshot = site.resources.secrets.snapshot
    found = [snapshot.login.user, snapshot.login.password, snapshot.valkey_password]
    for ring in snapshot.rings.values():
        for key in ring.keys:
            found += [base64.b64encode(key.value).decode().rstrip("="), key.value.hex()]
            found.append(base64.urlsafe_b64encode(key.value).decode().rstrip("="))
    return found


async def test_programs_see_how_everything_stands_and_no_value(site: Site, ada: Person) -> None:
    answer = await ada.program.get("/api/v1/admin/secrets")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["state"] == "healthy"
    assert {ring["name"] for ring in told["rings"]} == RINGS
    assert all(one["state"] in ("published", "signing") for ring in told["rings"] for one in ring["versions"])
    peppers = next(ring for ring in told["rings"] if ring["name"] == "pepper")
    assert sum(one["in_use"] for one in peppers["versions"]) > 0
    assert peppers["grace"] is None
    assert {lease["name"] for lease in told["leases"]} == {"Vault token", "database login"}
    assert all(lease["seconds_left"] > 60 for lease in told["leases"])
    assert told["events"]
    assert not [value for value in values(site) if value in answer.text]


async def test_the_page_shows_the_same_and_its_button_rotates(site: Site, ada: Person) -> None:
    page = await ada.browser.get("/admin/secrets")
    assert page.status_code == 200
    assert all(f"<code>{name}</code>" in page.text for name in RINGS)
    assert not [value for value in values(site) if value in page.text]
    for name in ("csrf", "database"):
        before = (await ada.program.get("/api/v1/admin/secrets")).json()
        question = await ada.browser.get(f"/admin/secrets/rotate?secret={name}")
        assert "Rotate now" in question.text
        done = await ada.browser.post("/admin/secrets/rotate", {"secret": name})
        assert done.status_code == 303
        after = (await ada.program.get("/api/v1/admin/secrets")).json()
        if name == "csrf":
            newest = [[ring["versions"][0]["version"] for ring in told["rings"][1:2]] for told in (before, after)]
            assert newest[1][0] == newest[0][0] + 1
        else:
            assert after["leases"][1]["generation"] > before["leases"][1]["generation"]
        assert (await site.events(name, "secrets.rotated"))[-1].actor_id == ada.id
    assert (await ada.browser.get("/admin/secrets/rotate?secret=moon")).status_code == 404
    assert (await ada.browser.post("/admin/secrets/refresh", {})).status_code == 303


async def test_a_sign_in_of_long_ago_must_be_confirmed_first(site: Site, ada: Person) -> None:
    await site.change("UPDATE sessions SET fresh_at = fresh_at - interval '1 day' WHERE person_id = :id", id=ada.id)
    try:
        answer = await ada.browser.get("/admin/secrets/rotate?secret=session")
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/account/confirm")
        assert (await ada.browser.get("/admin/secrets")).status_code == 200
    finally:
        await site.change("UPDATE sessions SET fresh_at = now() WHERE person_id = :id", id=ada.id)


async def test_ready_says_why_and_what_ends_only_when_something_is_wrong(site: Site) -> None:
    told = (await site.program().get("/health/ready")).json()
    assert (told["secrets_trouble"], told["ends"]) == ([], {})
