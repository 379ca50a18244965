"""What is counted and measured in a worker, as metrics with names (VAULT 7; the alert rules are in docs/operations)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from quart import Quart

from app.mail.postman import Postman
from app.resources import Resources
from app.rights.line import NoticeLine
from app.rights.memory import Memory
from app.tokens.service import Tokens
from app.vault.snapshot import Snapshot
from app.watch.recorder import Watch
from app.web.budgets import Budgets
from app.web.failure_budget import FailureBudget
from app.web.guard import BUCKETS, Guard
from app.web.limits import Limiter
from app.web.metrics import Family, Metrics, label
from app.web.spraying import SprayBrake
from app.web.vault_metrics import of_vault

STATES: Final = ("healthy", "degraded", "must_stop")


def observe(app: Quart, res: Resources, metrics: Metrics) -> None:
    """Add every family of a worker."""
    guard = app.asgi_app
    if isinstance(guard, Guard):
        metrics.add(*_of_requests(guard))
    metrics.beside(lambda: of_vault(res.secrets))
    postman = app.extensions[Postman.__name__]
    metrics.add(
        Family(
            "scriptorium_mail_total",
            "counter",
            "Letters sent, postponed and given up.",
            lambda: [(label(outcome=outcome), count) for outcome, count in postman.outcomes.items()],
        )
    )
    signer = app.extensions[Tokens.__name__].signer
    metrics.add(*_of_rights(app), *_of_secrets(res), *_of_watch(app.extensions[Watch.__name__]))
    metrics.add(*_of_budgets(app.extensions[Budgets.__name__]))
    metrics.add(
        Family(
            "unknown_key_id_total", "counter", "Tokens under a key we do not know.", lambda: [("", signer.unknown_keys)]
        )
    )


def _of_requests(guard: Guard) -> Iterator[Family]:
    tallies = guard.tallies

    def statuses() -> Iterator[tuple[str, float]]:
        for status, count in tallies.statuses.items():
            yield label(status=status), count

    def refused() -> Iterator[tuple[str, float]]:
        for code, count in tallies.refused.items():
            yield label(code=code), count

    def durations() -> Iterator[tuple[str, float]]:
        for edge, count in zip((*BUCKETS, "+Inf"), accumulate(tallies.slots), strict=True):
            yield f"bucket:{label(le=edge)}", count
        yield "sum:", tallies.seconds
        yield "count:", sum(tallies.slots)

    yield Family("scriptorium_requests_total", "counter", "Requests answered, by status.", statuses)
    yield Family("scriptorium_request_seconds", "histogram", "Time from the head to the last byte.", durations)
    yield Family("scriptorium_guard_refused_total", "counter", "Requests refused by the outer guard.", refused)
    yield Family(
        "scriptorium_requests_in_flight", "gauge", "Requests being answered.", lambda: [("", tallies.in_flight)]
    )


def _of_rights(app: Quart) -> Iterator[Family]:
    memory: Memory = app.extensions[Memory.__name__]
    line: NoticeLine = app.extensions[NoticeLine.__name__]
    limiter: Limiter = app.extensions[Limiter.__name__]

    def limited() -> Iterator[tuple[str, float]]:
        for name, count in limiter.refused.items():
            yield label(limit=name), count

    yield Family(
        "scriptorium_callers_recalled_total",
        "counter",
        "Callers recognised from memory or by asking the database.",
        lambda: [(label(outcome="memory"), memory.hits), (label(outcome="database"), memory.misses)],
    )
    yield Family("scriptorium_callers_known", "gauge", "Credentials held in memory.", lambda: [("", len(memory))])
    yield Family("scriptorium_notice_lines_up", "gauge", "Workers that hear what ends.", lambda: [("", int(line.up))])
    yield Family("scriptorium_notice_line_losses_total", "counter", "Losses of it.", lambda: [("", line.losses)])
    yield Family("scriptorium_limited_total", "counter", "Requests over a limit, by its name.", limited)
    yield Family(
        "scriptorium_limits_alone", "gauge", "Workers that limit without Valkey.", lambda: [("", limiter.store_lost)]
    )


def _of_watch(watch: Watch) -> Iterator[Family]:
    def counted(counter: Counter[str]) -> Callable[[], Iterator[tuple[str, float]]]:
        return lambda: ((label(kind=kind), count) for kind, count in counter.items())

    yield Family("scriptorium_security_events_total", "counter", "Security events, by kind.", counted(watch.seen))
    yield Family("scriptorium_security_alerts_total", "counter", "What was unusual, by kind.", counted(watch.alerts))


def _of_budgets(budgets: Budgets) -> Iterator[Family]:
    yield Family(
        "scriptorium_budget_refused_total",
        "counter",
        "Dear requests refused because a daily budget was spent.",
        lambda: [(label(budget=name), count) for name, count in budgets.refused.items()],
    )
    yield Family(
        "scriptorium_busy_total",
        "counter",
        "Dear requests refused because too many were waiting.",
        lambda: [(label(line=name), lane.refused) for name, lane in budgets.lanes.items()],
    )
    yield Family(
        "scriptorium_waiting",
        "gauge",
        "Dear requests that wait for their turn.",
        lambda: [(label(line=name), lane.waiting) for name, lane in budgets.lanes.items()],
    )


def _of_secrets(res: Resources) -> Iterator[Family]:
    def snapshot() -> Snapshot:
        return res.secrets.snapshot

    def states() -> Iterator[tuple[str, float]]:
        for state in STATES:
            yield label(state=state), int(snapshot().state == state)

    def versions() -> Iterator[tuple[str, float]]:
        for name, ring in snapshot().rings.items():
            for state in ("published", "signing"):
                yield label(ring=name, state=state), sum(key.state == state for key in ring.keys)

    def connections() -> Iterator[tuple[str, float]]:
        for generation, count in res.database.connections.items():
            yield label(generation=generation), count

    yield Family("secrets_state", "gauge", "Workers by the state of their secrets.", states)
    yield Family("keyring_versions", "gauge", "Usable key versions, summed over workers.", versions)
    yield Family("db_connections", "gauge", "Open connections by login generation.", connections)
    if isinstance(res.failures, FailureBudget):
        failures = res.failures
        spread = res.brake.refused if isinstance(res.brake, SprayBrake) else Counter[str]()
        yield Family(
            "scriptorium_guesses_refused_total",
            "counter",
            "Sign-in tries refused because too many had failed.",
            lambda: [(label(limit=name), count) for name, count in (failures.refused + spread).items()],
        )
