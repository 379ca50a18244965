"""The administration may be entered from the configured networks only, and nobody is told which they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.web.guards import access_of
from local.stack import Stack
from tests import makers
from tests.site import Site, running


@pytest.fixture(scope="module")
async def fenced(app_stack: Stack) -> AsyncIterator[Site]:
    """An application whose administration is open to one network."""
    async with running(app_stack, ADMIN_NETWORKS="192.0.2.0/24 2001:db8::/32") as site:
        yield site


@pytest.mark.parametrize(("address", "status"), [("192.0.2.7", 200), ("2001:db8::1", 200), ("192.0.3.7", 403)])
async def test_pages_and_programs(fenced: Site, address: str, status: int) -> None:
    admin = await makers.signed_in(fenced, "admin")
    browser, program = fenced.browser(address), fenced.program(address)
    browser.http.cookies.update(admin.browser.http.cookies)
    program.token = admin.program.token
    page = await browser.get("/admin/")
    answer = await program.get("/api/v1/admin/people")
    assert (page.status_code, answer.status_code) == (status, status)
    assert (await browser.get("/account")).status_code == 200, "the rest of the site is open"
    if status == 403:
        assert answer.json()["code"] == "wrong_network"
        assert "192.0.2" not in page.text + answer.text
        assert (await fenced.program(address).get("/api/v1/admin/people")).status_code == 403, (
            "strangers are told no more"
        )


async def test_deciding_needs_it_too(fenced: Site) -> None:
    admin, person = await makers.signed_in(fenced, "admin"), await makers.person(fenced)
    refused = await admin.program.post(f"/api/v1/admin/people/{person.id}/suspend", {"reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_network")


def test_every_view_of_the_administration_is_fenced(site: Site) -> None:
    open_ones = [
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if rule.rule.startswith(("/admin", "/api/v1/admin"))
        and getattr(access_of(site.app.view_functions[rule.endpoint]), "networks", "") != "admin_networks"
    ]
    assert open_ones == []
