"""Plain counters of the one process that talks to Vault: its requests, rotations and drains."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from app.vault.events import Event

STOP_WORDS: Final = frozenset({"of", "with"})


class Tally:
    """Counts since this process started; they begin again at zero with the next one, as Prometheus expects."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._seconds: Counter[tuple[str, str]] = Counter()
        self._rotations: Counter[tuple[str, str]] = Counter()
        self._drains = 0
        self._drained = 0.0

    def asked(self, operation: str, outcome: str, seconds: float) -> None:
        """Count one request to Vault by its kind (never by a path) and how it ended."""
        name = (_kind(operation), outcome)
        self._requests[name] += 1
        self._seconds[name] += seconds  # type: ignore[assignment]  # a Counter holds any number

    def happened(self, event: Event) -> None:
        """Count what the events tell."""
        if event.kind in ("rotated", "error"):
            self._rotations[event.subject, "done" if event.kind == "rotated" else "error"] += 1
        if "drained_after" in event.facts:
            self._drains += 1
            self._drained += float(str(event.facts["drained_after"]))

    def facts(self) -> dict[str, Any]:
        """All counts as JSON values."""
        return {
            "requests": [[*name, count, round(self._seconds[name], 6)] for name, count in self._requests.items()],
            "rotations": [[*name, count] for name, count in self._rotations.items()],
            "drains": [self._drains, self._drained],
        }


def _kind(operation: str) -> str:
    """The words of an operation before it says on what: "metadata of kv/x" is "metadata"."""
    words = []
    for word in operation.split():
        if word in STOP_WORDS or "/" in word:
            break
        words.append(word)
    return " ".join(words)
