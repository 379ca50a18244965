"""What every page promises before it is rendered: nothing inline, nothing from elsewhere, little to load."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from jinja2 import Environment

from app.ids import now
from tests.client import Browser
from tests.site import Site

APP = Path(__file__).resolve().parents[2] / "app"
STATIC = APP / "web" / "static"
TEMPLATES = sorted(APP.glob("*/templates/**/*.html"))
INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
ELSEWHERE = re.compile(r"(?:href|src|action)=[\"'](?:https?:)?//|url\(\s*[\"']?(?:https?:)?//|@import", re.IGNORECASE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(APP)))
def test_a_template_is_sound_and_fits_the_strict_policy(template: Path) -> None:
    source = template.read_text()
    Environment(autoescape=True).parse(source)
    assert not INLINE.search(source)
    assert not ELSEWHERE.search(source)
    assert "| safe" not in source


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(APP)))
def test_every_form_that_changes_something_carries_the_form_token(template: Path) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", template.read_text(), re.DOTALL)
    for form in forms:
        # The console's form never leaves the page: its script speaks to the JSON API, which takes no cookie.
        assert "form_token" in form or 'id="sign-in"' in form


def test_scripts_are_small_and_never_write_markup_or_keep_secrets() -> None:
    scripts = {path: path.read_text() for path in STATIC.glob("*.js")}
    assert sum(len(text.encode()) for text in scripts.values()) <= 30 * 1024
    for text in scripts.values():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|sessionStorage", text
        )
        assert not re.search(r"\beval\(|new Function", text)


def test_the_style_sheet_loads_nothing_else() -> None:
    for sheet in STATIC.glob("*.css"):
        assert not ELSEWHERE.search(sheet.read_text())
    assert (STATIC / "site.css").stat().st_size <= 40 * 1024


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_script_is_named_by_its_digest(template: Path) -> None:
    for tag in re.findall(r"<script\b[^>]*>", template.read_text()):
        assert ' integrity="{{ ' in tag, tag


async def test_browsers_run_what_the_page_expects(browser: Browser) -> None:
    page = (await browser.get("/docs")).text
    named = re.findall(r'<script src="([^"]+)" integrity="sha256-([^"]+)"', page)
    assert len(named) == 3
    for address, digest in named:
        content = (await browser.get(address)).content
        assert b64encode(sha256(content).digest()).decode() == digest


async def test_a_file_of_another_version_is_kept_by_nobody(browser: Browser) -> None:
    ours = re.findall(r'src="(/static/site.js\?v=\w+)"', (await browser.get("/")).text)[0]
    assert (await browser.get(ours)).headers["cache-control"].startswith("public, max-age=")
    assert (await browser.get("/static/site.js?v=0123456789ab")).headers["cache-control"] == "no-store"
    assert (await browser.get("/static/nope.js?v=0123456789ab")).status_code == 404
    assert (await browser.get("/static/%2e%2e/assets.py?v=0123456789ab")).status_code == 404


async def test_whom_to_tell_of_a_weakness(site: Site, browser: Browser) -> None:
    """RFC 9116: a contact, an end within a year, the one address that counts, and a policy people can read."""
    answer = await browser.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert fields.keys() == {"Contact", "Expires", "Canonical", "Policy", "Preferred-Languages"}
    assert now() < datetime.fromisoformat(fields["Expires"]) < now() + timedelta(days=365)
    assert fields["Canonical"] == f"{site.settings.public_url}/.well-known/security.txt"
    policy = await browser.get(fields["Policy"].removeprefix(site.settings.public_url))
    assert policy.status_code == 200
    assert fields["Contact"].removeprefix("mailto:") in policy.text
