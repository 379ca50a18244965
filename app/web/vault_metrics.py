"""What the one process with a Vault token counts and holds, as metrics of this host, asked for at each scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.errors import Unavailable
from app.ids import now
from app.vault.snapshot import SecretSource
from app.web.metrics import label


async def of_vault(secrets: SecretSource) -> str:
    """Prometheus text; while the broker is away only the line that says so."""
    try:
        status = await secrets.status()
    except Unavailable:
        return "# TYPE secrets_broker_up gauge\nsecrets_broker_up 0\n"
    return "\n".join(["# TYPE secrets_broker_up gauge", "secrets_broker_up 1", *_lines(status)]) + "\n"


def _lines(status: Mapping[str, Any]) -> Iterator[str]:
    counts, database = status["counts"], status["database"]
    yield from _gauge(
        "vault_token_ttl_seconds", "Seconds the Vault token lives without renewal.", _left(status["token"])
    )
    if database["ends"]:  # a lasting login has no lease
        yield from _gauge("db_lease_ttl_seconds", "Seconds left of the database login.", _left(database))
        yield from _gauge("db_lease_full_seconds", "Seconds a database login is given for.", database["seconds"])
    yield from _gauge("db_generation", "Generation of the database login.", database["generation"])
    yield from _gauge("secrets_troubles", "How many secrets cannot be renewed or read now.", len(status["troubles"]))
    yield "# HELP vault_request_seconds Requests to Vault, by kind and how they ended."
    yield "# TYPE vault_request_seconds summary"
    for operation, outcome, count, seconds in counts["requests"]:
        labels = label(op=operation, outcome=outcome)
        yield f"vault_request_seconds_sum{{{labels}}} {seconds:.6f}"
        yield f"vault_request_seconds_count{{{labels}}} {count}"
    yield "# HELP rotations_total Secrets that turned, and what went wrong with secrets."
    yield "# TYPE rotations_total counter"
    for subject, outcome, count in counts["rotations"]:
        yield f"rotations_total{{{label(kind=subject, outcome=outcome)}}} {count}"
    drains, seconds = counts["drains"]
    yield "# HELP rotation_drain_seconds Time until nothing used a replaced login any more."
    yield "# TYPE rotation_drain_seconds summary"
    yield f"rotation_drain_seconds_sum {seconds:g}"
    yield f"rotation_drain_seconds_count {drains}"


def _gauge(name: str, meaning: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} {meaning}"
    yield f"# TYPE {name} gauge"
    yield f"{name} {value:.15g}"


def _left(lease: Mapping[str, Any]) -> float:
    return max(0.0, (datetime.fromisoformat(lease["ends"]) - now()).total_seconds())
