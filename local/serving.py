"""The application as a child of the runner: started, waited for until it is ready, stopped with its drain."""

from __future__ import annotations

import http.client
import ssl
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.settings import Settings
from local.addresses import reachable
from local.errors import StackError
from local.processes import CHECKOUT, Child, plain_environment, start

READY_PATIENCE = 90.0
LOG_BYTES = 16 * 1024 * 1024
OK = 200


def start_application(environment: Mapping[str, str], settings: Settings, log: Path) -> Child:
    """Start `app.cli serve` with its settings and the little else it needs."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.rename(log.with_suffix(".log.1"))
    return start(
        "The application",
        [sys.executable, "-m", "app.cli", "serve"],
        environment=plain_environment(environment),
        log=log,
        folder=CHECKOUT,
        patience=settings.drain + 10.0,
    )


def is_ready(settings: Settings) -> bool:
    """Tell whether /health/ready answers 200, asking where we listen and by the name browsers use."""
    host = reachable(settings.host)
    if settings.tls_certificate:
        # Ours, on loopback or on an address of this machine: there is nothing to be gained by checking its name.
        context = ssl.create_default_context(cafile=str(settings.tls_certificate))
        context.check_hostname = False
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, settings.port, timeout=5, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/health/ready", headers={"Host": settings.public_host})
        return connection.getresponse().status == OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def last_words(log: Path) -> str:
    """Return the last line of a log that says something, for the person who wants to know why."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def run_demo(environment: Mapping[str, str], secret_id_file: Path) -> str:
    """Fill the site with believable people and texts and return what the command printed (sign-ins included)."""
    settings = {**environment, "SCRIPTORIUM_VAULT_SECRET_ID_FILE": str(secret_id_file)}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "demo"],
        env=plain_environment(settings),
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise StackError(f"The demonstration could not be set up: {said[-1] if said else done.returncode}")
    return done.stdout.rstrip()
