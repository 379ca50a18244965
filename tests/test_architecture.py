"""The shape of the house, held by reading its code: import contracts and the rules a linter does not know."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from sqlalchemy.orm import RelationshipProperty

from app import tables
from app.database import Base

ROOT = Path(__file__).resolve().parent.parent
CODE = ("app", "local", "vault", "tests")
MODULES = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
APP = [path for path in MODULES if path.is_relative_to(ROOT / "app")]
TEMPLATES = sorted((ROOT / "app").rglob("templates/**/*.html"))
STATIC = sorted(path for path in (ROOT / "app").rglob("static/*") if path.suffix in (".js", ".css", ".svg"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """What a module says; several tests ask."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def calls(path: Path) -> tuple[tuple[str, ast.Call], ...]:
    """The name by which each call in a module is made, and the call."""
    found = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            found.append((name, node))
    return tuple(found)


def test_imports_go_where_they_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    failed = lint_imports(no_cache=True, is_debug_mode=False)
    assert not failed, capsys.readouterr().out


@pytest.mark.parametrize("path", [path for path in MODULES if path.read_text(encoding="utf-8").strip()], ids=named)
def test_a_module_says_what_is_kept_there(path: Path) -> None:
    said = ast.get_docstring(parsed(path)) or ""
    assert said.strip(), f"{named(path)} begins with no sentence"
    assert re.search(r"[.:;?!]$", said.split("\n\n")[0].strip()), f"{named(path)}: one whole sentence"


def test_only_the_database_commits() -> None:
    """A transaction stands in the route as a block; nobody ends one by hand."""
    for path in APP:
        if path != ROOT / "app" / "database.py":
            for name, call in calls(path):
                assert name not in {"commit", "rollback"}, f"{named(path)}:{call.lineno}"


def test_relationships_refuse_to_load_lazily() -> None:
    for mapper in Base.registry.mappers:
        for relationship in mapper.relationships:
            assert isinstance(relationship, RelationshipProperty)
            assert relationship.lazy == "raise", f"{mapper.class_.__name__}.{relationship.key}"


def test_every_constraint_and_index_has_a_name() -> None:
    for table in tables.metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints), table.name
        assert all(index.name for index in table.indexes), table.name
        for column in table.columns:
            if "TIMESTAMP" in str(column.type) or "DATETIME" in str(column.type):
                assert getattr(column.type, "timezone", False), f"{table.name}.{column.name} has no zone"


def constant(given: ast.expr) -> bool:
    """Whether an expression is the same each time: spelled out, a module's constant, or put together from these."""
    if isinstance(given, ast.JoinedStr):
        return all(constant(part.value) for part in given.values if isinstance(part, ast.FormattedValue))
    return isinstance(given, ast.Constant) or (isinstance(given, ast.Name) and given.id.isupper())


def is_sql(path: Path) -> bool:
    """Whether a module's `text` is SQLAlchemy's and not the one that describes what people may type."""
    return "from sqlalchemy" in path.read_text(encoding="utf-8")


def test_sql_is_never_put_together_from_strings() -> None:
    """`text()` takes constants and nothing else (CWE-89)."""
    for path in filter(is_sql, APP):
        for name, call in calls(path):
            if name == "text" and isinstance(call.func, ast.Name) and call.args:
                assert constant(call.args[0]), f"{named(path)}:{call.lineno}"


def test_templates_come_from_files() -> None:
    for path in APP:
        for name, call in calls(path):
            assert name not in {"render_template_string", "from_string"}, f"{named(path)}:{call.lineno}"


def test_nothing_dangerous_is_called() -> None:
    """No evaluation, no pickles, no shell, no clock without a zone (bandit's list, held on the application itself)."""
    for path in APP:
        for name, call in calls(path):
            evaluates = isinstance(call.func, ast.Name) and name in {"eval", "exec", "compile"}
            forbidden = name in {"system", "popen", "utcnow", "utcfromtimestamp"}
            assert not evaluates, f"{named(path)}:{call.lineno}"
            assert not forbidden, f"{named(path)}:{call.lineno}"
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", "") or ""}
                assert not modules & {"pickle", "marshal", "shelve"}, f"{named(path)}:{node.lineno}"


def test_no_module_is_a_drawer_for_everything() -> None:
    for path in MODULES:
        assert path.stem not in {"utils", "util", "helpers", "common", "manager", "misc"}, named(path)


def test_nine_files_in_ten_are_short() -> None:
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in APP)
    assert lengths[len(lengths) * 9 // 10] <= 200
    assert lengths[-1] <= 400


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_templates_hold_no_code_and_trust_nothing(path: Path) -> None:
    """A strict CSP forbids inline scripts, styles and event attributes; autoescape stays on."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "inline script"
    assert not re.search(r"<style|\sstyle=", text), "inline style"
    assert not re.search(r"\son[a-z]+\s*=", text), "event attribute"
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(", text), "trusts text"
    assert not re.search(r"(?:src|href|action)=[\"']?(?:https?:)?//", text), "an outside address"
    assert not re.search(r"javascript:", text, re.IGNORECASE)


@pytest.mark.parametrize("path", STATIC, ids=named)
def test_scripts_put_text_in_safe_sinks(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert sink not in text, sink
    assert not re.search(r"(?:url\(|import\s*)[\"']?https?:", text), "an outside address"
    assert "localStorage" not in text or "token" not in text.lower(), "tokens live in memory only"


def test_one_library_answers_to_passlib() -> None:
    """libpass carries on passlib under the same import name; both installed would overwrite each other."""
    names = {(found.metadata["Name"] or "").lower() for found in distributions()}
    assert len(names & {"passlib", "libpass"}) == 1
