"""What pages tell a browser, in the eyes of the HTTP Observatory and of csp_evaluator; what TLS offers, in testssl's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.tools import ToolMissingError, debian_program, node_modules, run
from tests.e2e.house import House
from tests.e2e.people import Programs

pytestmark = pytest.mark.proof
HERE = Path(__file__).parent
PAGES = {"/": 200, "/login": 200, "/nothing-here": 404, "/docs": 200}
LEAST = 130
HIGH = 20  # csp_evaluator's severities: 10 high, 20 syntax, 30 medium, 50 maybe high, 60 maybe medium
NOT_OFFERED = (
    "SSLv2",
    "SSLv3",
    "TLS1",
    "TLS1_1",
    "cipherlist_NULL",
    "cipherlist_aNULL",
    "cipherlist_EXPORT",
    "cipherlist_LOW",
)


def node(script: str, *words: str, ca: Path) -> Any:
    done = run("node", HERE / script, node_modules(), *words, more={"NODE_EXTRA_CA_CERTS": str(ca)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_observatory(attacked: House) -> None:
    found = node("observatory.mjs", "localhost", str(attacked.port), *PAGES, ca=attacked.state / "tls" / "ca.pem")
    print({path: one["score"] for path, one in found.items()})  # noqa: T201 - for the report
    assert {path: one["status"] for path, one in found.items()} == PAGES
    assert {path: one for path, one in found.items() if one["score"] < LEAST} == {}
    assert [name for one in found.values() for name, points in one["tests"].items() if points < 0] == []


async def test_the_policies(attacked: House, programs: Programs) -> None:
    ca = attacked.state / "tls" / "ca.pem"
    policies = {(await programs.http.get(path)).headers["content-security-policy"] for path in PAGES}
    assert len(policies) == 2, "the documentation has one of its own"
    for policy in policies:
        assert [one for one in node("policy.mjs", policy, ca=ca) if one["severity"] <= HIGH] == []
    assert [
        one["severity"] for one in node("policy.mjs", "script-src 'unsafe-inline'", ca=ca) if one["severity"] <= HIGH
    ]


def test_tls(attacked: House, tmp_path: Path) -> None:
    program, environment = debian_program("testssl")
    report, ca = tmp_path / "report.json", attacked.state / "tls" / "ca.pem"
    words = ("--quiet", "--color", "0", "--fast", "-n", "none", "-p", "-s", "-S", "--warnings", "off", "--add-ca", ca)
    done = run(program, *words, "--jsonfile", report, f"127.0.0.1:{attacked.port}", more=environment)
    if not report.exists():
        raise ToolMissingError(f"testssl did not run: {done.stdout[-400:]}")
    found = {one["id"]: one for one in json.loads(report.read_text())}
    assert {name: found[name]["finding"] for name in NOT_OFFERED if "not offered" not in found[name]["finding"]} == {}
    assert found["TLS1_2"]["severity"] == found["TLS1_3"]["severity"] == "OK"
    bad = {name: one for name, one in found.items() if one["severity"] in ("HIGH", "CRITICAL", "FATAL")}
    assert bad.keys() <= {"cert_revocation"}, "the authority of this machine revokes nothing"
