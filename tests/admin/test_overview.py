"""The overview: what is counted by day, from where, and how the plots say it to those who do not see them."""

from __future__ import annotations

import re
from datetime import timedelta

from app.admin.figures import Number
from app.admin.tally import Tally
from app.ids import now
from app.web.limits import Limiter
from tests import makers
from tests.cast import Person
from tests.site import Site

URL = "/api/v1/admin/overview"


async def test_days_are_counted_from_the_trail(empty_house: Site) -> None:
    admin = await makers.signed_in(empty_house, "admin")
    sponsor, editor = await makers.signed_in(empty_house, "sponsor"), await makers.signed_in(empty_house, "editor")
    await makers.document(sponsor)
    await makers.document(sponsor, editor, "published")
    assert (await empty_house.program().sign_in(sponsor.email, "not the password at all")).status_code == 401
    shown = (await admin.program.get(URL)).json()
    assert len(shown["days"]) == 30
    assert shown["days"][-1] == now().date().isoformat()
    today = {name: values[-1] for name, values in shown["by_day"].items()}
    assert today == {"sign_ins": 6, "refused_sign_ins": 1, "commissioned": 2, "published": 1, "limits": 0}
    assert all(sum(values[:-1]) == 0 for values in shown["by_day"].values())
    assert shown["people"] == {"active": 3, "pending": 0}
    assert (shown["documents"], shown["entries"]) == ({"count": 2, "exact": True}, {"count": 1, "exact": True})
    assert shown["audit_events"]["exact"]


async def test_refusals_of_limits_are_added_up_over_workers(empty_house: Site) -> None:
    admin = await makers.signed_in(empty_house, "admin")
    limiter: Limiter = empty_house.app.extensions[Limiter.__name__]
    tally: Tally = empty_house.app.extensions[Tally.__name__]
    await tally.write()
    before = sum((await admin.program.get(URL)).json()["by_day"]["limits"])
    limiter.refused["PAGES"] += 3
    await tally.write()
    await tally.write()
    limiter.refused["API"] += 1
    await tally.write()
    assert sum((await admin.program.get(URL)).json()["by_day"]["limits"]) == before + 4
    await empty_house.change("UPDATE refusals SET day = day - 40")
    assert sum((await admin.program.get(URL)).json()["by_day"]["limits"]) == 0


async def test_the_page_draws_them_and_says_them_in_words(site: Site, ada: Person) -> None:
    page = (await ada.browser.get("/admin/")).text
    assert page.count("<svg") == 5
    assert page.count('role="img"') == 5
    assert len(re.findall(r"<title id=\"\w+-title\">", page)) == 5
    assert "in 30 days; most on" in page
    assert page.count("<tr>") == 31, "the same as a table"
    assert " style=" not in page
    yesterday = (now() - timedelta(days=1)).date().isoformat()
    assert f'datetime="{yesterday}"' in page


def test_large_numbers_are_said_to_be_estimates() -> None:
    assert Number(1234).words == "1,234"
    assert Number(2_049_000, exact=False).words == "about 2.0 million"
    assert Number(123_456, exact=False).words == "about 123,000"


async def test_only_for_administrators(alice: Person, site: Site) -> None:
    assert (await alice.program.get(URL)).status_code == 403
    assert (await alice.browser.get("/admin/")).status_code == 403
    assert (await site.program().get(URL)).status_code == 401
