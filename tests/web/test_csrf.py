"""Where unsafe requests come from: every combination of browser headers, tokens, sessions and keys."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field

import pytest
from quart import Quart, g, request
from quart.typing import TestClientProtocol as WebClient

from app.settings import Settings
from app.web import error_pages
from app.web.csrf import Csrf

HOST = "127.0.0.1:5000"
OWN = f"http://{HOST}"


@dataclass
class Key:
    version: int
    value: bytes = field(default_factory=lambda: secrets.token_bytes(32))


@dataclass
class Ring:
    keys: list[Key]

    @property
    def signing(self) -> Key:
        return self.keys[0]

    def find(self, version: int) -> Key | None:
        return next((key for key in self.keys if key.version == version), None)


@dataclass
class House:
    web: WebClient
    ring: Ring
    done: list[str]

    async def token(self, **headers: str) -> str:
        answer = await self.web.get("/form", headers={"Host": HOST, **headers})
        return (await answer.get_data(as_text=False)).decode()

    async def send(self, token: str | None, path: str = "/act", **headers: str) -> int:
        given = {"Host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
        form = {"x": "1"} if token is None else {"x": "1", "form_token": token}
        before = len(self.done)
        status = (await self.web.post(path, form=form, headers=given)).status_code
        assert (len(self.done) > before) == (status == 200)
        return status


def make_house(public_url: str = OWN) -> House:
    app = Quart(__name__)
    ring = Ring([Key(1)])
    csrf = Csrf(Settings(public_url=public_url), lambda: ring, lambda: request.headers.get("X-Test-Session"))
    done: list[str] = []

    @app.get("/form")
    async def form() -> str:
        assert csrf.form_token() != csrf.form_token()
        return csrf.form_token()

    @app.post("/act")
    async def act() -> str:
        await csrf.check(request)
        done.append("act")
        return "done"

    @app.post("/login")
    async def login() -> str:
        await csrf.check(request, visitor_form=True)
        done.append("login")
        return "done"

    async def bare_page(template: str, **context: object) -> str:
        return str(context["code"])

    error_pages.install(app, bare_page)
    assert g is not None
    return House(app.test_client(), ring, done)


@pytest.fixture
def house() -> House:
    return make_house()


async def test_a_form_of_ours_passes(house: House) -> None:
    token = await house.token()
    assert await house.send(token, Origin=OWN, Sec_Fetch_Site="same-origin") == 200
    assert await house.send(token, Origin=OWN) == 200
    assert await house.send(token) == 200  # an old browser, or none


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": OWN},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "nonsense"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://127.0.0.1:5000"},
        {"Origin": "http://127.0.0.1:5001"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:5000.evil.example"},
        {"Origin": "http://localhost:5000"},
    ],
)
async def test_foreign_origins_are_refused_whatever_the_token(house: House, headers: dict[str, str]) -> None:
    token = await house.token()
    assert await house.send(token, **headers) == 403
    assert await house.send(token, "/login", **headers) == 403


async def test_no_token_or_a_wrong_one(house: House) -> None:
    token = await house.token()
    version, nonce, mac = token.split(".")
    for wrong in (
        None, "", "x", "1..", f"2.{nonce}.{mac}", f"{version}.x{nonce}.{mac}", f"{version}.{nonce}.{mac[:-2]}",
        f"-1.{nonce}.{mac}", f"{'9' * 30}.{nonce}.{mac}", f"٣.{nonce}.{mac}", "ü.ü.ü", token + "x" * 300,
    ):  # fmt: skip
        assert await house.send(wrong, Origin=OWN) == 403, wrong


async def test_a_token_is_bound_to_the_browser_and_to_the_session(house: House) -> None:
    stranger = make_house()
    stranger.ring.keys = house.ring.keys
    assert await house.send(await stranger.token()) == 403
    visitor = await house.token()
    session = await house.token(**{"X-Test-Session": "s1"})
    assert await house.send(session, X_Test_Session="s1") == 200
    assert await house.send(session, X_Test_Session="s2") == 403
    assert await house.send(session) == 403
    assert await house.send(visitor, X_Test_Session="s1") == 403
    assert await house.send(visitor, "/login", X_Test_Session="s1") == 200


async def test_forms_survive_a_rotation_until_the_old_key_is_gone(house: House) -> None:
    token = await house.token()
    house.ring.keys.insert(0, Key(2))
    assert await house.send(token) == 200
    assert (await house.token()).startswith("2.")
    del house.ring.keys[1]
    assert await house.send(token) == 403


async def test_the_token_may_come_as_a_header(house: House) -> None:
    token = await house.token()
    assert await house.send(None, X_Form_Token=token) == 200


@pytest.mark.parametrize(
    ("public_url", "cookie"),
    [(OWN, r"scriptorium_form=[\w-]{32}; HttpOnly; Path=/; SameSite=Lax"),
     ("https://journal.example", r"__Host-scriptorium_form=[\w-]{32}; Secure; HttpOnly; Path=/; SameSite=Lax")],
)  # fmt: skip
async def test_the_cookie_of_visitors(public_url: str, cookie: str) -> None:
    house = make_house(public_url)
    answer = await house.web.get("/form")
    assert re.fullmatch(cookie, answer.headers["Set-Cookie"])


async def test_the_cookie_is_set_once(house: House) -> None:
    await house.token()
    answer = await house.web.get("/form", headers={"Host": HOST})
    assert "Set-Cookie" not in answer.headers
