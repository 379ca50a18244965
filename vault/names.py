"""The names under which everything of one Scriptorium is kept in Vault, all derived from one prefix."""

from __future__ import annotations

from dataclasses import dataclass

TRANSIT_MOUNT = "transit"
DATABASE_MOUNT = "database"
POLICIES = ("app", "migrate", "deployer", "rotator", "operator")


@dataclass(frozen=True)
class Names:
    """One prefix and one kv mount; two installations on one server differ in the prefix."""

    prefix: str = "scriptorium"
    kv_mount: str = "kv"

    def of(self, part: str) -> str:
        """Return the full name of a policy, role or transit key, e.g. ``scriptorium-app``."""
        return f"{self.prefix}-{part}"

    def secret(self, part: str) -> str:
        """Return the path of one secret inside the kv mount, e.g. ``scriptorium/session``."""
        return f"{self.prefix}/{part}"

    def fill(self, text: str) -> str:
        """Return a policy with the prefix and the mount put in the places marked for them."""
        return text.replace("@name@", self.prefix).replace("@kv@", self.kv_mount)
