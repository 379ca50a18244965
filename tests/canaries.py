"""Everything secret is a canary: what the applications of this process hold must show in nothing that any test sees.

`CANARIES` learns each key, password and token when an application opens and whenever a rotation brings new ones.  Every
answer is searched for them, everything a test printed or logged, and at the end the tables, the servers' logs and the
environment and arguments of the processes (`tests/conftest.py`).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import psutil
import pytest

from app.vault.snapshot import Snapshot
from local.stack import Stack

SHORTEST = 12  # what is shorter than this is found by chance


def forms(secret: bytes) -> set[bytes]:
    """A secret as it could appear: as it is, in base64 and base64url, in hex, and quoted for a URL or in JSON."""
    plain = base64.b64encode(secret).rstrip(b"=")
    found = {secret, plain, base64.urlsafe_b64encode(secret).rstrip(b"="), secret.hex().encode()}
    found |= {secret.hex().upper().encode(), quote(secret).encode(), quote_plus(secret).encode()}
    found.add(json.dumps(secret.decode("utf-8", "replace"))[1:-1].encode())
    return {form for form in found if len(form) >= SHORTEST}


def held(snapshot: Snapshot) -> Iterator[tuple[str, bytes]]:
    """All that is secret in what an application holds, with its name.  A login's name is no secret: servers log it."""
    for ring in snapshot.rings.values():
        for key in ring.keys:
            name = f"{ring.name} key {key.version}"
            if key.value.startswith(b"-----BEGIN"):
                lines = key.value.split(b"\n")[1:-2]
                yield from ((name, line) for line in (*lines, b"".join(lines)))
            else:
                yield name, key.value
    yield "database password", snapshot.login.password.encode()
    yield "Valkey password", snapshot.valkey_password.encode()
    yield "mail password", snapshot.smtp_password.encode()
    if snapshot.bucket is not None:
        yield "secret key of the bucket", snapshot.bucket.secret_access_key.encode()


class Canaries:
    """What is hidden, and where any of it was seen; the secret itself is not repeated."""

    def __init__(self) -> None:
        self.hidden: dict[str, str] = {}
        self.seen: set[str] = set()

    def __len__(self) -> int:
        return len(set(self.hidden.values()))

    def learn(self, snapshot: Snapshot) -> None:
        """Hide what this snapshot holds."""
        for name, secret in held(snapshot):
            self.hide(name, secret)

    def hide(self, name: str, secret: bytes) -> None:
        """Hide one more secret."""
        for form in forms(secret):
            try:
                self.hidden.setdefault(form.decode(), name)
            except UnicodeDecodeError:  # a raw key; it would show as its replacement characters, which say nothing
                continue

    def look(self, where: str, text: str) -> None:
        """Look through one text."""
        self.seen |= {f"{name} in {where}" for form, name in self.hidden.items() if form in text}


CANARIES = Canaries()


def hide_identities(stack: Stack) -> None:
    """The tokens with which the runner and the rotation speak to OpenBao."""
    for holder in ("deployer", "rotator"):
        CANARIES.hide(f"token of the {holder}", stack.deployer.token(holder).encode())


def look_around(stack: Stack, texts: Mapping[str, str]) -> None:
    """Look at what a stack leaves behind: its servers' logs, the processes of this run, and `texts` by their names."""
    logs = list(stack.folders.logs.glob("*.log"))
    assert {"openbao.log", "postgres.log", "valkey.log"} <= {path.name for path in logs}
    for path in logs:
        CANARIES.look(path.name, path.read_text("utf-8", "replace"))
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        place = Path(f"/proc/{process.pid}")
        try:
            shown = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        CANARIES.look(f"environment or arguments of {place.name}", shown.decode("utf-8", "replace"))
    for name, text in texts.items():
        CANARIES.look(name, text)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look through everything a test printed and logged; what one of several processes will not show, it need not send."""
    for title, text in report.sections:
        CANARIES.look(f"{title} of {report.nodeid}", text)
    if report.passed and "PYTEST_XDIST_WORKER" in os.environ:
        report.sections.clear()
