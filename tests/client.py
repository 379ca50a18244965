"""Speaks to the application through its front door, as browsers and programs do, and notes every answer it gives."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, MutableMapping
from html import unescape
from typing import Any, Self

import httpx
from quart import Quart

from app.web.parsing import FORM_TOKEN
from tests.canaries import CANARIES
from tests.observed import OBSERVED
from tests.recorded import RECORDED

_TOKEN = re.compile(rf'name="{FORM_TOKEN}" value="([^"]*)"')
PORT = 40_000


class Door(httpx.AsyncBaseTransport):
    """Hands requests to the whole application, guard included, in this process.

    As httpx's own does, but that one looks for a library that is not there, once more with every request.
    """

    def __init__(self, app: Quart, address: str) -> None:
        self._app = app
        self._client = (address, PORT)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._answer(request)
        OBSERVED.note(self._app, request, response)
        RECORDED.note(self._app, request, response)
        if not response.headers.get("content-type", "").startswith(("image/", "font/")):
            CANARIES.look(f"the answer to {request.method} {request.url.path}", f"{response.headers} {response.text}")
        return response

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        url = request.url
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": self._client,
            "root_path": "",
        }
        sent = aiter(request.stream)
        given, answered = False, asyncio.Event()
        status, headers, body = 0, list[tuple[bytes, bytes]](), list[bytes]()

        async def receive() -> dict[str, Any]:
            nonlocal given
            if given:
                await answered.wait()
                return {"type": "http.disconnect"}
            part = await anext(sent, None)
            given = part is None
            return {"type": "http.request", "body": part or b"", "more_body": not given}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                assert not status, "an answer begins once"
                status, headers = message["status"], list(message.get("headers", []))
            elif message["type"] == "http.response.body":
                assert not answered.is_set(), "an answer ends once"
                if request.method != "HEAD":
                    body.append(message.get("body", b""))
                if not message.get("more_body", False):
                    answered.set()

        await self._app(scope, receive, send)  # type: ignore[arg-type]  # Quart names TypedDicts; ASGI only says dict
        assert status, "there was no answer"
        assert answered.is_set(), "the answer has no end"
        response = httpx.Response(status, headers=headers, stream=httpx.ByteStream(b"".join(body)))
        await response.aread()
        return response


class Caller:
    """Whoever calls: requests from one address, redirects shown and not followed."""

    def __init__(self, app: Quart, base_url: str, address: str = "127.0.0.1") -> None:
        self.base_url = base_url
        self.http = httpx.AsyncClient(transport=Door(app, address), base_url=base_url, follow_redirects=False)

    async def close(self) -> None:
        await self.http.aclose()


class Browser(Caller):
    """A browser: keeps cookies, says where a form came from, and takes the form's token out of the page it is on."""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def follow(self, response: httpx.Response) -> httpx.Response:
        """The page a redirect leads to."""
        assert response.status_code in (303, 308), response.text
        return await self.get(response.headers["location"])

    async def token(self, page: str = "") -> str:
        """The form token of a page; any page with a form will do, since a token belongs to the session."""
        for path in [page] if page else ["/logout", "/login"]:
            found = _TOKEN.search((await self.get(path)).text)
            if found:
                return unescape(found[1])
        raise AssertionError(f"there is no form on {page or 'any page'}")

    async def post(
        self, path: str, data: Mapping[str, str] | None = None, *, page: str | None = None, **headers: str
    ) -> httpx.Response:
        """Open the page (by default the one posted to), fill in its form, and send it."""
        token = await self.token(path if page is None else page)
        return await self.send(path, {FORM_TOKEN: token, **(data or {})}, **headers)

    async def send(self, path: str, data: Mapping[str, str], **headers: str) -> httpx.Response:
        """Send a form as it is."""
        said = {"Origin": self.base_url, "Sec-Fetch-Site": "same-origin"} | _named(headers)
        return await self.http.post(
            path, data=dict(data), headers={name: value for name, value in said.items() if value}
        )

    async def sign_in(self, email: str, password: str, target: str = "") -> httpx.Response:
        return await self.post("/login", {"email": email, "password": password, "next": target}, page="/login")

    def cookies(self) -> dict[str, str]:
        return dict(self.http.cookies)

    def copy(self, app: Quart) -> Self:
        """Another browser into which the same cookies were copied."""
        other = type(self)(app, self.base_url)
        other.http.cookies.update(self.http.cookies)
        return other


class Program(Caller):
    """A program: no cookies, an `Authorization` header when it has a token, JSON both ways."""

    token = ""
    refresh_token = ""

    async def call(
        self, method: str, path: str, json: Any = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """One call; `json` is encoded when given."""
        bearer = self.token if token is None else token
        said = ({"Authorization": f"Bearer {bearer}"} if bearer else {}) | _named(headers)
        options: dict[str, Any] = {} if json is None else {"json": json}
        response = await self.http.request(method, path, headers=said, **options)
        assert not response.headers.get("set-cookie"), "programs get no cookies"
        return response

    async def raw(self, method: str, path: str, content: bytes, **headers: str) -> httpx.Response:
        """One call with a body sent as it is, as JSON unless `Content_Type` says otherwise."""
        said = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        said |= {"Content-Type": "application/json"} | _named(headers)
        said = {name: value for name, value in said.items() if value}
        return await self.http.request(method, path, content=content, headers=said)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("GET", path, **headers)

    async def post(self, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return await self.call("POST", path, json, **headers)

    async def patch(self, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return await self.call("PATCH", path, json, **headers)

    async def put(self, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return await self.call("PUT", path, json, **headers)

    async def delete(self, path: str, **headers: str) -> httpx.Response:
        return await self.call("DELETE", path, **headers)

    async def sign_in(self, email: str, password: str) -> httpx.Response:
        """Sign in for tokens and keep them."""
        response = await self.call("POST", "/api/login", {"email": email, "password": password}, token="")
        if response.status_code == 200:
            self.token, self.refresh_token = response.json()["access_token"], response.json()["refresh_token"]
        return response


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers given as keywords, underscores for dashes."""
    return {name.replace("_", "-"): value for name, value in headers.items()}
