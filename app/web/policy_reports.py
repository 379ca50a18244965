"""Where browsers deliver reports about the Content-Security-Policy: open to everybody, so little is taken and less kept.

Both forms are read: `application/csp-report` (CSP 2, one object, sent by `report-uri`) and `application/reports+json`
(Reporting API, a list, sent by `report-to`).  A report is answered 204 whether it was of use or not.
"""

from __future__ import annotations

from typing import Any

import msgspec
from quart import Blueprint, Response, request
from quart_rate_limiter import rate_limit

from app.errors import Invalid
from app.watch.recorder import Watch
from app.watch.reports import violations
from app.web import strict_json
from app.web.answers import no_content
from app.web.context import extension, settings
from app.web.guards import public
from app.web.limits import named_limit
from app.web.noticing import notice
from app.web.openapi import describe
from app.web.parsing import Malformed, WrongContentType
from app.web.request_head import Hosts

blueprint = Blueprint("policy_reports", __name__)
ONE = frozenset({"application/csp-report", "application/json"})
MANY = "application/reports+json"


class PolicyReportBody(msgspec.Struct, frozen=True):
    """A report about the content policy as `report-uri` sends it (CSP 2); `report-to` sends lists of its own form."""

    report: dict[str, Any] = msgspec.field(name="csp-report")


@blueprint.post("/csp-reports")
@rate_limit(limits=[named_limit("REPORTS")])
@describe(
    "Take a browser's report about a violation of the content policy, or (`application/reports+json`) a list of them",
    tag="operation",
    body=PolicyReportBody,
    media_type="application/csp-report",
    answers={204: None},
)
@public
async def take() -> Response:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ONE and kind != MANY:
        raise WrongContentType(f"Send application/csp-report or {MANY}.")
    try:
        given = strict_json.loads(await request.get_data(True, False, False))
    except strict_json.MalformedJSON as error:
        raise Malformed(str(error)) from error
    if kind == MANY:
        if not isinstance(given, list):
            raise Invalid({"": ["The body must be a list of reports."]})
    elif not isinstance(given, dict) or not isinstance(given.get("csp-report"), dict):
        raise Invalid({"csp-report": ["This must be an object."]})
    configured = settings()
    hosts = Hosts(configured.public_url, configured.port, configured.allowed_hosts, files_url=configured.files_url)
    for violation in violations(given, frozenset(origin.decode() for origin in hosts.origins)):
        extension(Watch).report(violation)
        notice("csp", directive=violation.directive, page=violation.page, blocked=violation.blocked)
    return no_content()
