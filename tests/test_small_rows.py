"""Rows of ASVS that no feature's own tests hold, each in a few lines."""

from __future__ import annotations

import base64
import re
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from app.access import Actor
from app.accounts import sessions
from app.web.fields import DisplayName, Email, FieldError, Password, rule_of
from tests import makers
from tests.cast import Cast, Person
from tests.site import Site

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "app").rglob("templates/**/*.html"))
HOSTILE = (
    "a" * 50_000, "a." * 25_000, "a@" * 25_000, "@" * 50_000, "-." * 25_000 + "x", " " * 50_000, "\u200d" * 50_000,
    "a@" + "b" * 50_000 + ".example", "a@" + "b." * 25_000 + "example", "e\u0301" * 25_000, "(" * 50_000,
)  # fmt: skip
# What lies beside the code, what editors and builds leave behind, and what other programs would be asked for.
WORKSHOP = (
    ".git/HEAD", ".git/config", ".gitignore", ".env", ".venv/pyvenv.cfg", ".ci/run.sh", "Dockerfile", "Makefile",
    "docker-compose.yml", "pyproject.toml", "requirements/app.txt", "app/settings.py", "app/main.py", "alembic.ini",
    "var/instance.json", "var/logs/app.log", "dist/sbom.json", "static/../settings.py", "static/", "static/.", "backup.sql",
    "dump.sql.gz", "site.css~", "static/site.css.bak", "static/site.js.map", "__pycache__/", "phpinfo.php", "wp-login.php",
    "server-status", "debug", "console/", "redoc", "redocs", "scalar", "swagger.json", "actuator/env", "config", ".DS_Store",
)  # fmt: skip
OPEN = {"console/"}  # a page of ours, with or without its slash


async def test_input_is_decoded_once(alice: Person) -> None:
    """ASVS 1.1.1: what is encoded twice is kept encoded once, by forms and by JSON, and read back so."""
    title = "100%2525 %252e%252e %2527 &amp;lt; \\u0041 +"
    made = await makers.document(alice, title=title)
    assert made["title"] == title
    page = await alice.browser.get(f"/sponsor/documents/{made['id']}")
    assert "100%2525 %252e%252e %2527 &amp;amp;lt; \\u0041 +" in page.text
    found = await alice.browser.get("/search?q=%252e%252e")
    assert 'value="%2e%2e"' in found.text


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:6]!r} and more")
def test_no_field_takes_long_over_a_hostile_text(text: str) -> None:
    """ASVS 1.3.12: fifty thousand characters made to keep an expression busy."""
    for field in (Email, DisplayName, Password):
        rule = rule_of(field.__metadata__[0])  # type: ignore[attr-defined]  # Annotated
        assert rule is not None
        took = []
        for _ in range(3):  # the best counts: beside other tests even the same work takes more
            began = time.thread_time()
            with suppress(FieldError):
                rule.clean(text)
            took.append(time.thread_time() - began)
        assert min(took) < 0.05


async def test_a_phrase_of_small_letters_is_a_password(site: Site) -> None:
    """ASVS 6.2.5: nobody is asked for digits or signs."""
    email = makers.address()
    given = {"email": email, "display_name": "Small Letters", "password": "lanterns over quiet meadows again"}
    assert (await site.program().post("/api/v1/people", given)).is_success
    assert (await site.browser().sign_in(email, given["password"])).status_code == 303


async def test_a_password_of_long_ago_still_opens(site: Site) -> None:
    """ASVS 6.2.10: no password runs out."""
    person = await makers.person(site)
    moved = (
        "UPDATE people SET created_at = created_at - interval '400 days', updated_at = updated_at - interval '400 days'"
    )
    await site.change(f"{moved} WHERE id = :id", id=person.id)
    assert (await person.browser.sign_in(person.email, person.password)).status_code == 303


def test_password_fields_are_for_password_managers() -> None:
    """ASVS 6.2.6 and 6.2.7: masked, named for password managers, and no script stands between keyboard and field."""
    inputs = [tag for path in TEMPLATES for tag in re.findall(r"<input[^>]*>", path.read_text("utf-8"), re.DOTALL)]
    masked = [tag for tag in inputs if 'type="password"' in tag]
    assert masked
    assert [tag for tag in masked if 'autocomplete="' not in tag or 'autocomplete="off"' in tag] == []
    assert [tag for tag in inputs if "password" in tag.partition(" type=")[0] and tag not in masked] == []
    listens = re.compile(r"addEventListener\(\s*\"(?:paste|copy|cut|contextmenu)\".{0,400}", re.DOTALL)
    for script in (ROOT / "app" / "web" / "static").glob("*.js"):
        assert not any("password" in found for found in listens.findall(script.read_text("utf-8"))), script.name


def test_there_are_no_hints_to_passwords() -> None:
    """ASVS 6.4.2: no hint and no question, in no form, table or schema."""
    asked = re.compile(
        r"password.?hint|hint.?to.?your.?password|security.?question|secret.?question|maiden", re.IGNORECASE
    )
    for path in [*TEMPLATES, *(ROOT / "app").rglob("*.py")]:
        assert not asked.search(path.read_text("utf-8")), path.name


async def test_session_ids_cannot_be_guessed(site: Site, cast: Cast) -> None:
    """ASVS 7.2.3 and 11.5.1: 256 bits each, all different, and none like the one before in more than chance allows."""
    actor = Actor(id=cast.max.id, status="active", roles=frozenset({"member"}))
    made = []
    with suppress(InterruptedError):
        async with site.resources.database.transaction() as db:
            for _ in range(200):
                _, token = await sessions.open_session(db, site.settings, actor, 0, device="a test")
                made.append(token)
            raise InterruptedError  # nothing of it is kept
    raw = [base64.urlsafe_b64decode(token + "=") for token in made]
    assert {len(value) for value in raw} == {32}
    assert len(set(raw)) == len(raw)
    ones = sum(byte.bit_count() for value in raw for byte in value) / (len(raw) * 256)
    assert 0.47 < ones < 0.53
    alike = [sum(a == b for a, b in zip(one, other, strict=True)) for one, other in pairwise(raw)]
    assert max(alike) <= 4


async def test_a_stored_hash_is_argon2id_of_the_recommended_strength(site: Site) -> None:
    """ASVS 11.4.2: 19 MiB and two passes at least."""
    person = await makers.person(site)
    stored = (await site.rows("SELECT password_hash FROM people WHERE id = :id", id=person.id))[0][0]
    found = re.search(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$", stored)
    assert found, stored[:20]
    memory, passes, lanes = map(int, found.groups())
    assert memory >= 19_456
    assert passes >= 2
    assert lanes >= 1


@pytest.mark.parametrize("path", WORKSHOP)
async def test_nothing_of_the_workshop_is_served(site: Site, cast: Cast, path: str) -> None:
    """ASVS 13.4.1: neither to a visitor nor to an administrator."""
    for browser in (cast.visitor.browser, cast.ada.browser):
        answer = await browser.get(f"/{path}")
        assert answer.status_code in ((200, 308) if path in OPEN else (404,)), answer.text[:200]


def test_the_time_frames_are_written_down() -> None:
    """ASVS 15.1.1: by how bad a weakness is, with a number of days for each."""
    text = (ROOT / "docs" / "operations" / "incidents.md").read_text("utf-8")
    for line in (r"\| critical.*24 hours.*\d+ days", r"\| high.*\d+ days.*\d+ days", r"\| medium.*\d+ days.*\d+ days"):
        assert re.search(line, text), line
    assert "incidents.md" in (ROOT / "SECURITY.md").read_text("utf-8")
