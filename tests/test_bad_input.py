"""Bad input on every JSON route that takes a body, by somebody who is allowed in: a 4xx problem, and nothing is stored."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from app.web.body_caps import body_cap
from app.web.fields import FieldError
from app.web.openapi import operation_of
from app.web.shapes import Field, fields_of
from tests import makers
from tests.cast import Cast, Person
from tests.matrix import SENT
from tests.site import Site
from tests.test_every_route import concrete, each

MEGABYTE = 1024 * 1024
Targets = list[tuple[str, str, type[Any]]]
TargetsAndRules = list[tuple[str, str, type[Any], str]]
MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
# Bodies that are not JSON as RFC 8259 and this house have it, whatever route they are sent to.
RAW: dict[str, bytes] = {
    "broken UTF-8": b'{"title":"\xff\xfe"}',
    "an overlong encoding": b'{"title":"\xc0\xaf"}',
    "UTF-16": '{"title":"x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"title":"x"}',
    "100,000 nested lists": b"[" * 100_000,
    "100,000 nested lists, closed": b"[" * 50_000 + b"]" * 50_000,
    "20,000 nested objects": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "NaN": b'{"title":NaN}',
    "Infinity": b'{"title":-Infinity}',
    "a number beyond all bounds": b'{"title":1e999}',
    "a number of 5,000 digits": b'{"title":' + b"9" * 5000 + b"}",
    "a name twice": b'{"title":"a","title":"b"}',
    "a name twice, once in escapes": b'{"title":"a","\\u0074itle":"b"}',
    "a lone surrogate": b'{"title":"\\ud800"}',
    "a reversed pair of surrogates": b'{"title":"\\udc00\\ud800"}',
    "a raw NUL": b'{"title":"\x00"}',
    "an escaped NUL": b'{"title":"\\u0000"}',
    "a NUL in a name": b'{"ti\\u0000tle":"x"}',
    "a raw line break in a text": b'{"title":"a\nb"}',
    "half an object": b'{"title":"x"',
    "two objects": b'{"title":"x"}{"title":"y"}',
    "a comma too many": b'{"title":"x",}',
    "single quotes": b"{'title':'x'}",
    "a comment": b'{"title":"x"} // really',
    "a word": b"title",
    "a form": b"title=x&body=y",
    "XML": b"<title>x</title>",
    "space": b"  \r\n ",
}
DOCUMENT, PERSON = "/api/v1/documents/<uuid:document_id>", "/api/v1/admin/people/<uuid:person_id>"
STEPS = ("hand-in", "return", "accept", "publish", "cancel", "unpublish", "archive", "unarchive")
# What the address says already, and a body only adds a note to: an empty body is done there, and nowhere else.
BODILESS = {*(f"{DOCUMENT}/{step}" for step in STEPS), f"{PERSON}/end-sessions"}
NOT_OBJECTS = [b"[]", b"null", b"1", b'"text"', b"true", b'[{"title":"x"}]']
WRONG = [None, 0, -1, 1.5, True, "", [], {}, [None], {"a": 1}, "\u202e", "a\u2028b", "x" * MEGABYTE, 2**63, 1e308]


def struct(model: type[Any]) -> type[msgspec.Struct]:
    assert issubclass(model, msgspec.Struct)
    return model


@pytest.fixture(scope="module")
async def targets_and_rules(site: Site, cast: Cast) -> TargetsAndRules:
    """Method, address, body type and rule of every JSON route that takes a body; documents are the caller's own.

    Made once: nothing that is sent there may change them, as each test makes sure.
    """
    own = await makers.document(cast.alice, cast.bob)
    found = []
    for rule, method in each(site):
        operation = operation_of(site.app.view_functions[rule.endpoint])
        if operation is None or operation.body is None or operation.media_type != "application/json":
            continue
        path = rule.rule.replace("<uuid:document_id>", own["id"])
        if "<uuid:person_id>" in path:
            state = {"approve": "pending", "decline": "pending", "reinstate": "suspended"}
            person = await makers.person(site, "editor", status=state.get(path.rpartition("/")[2], "active"))
            path = path.replace("<uuid:person_id>", str(person.id))
        found.append((method, concrete(path), operation.body, rule.rule))
    assert len(found) > 10
    return found


@pytest.fixture
def targets(targets_and_rules: TargetsAndRules) -> Targets:
    """The same without their rules."""
    return [(method, path, body) for method, path, body, _ in targets_and_rules]


def allowed_in(cast: Cast, path: str) -> Person:
    if "/admin/" in path:
        return cast.ada
    return cast.bob if path.endswith("/hand-in") else cast.alice


def check(answer: Any, *statuses: int) -> None:
    """The answer is a problem document with all its members (RFC 9457, and our own two)."""
    where = f"{answer.request.method} {answer.request.url.path}"
    assert answer.status_code in statuses, f"{where}: {answer.status_code} {answer.text[:300]}"
    assert answer.headers["content-type"] == "application/problem+json", where
    problem = answer.json()
    assert problem.keys() >= MEMBERS, where
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert ("errors" in problem) == (answer.status_code == 422)


async def unchanged(site: Site, before: dict[str, int]) -> None:
    assert await site.counts() == before


@pytest.mark.parametrize("name", RAW)
async def test_what_is_not_json(site: Site, cast: Cast, targets: Targets, name: str) -> None:
    before = await site.counts()
    for method, path, _ in targets:
        answer = await allowed_in(cast, path).program.raw(method, path, RAW[name], If_Match="*")
        check(answer, 400)
    await unchanged(site, before)


async def test_what_is_no_object(site: Site, cast: Cast, targets: Targets) -> None:
    before = await site.counts()
    for method, path, _ in targets:
        for body in NOT_OBJECTS:
            check(await allowed_in(cast, path).program.raw(method, path, body, If_Match="*"), 422)
    await unchanged(site, before)


async def test_wrong_kinds_of_content(site: Site, cast: Cast, targets: Targets) -> None:
    before = await site.counts()
    for method, path, _ in targets:
        program = allowed_in(cast, path).program
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
            check(await program.raw(method, path, b'{"reason":"x"}', Content_Type=kind, If_Match="*"), 415)
        check(await program.raw(method, path, b"{}", Content_Type="application/json; charset=utf-16"), 415)
        check(await program.raw(method, path, b'{"note":"x"}', Content_Type=""), 415)
        check(await program.raw(method, path, b"x", Content_Encoding="gzip"), 415)
    await unchanged(site, before)


async def test_an_empty_body(site: Site, cast: Cast, targets_and_rules: TargetsAndRules) -> None:
    assert {rule for *_, rule in targets_and_rules} > BODILESS
    before = await site.counts()
    for method, path, body, rule in targets_and_rules:
        if rule in BODILESS:
            continue  # done: below
        program = allowed_in(cast, path).program
        needed = any(field.required for field in fields_of(struct(body)).values())
        check(await program.raw(method, path, b"", If_Match="*"), 400)
        if needed:
            check(await program.raw(method, path, b"", Content_Type="", If_Match="*"), 415)
            check(await program.raw(method, path, b"{}", If_Match="*"), 422)
    await unchanged(site, before)


def test_only_these_need_no_body(site: Site) -> None:
    found = set()
    for rule, _ in each(site):
        operation = operation_of(site.app.view_functions[rule.endpoint])
        if operation is not None and operation.body is not None and not operation.body_required:
            found.add(rule.rule)
    assert found == BODILESS


async def test_an_empty_body_where_none_is_needed(site: Site, cast: Cast) -> None:
    """Each of these acts by an empty body that is called JSON, as by none at all."""
    made = await makers.document(cast.alice, cast.bob)
    other = await makers.document(cast.alice, cast.bob)
    walk = ("hand-in", "return", "hand-in", "accept", "publish", "unpublish", "publish", "archive", "unarchive")
    acts = [(f"{DOCUMENT}/{step}", made["id"]) for step in walk]
    acts.append((f"{DOCUMENT}/cancel", other["id"]))
    person = await makers.person(site, "editor")
    acts.append((f"{PERSON}/end-sessions", person.id))
    assert {rule for rule, _ in acts} == BODILESS
    for rule, id_ in acts:
        path = re.sub("<.*>", str(id_), rule)
        answer = await allowed_in(cast, path).program.raw("POST", path, b"")
        assert answer.status_code == 200, f"{path}: {answer.text[:300]}"


async def test_bodies_that_are_too_large(site: Site, cast: Cast, targets: Targets) -> None:
    before = await site.counts()

    async def chunks(size: int) -> Any:
        for _ in range(size // 65536 + 1):
            yield b" " * 65536

    for method, path, _ in targets:
        program = allowed_in(cast, path).program
        cap = body_cap(path, "application/json")
        check(await program.raw(method, path, b" " * (cap + 1)), 413)
        headers = {"Authorization": f"Bearer {program.token}", "Content-Type": "application/json"}
        check(await program.http.request(method, path, content=chunks(cap), headers=headers), 413)
    await unchanged(site, before)


async def test_wrong_values_in_every_field(site: Site, cast: Cast, targets: Targets) -> None:
    """Each field of each body in turn, with values of every wrong kind; the rest of the body is as it should be."""
    before = await site.counts()
    for method, path, body in targets:
        program = allowed_in(cast, path).program
        for name, field in fields_of(struct(body)).items():
            for value in WRONG:
                if _fits(field, value):
                    continue
                sent = json.dumps({**_good(method, path), name: value})
                answer = await program.raw(method, path, sent.encode(), If_Match='"99"')
                if answer.status_code < 400:
                    raise AssertionError(f"{method} {path} took {name}={str(value)[:40]!r}")
                check(answer, 401, 409, 412, 413, 422)
    await unchanged(site, before)


async def test_fields_that_do_not_exist(site: Site, cast: Cast, targets: Targets) -> None:
    before = await site.counts()
    for method, path, _ in targets:
        for name in ("surprise", "__proto__", "constructor", "", "ti tle", "x" * 5000, "id", "created_at"):
            sent = json.dumps({**_good(method, path), name: "x"}).encode()
            answer = await allowed_in(cast, path).program.raw(method, path, sent, If_Match='"99"')
            check(answer, 422)
            assert name in answer.json()["errors"]
    await unchanged(site, before)


async def test_a_title_of_a_megabyte(site: Site, cast: Cast) -> None:
    before = await site.counts()
    title = "x" * MEGABYTE
    sponsor = cast.alice.program
    for path in ("/api/v1/documents", "/api/v1/entries"):
        answer = await sponsor.post(path, {"title": title, "body": "b"})
        check(answer, 422)
        assert answer.json()["errors"].keys() == {"title"}
        assert len(answer.content) < 2000
    check(await sponsor.post("/api/v1/people", {"email": "a@b.example", "display_name": title, "password": "p"}), 413)
    await unchanged(site, before)


async def test_odd_ids_in_every_address(site: Site, cast: Cast) -> None:
    """Where an id belongs, anything else leads nowhere."""
    before = await site.counts()
    odd = [
        "0",
        "-1",
        "x",
        "null",
        "%00",
        "%ff",
        "%2e%2e%2f",
        "9" * 5000,
        "0197b8c4",
        "'",
        "%27%20OR%201=1",
        "%F0%9F%98%80",
    ]
    for rule, method in each(site):
        if "<uuid:" not in rule.rule or operation_of(site.app.view_functions[rule.endpoint]) is None:
            continue
        for value in odd:
            path = rule.rule
            while "<uuid:" in path:
                start, _, rest = path.partition("<uuid:")
                path = start + value + rest.partition(">")[2]
            answer = await cast.ada.program.call(method, path, {}, If_Match="*")
            assert answer.status_code in (400, 404, 405, 414), (method, path, answer.status_code)
            assert answer.headers["content-type"] == "application/problem+json"
    await unchanged(site, before)


async def test_odd_queries_of_every_list(site: Site, cast: Cast) -> None:
    for rule, method in each(site):
        operation = operation_of(site.app.view_functions[rule.endpoint])
        if operation is None or operation.query is None or "<" in rule.rule or method != "GET":
            continue
        for name in fields_of(struct(operation.query)):
            for value in ("%00", "%ff", "%ed%a0%80", "x" * 5000, "9" * 5000, "1e999", "NaN", "-1", "%zz", "[]", "{}"):
                answer = await cast.ada.program.get(f"{rule.rule}?{name}={value}")
                assert answer.status_code in (200, 400, 422), (rule.rule, name, value, answer.status_code)
        for query in (
            "&".join(f"a{number}=1" for number in range(200)),
            "=",
            "&&&",
            "limit",
            "limit=1&limit=2",
            "surprise=1",
        ):
            answer = await cast.ada.program.get(f"{rule.rule}?{query}")
            assert answer.status_code in (200, 400, 422), (rule.rule, query)


def _fits(field: Field, value: Any) -> bool:
    """Whether the field takes this value after all: an empty text is a body, and a whole number is a number."""
    try:
        if field.rule is not None and isinstance(value, str):
            field.rule.clean(value)
        msgspec.convert(value, field.type)
    except (msgspec.ValidationError, FieldError):
        return False
    return True


def _good(method: str, path: str) -> dict[str, Any]:
    """A well-formed body for an address, as the matrix sends it, but for something that cannot be done."""
    for (known_method, rule), sent in SENT.items():
        pieces, given = rule.split("/"), path.split("/")
        same = len(pieces) == len(given) and all(
            a == b or a.startswith("<") for a, b in zip(pieces, given, strict=True)
        )
        if known_method == method and same:
            words = {
                "$email": makers.address(),
                "$password": "x",
                "$unused": "no address",
                "$phrase": "x",
                "$name": "N",
            }
            return {name: words.get(value, value) if isinstance(value, str) else value for name, value in sent.items()}
    return {}
