"""The OpenAPI 3.1 document, made from what routes declare beside themselves and the very types that validate.

`describe` stamps a JSON view with its body, answers and errors; `document` walks the URL map.  The security of each
operation is read from its access stamp, so the document cannot promise other rights than the guard demands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec
from quart import Quart
from werkzeug.routing import Rule

from app.access import SCOPES
from app.web.guards import Access, access_of

F = TypeVar("F", bound=Callable[..., Any])
STAMP: Final = "__scriptorium_operation__"
VERSION: Final = "3.1.0"
FILE: Final = 200  # the status a file is answered with
PROBLEM: Final = "application/problem+json"
_ID: Final = {"type": "string", "format": "uuid"}
_NUMBER: Final = {"type": "integer", "minimum": 0}
REF: Final = "#/components/schemas/{name}"

_FORMATS: Final[Mapping[str, str]] = {
    "uuid": "0198c5a1-7f00-7000-8000-000000000000",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
}
_MEANINGS: Final[Mapping[int, str]] = {
    304: "You already hold this version.",
    400: "The request cannot be read.",
    401: "Credentials are missing, wrong or no longer good.",
    403: "You may not do this.",
    404: "There is nothing here, or nothing for you.",
    405: "This address does not take this method.",
    409: "Not possible in the present state.",
    410: "It was withdrawn by those who published it.",
    412: "Somebody changed it since you read it.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "Send JSON.",
    422: "Some fields are not acceptable; `errors` names them.",
    428: "Send If-Match.",
    429: "Too many requests; wait as long as Retry-After says.",
    503: "Something we need is away; try again as Retry-After says.",
}


class OAuthProblem(msgspec.Struct, frozen=True):
    """An error of an OAuth endpoint (RFC 6749 5.2)."""

    error: str
    error_description: str


class Problem(msgspec.Struct, frozen=True):
    """An error (RFC 9457).  `code` is stable, `detail` is for people, `errors` maps fields to messages."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET
    current_version: int | msgspec.UnsetType = msgspec.UNSET
    current: str | msgspec.UnsetType = msgspec.UNSET


@dataclass(frozen=True)
class Operation:
    """What a JSON route takes and gives."""

    summary: str
    tag: str
    body: type[Any] | None = None
    body_required: bool = True
    query: type[Any] | None = None
    answers: Mapping[int, type[Any] | None] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    examples: Mapping[str, Any] = field(default_factory=dict)
    media_type: str = "application/json"
    file_type: str = ""
    upload: bool = False
    """Whether the body is a file of any type."""
    oauth: bool = False
    secret: bool = False
    """Whether answers hold a secret, and so are never compressed."""


def describe(summary: str, **declared: Any) -> Callable[[F], F]:
    """Declare what a JSON view takes and gives; goes under the route decorator and above the guard."""
    operation = Operation(summary, **declared)

    def stamp(view: F) -> F:
        setattr(view, STAMP, operation)
        return view

    return stamp


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view declared, or None."""
    found = getattr(view, STAMP, None)
    return found if isinstance(found, Operation) else None


def document(app: Quart) -> dict[str, Any]:
    """The whole document."""
    described: list[tuple[Rule, Operation, Access]] = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        operation, access = operation_of(view), access_of(view)
        if operation is not None and access is not None:
            described.append((rule, operation, access))
    models = list(_models(operation for _, operation, _ in described))
    schemas, components = msgspec.json.schema_components(models, ref_template=REF)
    refs = dict(zip(models, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for rule, operation, access in described:
        entry = paths.setdefault(_path(rule.rule), {})
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            entry[method.lower()] = _operation(rule, operation, access, method, refs, components)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Scriptorium",
            "version": "1.0.0",
            "summary": "Journal, documents and accounts for programs.",
            "description": (
                "Errors are RFC 9457 problem documents.  Lists take `limit` and `cursor`.  Times are RFC 3339, UTC."
            ),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": components, "securitySchemes": _schemes()},
    }


def _schemes() -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token from `/api/login`.  Scopes: " + ", ".join(f"`{name}`" for name in SCOPES),
        },
        "basic": {"type": "http", "scheme": "basic", "description": "Address and password, in UTF-8 (RFC 7617)."},
    }


def _models(operations: Iterable[Operation]) -> Iterable[type[Any]]:
    seen: dict[type[Any], None] = {Problem: None, OAuthProblem: None}
    for operation in operations:
        for model in (operation.body, operation.query, *operation.answers.values()):
            if model is not None:
                seen.setdefault(model)
    return seen


def _path(rule: str) -> str:
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)


def _operation(
    rule: Rule, operation: Operation, access: Access, method: str, refs: Mapping[type[Any], Any], components: Any
) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "operationId": f"{rule.endpoint.replace('.', '_')}_{method.lower()}",
        "summary": operation.summary,
        "tags": [operation.tag],
        "description": f"For {access.words}.",
        "security": [] if access.kind == "public" else [{_scheme(access): []}],
        "parameters": [*_path_parameters(rule), *_query_parameters(operation, refs, components), *_headers(operation)],
        "responses": _responses(rule, operation, access, refs),
    }
    if operation.body is not None:
        content: dict[str, Any] = {"schema": refs[operation.body]}
        examples = operation.examples or {"smallest": example_of(refs[operation.body], components)}
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
        entry["requestBody"] = {"required": operation.body_required, "content": {operation.media_type: content}}
    if operation.upload:
        file = {"schema": {"type": "string", "format": "binary"}}
        entry["requestBody"] = {"required": True, "content": {"application/octet-stream": file}}
    return entry


def example_of(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    """The smallest value that a schema of ours takes."""
    if "$ref" in schema or "anyOf" in schema:
        meant = schema["anyOf"][0] if "anyOf" in schema else components[schema["$ref"].rpartition("/")[2]]
        return example_of(meant, components)
    kind = "enum" if "enum" in schema else str(schema.get("type"))
    make = _SMALLEST.get(kind)
    return None if make is None else make(schema, components)


def _smallest_object(schema: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    return {name: example_of(schema["properties"][name], components) for name in schema.get("required", ())}


_SMALLEST: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Any]]] = {
    "enum": lambda schema, _: schema["enum"][0],
    "object": _smallest_object,
    "array": lambda schema, components: [example_of(schema["items"], components)] * schema.get("minItems", 0),
    "string": lambda schema, _: _FORMATS.get(schema.get("format", ""), "text".ljust(schema.get("minLength", 0), ".")),
    "integer": lambda schema, _: schema.get("minimum", 1),
    "number": lambda schema, _: schema.get("minimum", 1),
    "boolean": lambda _, __: True,
}


def _scheme(access: Access) -> str:
    return "basic" if access.challenge.lower().startswith("basic") else "bearer"


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _NUMBER if _is_number(name, rule) else _ID}
        for name in sorted(rule.arguments)
    ]


def _is_number(name: str, rule: Rule) -> bool:
    return re.search(rf"<int(?:\([^)]*\))?:{name}>", rule.rule) is not None


def _query_parameters(operation: Operation, refs: Mapping[type[Any], Any], components: Any) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = components[refs[operation.query]["$ref"].rpartition("/")[2]]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": value}
        for name, value in schema["properties"].items()
    ]


def _headers(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in operation.headers
    ]


def _responses(rule: Rule, operation: Operation, access: Access, refs: Mapping[type[Any], Any]) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, model in operation.answers.items():
        responses[str(status)] = {
            "description": (model.__doc__ or "").strip() if model else _MEANINGS.get(status, "Done.")
        }
        if model is not None:
            responses[str(status)]["content"] = {"application/json": {"schema": refs[model]}}
        elif operation.file_type and status == FILE:
            responses[str(status)]["content"] = {operation.file_type: {"schema": {"type": "string"}}}
    errors = {400, 405, 413, 414, 429, 503, *operation.errors}
    if rule.arguments:
        errors.add(404)
    if operation.body is not None:
        errors |= {415, 422}
    content = {PROBLEM: {"schema": refs[Problem]}}
    if operation.oauth:  # what never reaches the endpoint is refused by the guard, in the usual form
        content = {"application/json": {"schema": refs[OAuthProblem]}, **content}
    if operation.query is not None:
        errors.add(422)
    if access.kind != "public":
        errors |= {401, 403}
    for status in sorted(errors):
        responses[str(status)] = {
            "description": _MEANINGS[status],
            "content": content,
        }
    return responses
