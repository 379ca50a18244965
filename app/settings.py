"""Everything an operator may choose, read once at start, typed and refused when unsafe; no secret is ever among it.

Settings come from `SCRIPTORIUM_*` variables, because that is what containers, make and people at a shell share.
Secrets never do: they come from Vault (`app.vault`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.environment import DEFAULT_LIMITS, Environment, Limit, Network, SettingsError
from app.origins import apart, serialized

__all__ = ["DEFAULT_LIMITS", "Limit", "Network", "Settings", "SettingsError"]

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
SIGN_UP_POLICIES: Final = ("open", "approval", "closed")


@dataclass(frozen=True)
class Settings:
    """All settings of one running Scriptorium.  Times are in seconds, sizes in bytes, paths as given."""

    public_url: str = "http://127.0.0.1:5000"
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 2
    state: Path = Path("var")
    tls_certificate: Path | None = None
    tls_key_file: Path | None = None

    vault_addr: str = "http://127.0.0.1:8200"
    vault_ca: Path | None = None
    vault_role_id: str = field(default="", repr=False)
    vault_secret_id_file: Path | None = None
    vault_wait: float = 60.0
    vault_kv_mount: str = "kv"
    vault_name: str = "scriptorium"
    rotator_token_file: Path | None = None
    secrets_socket: Path = Path("var/run/secrets.sock")
    audit_copy: Path = Path("var/audit/seals.jsonl")

    attachments_url: str = ""
    attachments_endpoint: str = ""
    attachments_region: str = "us-east-1"
    attachments_per_document: int = 250 * 1024 * 1024
    files_url: str = ""
    # PDF files one person may have made in a day, by role; whoever holds several has the largest.
    exports_member: int = 20
    exports_sponsor: int = 100
    exports_editor: int = 100
    exports_admin: int = 200
    # What one person, or the address block of visitors, may have in a day of other things that are dear.
    searches_visitor: int = 5000
    searches_member: int = 10_000
    searches_sponsor: int = 10_000
    searches_editor: int = 10_000
    searches_admin: int = 20_000
    bulk_admin: int = 200
    trails_admin: int = 100
    export_fonts: Path | None = None

    database_host: str = "127.0.0.1"
    database_port: int = 5432
    database_name: str = "scriptorium"
    database_login: str = "dynamic"
    database_tls: str = "off"
    database_ca: Path | None = None
    database_pool: int = 10
    statement_timeout: float = 15.0
    lock_timeout: float = 5.0
    idle_in_transaction_timeout: float = 30.0

    valkey_host: str = "127.0.0.1"
    valkey_port: int = 6379
    valkey_tls: str = "off"
    valkey_ca: Path | None = None

    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: str = "starttls"
    smtp_ca: Path | None = None
    smtp_user: str = ""
    mail_from: str = ""

    trusted_proxies: tuple[Network, ...] = ()
    allowed_hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost"})
    admin_networks: tuple[Network, ...] = ()
    key_networks: tuple[Network, ...] = ()
    cors_origins: tuple[str, ...] = ()
    cors_oauth_origins: tuple[str, ...] = ()
    cors_discovery_origins: tuple[str, ...] = ()
    metrics_networks: tuple[Network, ...] = ()

    confirm_email: str = "off"
    admin_otp: str = "optional"
    sign_up: Mapping[str, str] = field(
        default_factory=lambda: {"member": "open", "sponsor": "approval", "editor": "approval"}
    )
    session_idle: float = 14 * 86400.0
    session_absolute: float = 60 * 86400.0
    fresh_for: float = 900.0
    jwt_signer: str = "memory"
    access_token_life: float = 900.0
    refresh_token_life: float = 30 * 86400.0
    refresh_grace: float = 10.0
    key_life: float = 365 * 86400.0
    key_life_most: float = 2 * 365 * 86400.0
    idempotency_life: float = 86400.0
    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    security_contact: str = "mailto:security@localhost"
    log_level: str = "info"
    drain: float = 25.0

    @property
    def secure(self) -> bool:
        """Whether browsers reach us over TLS; decides `Secure`, `__Host-` and HSTS."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Host and port of the public URL, as an `Origin` or `Host` header would carry them."""
        return urlsplit(self.public_url).netloc

    @property
    def loopback(self) -> bool:
        return (urlsplit(self.public_url).hostname or "") in LOOPBACK_NAMES

    def limit(self, name: str) -> Limit:
        """The limit of that name; asking for one that does not exist is a programming error."""
        return self.limits[name]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read and check all settings; raises SettingsError naming the variable that cannot be used."""
        read = Environment(environment)
        public_url, host, port = _address(read)
        parts = urlsplit(public_url)
        loopback = (parts.hostname or "") in LOOPBACK_NAMES
        state = read.path("STATE") or Path("var")
        admin_otp = read.choice("ADMIN_OTP", ("required", "optional"), "optional" if loopback else "required")
        if admin_otp == "optional" and not loopback:
            raise SettingsError(
                "SCRIPTORIUM_ADMIN_OTP=optional is only accepted with a loopback SCRIPTORIUM_PUBLIC_URL"
            )
        cors = _origins(read, "CORS_ORIGINS", ())
        names = LOOPBACK_NAMES if loopback else {parts.hostname or ""}
        certificate, key_file = read.path("TLS_CERTIFICATE"), read.path("TLS_KEY_FILE")
        if (certificate is None) != (key_file is None):
            raise SettingsError("SCRIPTORIUM_TLS_CERTIFICATE and SCRIPTORIUM_TLS_KEY_FILE go together")
        return cls(
            public_url=public_url,
            host=host,
            port=port,
            workers=read.integer("WORKERS", 2, least=1, most=256),
            state=state,
            tls_certificate=certificate,
            tls_key_file=key_file,
            vault_addr=read.text("VAULT_ADDR", "http://127.0.0.1:8200"),
            vault_ca=read.path("VAULT_CA"),
            vault_role_id=read.text("VAULT_ROLE_ID"),
            vault_secret_id_file=read.path("VAULT_SECRET_ID_FILE"),
            vault_wait=read.number("VAULT_WAIT", 60.0, most=3600.0),
            vault_kv_mount=read.text("VAULT_KV_MOUNT", "kv"),
            vault_name=read.text("VAULT_NAME", "scriptorium"),
            rotator_token_file=read.path("ROTATOR_TOKEN_FILE"),
            secrets_socket=read.path("SECRETS_SOCKET") or state / "run" / "secrets.sock",
            audit_copy=read.path("AUDIT_COPY") or state / "audit" / "seals.jsonl",
            attachments_url=_attachments(read),
            attachments_endpoint=read.text("ATTACHMENTS_ENDPOINT"),
            attachments_region=read.text("ATTACHMENTS_REGION", "us-east-1"),
            attachments_per_document=read.integer("ATTACHMENTS_PER_DOCUMENT", 250 * 1024 * 1024, least=1),
            files_url=_files_url(read, public_url),
            exports_member=read.integer("EXPORTS_MEMBER", 20),
            exports_sponsor=read.integer("EXPORTS_SPONSOR", 100),
            exports_editor=read.integer("EXPORTS_EDITOR", 100),
            exports_admin=read.integer("EXPORTS_ADMIN", 200),
            searches_visitor=read.budget("SEARCHES_VISITOR", 5000),
            searches_member=read.budget("SEARCHES_MEMBER", 10_000),
            searches_sponsor=read.budget("SEARCHES_SPONSOR", 10_000),
            searches_editor=read.budget("SEARCHES_EDITOR", 10_000),
            searches_admin=read.budget("SEARCHES_ADMIN", 20_000),
            bulk_admin=read.budget("BULK_ADMIN", 200),
            trails_admin=read.budget("TRAILS_ADMIN", 100),
            export_fonts=read.path("EXPORT_FONTS"),
            database_host=read.text("DATABASE_HOST", "127.0.0.1"),
            database_port=read.integer("DATABASE_PORT", 5432, least=1, most=65535),
            database_name=read.text("DATABASE_NAME", "scriptorium"),
            database_login=read.choice("DATABASE_LOGIN", ("dynamic", "static"), "dynamic"),
            database_tls=read.choice("DATABASE_TLS", ("off", "verify-full"), "off"),
            database_ca=read.path("DATABASE_CA"),
            database_pool=read.integer("DATABASE_POOL", 10, least=1, most=200),
            statement_timeout=read.number("STATEMENT_TIMEOUT", 15.0, least=0.1, most=600.0),
            lock_timeout=read.number("LOCK_TIMEOUT", 5.0, least=0.1, most=600.0),
            valkey_host=read.text("VALKEY_HOST", "127.0.0.1"),
            valkey_port=read.integer("VALKEY_PORT", 6379, least=1, most=65535),
            valkey_tls=read.choice("VALKEY_TLS", ("off", "on"), "off"),
            valkey_ca=read.path("VALKEY_CA"),
            smtp_host=read.text("SMTP_HOST"),
            smtp_port=read.integer("SMTP_PORT", 587, least=1, most=65535),
            smtp_tls=_smtp_tls(read),
            smtp_ca=read.path("SMTP_CA"),
            smtp_user=read.text("SMTP_USER"),
            mail_from=_mail_from(read),
            trusted_proxies=read.networks("TRUSTED_PROXIES"),
            allowed_hosts=frozenset(names) | frozenset(read.words("ALLOWED_HOSTS")),
            admin_networks=read.networks("ADMIN_NETWORKS"),
            key_networks=read.networks("KEY_NETWORKS"),
            metrics_networks=read.networks("METRICS_NETWORKS"),
            cors_origins=cors,
            cors_oauth_origins=_origins(read, "CORS_OAUTH_ORIGINS", cors, any_origin=True),
            cors_discovery_origins=_origins(read, "CORS_DISCOVERY_ORIGINS", cors, any_origin=True),
            confirm_email=read.choice("CONFIRM_EMAIL", ("required", "off"), "off"),
            admin_otp=admin_otp,
            sign_up={
                "member": read.choice("SIGN_UP_MEMBER", SIGN_UP_POLICIES, "open"),
                "sponsor": read.choice("SIGN_UP_SPONSOR", SIGN_UP_POLICIES, "approval"),
                "editor": read.choice("SIGN_UP_EDITOR", SIGN_UP_POLICIES, "approval"),
            },
            session_idle=read.number("SESSION_IDLE", 14 * 86400.0, least=60.0),
            session_absolute=read.number("SESSION_ABSOLUTE", 60 * 86400.0, least=60.0),
            fresh_for=read.number("FRESH_FOR", 900.0, least=1.0),
            jwt_signer=read.choice("JWT_SIGNER", ("memory", "vault"), "memory"),
            access_token_life=read.number("ACCESS_TOKEN_LIFE", 900.0, least=1.0, most=900.0),
            refresh_token_life=read.number("REFRESH_TOKEN_LIFE", 30 * 86400.0, least=60.0),
            refresh_grace=read.number("REFRESH_GRACE", 10.0, most=60.0),
            key_life=read.number("KEY_LIFE", 365 * 86400.0, least=60.0),
            key_life_most=read.number("KEY_LIFE_MOST", 2 * 365 * 86400.0, least=60.0),
            idempotency_life=read.number("IDEMPOTENCY_LIFE", 86400.0, least=60.0),
            limits=read.limits(),
            security_contact=read.text("SECURITY_CONTACT", "mailto:security@localhost"),
            log_level=read.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info"),
            drain=read.number("DRAIN", 25.0, least=0.0, most=600.0),
        )


def _address(read: Environment) -> tuple[str, str, int]:
    """Where we listen and what browsers call us; a plain-http public URL off loopback is refused."""
    host = read.text("HOST", "127.0.0.1")
    port = read.integer("PORT", 5000, least=1, most=65535)
    scheme = "https" if read.path("TLS_CERTIFICATE") else "http"
    public_url = read.text("PUBLIC_URL", f"{scheme}://{host if host in LOOPBACK_NAMES else '127.0.0.1'}:{port}")
    parts = urlsplit(public_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingsError(f"SCRIPTORIUM_PUBLIC_URL must be like https://journal.example, not {public_url!r}")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_NAMES:
        raise SettingsError(
            "SCRIPTORIUM_PUBLIC_URL must be https away from loopback: sign-ins and sessions would travel readable"
        )
    if host not in LOOPBACK_NAMES and not read.path("TLS_CERTIFICATE") and not read.words("TRUSTED_PROXIES"):
        raise SettingsError(
            f"SCRIPTORIUM_HOST={host} needs TLS (SCRIPTORIUM_TLS_CERTIFICATE) or a proxy (SCRIPTORIUM_TRUSTED_PROXIES)"
        )
    return public_url.rstrip("/"), host, port


def _smtp_tls(read: Environment) -> str:
    """How mail is handed over; in the clear on loopback only, because it carries addresses and a password."""
    tls = read.choice("SMTP_TLS", ("starttls", "on", "off"), "starttls")
    if tls == "off" and read.text("SMTP_HOST") and read.text("SMTP_HOST") not in LOOPBACK_NAMES:
        raise SettingsError("SCRIPTORIUM_SMTP_TLS=off is only accepted with a mail server on loopback")
    return tls


def _mail_from(read: Environment) -> str:
    """Who mail comes from; needed as soon as there is a server to hand it to."""
    address = read.text("MAIL_FROM")
    if read.text("SMTP_HOST") and ("@" not in address or any(one in address for one in "\r\n<>, ")):
        raise SettingsError("SCRIPTORIUM_MAIL_FROM must be one plain address, such as letters@journal.example")
    return address


def _attachments(read: Environment) -> str:
    """Where attached files lie: nowhere named means a folder in the state."""
    url = read.text("ATTACHMENTS_URL")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("s3", "memory") or (parts.scheme == "s3" and not parts.netloc)):
        raise SettingsError(f"SCRIPTORIUM_ATTACHMENTS_URL must look like s3://bucket/folder, not {url!r}")
    if parts.username or parts.password or parts.query:
        raise SettingsError("SCRIPTORIUM_ATTACHMENTS_URL holds a name only: keys of a bucket come from Vault")
    return url


def _files_url(read: Environment, public_url: str) -> str:
    """Where browsers fetch attached files from, if not from the site."""
    try:
        return apart(read.text("FILES_URL"), public_url, own=read.words("ALLOWED_HOSTS"), plain=LOOPBACK_NAMES)
    except ValueError as error:
        raise SettingsError(f"SCRIPTORIUM_FILES_URL {error}") from None


def _origins(read: Environment, name: str, default: tuple[str, ...], *, any_origin: bool = False) -> tuple[str, ...]:
    """Origins whose scripts may read a group of answers; `none` closes a group that would follow another.

    Exact strings as a browser sends them, never patterns; `*` alone where a group may be open to all.
    """
    origins = read.words(name) or default
    if origins == ("none",) or (any_origin and origins == ("*",)):
        return () if origins == ("none",) else origins
    for origin in origins:
        parts = urlsplit(origin)
        plain = parts.scheme in ("http", "https") and parts.hostname and "*" not in origin
        if not plain or origin != serialized(origin):
            raise SettingsError(
                f"SCRIPTORIUM_{name} takes exact origins such as https://app.example, never patterns: {origin!r}"
            )
    return origins
