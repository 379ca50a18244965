"""Every route with the security headers of its answers, read from what was declared beside it (`scriptorium headers`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from quart import Quart

from app.web.guards import access_of
from app.web.headers import HELD_BY_ONE, content_security_policy, declared_overrides, security_headers

_POLICY = "content-security-policy"


class RouteHeaders(msgspec.Struct, frozen=True):
    """One route: all headers of its answers, those it declared itself, and those that depend on the request."""

    rule: str
    methods: list[str]
    open_to: str
    headers: dict[str, str]
    declared: dict[str, str]
    sometimes: dict[str, str]


class HeaderList(msgspec.Struct, frozen=True):
    """What every answer carries, errors included, and every route."""

    every_answer: dict[str, str]
    held_by_one: str
    routes: list[RouteHeaders]


def header_list(app: Quart, *, https: bool, files_url: str = "") -> HeaderList:
    """The whole list, in the order of the addresses."""
    every = security_headers(https=https, files_url=files_url)
    return HeaderList(every, HELD_BY_ONE, sorted(_routes(app, every), key=lambda route: (route.rule, route.methods)))


def _routes(app: Quart, every: dict[str, str]) -> Iterator[RouteHeaders]:
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        access, own = access_of(view), declared_overrides(view)
        declared = dict(own.headers) if own else {}
        yield RouteHeaders(
            rule=rule.rule,
            methods=["SOCKET"] if rule.websocket else sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
            open_to=access.words if access else "everybody",
            headers={**every, **declared},
            declared=declared,
            sometimes=dict(own.sometimes) if own else {},
        )


def _changed(name: str, value: str) -> str:
    """A header's value, of a policy only the directives that are not the site's."""
    if name != _POLICY:
        return value
    ours = content_security_policy().split("; ")
    return f"... {'; '.join(part for part in value.split('; ') if part not in ours)}"


def in_words(found: HeaderList, routes: Sequence[RouteHeaders]) -> str:
    """The list as a person reads it: what all have in common once, then under each route what is different."""
    lines = ["Every answer, errors included:", *(f"  {name}: {value}" for name, value in found.every_answer.items())]
    lines += [f"  (cache-control: {found.held_by_one} where an answer has an ETag)", ""]
    for route in routes:
        lines.append(f"{','.join(route.methods)} {route.rule}  [{route.open_to}]")
        lines += [f"  {name}: {_changed(name, value)}" for name, value in route.declared.items()]
        lines += [f"  sometimes {name}: {_changed(name, value)}" for name, value in route.sometimes.items()]
    own = sum(1 for route in routes if route.declared or route.sometimes)
    return "\n".join([*lines, "", f"{len(routes)} routes, {own} of them with headers of their own."])
