"""Who runs which tests when several workers share them: a file stays in one worker, and so does the whole of e2e.

Files share fixtures that cost seconds, and all of e2e one house.  (xdist 3.8's own groups by mark do nothing under
pytest 9.2, where the id they write to is no longer read.)
"""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it ships no types

TOGETHER = ("tests/e2e/",)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # as above
    """Hands out files, or the folders of `TOGETHER`, whole."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    """Schedule `-n` runs so, unless a way that works by itself was asked for by name."""
    return ByFile(config, log) if config.getvalue("dist") in ("load", "loadgroup") else None
