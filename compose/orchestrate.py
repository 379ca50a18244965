"""Keeps a fresh wrapped secret-id before the door of every container that asked for one; holds the deployer's token.

A wrapping opens once and not for long.  So a place is filled when it is empty, when its wrapping was opened, and well
before it expires.  A container that has gone leaves its place behind: one that took nothing for hours is cleared away,
because a living application signs in anew at least every seventy minutes.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import hvac
import requests
from hvac.exceptions import Forbidden, InvalidRequest, VaultError

from compose.handover import FOLDER, ROLE_ID, SECRET_ID
from vault.client import connect
from vault.provision import write_private

WRAP_SECONDS: Final = 600
REFILL_SECONDS: Final = WRAP_SECONDS / 2
LOOK_SECONDS: Final = 5.0
RENEW_SECONDS: Final = 3600.0
ABANDONED_SECONDS: Final = 4 * 3600.0
TICK_SECONDS: Final = 0.5
HEALTHY_SECONDS: Final = 30.0
HEARTBEAT: Final = ".alive"


@dataclass
class _Delivery:
    """What lies in one place: since when, when it was last looked at, and when one was last taken from there."""

    filled: float
    looked: float
    taken: float


@dataclass
class Orchestrator:
    """Call `round` a few times a second; most rounds only look which files are there."""

    address: str
    ca: Path | None
    identities: Path
    folder: Path = FOLDER
    clock: Callable[[], float] = time.monotonic
    _known: dict[Path, _Delivery] = field(default_factory=dict)
    _renewed: float = float("-inf")

    def open(self) -> None:
        """Put the role ids out; they are names, not secrets."""
        for path in self.identities.glob("*.role-id"):
            room = self.folder / path.stem
            room.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(room / ROLE_ID, path.read_text("utf-8").strip())

    def round(self) -> None:
        """Fill what needs filling; raises hvac's and requests' errors when the server does not answer or refuses."""
        now = self.clock()
        if now - self._renewed > RENEW_SECONDS:
            self._client("deployer").auth.token.renew_self()
            self._client("rotator").auth.token.renew_self()
            self._renewed = now
        for place in self._places():
            self._tend(place, now)
        for gone in [place for place in self._known if not place.exists()]:
            del self._known[gone]
        (self.folder / HEARTBEAT).touch()

    def is_unused(self, wrapping: str) -> bool:
        """Tell whether a wrapping can still be opened.  Looking does not use it up."""
        try:
            connect(self.address, wrapping, self.ca).adapter.post("/v1/sys/wrapping/lookup", json={"token": wrapping})
        except (InvalidRequest, Forbidden):
            return False
        return True

    def _places(self) -> Iterator[Path]:
        return (place for place in sorted(self.folder.glob("*/*")) if place.is_dir())

    def _tend(self, place: Path, now: float) -> None:
        known = self._known.get(place)
        file = place / SECRET_ID
        if known is None or not file.exists():  # somebody came, or came again
            self._fill(place, now, taken=now)
        elif now - known.looked >= LOOK_SECONDS:
            known.looked = now
            if not self.is_unused(file.read_text("utf-8")):
                # A wrapping that ran out unopened while we were held up counts as untaken.
                self._fill(place, now, taken=now if now - known.filled < WRAP_SECONDS else known.taken)
            elif now - known.taken > ABANDONED_SECONDS:
                shutil.rmtree(place)
            elif now - known.filled > REFILL_SECONDS:
                self._fill(place, now, taken=known.taken)

    def _fill(self, place: Path, now: float, *, taken: float) -> None:
        role = place.parent.name
        answer = self._client("deployer").auth.approle.generate_secret_id(role, wrap_ttl=f"{WRAP_SECONDS}s")
        write_private(place / SECRET_ID, answer["wrap_info"]["token"])
        self._known[place] = _Delivery(filled=now, looked=now, taken=taken)

    def _client(self, holder: str) -> hvac.Client:
        return connect(self.address, (self.identities / f"{holder}.token").read_text("utf-8").strip(), self.ca)


def is_alive(folder: Path) -> bool:
    """Tell whether the orchestrator has finished a round in the last half minute."""
    try:
        return time.time() - (folder / HEARTBEAT).stat().st_mtime < HEALTHY_SECONDS
    except FileNotFoundError:
        return False


def keep_on(orchestrator: Orchestrator, told: threading.Event) -> None:
    """Go round until told to stop; trouble is said once, and again when it changes."""
    said = ""
    orchestrator.open()
    while not told.wait(TICK_SECONDS):
        try:
            orchestrator.round()
            trouble = ""
        except Forbidden:
            trouble = "the server no longer knows the deployer; docs/operations.md says how to make it anew"
        except (VaultError, requests.RequestException, OSError) as error:
            trouble = f"no secret-ids at present: {type(error).__name__}"
        if trouble != said:
            sys.stderr.write(f"orchestrator: {trouble or 'all is well again'}\n")
            said = trouble
        if trouble:
            told.wait(2.0)


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM; with --check, tell by the exit code whether the running one is well."""
    parser = argparse.ArgumentParser(prog="python -m compose.orchestrate", description=__doc__)
    parser.add_argument("--address", default="https://vault:8200")
    parser.add_argument("--ca", type=Path, default=Path("/run/trust/ca.pem"))
    parser.add_argument("--identities", type=Path, default=Path("/run/bring-up/identities"))
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(argv)
    if given.check:
        return 0 if is_alive(FOLDER) else 1
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    keep_on(Orchestrator(given.address, given.ca, given.identities), told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
