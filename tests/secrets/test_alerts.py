"""The alert rules we ship speak of metrics that exist and of runbooks that are written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from app.web.metrics import Metrics
from tests.site import Site

ROOT = Path(__file__).parent.parent.parent
NAME = re.compile(r"\b[a-z][a-z_]+[a-z](?=[\s{\[)<>=]|$)")
WORDS = {"sum", "by", "increase", "rate", "instance", "kind", "outcome", "state"}


def rules() -> list[dict[str, Any]]:
    """Every rule of the file."""
    groups = yaml.safe_load((ROOT / "docs" / "operations" / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


async def test_every_metric_named_exists(site: Site) -> None:
    metrics: Metrics = site.app.extensions[Metrics.__name__]
    shown = await metrics.exposition()
    known = set(re.findall(r"^# TYPE (\S+)", shown, re.MULTILINE))
    named = {name for rule in rules() for name in NAME.findall(rule["expr"])} - WORDS
    assert {name for name in named if name.removesuffix("_sum").removesuffix("_count") not in known} == set()
    assert len(named) >= 8


def test_every_runbook_named_is_written() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in text.splitlines()
        if line.startswith("#")
    }
    for rule in rules():
        document, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert document == "docs/operations.md"
        assert anchor in headings
