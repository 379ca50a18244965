"""Whether a database login really opens PostgreSQL, asked before anybody relies on it."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg

from app.settings import Settings
from app.vault.errors import Denied, Down

Probe = Callable[[str, str], Awaitable[None]]

CONNECT_TIMEOUT = 5.0  # seconds for one connection to PostgreSQL, TLS and SCRAM included
# The driver's own errors about a connection; the second kind, "internal", it raises for one that ends in the middle of
# an operation, after the server's last words and before its goodbye.
DRIVER_FAULTS = (asyncpg.InterfaceError, asyncpg.InternalClientError)
REFUSED = ("28P01", "28000")  # wrong password, and no such or no longer valid role


def tls_of(settings: Settings) -> ssl.SSLContext | bool:
    """How to reach PostgreSQL: False in the clear on loopback, else a context that checks name and chain."""
    if settings.database_tls == "off":
        return False
    return ssl.create_default_context(cafile=str(settings.database_ca) if settings.database_ca else None)


def prober(settings: Settings) -> Probe:
    """A probe of this PostgreSQL; it raises Denied when the login is refused and Down when PostgreSQL is away."""
    where = f"PostgreSQL at {settings.database_host}:{settings.database_port}"
    tls = tls_of(settings)

    async def probe(user: str, password: str) -> None:
        try:
            connection = await asyncpg.connect(
                host=settings.database_host,
                port=settings.database_port,
                database=settings.database_name,
                user=user,
                password=password,
                ssl=tls,
                timeout=CONNECT_TIMEOUT,
            )
        except asyncpg.PostgresError as error:
            if error.sqlstate in REFUSED:
                raise Denied(f"{where} refuses the login Vault gave") from None
            raise Down(f"{where} answers with {type(error).__name__} ({error.sqlstate})") from None
        except (*DRIVER_FAULTS, OSError, TimeoutError) as error:
            raise Down(f"{where} is not reachable ({type(error).__name__})") from None
        try:
            await connection.execute("SELECT 1")
        except (asyncpg.PostgresError, *DRIVER_FAULTS, OSError) as error:
            raise Down(f"{where} gives up a fresh connection ({type(error).__name__})") from None
        finally:
            with suppress(asyncpg.PostgresError, *DRIVER_FAULTS, OSError, TimeoutError):
                await connection.close(timeout=1.0)

    return probe
