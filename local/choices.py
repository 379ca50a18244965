"""What the person at the terminal chose: PORT, HOST, WORKERS, TLS, and every SCRIPTORIUM_* setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from app.settings import Settings, SettingsError
from local.errors import StackError
from local.folders import Folders
from local.tls import certify

SHORT_NAMES = {"PORT": "SCRIPTORIUM_PORT", "HOST": "SCRIPTORIUM_HOST", "WORKERS": "SCRIPTORIUM_WORKERS"}
YES, NO = ("1", "yes", "on", "true"), ("", "0", "no", "off", "false")


@dataclass(frozen=True)
class Choices:
    """The settings a person gave, with the short names translated, and whether we serve https ourselves."""

    given: Mapping[str, str]
    tls: bool

    @property
    def state(self) -> Path:
        """The folder everything is kept in."""
        return Path(self.given.get("SCRIPTORIUM_STATE") or "var").absolute()

    def settings(self, servers: Mapping[str, str] | None = None) -> tuple[dict[str, str], Settings]:
        """Return the application's environment and what it means; our own `servers` win over what was given.

        Raises StackError with the setting's own message when one cannot be used.
        """
        environment = {**self.given, **(servers or {}), "SCRIPTORIUM_STATE": str(self.state)}
        if self.tls:
            environment |= _certificate_settings(self.state)
        try:
            return environment, Settings.from_environment(environment)
        except SettingsError as error:
            raise StackError(f"{error}.") from error

    def certify(self) -> None:
        """Make the certificate that the settings name, for where we listen and for what browsers call us."""
        if self.tls:
            _, settings = self.settings()
            names = {settings.host, settings.public_host.rsplit(":", 1)[0], urlsplit(settings.files_url).hostname}
            certify(Folders(self.state).tls, {name for name in names if name})


def _certificate_settings(state: Path) -> dict[str, str]:
    folder = Folders(state).tls
    return {
        "SCRIPTORIUM_TLS_CERTIFICATE": str(folder / "certificate.pem"),
        "SCRIPTORIUM_TLS_KEY_FILE": str(folder / "key.pem"),
    }


def read_choices(environment: Mapping[str, str]) -> Choices:
    """Read the choices; raises StackError when TLS is neither yes nor no."""
    given = {name: value for name, value in environment.items() if name.startswith("SCRIPTORIUM_")}
    given |= {full: environment[short] for short, full in SHORT_NAMES.items() if environment.get(short)}
    tls = environment.get("TLS", "").strip().lower()
    if tls not in YES + NO:
        raise StackError(f"TLS is 1 or 0, not {tls!r}.")
    return Choices(given, tls in YES)
