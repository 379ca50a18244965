"""An hvac client that is patient with a server which is still finding its feet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import hvac
import requests
from hvac.adapters import JSONAdapter
from hvac.exceptions import InternalServerError, InvalidRequest, UnexpectedError, VaultDown

ATTEMPTS = 40
TIMEOUT_SECONDS = 10


def _is_passing(error: Exception) -> bool:
    """Tell whether asking again may help: any 5xx, and the 400 of a kv-v2 mount that is upgrading itself."""
    if isinstance(error, InvalidRequest):
        return "upgrading" in str(error).lower()
    return isinstance(error, InternalServerError | VaultDown | UnexpectedError)


class PatientAdapter(JSONAdapter):
    """Repeats what failed for a passing reason, for about five seconds; every provisioning call may be repeated."""

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request as hvac does; raises hvac's own error once patience has run out."""
        for attempt in range(ATTEMPTS):
            try:
                return super().request(*args, **kwargs)
            except (InvalidRequest, InternalServerError, VaultDown, UnexpectedError) as error:
                if attempt == ATTEMPTS - 1 or not _is_passing(error):
                    raise
            time.sleep(min(0.02 * (attempt + 1), 0.2))
        raise AssertionError("unreachable: the last attempt returns or raises")


def connect(address: str, token: str | None = None, ca: Path | None = None, *, patient: bool = True) -> hvac.Client:
    """Return a client for one server.  It reads no token and no proxy from this process's environment.

    `ca` is a PEM file to verify the server with; without it the system's authorities are used.
    """
    session = requests.Session()
    session.trust_env = False
    adapter = PatientAdapter if patient else JSONAdapter
    client = hvac.Client(
        url=address,
        token=token or "",
        verify=str(ca) if ca else True,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        session=session,
        adapter=adapter,
    )
    client.token = token
    return client
