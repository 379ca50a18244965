"""Asks the application of this container whether it is there; for HEALTHCHECK, where no curl is installed."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from http import HTTPStatus

SECONDS = 3.0


def main() -> int:
    """0 when /health/live answers 200, else 1.  A caller on loopback may speak http although the site is https."""
    url = f"http://127.0.0.1:{os.environ.get('SCRIPTORIUM_PORT') or '5000'}/health/live"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # nosec B310 - the address is ours, on loopback
            return int(answer.status != HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
