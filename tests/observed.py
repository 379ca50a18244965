"""Which answers of the JSON API the tests of this process have seen, to be held against the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from quart import Quart
from werkzeug.exceptions import HTTPException

from app.web.context import EXTENSION
from app.web.faces import for_programs
from app.web.openapi import operation_of

Seen = tuple[str, str, int]
SAMPLES = 3


class Observed:
    """Answers by method, route and status, with a few bodies of each."""

    def __init__(self) -> None:
        self.bodies: dict[Seen, list[tuple[str, bytes]]] = defaultdict(list)

    def note(self, app: Quart, request: httpx.Request, response: httpx.Response) -> None:
        """Remember an answer to a program, if it came from a route that the document describes."""
        path = request.url.path
        opened = app.extensions.get(EXTENSION)
        elsewhere = opened is not None and str(request.url).startswith(f"{opened.settings.files_url or None}/")
        if elsewhere or not for_programs(path):
            return
        try:
            rule, _ = app.url_map.bind("127.0.0.1").match(path, method=request.method, return_rule=True)
        except HTTPException:
            return
        method = "GET" if request.method == "HEAD" else request.method
        if operation_of(app.view_functions[rule.endpoint]) is None or method == "OPTIONS":
            return
        seen = self.bodies[method.lower(), rule.rule, response.status_code]
        if len(seen) < SAMPLES and request.method != "HEAD":
            seen.append((response.headers.get("content-type", ""), response.content))


OBSERVED = Observed()


def undeclared(observed: Observed, document: dict[str, Any]) -> list[str]:
    """The answers that were seen and that the document does not speak of."""
    missing = []
    for method, rule, status in observed.bodies:
        operation = document["paths"].get(path_of(rule), {}).get(method)
        if operation is None or str(status) not in operation["responses"]:
            missing.append(f"{method.upper()} {rule} answered {status}")
    return sorted(missing)


def misshapen(observed: Observed, document: dict[str, Any]) -> list[str]:
    """The bodies that were seen and are not of the shape the document promises."""
    wrong = []
    for (method, rule, status), bodies in observed.bodies.items():
        answer = document["paths"].get(path_of(rule), {}).get(method, {}).get("responses", {}).get(str(status), {})
        for kind, body in bodies:
            content = answer.get("content", {})
            promised = content.get(kind.partition(";")[0])
            if "*/*" in content:
                continue  # a file comes as what it is
            if promised is None:
                if body and answer.get("content"):
                    wrong.append(f"{method.upper()} {rule} answered {status} as {kind}")
                continue
            schema = {**promised.get("schema", {}), "components": document["components"]}
            given = (
                json.loads(body)
                if "json" in kind.partition(";")[0].rpartition("/")[2].split("+")
                else body.decode("latin-1")
            )
            where = f"{method.upper()} {rule} answered {status}"
            faults = Draft202012Validator(schema).iter_errors(given)
            wrong.extend(f"{where}: {fault.json_path} {fault.message[:120]}" for fault in faults)
    return sorted(set(wrong))


def path_of(rule: str) -> str:
    """A rule as the document writes it: braces and no converters."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)
