"""A database login for one short piece of work, such as a migration: taken, used, and ended at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from app.settings import Settings
from app.vault.auth import AppRole
from app.vault.client import VaultClient
from app.vault.credentials import DynamicProvider
from app.vault.errors import VaultError
from app.vault.events import Events
from app.vault.probe import prober
from app.vault.snapshot import DatabaseLogin
from app.vault.startup import (
    Patience,
    Say,
    patiently,
    to_standard_error,
    wait_until_ready,
)


@asynccontextmanager
async def brief_login(
    settings: Settings, purpose: str = "migrate", *, say: Say = to_standard_error
) -> AsyncIterator[DatabaseLogin]:
    """The login of the AppRole `<name>-<purpose>`; its token and lease end with the block.

    The settings must carry the role-id and the wrapped secret-id of that role.  Raises VaultStartError.
    """
    events = Events()
    client = VaultClient(settings.vault_addr, settings.vault_ca, kv_mount=settings.vault_kv_mount)
    role = f"{settings.vault_name}-{purpose}"
    auth = AppRole(client, role, settings.vault_role_id, settings.vault_secret_id_file, events)
    provider = DynamicProvider(client, role, prober(settings), events)
    patience = Patience(settings.vault_wait, say)
    steps: tuple[Callable[[], Awaitable[object]], ...] = (
        auth.sign_in,
        provider.replace,
    )
    try:
        await wait_until_ready(client, patience)
        for step in steps:
            await patiently(patience, step)
        yield provider.held.login
    finally:
        if client.token is not None:
            with suppress(VaultError):
                await client.revoke_token()
        client.close()
