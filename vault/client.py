"""An hvac client that is patient with a server which is still finding its feet."""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import hvac
import requests

ATTEMPTS = 40
TIMEOUT_SECONDS = 10


def _is_passing(answer: requests.Response) -> bool:
    """Tell whether asking again may help: any 5xx, and the 400 of a kv-v2 mount that is upgrading itself."""
    status = answer.status_code
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or (
        status == HTTPStatus.BAD_REQUEST and "upgrading" in answer.text.lower()
    )


class PatientSession(requests.Session):
    """Repeats what failed for a passing reason, for about seven seconds; every provisioning call may be repeated."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request; what still fails when patience runs out is returned as it is."""
        for attempt in range(ATTEMPTS):
            answer = super().request(*args, **kwargs)
            if not _is_passing(answer):
                break
            time.sleep(min(0.02 * (attempt + 1), 0.2))
        return answer


def connect(address: str, token: str | None = None, ca: Path | None = None) -> hvac.Client:
    """Return a client for one server.  It reads no token and no proxy from this process's environment.

    `ca` is a PEM file to verify the server with; without it the system's authorities are used.
    """
    session = PatientSession()
    session.trust_env = False
    session.verify = str(ca) if ca else True  # hvac prefers the session's word to its own argument
    client = hvac.Client(
        url=address, verify=str(ca) if ca else True, timeout=TIMEOUT_SECONDS, allow_redirects=False, session=session
    )
    client.token = token
    return client
