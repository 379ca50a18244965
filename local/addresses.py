"""Addresses one listens on and addresses one can be reached at."""

from __future__ import annotations

import ipaddress


def is_everywhere(host: str) -> bool:
    """Tell whether listening on `host` means listening on every address of this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def reachable(host: str) -> str:
    """Return an address at which a server listening on `host` answers on this machine."""
    if not is_everywhere(host):
        return host
    return "::1" if ":" in host else "127.0.0.1"
