"""Looks for secrets where everybody with an account on the machine, or a copy of a log, might look."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import psutil

from app.vault.subscriber import Subscriber
from tests.canaries import forms, held
from tests.e2e.house import House

NO_SECRET = (".role-id", "provisioned")


async def of_vault(house: House) -> dict[str, bytes]:
    """Everything the application holds from Vault, asked for at the broker's own door."""
    note = json.loads((house.state / "instance.json").read_text())
    source = Subscriber(Path(note["environment"]["SCRIPTORIUM_SECRETS_SOCKET"]), role="tool")
    await source.start()
    snapshot = source.snapshot
    await source.stop()
    return {f"{name}, {number}": secret for number, (name, secret) in enumerate(held(snapshot)) if secret}


def of_disk(house: House) -> dict[str, bytes]:
    """What the runner keeps in closed files: tokens, wrapped secret-ids, recovery and seal keys, private keys."""
    files = [*(house.state / "identities").iterdir(), house.state / "openbao" / "seal.key"]
    files += (house.state / "tls").glob("*key*")
    return {path.name: path.read_bytes().strip() for path in files if not path.name.endswith(NO_SECRET)}


def traces(processes: Iterable[psutil.Process], logs: Collection[Path] = ()) -> dict[str, bytes]:
    """What each process shows: its environment, its command line, and the logs it writes, by where it was seen."""
    found: dict[str, bytes] = {f"file {path}": path.read_bytes() for path in logs}
    for process in processes:
        place = Path(f"/proc/{process.pid}")
        try:
            found[f"environment of {process.pid} {process.name()}"] = (place / "environ").read_bytes()
            found[f"command line of {process.pid} {process.name()}"] = (place / "cmdline").read_bytes()
            for path in _written_logs(place):
                found[f"file {path}"] = path.read_bytes()
        except (FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
            continue  # a connection's process may end while we look
    return found


def _written_logs(place: Path) -> set[Path]:
    """Regular files a process appends to: that is how all logs here are written, and nothing else is."""
    found = set()
    for number in (place / "fd").iterdir():
        try:
            path = Path(number.readlink())
            flags = next(line for line in (place / "fdinfo" / number.name).read_text().splitlines() if "flags" in line)
        except FileNotFoundError:
            continue
        if path.is_file() and int(flags.split()[1], 8) & os.O_APPEND:
            found.add(path)
    return found


def leaks(seen: Mapping[str, bytes], hidden: Mapping[str, bytes]) -> list[str]:
    """Where which secret shows; the secret itself is not repeated."""
    return [
        f"{what} in {where}"
        for what, secret in hidden.items()
        for form in forms(secret)
        for where, text in seen.items()
        if form in text
    ]
