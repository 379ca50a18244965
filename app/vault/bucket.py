"""The keys of the bucket attached files lie in, where they lie in one: read from Vault and followed when they turn."""

from __future__ import annotations

from app.settings import Settings
from app.vault.client import VaultClient
from app.vault.errors import Missing
from app.vault.events import Events
from app.vault.snapshot import BucketKeys

PART = "bucket"
FIELDS = ("access_key_id", "secret_access_key")


class Bucket:
    """Nothing at all unless the settings name a bucket; then a bucket without keys in Vault stops the start."""

    def __init__(self, client: VaultClient, settings: Settings, events: Events) -> None:
        self._client = client
        self._path = f"{settings.vault_name}/{PART}"
        self._shown = f"{settings.vault_kv_mount}/{self._path}"
        self._wanted = settings.attachments_url.startswith("s3:")
        self._events = events
        self._version = 0
        self.keys: BucketKeys | None = None

    async def load(self) -> None:
        """Read the newest version, if it is not the one we have; raises Missing naming path and field."""
        if not self._wanted:
            return
        version = int((await self._client.kv_metadata(self._path)).get("current_version") or 0)
        if version == self._version:
            return
        found = await self._client.kv_read(self._path)
        for name in FIELDS:
            if not isinstance(found.get(name), str) or not found[name]:
                raise Missing(self._shown, name)
        self.keys = BucketKeys(*(found[name] for name in FIELDS))
        if self._version:
            self._events.tell("rotated", PART, version=version)
        self._version = version

    async def poll(self) -> None:
        """The same while serving: what cannot be used is told and the last good keys are kept."""
        try:
            await self.load()
        except Missing as error:
            self._events.tell("error", PART, reason=str(error))
