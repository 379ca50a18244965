"""Who runs which tests when several workers share them: whole files, the longest first, so that none is left for last.

Files share fixtures that cost seconds, and some folders a house or a stack of their own, so these stay in one worker.
(xdist 3.8's own groups by mark do nothing under pytest 9.2, where the id they write to is no longer read.)
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

TOGETHER = ("tests/audit/", "tests/e2e/", "tests/secrets/", "tests/vault/")

# Some of the time is spent waiting: for servers, browsers, leases.  So `make test` has one process more than cores.

# Seconds, roughly, where they do not follow from the number of tests: servers started, leases sat out, browsers.
LONG = {
    "tests/e2e/": 170,
    "tests/vault/": 145,
    "tests/secrets/": 78,
    "tests/audit/": 72,
    "tests/rights/test_instant_effect.py": 53,
    "tests/test_types.py": 40,
    "tests/test_access_matrix.py": 36,
    "tests/local/test_stack.py": 32,
    "tests/local/test_run.py": 29,
    "tests/contract/test_schemathesis.py": 28,
    "tests/web/test_limits.py": 22,
    "tests/test_every_route.py": 17,
    "tests/accounts/test_guessing.py": 17,
    "tests/backup/test_backup.py": 15,
    "tests/test_bad_input.py": 15,
    "tests/web/test_guard.py": 14,
    "tests/web/test_markdown.py": 13,
    "tests/test_forms_everywhere.py": 12,
    "tests/live/test_live.py": 11,
    "tests/test_migrations.py": 11,
    "tests/attachments/test_bucket.py": 10,
    "tests/supply/test_rules.py": 10,
    "tests/documents/test_packing.py": 9,
    "tests/web/test_http_protocol.py": 9,
    "tests/documents/test_drafts.py": 8,
    "tests/documents/test_polyglot.py": 8,
    "tests/exports/test_pictures.py": 8,
    "tests/local/test_least_privilege.py": 8,
    "tests/attachments/test_file_origin.py": 7,
    "tests/attachments/test_memory.py": 7,
    "tests/exports/test_exports.py": 7,
    "tests/local/test_database_roles.py": 7,
    "tests/test_memory.py": 7,
    "tests/attachments/test_file_origin_in_a_browser.py": 6,
    "tests/web/test_bombs.py": 6,
    "tests/test_architecture.py": 3,
    "tests/web/test_face.py": 1,
    "tests/test_asvs.py": 1,
}
USUAL = 0.07  # seconds of a test of any other file

# These mostly wait.  All processes but one may be at them at the same time; were all, the processors would stand idle
# in the first minutes and be short in the last.
WAITING = frozenset(
    {
        "tests/e2e/",
        "tests/vault/",
        "tests/secrets/",
        "tests/local/test_stack.py",
        "tests/local/test_run.py",
        "tests/rights/test_instant_effect.py",
        "tests/web/test_limits.py",
    }
)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Hands out files, or the folders of `TOGETHER`, whole, and what takes longest first."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])

    def _assign_work_unit(self, node: Any) -> None:
        open_to_us = list(self.workqueue)
        if len(self._under_way() & WAITING) >= max(1, len(self.nodes) - 1):
            open_to_us = [scope for scope in open_to_us if scope not in WAITING] or open_to_us
        self.workqueue.move_to_end(max(open_to_us, key=self._seconds), last=False)
        super()._assign_work_unit(node)

    def _under_way(self) -> set[str]:
        units = (unit for assigned in self.assigned_work.values() for unit in assigned.items())
        return {scope for scope, tests in units if not all(tests.values())}

    def _seconds(self, scope: str) -> float:
        return LONG.get(scope, USUAL * len(self.workqueue[scope]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Schedule `-n` runs so, unless a way that works by itself was asked for by name."""
    return ByFile(config, log) if config.getvalue("dist") in ("load", "loadgroup") else None
