"""The key rings, the Valkey password and the keys of a bucket, read from Vault and kept up to date by polling its metadata."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from app.ids import now
from app.settings import Settings
from app.vault.bucket import Bucket
from app.vault.client import VaultClient
from app.vault.errors import Invalid, Missing
from app.vault.events import Events
from app.vault.keyring import KvKeyRing, Listing, key_value, listing_of_transit, read_listing
from app.vault.snapshot import PERSONAL, RING_FIELDS, KeyRing, rings_of

VALUE_FIELD = "password"


class Rings:
    """All keys of this application.  A poll costs one small request per path; values are read once per version."""

    def __init__(self, client: VaultClient, settings: Settings, events: Events) -> None:
        self._client = client
        self._mount = settings.vault_kv_mount
        self._name = settings.vault_name
        self._kept_in_vault = frozenset({"token"} if settings.jwt_signer == "vault" else ())
        self._events = events
        self._rings = {ring: KvKeyRing(ring) for ring in rings_of(settings)}
        wanted = ("valkey", "smtp") if settings.smtp_user else ("valkey",)
        self._password_versions = dict.fromkeys(wanted, 0)
        self.passwords = {"valkey": "", "smtp": ""}
        self.bucket = Bucket(client, settings, events)

    async def load(self) -> None:
        """The first reading: the newest version of everything must be usable; raises Missing naming path and field."""
        for ring in self._rings.values():
            await self._update(ring, strict=True)
        for part in self._password_versions:
            await self._update_password(part)
        await self.bucket.load()

    async def poll(self) -> None:
        """Look for new, deleted and destroyed versions.  What cannot be used is refused and the last good kept."""
        for ring in self._rings.values():
            await self._update(ring, strict=False)
        for part in self._password_versions:
            try:
                await self._update_password(part)
            except Missing as error:
                self._events.tell("error", part, reason=str(error))
        await self.bucket.poll()

    def at(self, moment: datetime) -> Mapping[str, KeyRing]:
        """The rings at this moment."""
        return MappingProxyType({name: ring.ring(moment) for name, ring in self._rings.items()})

    def empty(self, moment: datetime) -> tuple[str, ...]:
        """The rings every version of which was withdrawn."""
        return tuple(name for name, ring in self._rings.items() if not ring.ring(moment).keys)

    def next_change(self, moment: datetime) -> float | None:
        """Seconds until a key starts to sign or retires by itself."""
        waits = [ring.next_change(moment) for ring in self._rings.values()]
        return min((wait for wait in waits if wait is not None), default=None)

    def facts(self, moment: datetime) -> dict[str, object]:
        """Versions, states and ages for status pages; no values."""
        return {
            name: {
                "versions": [
                    {
                        "version": key.version,
                        "state": key.state,
                        "created": key.created.isoformat(),
                        "signs_from": key.signs_from.isoformat(),
                    }
                    for key in ring.ring(moment).keys
                ],
                "activate_after": ring.listing.activate_after,
                "grace": ring.listing.grace,
                "refused": sorted(ring.refused),
            }
            for name, ring in self._rings.items()
        }

    async def _update(self, ring: KvKeyRing, *, strict: bool) -> None:
        path = f"{self._name}/{ring.name}"
        shown = f"{self._mount}/{path}"
        known = set(ring.values)
        try:
            pace = read_listing(await self._client.kv_metadata(path))
            if ring.name in self._kept_in_vault:
                await self._read_public(ring, pace)
                return
            ring.adopt(pace)
        except Missing as error:
            if strict:
                raise
            self._events.tell("error", ring.name, reason=str(error))
            return
        for gone in known - set(ring.values):
            self._events.tell("retired", ring.name, version=gone, reason="withdrawn")
        await self._read_values(ring, shown, path, strict=strict)
        if strict and not ring.values:
            raise Missing(shown, RING_FIELDS[ring.name])

    async def _read_values(self, ring: KvKeyRing, shown: str, path: str, *, strict: bool) -> None:
        while (number := ring.wanted(now())) is not None:
            try:
                fields = await self._client.kv_read(path, number)
                ring.values[number] = await self._value(ring.name, shown, fields)
            except Missing as error:
                # Only the newest version stops a start; an old mistake that was followed by a good key does not.
                if strict and number == ring.listing.versions[-1].number:
                    raise
                ring.refused.add(number)
                self._events.tell("error", ring.name, version=number, reason=str(error))
            else:
                if not strict:
                    self._events.tell("rotated", ring.name, version=number)

    async def _value(self, name: str, shown: str, fields: Mapping[str, Any]) -> bytes:
        """The bytes of a key; one that is kept wrapped is opened by Vault and lies open in memory only."""
        if name != PERSONAL:
            return key_value(shown, RING_FIELDS[name], fields)
        wrapped = fields.get(RING_FIELDS[name])
        if not isinstance(wrapped, str):
            raise Missing(shown, RING_FIELDS[name])
        try:
            return await self._client.transit.unwrap(f"{self._name}-{name}", wrapped)
        except Invalid:
            raise Missing(shown, RING_FIELDS[name], f"the key wrapped in {shown} cannot be opened") from None

    async def _read_public(self, ring: KvKeyRing, pace: Listing) -> None:
        """Take the public halves of a key that never leaves Vault; raises Missing."""
        versions, known = await self._client.transit.versions(f"{self._name}-{ring.name}"), set(ring.values)
        ring.adopt(listing_of_transit(versions, pace))
        ring.values = {number: str(fields["public_key"]).encode() for number, fields in versions.items()}
        for gone in known - set(ring.values):
            self._events.tell("retired", ring.name, version=gone, reason="withdrawn")
        for new in sorted(ring.values.keys() - known if known else ()):
            self._events.tell("rotated", ring.name, version=new)

    async def _update_password(self, part: str) -> None:
        path = f"{self._name}/{part}"
        version, known = (
            int((await self._client.kv_metadata(path)).get("current_version") or 0),
            self._password_versions,
        )
        if version == known[part]:
            return
        password = (await self._client.kv_read(path)).get(VALUE_FIELD)
        if not isinstance(password, str) or not password:
            raise Missing(f"{self._mount}/{path}", VALUE_FIELD)
        self.passwords[part] = password
        if known[part]:
            self._events.tell("rotated", part, version=version)
        known[part] = version
