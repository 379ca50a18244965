"""Sign-in through the page without a browser: the cookie, the form token, the form."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import httpx

from tests.e2e.people import Person, Secrets


async def open_form(http: httpx.AsyncClient, known: Secrets) -> tuple[str, str]:
    """Open the sign-in page; returns the cookies it gave as a header would carry them, and its form token."""
    page = await http.get("/login")
    assert page.status_code == 200, page.text
    cookies = "; ".join(f"{name}={known.note('cookie', value)}" for name, value in http.cookies.items())
    return cookies, form_token_of(page.text, known)


def form_token_of(page: str, known: Secrets) -> str:
    """The form token in a page."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None, page
    return known.note("form token", found[1])


def filled_in(person: Person, form_token: str) -> str:
    """The form as a browser sends it."""
    return urlencode({"form_token": form_token, "next": "", "email": person.email, "password": person.password})


async def sign_in(http: httpx.AsyncClient, person: Person, known: Secrets) -> httpx.Response:
    """Sign in through the page; the client keeps the cookie."""
    _, form_token = await open_form(http, known)
    known.note("password", person.password)
    answer = await http.post(
        "/login",
        content=filled_in(person, form_token),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": str(http.base_url).rstrip("/")},
    )
    for name, value in http.cookies.items():
        known.note(f"cookie {name}", value)
    return answer
