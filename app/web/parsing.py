"""The border: what comes in is read here, strictly and once, into structs that cannot be wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct
from quart import g, request
from werkzeug.http import parse_options_header

from app.errors import DomainError, Invalid
from app.web import forms, strict_json
from app.web.body_caps import body_cap, is_json, takes_upload
from app.web.faces import for_programs
from app.web.forms import MalformedForm, Pairs
from app.web.shapes import Errors, Field, build, fields_of
from app.web.uploads import FileForm, file_form

T = TypeVar("T", bound=Struct)

FORM_TOKEN = "form_token"  # noqa: S105  the name of a field

_NEVER_SHOWN_AGAIN = ("password", "otp", FORM_TOKEN)
_DATE = re.compile("[0-9]{4}-")
_CHECKED = frozenset({"on", "yes", "true", "1"})


class Malformed(DomainError):
    """The message itself cannot be read, whatever it may have meant (RFC 9110 15.5.1)."""

    status = 400
    code = "malformed"
    title = "This cannot be read"


class WrongContentType(DomainError):
    """The body is of a kind this address does not take (RFC 9110 15.5.16)."""

    status = 415
    code = "unsupported_media_type"
    title = "This kind of content is not taken here"


class TooLarge(DomainError):
    """The body is larger than this address takes (RFC 9110 15.5.14)."""

    status = 413
    code = "too_large"
    title = "Too large"


async def json_body(model: type[T]) -> T:
    """Read the request's JSON into `model`.

    Raises WrongContentType (415), TooLarge (413), Malformed (400) for what is not JSON as
    `strict_json` has it, and Invalid (422) naming every missing, unknown or unfit field.
    """
    if not is_json(request.headers.get("Content-Type", "")):
        raise WrongContentType("Send JSON, with Content-Type: application/json.")
    _content_type()
    try:
        given = strict_json.loads(await _body())
    except strict_json.MalformedJSON as error:
        raise Malformed(str(error)) from error
    if not isinstance(given, dict):
        raise Invalid({"": ["The body must be an object."]})
    parsed, errors = build(model, given)
    if parsed is None:
        raise Invalid(errors)
    return parsed


async def optional_json_body(model: type[T]) -> T:
    """Read JSON as `json_body` does, taking an empty body for an empty object, whether it is called JSON or nothing."""
    kind = request.headers.get("Content-Type", "")
    if (not kind or is_json(kind)) and not await _body():
        parsed, errors = build(model, {})
        if parsed is None:
            raise Invalid(errors)
        return parsed
    return await json_body(model)


@dataclass
class FormData(Generic[T]):
    """A form as it was sent: what to show again, what is wrong with it, and what it means when nothing is."""

    values: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    errors: Errors = field(default_factory=dict)
    parsed: T | None = None

    def add_error(self, name: str, message: str) -> None:
        """Put one more sentence beside a field, for what only a service can know."""
        self.errors.setdefault(name, []).append(message)

    def take_errors(self, invalid: Invalid) -> None:
        """Put what a service found wrong beside the fields."""
        for name, messages in invalid.errors.items():
            self.errors.setdefault(name, []).extend(messages)

    def require(self) -> T:
        """Return what the form means; raises Invalid when something is wrong with it."""
        if self.parsed is None or self.errors:
            raise Invalid(self.errors)
        return self.parsed


async def form_body(model: type[T]) -> FormData[T]:
    """Read the request's form into `model`; what is wrong with single fields stands in `.errors`.

    Raises WrongContentType (415), TooLarge (413) and Malformed (400: control characters, not UTF-8, a field twice,
    more than 100 fields, a file).  Fields that `model` does not have are ignored.
    """
    pairs = await form_pairs()
    fields = fields_of(model)
    values, lists = _collect(pairs, fields)
    form: FormData[T] = FormData(values=_showable(values), lists=lists)
    given: dict[str, Any] = dict(lists)
    for name, value in values.items():
        if name in fields and not (value == "" and _means_nothing(fields[name])):
            given[name] = _as_given(fields[name], value)
    form.parsed, form.errors = build(model, given, strict=False)
    return form


async def form_field(name: str) -> str:
    """Return one field of the request's form, or an empty string; raises as `form_body` does."""
    return next((value for found, value in await form_pairs() if found == name), "")


async def uploaded_form() -> FileForm:
    """Return the request's form with a file in it, read up to the file; raises Malformed and WrongContentType."""
    kind, _ = _content_type()
    if kind != "multipart/form-data":
        raise WrongContentType("Send a form with a file: multipart/form-data.")
    try:
        return await file_form()
    except MalformedForm as error:
        raise Malformed(str(error)) from error


def query_args(model: type[T]) -> T:
    """Read the query string into `model`; raises Invalid (422), and Malformed (400) where it cannot be read.

    Under the API an unknown or repeated parameter is an error; on pages, where mail programs and links from
    elsewhere add their own, unknown ones are ignored.
    """
    try:
        pairs = forms.read_urlencoded(request.query_string)
    except MalformedForm as error:
        raise Malformed("The query cannot be read.") from error
    fields = fields_of(model)
    given: dict[str, Any] = {name: [] for name, found in fields.items() if found.many and name in dict(pairs)}
    strict = for_programs(request.path)
    errors: Errors = {}
    for name, value in pairs:
        known = fields.get(name)
        if known is not None and known.many:
            given[name].append(value)
        elif name in given:
            errors[name] = ["This may be given once."]
        elif known is not None:
            if strict or value != "" or not _means_nothing(known):
                given[name] = _as_given(known, value)
        elif strict:
            given[name] = value
    parsed, found_errors = build(model, given, strict=False)
    if parsed is None or errors:
        raise Invalid({**found_errors, **errors})
    return parsed


def _content_type() -> tuple[str, Mapping[str, str]]:
    kind, options = parse_options_header(request.headers.get("Content-Type", ""))
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise WrongContentType("Text is taken in UTF-8 only.")
    return kind.lower(), options


async def _body() -> bytes:
    data = await request.get_data(True, False, False)
    if len(data) > body_cap(request.path, request.headers.get("Content-Type", "")):
        raise TooLarge("The body is larger than this address accepts.")
    return data


async def form_pairs() -> Pairs:
    """Return the fields of the request's form as they were sent, in order; raises as `form_body` does."""
    known: Pairs | None = g.get("scriptorium_form")
    if known is None:  # the form token is looked for before the form is read: decode once
        known = g.scriptorium_form = await _decode_form()
    return known


async def _decode_form() -> Pairs:
    kind, options = _content_type()
    if not kind and not await _body():
        return []  # nothing was sent, and nothing said of it: an empty form
    try:
        if kind == "application/x-www-form-urlencoded":
            return forms.read_urlencoded(await _body())
        if kind == "multipart/form-data" and takes_upload(request.path):
            return (await file_form()).fields  # the file itself is read by the route, part by part
        if kind == "multipart/form-data":
            return forms.read_multipart(await _body(), options.get("boundary", "").encode())
    except MalformedForm as error:
        raise Malformed(str(error)) from error
    raise WrongContentType("Send a form: application/x-www-form-urlencoded or multipart/form-data.")


def _collect(pairs: Pairs, fields: Mapping[str, Field]) -> tuple[dict[str, str], dict[str, list[str]]]:
    values: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in fields and fields[name].many:
            lists.setdefault(name, []).append(value)
        elif name in values:
            raise Malformed("A field of the form came twice.")
        else:
            values[name] = value
    return values, lists


def _showable(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if not name.endswith(_NEVER_SHOWN_AGAIN)}


def _means_nothing(known: Field) -> bool:
    """Tell whether an empty text stands for "not given": for everything but text itself."""
    return known.plain is not str and not known.required


def _as_given(known: Field, value: str) -> Any:
    if known.plain is bool:
        return value.lower() in _CHECKED
    if known.plain is datetime and not _DATE.match(value):
        return f"?{value}"  # a bare number would be taken for seconds since 1970
    return value
