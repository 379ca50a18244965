"""Rules for every answer the tests of this process have seen: headers, cookies, caches, secrets, what pages load."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
from quart import Quart
from werkzeug.exceptions import HTTPException

from app.web.context import EXTENSION
from app.web.guards import access_of
from app.web.headers import HELD_BY_ONE, Overrides, declared_overrides, file_headers, security_headers

EMPTY: Final = (204, 304)
LONGEST: Final = 200_000  # characters of a body that are looked through
_CACHE: Final = "cache-control"
_TALKATIVE: Final = ("server", "x-powered-by", "via", "x-aspnet-version", "x-runtime")
_INTERNAL: Final = ("Traceback (most recent call last)", "site-packages", "sqlalchemy.exc", "asyncpg.exceptions")
_LOADS: Final = re.compile(
    r"<(?:script|link|img|iframe|audio|video|source|object|embed|form|input|button|use|track)\b[^>]*?"
    r"\s(?:src|href|action|formaction|data|srcset|poster)=[\"']?((?:[a-z]+:)?//[^\"'\s>]*)",
    re.IGNORECASE,
)
_INLINE: Final = re.compile(r"<script(?![^>]*\ssrc=)|<style\b|<[a-z][^<>]*\s(?:style|on[a-z]+)=", re.IGNORECASE)
_QUOTED: Final = re.compile(r"=\"[^\"<>]*\"|='[^'<>]*'")
# What a secret of ours looks like: a token, a key or client secret, and the id in a session's cookie.
_JWT: Final = re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")
_OURS: Final = re.compile(r"\bscr_[A-Za-z0-9_-]{20,}")
_ADDRESSES: Final = re.compile(r"\s(?:src|href|action|formaction)=[\"']([^\"']*)")
_WORDS: Final = re.compile(r"(?<![\w.-])[\w.-]{40,}", re.ASCII)  # tried where a word begins, and nowhere else


@dataclass(frozen=True)
class Answer:
    """One answer with what is known of the route it came from."""

    request: httpx.Request
    response: httpx.Response
    rule: str
    public: bool
    own: Overrides
    https: bool
    files_url: str = ""

    @property
    def expected(self) -> dict[str, str]:
        """The headers of wherever this was asked: the site, or the origin of files."""
        asked = f"{self.request.url.scheme}://{self.request.url.netloc.decode()}"
        if asked == self.files_url:
            return file_headers(https=self.https)
        return security_headers(https=self.https, files_url=self.files_url)

    @property
    def kind(self) -> str:
        return str(self.response.headers.get("content-type", ""))

    @property
    def html(self) -> str:
        return self.response.text[:LONGEST] if self.kind.startswith("text/html") else ""


def headers(answer: Answer) -> Iterator[str]:
    """Each security header once, with the site's value or one that the route declares; HSTS exactly over https."""
    given = answer.response.headers
    for name, value in answer.expected.items():
        found = given.get_list(name)
        if len(found) != 1:
            yield f"{name} is there {len(found)} times"
        elif found[0] != value and not answer.own.covers(name, found[0]) and (name, found[0]) != (_CACHE, HELD_BY_ONE):
            yield f"{name}: {found[0]} is declared nowhere"
    if not answer.https and "strict-transport-security" in given:
        yield "HSTS over plain http"
    if "clear-site-data" in given and not answer.own.covers("clear-site-data", given["clear-site-data"]):
        yield "clear-site-data is declared nowhere"


def silence(answer: Answer) -> Iterator[str]:
    """The id of the request, and nothing about what serves."""
    if len(answer.response.headers.get("x-request-id", "")) < 16:
        yield "no request id"
    yield from (f"{name} is told" for name in _TALKATIVE if name in answer.response.headers)
    if answer.kind.startswith(("text/", "application/json", "application/problem")):
        text = answer.response.text[:LONGEST]
        if answer.response.status_code >= 400:
            yield from (f"an error shows {word}" for word in _INTERNAL if word in text)


def cookies(answer: Answer) -> Iterator[str]:
    """HttpOnly, SameSite, the whole site and no other host; over https also Secure and `__Host-`."""
    for cookie in answer.response.headers.get_list("set-cookie"):
        name = cookie.partition("=")[0]
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        if "httponly" not in attributes:
            yield f"cookie {name} without HttpOnly"
        if not attributes & {"samesite=lax", "samesite=strict"}:
            yield f"cookie {name} without SameSite"
        if "path=/" not in attributes or any(part.startswith("domain=") for part in attributes):
            yield f"cookie {name} for another path or host"
        if answer.https and not ("secure" in attributes and name.startswith("__Host-")):
            yield f"cookie {name} without Secure and __Host-"


def caches(answer: Answer) -> Iterator[str]:
    """Only what everybody may see, and says so beside the route, may be kept by others; never with a cookie."""
    if "public" in answer.response.headers.get(_CACHE, ""):
        if not answer.public:
            yield "a closed route lets others keep its answer"
        if "set-cookie" in answer.response.headers:
            yield "a cookie others may keep"


def content_type(answer: Answer) -> Iterator[str]:
    """Whatever has a body has a type, and text its charset."""
    if answer.response.status_code in EMPTY or not answer.response.content:
        return
    if not answer.kind:
        yield "no content type"
    elif answer.kind.startswith("text/") and "charset=utf-8" not in answer.kind.lower():
        yield f"{answer.kind} without its charset"


def pages(answer: Answer) -> Iterator[str]:
    """Pages load nothing from elsewhere but files from their origin, and hold nothing a strict policy forbids."""
    own = f"//{answer.request.url.netloc.decode()}/"
    for address in _LOADS.findall(answer.html):
        if own not in f"{address}/" and not (answer.files_url and f"{address}/".startswith(f"{answer.files_url}/")):
            yield f"loads {address[:80]}"
    inline = _INLINE.search(_QUOTED.sub('=""', answer.html))
    if inline:
        yield f"inline: {inline[0][:60]}"


class Secrets:
    """Session ids that were given out, to be found again where they do not belong."""

    def __init__(self) -> None:
        self.issued: set[str] = set()

    def __call__(self, answer: Answer) -> Iterator[str]:
        """No secret in an address we give out; session ids in cookies only."""
        addresses = [answer.response.headers.get("location", ""), *_ADDRESSES.findall(answer.html)]
        if any(_JWT.search(address) or _OURS.search(address) for address in addresses):
            yield "a secret in an address"
        for cookie in answer.response.headers.get_list("set-cookie"):
            name, _, rest = cookie.partition("=")
            value = rest.partition(";")[0]
            if name.removeprefix("__Host-") == "scriptorium" and len(value) >= 40:
                self.issued.add(value)
        seen = _WORDS.findall(answer.response.headers.get("location", ""))
        if answer.kind.startswith(("text/html", "application/json", "application/problem")):
            seen += _WORDS.findall(answer.response.text[:LONGEST])
        if not self.issued.isdisjoint(seen):
            yield "a session id outside of its cookie"


class Recorded:
    """What was wrong with any answer, by route; each fault once."""

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.seen: Counter[str] = Counter()
        self.rules: list[Callable[[Answer], Iterator[str]]] = [
            headers,
            silence,
            cookies,
            caches,
            content_type,
            pages,
            Secrets(),
        ]

    def note(self, app: Quart, request: httpx.Request, response: httpx.Response) -> None:
        """Hold one answer against all rules."""
        answer = _answer(app, request, response)
        self.seen[answer.rule] += 1
        where = f"{request.method} {answer.rule} answered {response.status_code}"
        self.faults |= {f"{where}: {fault}" for rule in self.rules for fault in rule(answer)}


def _answer(app: Quart, request: httpx.Request, response: httpx.Response) -> Answer:
    https = request.url.scheme == "https"
    opened = app.extensions.get(EXTENSION)
    files_url = opened.settings.files_url if opened is not None else ""
    try:
        matched: Any = app.url_map.bind("127.0.0.1").match(request.url.path, method=request.method, return_rule=True)
    except HTTPException:
        return Answer(request, response, "(no route)", public=True, own=Overrides({}), https=https, files_url=files_url)
    rule = matched[0]
    view = app.view_functions[rule.endpoint]
    access, own = access_of(view), declared_overrides(view) or Overrides({})
    return Answer(request, response, rule.rule, access is None or access.kind == "public", own, https, files_url)


RECORDED = Recorded()
