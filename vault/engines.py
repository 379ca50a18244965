"""The three engines behind the application: kv for keys, transit for signing and encrypting, database for logins."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
from hvac.exceptions import InvalidPath

from vault.names import DATABASE_MOUNT, TRANSIT_MOUNT, Names

LASTING_LOGIN = "scriptorium_app"
ROTATION_PERIOD = 86_400  # seconds
SQL = Path(__file__).parent / "sql"
TRANSIT_KEYS = {"audit": "ed25519", "personal": "aes256-gcm96", "token": "ecdsa-p256"}
USERNAME = '{{ printf "v-%s-%s-%s" (.RoleName | truncate 20) (random 12) (unix_time) }}'


@dataclass(frozen=True)
class Database:
    """Where PostgreSQL is, as seen from the Vault server."""

    host: str
    port: int
    name: str = "scriptorium"
    tls: str = "off"
    manager: str = "scriptorium_vault"
    manager_password: str | None = field(default=None, repr=False)
    lasting_login: bool = False

    @property
    def connection_url(self) -> str:
        """The engine's connection template; user and password stay placeholders that only the engine fills."""
        mode = "disable" if self.tls == "off" else self.tls
        return f"postgresql://{{{{username}}}}:{{{{password}}}}@{self.host}:{self.port}/{self.name}?sslmode={mode}"


def statement(name: str) -> str:
    """Return one statement file of `sql/` without its comments."""
    lines = (SQL / f"{name}.sql").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def ensure_mount(client: hvac.Client, path: str, kind: str, options: dict[str, str] | None = None) -> None:
    """Mount an engine unless something is mounted there."""
    if f"{path}/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine(kind, path=path, options=options)


def ensure_kv(client: hvac.Client, names: Names) -> None:
    """Mount kv version 2; versions are key ids, so many of them are kept."""
    ensure_mount(client, names.kv_mount, "kv", {"version": "2"})
    client.secrets.kv.v2.configure(mount_point=names.kv_mount, max_versions=100)


def ensure_transit(client: hvac.Client, names: Names) -> None:
    """Make the transit keys.  None of them can be exported or deleted."""
    ensure_mount(client, TRANSIT_MOUNT, "transit")
    for part, kind in TRANSIT_KEYS.items():
        try:
            client.secrets.transit.read_key(names.of(part), mount_point=TRANSIT_MOUNT)
        except InvalidPath:
            client.secrets.transit.create_key(names.of(part), key_type=kind, mount_point=TRANSIT_MOUNT)


def ensure_database(client: hvac.Client, names: Names, database: Database) -> None:
    """Connect the engine to PostgreSQL and make the login roles: two for short-lived ones, and if wanted a lasting one.

    With a manager password the engine signs in by it and replaces it at once (rotate-root), so that from then on
    only Vault knows it.  Without one an existing connection keeps its password and only learns a new address.
    """
    ensure_mount(client, DATABASE_MOUNT, "database")
    _connect_engine(client, names, database)
    _role(client, names, "app", default_ttl="1h", max_ttl="24h")
    _role(client, names, "migrate", default_ttl="10m", max_ttl="1h")
    if database.lasting_login:
        ensure_lasting_login(client, names)


def _connect_engine(client: hvac.Client, names: Names, database: Database) -> None:
    config: dict[str, Any] = {
        "allowed_roles": [names.of("app"), names.of("migrate"), names.of("app-static")],
        "connection_url": database.connection_url,
        "username": database.manager,
        "password_authentication": "scram-sha-256",
        "username_template": USERNAME,
        "max_open_connections": 4,
        "max_idle_connections": 2,
        "max_connection_lifetime": "30s",
    }
    if database.manager_password is not None:
        config["password"] = database.manager_password
    client.secrets.database.configure(
        names.prefix, plugin_name="postgresql-database-plugin", mount_point=DATABASE_MOUNT, **config
    )
    if database.manager_password is not None:
        client.secrets.database.rotate_root_credentials(names.prefix, mount_point=DATABASE_MOUNT)


def ensure_lasting_login(client: hvac.Client, names: Names, period: int = ROTATION_PERIOD) -> None:
    """Let Vault own the password of the lasting login, which PostgreSQL must know (`sql/roles.sql`).

    Vault changes it at once, and then once in a period of so many seconds; telling it again changes only the period.
    """
    client.secrets.database.create_static_role(
        names.of("app-static"),
        db_name=names.prefix,
        username=LASTING_LOGIN,
        rotation_statements=[statement("rotate_app")],
        rotation_period=period,
        mount_point=DATABASE_MOUNT,
    )


def _role(client: hvac.Client, names: Names, part: str, default_ttl: str, max_ttl: str) -> None:
    client.secrets.database.create_role(
        names.of(part),
        db_name=names.prefix,
        creation_statements=[statement(f"create_{part}")],
        renew_statements=[statement("renew")],
        revocation_statements=[statement("revoke")],
        default_ttl=default_ttl,
        max_ttl=max_ttl,
        mount_point=DATABASE_MOUNT,
    )
