"""The list of parts is what the lock says, is CycloneDX, and every part's licence is one we may pass on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from license_expression import get_spdx_licensing
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from local.sbom import LOCK, bill_of_materials, licence, pins

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = files("cyclonedx.schema._res")
# May be used and passed on with a program under the MIT licence.
MAY_BE_USED = {
    "MIT", "MIT-0", "MIT-CMU", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "MPL-2.0", "0BSD",
}  # fmt: skip
# Fit together with MIT, but an image that holds them may be passed on as a whole under the GPL only (docs/security.md).
RECIPROCAL = {"merge3", "patiencediff"}
# What a package's metadata does not say, read in the package itself when it was taken in.
READ_BY_US = {"axe-playwright-python": "MIT"}


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    return bill_of_materials()


def validator() -> Draft7Validator:
    texts = {
        name: json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text())
        for name in ("bom-1.6", "spdx", "jsf-0.82")
    }
    registry: Any = Registry()
    for text in texts.values():
        registry = registry.with_resource(text["$id"], Resource.from_contents(text, default_specification=DRAFT7))
    return Draft7Validator(texts["bom-1.6"], registry=registry)


def test_it_is_cyclonedx(parts: dict[str, Any]) -> None:
    assert [error.message for error in validator().iter_errors(parts)] == []
    spoilt = {**parts, "components": [{"type": "no such type", "name": 1}]}
    assert list(validator().iter_errors(spoilt))


def test_it_names_what_is_locked_with_its_hashes(parts: dict[str, Any]) -> None:
    named = {
        part["name"]: (part["version"], [one["content"] for one in part["hashes"]]) for part in parts["components"]
    }
    assert named == pins(LOCK)
    assert all(hashes for _, hashes in named.values())
    known = {part["bom-ref"] for part in parts["components"]} | {parts["metadata"]["component"]["bom-ref"]}
    assert {edge["ref"] for edge in parts["dependencies"]} == known
    assert {need for edge in parts["dependencies"] for need in edge["dependsOn"]} <= known
    quart = next(edge for edge in parts["dependencies"] if edge["ref"].startswith("pkg:pypi/quart@"))
    assert any(need.startswith("pkg:pypi/werkzeug@") for need in quart["dependsOn"])


def test_it_names_no_address(parts: dict[str, Any]) -> None:
    text = json.dumps(parts)
    assert not re.search(r"https?:|file:|//", text)
    assert str(ROOT) not in text


def test_the_command_writes_the_same_each_time(tmp_path: Path, parts: dict[str, Any]) -> None:
    made = tmp_path / "made" / "sbom.json"
    command = [sys.executable, "-m", "local.sbom", str(made)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{len(parts['components'])} parts" in done.stdout
    assert json.loads(made.read_text()) == parts
    wrong = subprocess.run(command[:-1], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (2, "usage: python -m local.sbom FILE\n")


def unfit(packages: dict[str, Any]) -> dict[str, str]:
    """Packages whose licence is none of these; of a choice, one side must be fit."""
    spdx, wrong = get_spdx_licensing(), {}
    for name in packages:
        said = READ_BY_US.get(name) or licence(name)
        if not said:
            continue  # for other machines than this one
        choices = [choice.strip(" ()") for choice in said.split(" OR ")] if " AND " not in said else [said]
        if not any(set(spdx.license_keys(choice)) <= MAY_BE_USED for choice in choices) and not (
            " AND " in said and set(spdx.license_keys(said)) <= MAY_BE_USED
        ):
            wrong[name] = said
    return wrong


def test_every_licence_may_be_passed_on() -> None:
    found = unfit(pins(LOCK))
    assert found.keys() == RECIPROCAL
    assert set(found.values()) == {"GPL-2.0-or-later"}, "with Apache-2.0 beside it, only a later version will do"


def test_every_tool_may_be_used() -> None:
    assert unfit(pins(ROOT / "requirements" / "test.txt")).keys() == RECIPROCAL


def test_a_licence_that_will_not_do_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, fit in {
        "AGPL-3.0-only": 0,
        "MIT AND AGPL-3.0-only": 0,
        "AGPL-3.0-only OR MIT": 1,
        "(MIT AND ISC)": 1,
    }.items():
        monkeypatch.setitem(READ_BY_US, "quart", said)
        assert len(unfit({"quart": ""})) == 1 - fit, said


def test_what_is_installed_says_its_licence() -> None:
    silent = [name for name in pins(LOCK) if not (READ_BY_US.get(name) or licence(name))]
    assert set(silent) <= {"async-timeout"}, "for interpreters older than this one"
