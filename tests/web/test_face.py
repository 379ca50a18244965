"""What every page promises before it is rendered: nothing inline, nothing from elsewhere, little to load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment

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
