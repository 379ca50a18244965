"""Approving, declining, suspending and reinstating: by page and API, what it does to the person, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from app.accounts import service as accounts
from tests import makers
from tests.cast import Person
from tests.site import Site
from tests.soon import soon

REASON = {"reason": "Known to us."}
STARTS = {"approve": "pending", "decline": "pending", "suspend": "active", "reinstate": "suspended"}
ENDS = {"approve": "active", "decline": "declined", "suspend": "suspended", "reinstate": "active"}
DONE = {"approve": "approved", "decline": "declined", "suspend": "suspended", "reinstate": "reinstated"}


def url(person: Person, verb: str) -> str:
    return f"/api/v1/admin/people/{person.id}/{verb}"


@pytest.mark.parametrize("verb", STARTS)
async def test_by_program(site: Site, ada: Person, verb: str) -> None:
    person = await makers.person(site, "sponsor", status=STARTS[verb])
    decided = await ada.program.post(url(person, verb), {**REASON, "message": "Dear applicant"})
    assert decided.status_code == 200
    shown = decided.json()
    assert (shown["id"], shown["status"], shown["status_message"]) == (str(person.id), ENDS[verb], "Dear applicant")
    last = shown["history"][0]
    assert (last["from_status"], last["to_status"]) == (STARTS[verb], ENDS[verb])
    assert (last["reason"], last["message"], last["actor_name"]) == ("Known to us.", "Dear applicant", "Ada")
    event = (await site.events(person.id))[-1]
    assert (event.kind, event.actor_id, event.personal["reason"]) == (f"account.{DONE[verb]}", ada.id, "Known to us.")


@pytest.mark.parametrize("verb", STARTS)
async def test_by_page(site: Site, ada: Person, verb: str) -> None:
    person = await makers.person(site, "sponsor", status=STARTS[verb], name="Norbert")
    page = f"/admin/people/{person.id}"
    answer = await ada.browser.post(f"{page}/{verb}", {**REASON, "message": "", "until": ""}, page=page)
    assert answer.headers["location"] == ("/admin/queue" if verb in ("approve", "decline") else page)
    assert f"Norbert is {ENDS[verb]} now." in (await ada.browser.follow(answer)).text
    assert (await ada.program.get(f"/api/v1/admin/people/{person.id}")).json()["status"] == ENDS[verb]


@pytest.mark.parametrize("verb", STARTS)
@pytest.mark.parametrize("status", ["pending", "active", "declined", "suspended"])
async def test_only_from_the_right_status(site: Site, ada: Person, verb: str, status: str) -> None:
    if STARTS[verb] == status:
        return
    person = await makers.person(site, "editor", status=status)
    refused = await ada.program.post(url(person, verb), REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "status_changed")
    page = f"/admin/people/{person.id}"
    answer = await ada.browser.post(f"{page}/{verb}", REASON, page=page)
    assert "notice error" in (await ada.browser.follow(answer)).text
    assert (await ada.program.get(f"/api/v1/admin/people/{person.id}")).json()["status"] == status
    assert ada.id not in [event.actor_id for event in await site.events(person.id)]


async def test_suspending_ends_everything_at_once(site: Site, ada: Person) -> None:
    person = await makers.signed_in(site, "sponsor")
    assert (await person.browser.get("/sponsor/dashboard")).status_code == 200
    assert (await person.program.get("/api/v1/me")).status_code == 200
    basic = (person.email, person.password)
    assert (await site.program().http.get("/protected", auth=basic)).status_code == 200
    assert (
        await ada.program.post(url(person, "suspend"), {**REASON, "message": "Until we talked."})
    ).status_code == 200
    await soon(lambda: person.browser.get("/sponsor/dashboard"), 303)
    await soon(lambda: person.program.get("/api/v1/me"), 401)
    await soon(lambda: site.program().http.get("/protected", auth=basic), 403)
    refresh = {"refresh_token": person.program.refresh_token}
    assert (await site.program().post("/api/v1/auth/refresh", refresh)).status_code == 401
    await person.browser.sign_in(person.email, person.password)
    shown = (await person.browser.get("/account/status")).text
    assert "Until we talked." in shown
    assert "Known to us." not in shown
    assert (await ada.program.post(url(person, "reinstate"), REASON)).status_code == 200
    assert (await person.program.get("/api/v1/me")).status_code == 401, "what was ended stays ended"
    await soon(lambda: site.program().http.get("/protected", auth=basic), 200)


async def test_a_suspension_may_have_an_end(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor")
    end = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    shown = (await ada.program.post(url(person, "suspend"), {**REASON, "until": end.isoformat()})).json()
    assert datetime.fromisoformat(shown["status_until"]) == end
    assert shown["history"][0]["until"] == shown["status_until"]
    await person.browser.sign_in(person.email, person.password)
    assert end.strftime("%Y-%m-%dT%H:%M") in (await person.browser.get("/account/status")).text


def test_a_letter_says_the_end_in_utc_whatever_zone_it_was_given_in() -> None:
    person = accounts.Decided(uuid4(), "nora@example.org", "Nora", "suspended", ())
    end = datetime.fromisoformat("2030-01-01T02:30:00+05:00")
    said = accounts.told(person, accounts.Decision("suspend", "Known to us.", "", end))
    assert said.values["until"] == "31 December 2029, 21:30 UTC"


async def test_an_end_in_the_past_or_no_date_is_refused(site: Site, ada: Person) -> None:
    person = await makers.person(site, "sponsor")
    for until in ("2020-01-01T00:00:00Z", "tomorrow", "2030-01-01"):
        refused = await ada.program.post(url(person, "suspend"), {**REASON, "until": until})
        assert refused.status_code == 422
        assert refused.json()["errors"].keys() == {"until"}
        page = f"/admin/people/{person.id}"
        if until != "2030-01-01":  # a day alone is enough for a person at a form
            answer = await ada.browser.post(f"{page}/suspend", {**REASON, "until": until}, page=page)
            assert answer.status_code == 422
            assert REASON["reason"] in answer.text, "what was typed is shown again"
    assert (await ada.program.get(f"/api/v1/admin/people/{person.id}")).json()["status"] == "active"


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": "x" * 2001}, {"reason": 1}])
async def test_a_reason_is_needed(site: Site, ada: Person, body: dict[str, object]) -> None:
    person = await makers.person(site, "sponsor", status="pending")
    refused = await ada.program.post(url(person, "approve"), body)
    assert refused.status_code == 422
    assert refused.json()["errors"].keys() == {"reason"}
    page = f"/admin/people/{person.id}"
    form = {name: str(value) for name, value in body.items()}
    if body != {"reason": 1}:
        answer = await ada.browser.post(f"{page}/approve", form, page=page)
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


async def test_nobody_decides_about_themselves(site: Site) -> None:
    admin = await makers.signed_in(site, "admin")
    refused = await admin.program.post(url(admin, "suspend"), REASON)
    assert (refused.status_code, refused.json()["code"]) == (403, "own_account")
    page = f"/admin/people/{admin.id}"
    assert "nothing you can decide here" in (await admin.browser.get(page)).text
    await admin.browser.post(f"{page}/suspend", REASON, page=page)
    assert (await admin.program.get("/api/v1/me")).json()["status"] == "active"


async def test_the_last_active_admin_stays(empty_house: Site) -> None:
    last = await makers.signed_in(empty_house, "admin")
    other = await makers.signed_in(empty_house, "admin")
    assert (await last.program.post(url(other, "suspend"), REASON)).status_code == 200
    refused = await last.program.post(url(last, "suspend"), REASON)
    assert (refused.status_code, refused.json()["code"]) == (403, "last_admin")
    roles = {"roles": ["member"], "reason": "no more"}
    refused = await last.program.put(f"/api/v1/admin/people/{last.id}/roles", roles)
    assert (refused.status_code, refused.json()["code"]) == (403, "last_admin")


async def test_unknown_people_and_verbs(ada: Person) -> None:
    for verb in STARTS:
        assert (await ada.program.post(f"/api/v1/admin/people/{uuid4()}/{verb}", REASON)).status_code == 404
        assert (await ada.browser.post(f"/admin/people/{uuid4()}/{verb}", REASON, page="/admin/")).status_code == 404
    person = f"/admin/people/{ada.id}"
    assert (await ada.browser.post(f"{person}/promote", REASON, page="/admin/")).status_code == 404
    assert (await ada.program.post(f"/api/v1{person}/promote", REASON)).status_code == 404
    assert (await ada.program.get("/api/v1/admin/people/1")).status_code == 404


async def test_others_may_not_decide(site: Site, alice: Person, bob: Person) -> None:
    person = await makers.person(site, "sponsor", status="pending")
    for who in (alice, bob):
        assert (await who.program.post(url(person, "approve"), REASON)).status_code == 403
        answer = await who.browser.post(f"/admin/people/{person.id}/approve", REASON, page="/account")
        assert answer.status_code == 403
    assert (await site.rows("SELECT status FROM people WHERE id = :id", id=person.id))[0].status == "pending"
