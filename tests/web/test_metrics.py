"""Metrics: not for everybody, complete, and in the form Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from local.stack import Stack
from tests.client import Program
from tests.site import running


async def test_there_are_no_metrics_for_everybody(program: Program) -> None:
    assert (await program.get("/metrics")).status_code == 404


async def test_networks_that_are_named_see_them(app_stack: Stack) -> None:
    async with running(app_stack, METRICS_NETWORKS="192.0.2.0/24") as site:
        near, far = site.program("192.0.2.7"), site.program("192.0.3.7")
        for _ in range(3):
            assert (await near.get("/api/unsecure")).status_code == 200
        answer = await near.get("/metrics")

        assert (await far.get("/metrics")).status_code == 404
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(answer.text)}

    requests = {sample.labels["status"]: sample.value for sample in families["scriptorium_requests"].samples}
    assert requests["200"] >= 3
    buckets = [one for one in families["scriptorium_request_seconds"].samples if one.name.endswith("_bucket")]
    assert buckets[-1].value >= 3
    assert families["scriptorium_metrics_complete"].samples[0].value == 1
    states = {sample.labels["state"]: sample.value for sample in families["secrets_state"].samples}
    assert states["healthy"] >= 1
