"""Numbers for Prometheus, summed over workers: plain counters in each process, their growth added up in Valkey.

Counting must cost a request nothing, so processes count with plain integers and push what has grown every two seconds.
A worker that dies takes at most those two seconds along, and the sums never go backwards, as they would if each
scrape added up whoever is alive.  Gauges are kept per worker and fall away with it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

import structlog
from valkey.asyncio import Valkey
from valkey.exceptions import ValkeyError

from app.tasks import end

PUSH_EVERY: Final = 2.0
FORGET_AFTER: Final = 15
SUMS: Final = "scriptorium:metrics:sums"
WORKER: Final = "scriptorium:metrics:worker:{}"
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_FAULTS = (ValkeyError, OSError, TimeoutError)
_log = structlog.get_logger("scriptorium.metrics")


@dataclass(frozen=True)
class Family:
    """One metric: its name, kind, what it means, and where this process has its samples.

    `read` gives label text (such as `status="200"`, or nothing) and value; a histogram's samples carry their suffix
    before a colon.
    """

    name: str
    kind: str
    help: str
    read: Callable[[], Iterable[tuple[str, float]]]


def label(**labels: object) -> str:
    """Label text, escaped as the exposition format wants."""
    return ",".join(
        '{}="{}"'.format(name, str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n"))
        for name, value in labels.items()
    )


class Metrics:
    """The families of one process, pushed to and summed in Valkey."""

    def __init__(self, valkey: Valkey) -> None:
        self._valkey = valkey
        self._families: dict[str, Family] = {}
        self._pushed: dict[str, float] = {}
        self._worker = WORKER.format(secrets.token_hex(8))
        self._task: asyncio.Task[None] | None = None
        self._beside: list[Callable[[], Awaitable[str]]] = []

    def beside(self, text: Callable[[], Awaitable[str]]) -> None:
        """Add text of somebody who counts for the whole host, asked for at each scrape."""
        self._beside.append(text)

    def add(self, *families: Family) -> None:
        """Count these as well."""
        for family in families:
            self._families[family.name] = family

    async def start(self) -> None:
        """Begin to push."""
        self._task = asyncio.get_running_loop().create_task(self._keep_pushing(), name="push-metrics")

    async def stop(self) -> None:
        """Push the rest."""
        if self._task is not None:
            await end(self._task)
        with suppress(*_FAULTS):
            await self._push()
            await self._valkey.delete(self._worker)

    async def exposition(self) -> str:
        """All families in Prometheus's text format; without Valkey those of this process alone, which it says."""
        try:
            await self._push()
            sums = await self._table(SUMS)
            gauges = await self._gauges_of_all()
            complete = 1.0
        except _FAULTS:
            sums, gauges, complete = self._own("counter", "histogram"), [self._own("gauge")], 0.0
        others = "".join([await text() for text in self._beside])
        return self._text(sums, gauges) + others + f"scriptorium_metrics_complete {complete:g}\n"

    def _own(self, *kinds: str) -> dict[str, float]:
        return {
            f"{family.name}|{labels}": float(value)
            for family in self._families.values()
            if family.kind in kinds
            for labels, value in family.read()
        }

    async def _push(self) -> None:
        now = self._own("counter", "histogram")
        grown = {key: value - self._pushed.get(key, 0.0) for key, value in now.items()}
        async with self._valkey.pipeline(transaction=False) as pipe:
            for key, by in grown.items():
                if by > 0:
                    pipe.hincrbyfloat(SUMS, key, by)
            gauges = self._own("gauge")
            if gauges:
                pipe.hset(self._worker, mapping={key: repr(value) for key, value in gauges.items()})
                pipe.expire(self._worker, FORGET_AFTER)
            await pipe.execute()
        self._pushed = now

    async def _gauges_of_all(self) -> list[dict[str, float]]:
        found = [key async for key in self._valkey.scan_iter(match=WORKER.format("*"), count=500)]
        return [await self._table(key.decode()) for key in found]

    async def _table(self, name: str) -> dict[str, float]:
        # The client's own type covers its blocking twin as well.
        answer = cast(Awaitable[Mapping[bytes, bytes]], self._valkey.hgetall(name))
        return {key.decode(): float(value) for key, value in (await answer).items()}

    def _text(self, sums: Mapping[str, float], gauges: Iterable[Mapping[str, float]]) -> str:
        samples = dict(sums)
        for table in gauges:
            for key, value in table.items():
                samples[key] = samples.get(key, 0.0) + value
        lines: list[str] = []
        for family in self._families.values():
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            wanted = f"{family.name}|"
            for key in sorted(key for key in samples if key.startswith(wanted)):
                suffix, colon, labels = key.removeprefix(wanted).rpartition(":")
                name = family.name + (f"_{suffix}" if colon else "")
                lines.append(f"{name}{{{labels}}} {samples[key]:.15g}" if labels else f"{name} {samples[key]:.15g}")
        return "\n".join(lines) + "\n"

    async def _keep_pushing(self) -> None:
        while True:
            await asyncio.sleep(PUSH_EVERY)
            with suppress(*_FAULTS):
                await self._push()
