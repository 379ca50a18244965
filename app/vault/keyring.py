"""From the metadata and values of a KV path to a ring of keys: the same answer in every process that asks."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from app.vault.errors import Missing
from app.vault.snapshot import Key, KeyRing, KeyState

ACTIVATE_AFTER: Final = 30.0  # at least three polls, so that every host can verify before any host signs
GRACE: Final = 30 * 86400.0  # longer than the longest idle life of what was signed
KEY_BYTES: Final = 32
FOREVER: Final = frozenset({"pepper"})  # a password keeps the pepper it was made with until its owner signs in again
TOO_FINE: Final = re.compile(r"(?<=\.\d{6})\d+")  # Vault writes nanoseconds, Python knows microseconds
UNITS: Final[Mapping[str, float]] = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Version:
    """One version of a key as Vault lists it; `alive` is false once it was deleted or destroyed."""

    number: int
    created: datetime
    alive: bool


@dataclass(frozen=True)
class Listing:
    """What the metadata of a KV path says: its versions and the pace at which keys turn, in seconds."""

    versions: tuple[Version, ...]
    activate_after: float = ACTIVATE_AFTER
    grace: float = GRACE

    @property
    def alive(self) -> tuple[int, ...]:
        """The numbers of usable versions, oldest first."""
        return tuple(version.number for version in self.versions if version.alive)


def read_listing(metadata: Mapping[str, Any]) -> Listing:
    """The listing in an answer of `kv/metadata`; times Vault sends in nanoseconds are cut to microseconds."""
    versions = [
        Version(
            int(number),
            _moment(entry["created_time"]),
            not entry["destroyed"] and not _past(entry),
        )
        for number, entry in (metadata.get("versions") or {}).items()
    ]
    custom = metadata.get("custom_metadata") or {}
    return Listing(
        tuple(sorted(versions, key=lambda version: version.number)),
        seconds(custom.get("activate_after"), ACTIVATE_AFTER),
        seconds(custom.get("grace"), GRACE),
    )


def listing_of_transit(versions: Mapping[int, Mapping[str, Any]], pace: Listing) -> Listing:
    """The listing of a key that never leaves Vault; it turns at the pace of the kv path of the same name."""
    found = [Version(number, _moment(str(fields["creation_time"])), True) for number, fields in versions.items()]
    return Listing(tuple(sorted(found, key=lambda version: version.number)), pace.activate_after, pace.grace)


def seconds(text: str | None, default: float) -> float:
    """A duration such as "30", "30s", "15m", "24h" or "7d"; anything else gives the default."""
    if not text:
        return default
    unit = UNITS.get(text[-1:])
    number = text[:-1] if unit else text
    try:
        return max(0.0, float(number) * (unit or 1.0))
    except ValueError:
        return default


def key_value(path: str, field_name: str, fields: Mapping[str, Any]) -> bytes:
    """The bytes of a key in one version of a secret; raises Missing naming path and field, never the value."""
    text = fields.get(field_name)
    if not isinstance(text, str) or not text.strip():
        raise Missing(path, field_name)
    if field_name == "private_key":
        if "PRIVATE KEY-----" not in text:
            raise Missing(
                path,
                field_name,
                f"the field '{field_name}' of secret {path} is not a PEM private key",
            )
        return text.encode()
    try:
        value = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        value = b""
    if len(value) < KEY_BYTES:
        raise Missing(
            path,
            field_name,
            f"the field '{field_name}' of secret {path} is not {KEY_BYTES} bytes in base64url",
        )
    return value


@dataclass
class KvKeyRing:
    """One key with its history; feed it listings and values, ask it for the ring at a moment."""

    name: str
    listing: Listing = field(default_factory=lambda: Listing(()))
    values: dict[int, bytes] = field(default_factory=dict, repr=False)
    refused: set[int] = field(default_factory=set)

    def adopt(self, listing: Listing) -> None:
        """Take a new listing; the values of versions that are gone are forgotten at once (the kill switch)."""
        self.listing = listing
        for number in self.values.keys() - set(listing.alive):
            del self.values[number]

    def wanted(self, now: datetime) -> int | None:
        """The newest version whose value is still to be read; None when all that can matter are here."""
        for version in reversed(self.listing.versions):
            if not version.alive or version.number in self.refused:
                continue
            if version.number not in self.values:
                return version.number
            if self._retires_older(version, now):
                return None
        return None

    def ring(self, now: datetime) -> KeyRing:
        """The usable keys at this moment, newest first."""
        usable = [version for version in self.listing.versions if version.number in self.values]
        if not usable:
            return KeyRing(self.name, ())
        activation = timedelta(seconds=self.listing.activate_after)
        active = [version for version in usable if version.created + activation <= now]
        # The very first version signs at once, there is nothing it could overtake.
        signing = active[-1] if active else usable[0]
        keys = []
        for position, version in enumerate(usable):
            successor = usable[position + 1] if position + 1 < len(usable) else None
            if successor is not None and self._retires_older(successor, now):
                continue
            state: KeyState = "signing" if version is signing else "published"
            signs_from = version.created if version is usable[0] else version.created + activation
            keys.append(
                Key(
                    version.number,
                    self.values[version.number],
                    version.created,
                    state,
                    signs_from,
                )
            )
        return KeyRing(self.name, tuple(reversed(keys)))

    def _retires_older(self, version: Version, now: datetime) -> bool:
        return (
            self.name not in FOREVER
            and version.created + timedelta(seconds=self.listing.activate_after + self.listing.grace) <= now
        )

    def next_change(self, now: datetime) -> float | None:
        """Seconds until a key starts to sign or retires by itself; None when nothing is planned."""
        activation = timedelta(seconds=self.listing.activate_after)
        grace = timedelta(seconds=self.listing.grace)
        moments = [version.created + activation for version in self.listing.versions if version.alive]
        moments += [moment + grace for moment in moments[1:]]
        later = [(moment - now).total_seconds() for moment in moments if moment > now]
        return min(later, default=None)


def _moment(text: str) -> datetime:
    """RFC 3339 with up to nine decimals, in UTC or in the zone of the server as Vault writes it."""
    return datetime.fromisoformat(TOO_FINE.sub("", text)).astimezone(UTC)


def _past(entry: Mapping[str, Any]) -> bool:
    """Whether a version was deleted; a deletion planned for later (delete_version_after) does not count yet."""
    text = str(entry.get("deletion_time") or "")
    return bool(text) and _moment(text) <= datetime.now(UTC)
