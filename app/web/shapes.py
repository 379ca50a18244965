"""Turns decoded input into a msgspec struct, or into sentences saying which fields are wrong and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from app.web.fields import FieldError, TextRule, rule_of

T = TypeVar("T", bound=Struct)
Errors = dict[str, list[str]]

NEEDED = "This is needed."
UNKNOWN = "There is no such field."
BEYOND = "This is beyond the calendar."

_NAMES = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_SENTENCES = (
    (re.compile(r"Expected `array` of length >= (\d+)"), "This needs at least {} entries."),
    (re.compile(r"Expected `array` of length <= (\d+)"), "This has more than {} entries."),
    (re.compile(r"Expected `\w+` of length >= (\d+)"), "This needs at least {} characters."),
    (re.compile(r"Expected `\w+` of length <= (\d+)"), "This is longer than {} characters."),
    (re.compile(r"Expected `\w+` >= (\S+)"), "This must be at least {}."),
    (re.compile(r"Expected `\w+` <= (\S+)"), "This must be at most {}."),
    (re.compile(r"Invalid UUID"), "This is not a valid id."),
    (re.compile(r"Invalid RFC3339 encoded datetime"), "This must be a time such as 2026-01-31T12:00:00Z."),
    (re.compile(r"Invalid RFC3339 encoded date"), "This must be a date such as 2026-01-31."),
    (re.compile(r"Invalid enum value"), "This is not one of the possible values."),
    (re.compile(r"unknown field `([^`]*)`"), "There is no such field as “{}” in it."),
    (re.compile(r"missing required field `([^`]*)`"), "It needs the field “{}”."),
)
_EXPECTED = re.compile(r"Expected `([^`]*)`")


@dataclass(frozen=True)
class Field:
    """What is known of one field of a struct."""

    name: str
    attribute: str
    type: Any
    required: bool
    rule: TextRule | None
    many: bool
    optional: bool
    plain: Any


@cache
def fields_of(model: type[Struct]) -> Mapping[str, Field]:
    """Return the fields of a struct by the name they are sent under."""
    hints = get_type_hints(model, include_extras=True)
    return {field.encode_name: _field(field, hints[field.name]) for field in msgspec.structs.fields(model)}


def _field(field: msgspec.structs.FieldInfo, hint: Any) -> Field:
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    rules = [rule_of(meta) for member in members if get_origin(member) is Annotated for meta in get_args(member)[1:]]
    bare = [get_args(member)[0] if get_origin(member) is Annotated else member for member in members]
    plain = [member for member in bare if member not in (NoneType, msgspec.UnsetType)]
    return Field(
        name=field.encode_name,
        attribute=field.name,
        type=hint,
        required=field.required,
        rule=next((rule for rule in rules if rule is not None), None),
        many=any(get_origin(member) in (list, tuple, set, frozenset) for member in plain),
        optional=NoneType in bare,
        plain=plain[0] if len(plain) == 1 else None,
    )


def build(model: type[T], given: Mapping[str, Any], *, strict: bool = True) -> tuple[T | None, Errors]:
    """Return the struct, or None and what is wrong, all fields at once.  Texts are cleaned by their rule first.

    `strict` keeps numbers in text from passing for numbers (JSON); forms and queries, which have only text, are lax.
    """
    fields = fields_of(model)
    errors: Errors = {}
    values = dict(given)
    for name, value in given.items():
        field = fields.get(name)
        if field is not None and field.rule is not None and isinstance(value, str):
            try:
                values[name] = field.rule.clean(value)
            except FieldError as error:
                errors[name] = [str(error)]
    if not errors:
        try:
            made = msgspec.convert(values, model, strict=strict)
            errors = _beyond_calendar(made, fields)
            return (None, errors) if errors else (made, {})
        except msgspec.ValidationError:
            pass  # said again below, for every field and in plain words
    for name in values.keys() - fields.keys():
        errors[name] = [UNKNOWN]
    for name, field in fields.items():
        message = _fault(field, values, strict=strict)
        if message and name not in errors:
            errors[name] = [message]
    return None, errors or {"": ["This is not as it should be."]}


def _beyond_calendar(made: Struct, fields: Mapping[str, Field]) -> Errors:
    """Moments at either end of the calendar that have no name in UTC, in which everything is kept."""
    errors: Errors = {}
    for name, field in fields.items():
        moment = getattr(made, field.attribute) if field.plain is datetime else None
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            try:
                moment.astimezone(UTC)
            except OverflowError:
                errors[name] = [BEYOND]
    return errors


def _fault(field: Field, values: Mapping[str, Any], *, strict: bool) -> str:
    if field.name not in values:
        return NEEDED if field.required else ""
    try:
        msgspec.convert(values[field.name], field.type, strict=strict)
    except msgspec.ValidationError as error:
        return in_plain_words(str(error))
    return ""


def in_plain_words(message: str) -> str:
    """Say what msgspec says, for people."""
    for pattern, sentence in _SENTENCES:
        found = pattern.search(message)
        if found:
            return sentence.format(*found.groups())
    found = _EXPECTED.search(message)
    if found:
        kinds = [_NAMES.get(kind.strip(), "something else") for kind in found[1].split("|")]
        return f"This must be {' or '.join(dict.fromkeys(kinds))}."
    return "This is not as it should be."
