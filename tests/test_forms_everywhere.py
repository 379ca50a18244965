"""Every form of every page: sent from elsewhere, without its token, or as no form is; refused alike, and nothing is done."""

from __future__ import annotations

import pytest

from app.web.faces import for_programs
from tests.accounts.test_sign_in import UNSAFE as UNSAFE_TARGETS
from tests.cast import Cast, Person
from tests.client import Browser
from tests.site import Site
from tests.test_every_route import UNSAFE, concrete, each

FORM = "application/x-www-form-urlencoded"
PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'
# What a browser says of a form that is not from a page of ours, or what somebody says who is no browser.
FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
    "another site, told by Origin alone": {"Origin": "https://evil.example", "Sec_Fetch_Site": ""},
    "another site, told by Sec-Fetch-Site alone": {"Origin": "", "Sec_Fetch_Site": "cross-site"},
    "a sibling of ours": {"Origin": "http://sibling.127.0.0.1:5000", "Sec_Fetch_Site": "same-site"},
    "our name over another scheme": {"Origin": "https://127.0.0.1:5000", "Sec_Fetch_Site": ""},
    "our name on another port": {"Origin": "http://127.0.0.1:5001", "Sec_Fetch_Site": ""},
    "our name as the beginning of another": {"Origin": "http://127.0.0.1:5000.evil.example", "Sec_Fetch_Site": ""},
    "a sandbox": {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
    "a sandbox, told by Origin alone": {"Origin": "null", "Sec_Fetch_Site": ""},
    "a word nobody says": {"Origin": "", "Sec_Fetch_Site": "elsewhere"},
}
# What no form is, and the answers it may have.
BROKEN: dict[str, tuple[bytes, str, set[int]]] = {
    "JSON": (b'{"title": "x"}', "application/json", {415}),
    "text": (b"title=x", "text/plain", {415}),
    "nothing said": (b"title=x", "", {415}),
    "a NUL": (b"title=a%00b", FORM, {400}),
    "a control character": (b"title=a%1bb", FORM, {400}),
    "broken UTF-8": (b"title=%ff%fe", FORM, {400}),
    "an overlong encoding": (b"title=%c0%af", FORM, {400}),
    "a surrogate": (b"title=%ed%a0%80", FORM, {400}),
    "half an escape": (b"title=%4", FORM, {400}),
    "101 fields": (b"&".join(b"f%d=1" % number for number in range(101)), FORM, {400}),
    "a boundary missing": (b"--x\r\n\r\n", "multipart/form-data", {400}),
    "parts without an end": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
        "multipart/form-data; boundary=x",
        {400},
    ),
}


def places(site: Site) -> list[str]:
    """Every address of a page that takes a form."""
    found = {concrete(rule.rule) for rule, method in each(site) if method in UNSAFE and not for_programs(rule.rule)}
    return sorted(found)


def everybody(site: Site, cast: Cast) -> list[tuple[str, Browser]]:
    """Somebody who is signed in, and a visitor, for whom signing in and registering are."""
    return [("Ada", cast.ada.browser), ("a visitor", site.browser())]


@pytest.mark.parametrize("said", FOREIGN, ids=lambda said: said.replace(" ", "-"))
async def test_nothing_from_elsewhere_is_taken_even_with_the_token(site: Site, cast: Cast, said: str) -> None:
    before = await site.counts()
    for name, browser in everybody(site, cast):
        sent = {"form_token": await browser.token(), "email": cast.max.email, "password": cast.max.password}
        for place in places(site):
            answer = await browser.send(place, sent, **FOREIGN[said])
            assert answer.status_code == 403, (name, place, answer.status_code)
            assert "not sent from a page of this site" in answer.text, (name, place)
            assert not [cookie for cookie in answer.headers.get_list("set-cookie") if "scriptorium=" in cookie]
    assert await site.counts() == before


async def test_nothing_without_its_token_is_taken(site: Site, cast: Cast) -> None:
    before = await site.counts()
    others = await cast.max.browser.token()
    for name, browser in everybody(site, cast):
        for token in ("", "x", others):
            for place in places(site):
                answer = await browser.send(place, {"form_token": token, "next": "/"}, Origin="", Sec_Fetch_Site="")
                assert answer.status_code in (403, 415), (name, place, answer.status_code)
    assert await site.counts() == before


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.replace(" ", "-"))
async def test_what_no_form_is_has_one_verdict_everywhere(site: Site, alice: Person, kind: str) -> None:
    before = await site.counts()
    body, content_type, verdicts = BROKEN[kind]
    headers = {"Origin": alice.browser.base_url, "Sec-Fetch-Site": "same-origin"}
    headers |= {"Content-Type": content_type} if content_type else {}
    for place in places(site):
        answer = await alice.browser.http.post(place, content=body, headers=headers)
        uploads = {415} if "/attachments" in place else set()
        assert answer.status_code in verdicts | uploads, (place, answer.status_code)
    assert await site.counts() == before


async def test_no_form_leads_anywhere_else(alice: Person) -> None:
    """The corpus of the sign-in page at the other forms that say where to go on."""
    for place, sent in (
        ("/drafts/discard", {"place": "entry"}),
        ("/account/confirm", {"password": alice.password}),
    ):
        token = await alice.browser.token()
        for target in UNSAFE_TARGETS if place == "/drafts/discard" else UNSAFE_TARGETS[:6]:
            answer = await alice.browser.send(place, {**sent, "form_token": token, "next": target})
            if answer.status_code < 400:  # what no address is may be refused before anybody asks where to
                assert (answer.status_code, answer.headers["location"]) == (303, "/account"), (place, target)
            token = await alice.browser.token()
