"""The documents held against the code: every path, name, route, setting, command and link in them is a real one."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from quart import Quart
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import MapAdapter

from app.factory import create_app
from app.settings import DEFAULT_LIMITS, Settings
from app.web import strict_json
from app.web.openapi import operation_of
from app.web.shapes import build

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    [
        *ROOT.glob("docs/**/*.md"),
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    ]
)
DECISIONS = sorted(ROOT.glob("docs/decisions/*.md"))
SECTIONS = ["Context", "Decision", "Consequences", "Held by"]
FOLDERS = ("app", "local", "vault", "compose", "tests", "alembic", "docs", "requirements", "bench", ".ci")
ID = "01890a5d-ac96-774b-bcce-b302099a8057"
SETTINGS = {name.upper(): name for name in Settings.__dataclass_fields__} | {
    f"SIGN_UP_{role.upper()}": "sign_up" for role in ("member", "sponsor", "editor")
}


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def spans(document: Path) -> Iterator[str]:
    """Everything a document sets in code type within its text; blocks of code are left out."""
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    yield from (found.replace("\n", " ") for found in re.findall(r"`([^`]+)`", text))


def everywhere() -> list[tuple[str, str]]:
    """All code spans with the document they stand in."""
    return [(str(document.relative_to(ROOT)), span) for document in DOCUMENTS for span in spans(document)]


@pytest.fixture(scope="module")
def routes() -> MapAdapter:
    """The application's URL map; nothing is opened for it."""
    app: Quart = create_app(Settings.from_environment({}))
    return app.url_map.bind("127.0.0.1")


def test_all_documents_are_there() -> None:
    for name in ("architecture", "operations", "security", "api"):
        assert (ROOT / "docs" / f"{name}.md").exists()
    assert (ROOT / "LICENSE").read_text("utf-8").startswith("MIT License")


def test_every_path_exists() -> None:
    missing = []
    for document, span in everywhere():
        path = span.partition("::")[0].rstrip("/")
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", path) and path.split("/")[0] in FOLDERS and not (ROOT / path).exists():
            missing.append((document, span))
    assert missing == []


def test_every_test_named_exists() -> None:
    missing = []
    for document, span in everywhere():
        path, found, name = span.partition("::")
        if (
            path.startswith("tests/")
            and found
            and not re.search(rf"^(async )?def {re.escape(name)}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
        ):
            missing.append((document, span))
    assert missing == []


def test_every_name_in_the_code_exists() -> None:
    missing = []
    for document, span in everywhere():
        if re.fullmatch(r"(app|local|vault|compose)(\.\w+)+", span) and not _resolves(span):
            missing.append((document, span))
    assert missing == []


def _resolves(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        try:
            for part in parts[length:]:
                found = getattr(found, part)
        except AttributeError:
            return False
        return True
    return False


def test_every_route_exists(routes: MapAdapter) -> None:
    missing = []
    for document, span in everywhere():
        found = re.fullmatch(r"(GET|POST|PUT|PATCH|DELETE) (/\S*)", span)
        if found:
            path = re.sub(r"<[^>]+>", ID, found[2].partition("?")[0])
            try:
                routes.match(path, method=found[1])
            except (NotFound, MethodNotAllowed):
                missing.append((document, span))
    assert missing == []


def calls() -> list[tuple[str, str, str | None]]:
    """The curl examples of docs/api.md: method, path, and the literal JSON where there is one."""
    found = []
    for block in re.findall(
        r"^```sh\n(.*?)^```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        for line in block.replace("\\\n", " ").splitlines():
            address = re.search(r'"\$SITE(/[^"?]*)', line)
            if address:
                given = re.search(r"--request (\w+)", line)
                method = given[1] if given else "POST" if "--json" in line else "GET"
                body = re.search(r"--json '([^']*)'", line)
                found.append((method, re.sub(r"\$(ID|ENTRY)\b", ID, address[1]), body[1] if body else None))
    return found


@pytest.mark.parametrize(("method", "path", "body"), calls())
def test_every_example_call_would_be_understood(routes: MapAdapter, method: str, path: str, body: str | None) -> None:
    endpoint, _ = routes.match(path, method=method)
    operation = operation_of(create_app(Settings.from_environment({})).view_functions[endpoint])
    assert operation is not None
    if body is not None:
        assert operation.body is not None
        _, errors = build(operation.body, strict_json.loads(body.encode()))
        assert errors == {}


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {found[1] for _, span in everywhere() if (found := re.match(r"make ([a-z]+)", span))}
    assert named
    assert named <= targets


def test_links_lead_somewhere() -> None:
    broken = [
        (document.name, target)
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
        if not target.startswith(("http:", "https:", "mailto:")) and not (document.parent / target).exists()
    ]
    assert broken == []


def read_settings() -> dict[str, str]:
    """Every setting the code reads, with its default as the table writes it."""
    asked = Recording({})
    defaults = Settings.from_environment(asked)
    table = {}
    for name in asked.names | {f"SCRIPTORIUM_LIMIT_{name}" for name in DEFAULT_LIMITS}:
        short = name.removeprefix("SCRIPTORIUM_")
        if short == "LIMIT_SCALE":
            table[name] = "1"
        elif short.startswith("LIMIT_"):
            limit = DEFAULT_LIMITS[short.removeprefix("LIMIT_")]
            table[name] = f"{limit.count}/{ {1.0: 'second', 60.0: 'minute', 3600.0: 'hour'}[limit.period] }"
        elif short.startswith("SIGN_UP_"):
            table[name] = defaults.sign_up[short.removeprefix("SIGN_UP_").lower()]
        else:
            table[name] = _shown(getattr(defaults, SETTINGS[short]))
    return table


def _shown(value: Any) -> str:
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(map(str, value)))
    return (
        f"{value:g}"
        if isinstance(value, float) and value < 1e6
        else f"{value:.0f}"
        if isinstance(value, float)
        else str(value)
    )


def test_the_settings_table_is_the_code() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    told = dict(re.findall(r"^\| `(SCRIPTORIUM_\w+)` \| `?([^|`]*?)`? \|", text, re.MULTILINE))
    read = read_settings()
    assert {name: read[name] for name in sorted(read.keys() - told.keys())} == {}, "not in the table"
    assert sorted(told.keys() - read.keys()) == [], "in the table, but not read"
    assert {name: (told[name], read[name]) for name in read if told[name] != read[name]} == {}


def test_every_setting_named_anywhere_is_read() -> None:
    known = read_settings().keys()
    named = {
        (document, found) for document, span in everywhere() for found in re.findall(r"SCRIPTORIUM_[A-Z_]+[A-Z]", span)
    }
    assert {pair for pair in named if pair[1] not in known and not pair[1].endswith("LIMIT")} == set()


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_sections(record: Path) -> None:
    lines = record.read_text("utf-8").splitlines()
    number = record.name[:4]
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", record.name)
    assert lines[0].startswith(f"# {number}. ")
    assert [line.removeprefix("## ") for line in lines if line.startswith("## ")] == SECTIONS


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(record.name[:4]) for record in DECISIONS] == list(range(1, len(DECISIONS) + 1))


def test_one_distribution_owns_the_name_passlib() -> None:
    """passlib and libpass bring the same files (decision 0001); whichever came last would win, silently."""
    assert set(packages_distributions()["passlib"]) == {"libpass"}


def test_the_security_page_says_what_the_code_does() -> None:
    """ASVS 2.1.1, 6.1.1 and 7.1.1 ask for documents; these are the numbers in ours."""
    text = (ROOT / "docs" / "security.md").read_text("utf-8")
    defaults = Settings.from_environment({})
    for name in ("SIGN_IN", "SIGN_IN_ADDRESS", "REGISTER"):
        assert f"{DEFAULT_LIMITS[name].count} " in text
    assert f"{defaults.session_idle / 86400:g} days" in text
    assert f"{defaults.session_absolute / 86400:g} days" in text
    assert f"{defaults.access_token_life / 60:g} minutes" in text
    assert f"{defaults.refresh_token_life / 86400:g} days" in text


def test_pictures_are_small() -> None:
    pictures = sorted((ROOT / "docs" / "pictures").glob("*.png"))
    assert {"journal.png", "document.png"} <= {picture.name for picture in pictures}
    assert all(picture.stat().st_size < 150_000 for picture in pictures)


def test_no_other_site_is_named_but_these() -> None:
    hosts = {host for document in DOCUMENTS for host in re.findall(r"https?://([\w.-]+)", document.read_text("utf-8"))}
    assert hosts <= {
        "127.0.0.1",
        "localhost",
        "journal.example",
        "files.example",
        "vault",
        "keepachangelog.com",
        "semver.org",
    }
