"""Clients that call over the network, for houses that serve as processes of their own."""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx

# Reading everybody whom a machine trusts takes longer than most answers; httpx would do so for each client.
_TRUSTED: Final = ssl.create_default_context()


def calling(url: str, *, timeout: float = 20, **options: Any) -> httpx.AsyncClient:
    """A client of one house."""
    return httpx.AsyncClient(base_url=url, timeout=timeout, verify=_TRUSTED, **options)
