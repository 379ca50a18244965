"""wapiti over all pages and sqlmap over all parameters, as a stranger and as everybody who may be inside."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from app.web.parsing import FORM_TOKEN
from tests.attacks.conftest import ROLES, Entry
from tests.attacks.planted import planted
from tests.attacks.tools import SQLMAP, WAPITI, python_program, run
from tests.e2e.house import House
from tests.e2e.people import Programs

pytestmark = pytest.mark.proof
MODULES = "sql,xss,permanentxss,redirect,file,exec,crlf,csp,http_headers,cookieflags,csrf,methods"
CRAWL, EACH = 25, 6  # seconds: looking around, and for each of the modules
# Ends the session or the person one came in as; and the documentation, whose pages are somebody else's program.
LEFT_OUT = ("logout", "sponsor/logout", "editor/logout", "account/sessions*", "docs*", "account/confirm*", "static*")


# wapiti knows form tokens by their names; told ours, it tries whether the token is looked at.
KNOWING_OURS = f"""
import sys
from wapitiCore.attack.mod_csrf import ModuleCsrf
from wapitiCore.main.wapiti import wapiti_asyncio_wrapper
ModuleCsrf.TOKEN_FORM_STRINGS.append("{FORM_TOKEN}")
sys.argv[0] = "wapiti"
sys.exit(wapiti_asyncio_wrapper())
"""


def wapiti(url: str, folder: Path, headers: dict[str, str], modules: str) -> dict[str, Any]:
    """What wapiti reports: faults by kind, those with none left out."""
    report = folder / "report.json"
    words = ["--url", url, "--module", modules, "--flush-session", "--store-session", str(folder / "session")]
    words += ["--format", "json", "--output", str(report), "--no-bugreport", "--verify-ssl", "0", "--scope", "domain"]
    words += ["--max-scan-time", str(CRAWL), "--max-attack-time", str(EACH), "--tasks", "4", "--timeout", "10"]
    words += [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    words += [word for path in LEFT_OUT for word in ("--exclude", f"{url}{path}")]
    python = python_program(WAPITI, "wapiti").with_name("python")
    done = run(python, "-c", KNOWING_OURS, *words, patience=CRAWL + EACH * 20 + 300)
    assert report.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(report.read_text())
    return {kind: found for part in ("vulnerabilities", "anomalies") for kind, found in told[part].items() if found}


@pytest.mark.parametrize("role", ROLES)
async def test_wapiti(attacked: House, come_in: Callable[[str], Awaitable[Entry]], tmp_path: Path, role: str) -> None:
    entry = await come_in(role)
    found = wapiti(f"{attacked.url}/", tmp_path, entry.headers, MODULES)
    assert {kind: [(one["path"], one["info"]) for one in some[:5]] for kind, some in found.items()} == {}


def test_wapiti_finds_what_is_planted(tmp_path: Path) -> None:
    with planted() as url:
        found = wapiti(url, tmp_path, {}, "sql,xss")
    assert {"SQL Injection", "Reflected Cross Site Scripting"} <= found.keys()


# Not to be confused with what it takes back itself as "false positive or unexploitable injection point".
FOUND = "sqlmap identified the following injection point"


def sqlmap(folder: Path, targets: list[str], *words: str) -> str:
    """What sqlmap says about these addresses, one run for all."""
    listed = folder / "targets"
    listed.write_text("\n".join(targets), encoding="utf-8")
    options = ["-m", str(listed), "--batch", "--level", "1", "--risk", "1", "--technique", "BEUQ", "--flush-session"]
    options += [
        "--output-dir",
        str(folder / "out"),
        "--disable-coloring",
        "--timeout",
        "15",
        "--retries",
        "1",
        "--skip-waf",
    ]
    done = run(python_program(SQLMAP, "sqlmap"), *options, *words, patience=900)
    assert "testing" in done.stdout, done.stdout[-2000:]
    return done.stdout


def written_down(folder: Path) -> list[str]:
    """What sqlmap keeps of what it found."""
    return [text for log in folder.rglob("log") if (text := log.read_text(encoding="utf-8", errors="replace"))]


def plausible(name: str, schema: dict[str, Any]) -> str:
    """A value that is taken, so that what is answered to others differs from a refusal."""
    schema = next((one for one in schema.get("anyOf", []) if one.get("type") != "null"), schema)
    kinds = {"uuid": "0197b8c4-0000-7000-8000-000000000000", "date-time": "2026-01-01T00:00:00Z"}
    if "enum" in schema:
        return str(schema["enum"][0])
    if name in ("ids", "author_id", "editor_id", "sponsor_id", "person", "actor"):
        return kinds["uuid"]
    if name in ("since", "until") or name.startswith(("published_", "updated_")):
        return kinds["date-time"]
    return kinds.get(schema.get("format", ""), {"integer": "10", "boolean": "true"}.get(schema.get("type", ""), "ink"))


async def parameters(programs: Programs) -> list[str]:
    """Every address that takes a query, with something good in each parameter."""
    document = await programs.ask("GET", "/api/openapi.json")
    found = []
    for path, methods in document["paths"].items():
        asked = {
            one["name"]: plausible(one["name"], one.get("schema", {}))
            for one in methods.get("get", {}).get("parameters", [])
            if one["in"] == "query"
            and one["name"] != "cursor"  # sealed by us; a wrong one is 400 before anything is asked
        }
        if asked and "{" not in path and "audit.csv" not in path and "audit.jsonl" not in path:
            found.append(f"{programs.house.url}{path}?{urlencode(asked)}")
    pages = (
        "/search?q=ink",
        "/login?next=/account",
        "/admin/people?q=ink&role=editor&status=active",
        "/admin/audit?kind=x",
    )
    return [*found, *(programs.house.url + page for page in pages)]


@pytest.mark.parametrize("role", ROLES)
async def test_sqlmap(
    programs: Programs, come_in: Callable[[str], Awaitable[Entry]], tmp_path: Path, role: str
) -> None:
    entry = await come_in(role)
    headers = {**entry.headers} | ({"Authorization": f"Bearer {entry.token}"} if entry.token else {})
    targets = await parameters(programs)
    assert len(targets) > 8
    said = sqlmap(tmp_path, targets, "--headers", "\n".join(f"{name}: {value}" for name, value in headers.items()))
    assert FOUND not in said
    assert written_down(tmp_path) == []


def test_sqlmap_finds_what_is_planted(tmp_path: Path) -> None:
    with planted() as url:
        assert FOUND in sqlmap(tmp_path, [f"{url}item?id=1"])
        assert written_down(tmp_path)
