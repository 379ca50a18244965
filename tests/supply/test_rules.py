"""Our own rules, and bandit's, held on everything that runs in or sets up an installation."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.supply.rules import RULES, Rule

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path for folder in ("app", "local", "vault", "compose") for path in (ROOT / folder).rglob("*.py"))


@cache
def code() -> dict[str, list[ast.AST]]:
    """Everything there is in every module; read once, by the one process that looks at it."""
    return {
        path.relative_to(ROOT).as_posix(): list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        for path in MODULES
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_code_keeps_the_rule(rule: Rule) -> None:
    found = [f"{path}:{line}" for path, nodes in code().items() if rule.looks_at(path) for line in rule.finds(nodes)]
    assert found == [], rule.why


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_finds_what_it_is_for(rule: Rule) -> None:
    assert list(rule.finds(ast.walk(ast.parse(rule.example)))), rule.example


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_an_exception_is_one_that_is_needed(rule: Rule) -> None:
    for pattern in rule.allowed:
        excused = [path for path in code() if Path(path).match(pattern)]
        assert any(list(rule.finds(code()[path])) for path in excused), f"{pattern} needs no exception"


def test_rules_have_names_of_their_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES) >= 20


def bandit(*where: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *where]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_bandit_finds_nothing() -> None:
    done = bandit("app", "local", "vault", "compose")
    assert done.returncode == 0, done.stdout


def test_bandit_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "planted.py").write_text("import hashlib\nhashlib.md5(b'x')\n", encoding="utf-8")
    done = bandit(str(tmp_path))
    assert done.returncode == 1
    assert "B324" in done.stdout
