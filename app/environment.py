"""Variables of the environment, read by name with the type that is wanted; whatever will not do is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

Network = IPv4Network | IPv6Network

PERIODS: Final[Mapping[str, float]] = {"second": 1.0, "minute": 60.0, "hour": 3600.0}


class SettingsError(ValueError):
    """A setting cannot be used; the message names the variable and what it takes."""


@dataclass(frozen=True)
class Limit:
    """`count` events in `period` seconds."""

    count: int
    period: float


# Defaults suit a public site: generous for people who read and write, tight where guessing or flooding pays.
DEFAULT_LIMITS: Final[Mapping[str, Limit]] = {
    "REGISTER": Limit(20, 3600.0),  # accounts made from one address
    "SIGN_IN": Limit(5, 60.0),  # failed tries for one account from one address block
    "SIGN_IN_ADDRESS": Limit(50, 60.0),  # failed tries from one address block, whatever the account
    "API": Limit(6000, 60.0),  # requests of one API caller
    "PAGES": Limit(1200, 60.0),  # page requests from one address
    "DRAFTS": Limit(120, 60.0),  # drafts kept and previews asked for by one person
    "REPORTS": Limit(60, 60.0),  # deliveries of browsers' reports from one address
    "TOKEN": Limit(600, 60.0),  # refresh and revoke calls from one address
}


def _limit(name: str, text: str) -> Limit:
    count, slash, period = text.strip().partition("/")
    if not slash or not count.strip().isdigit() or int(count) < 1 or period.strip() not in PERIODS:
        raise SettingsError(f'{name} must look like "5/minute" (count per second, minute or hour), not "{text}"')
    return Limit(int(count), PERIODS[period.strip()])


class Environment:
    """Reads variables by name with the type wanted, and says which one is wrong."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str, default: str = "") -> str:
        return self._environment.get(f"SCRIPTORIUM_{name}", "").strip() or default

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise SettingsError(f"SCRIPTORIUM_{name} must be one of {', '.join(choices)}, not {value!r}")
        return value

    def number(self, name: str, default: float, *, least: float = 0.0, most: float = 1e9) -> float:
        raw = self.text(name)
        try:
            value = float(raw) if raw else default
        except ValueError:
            raise SettingsError(f"SCRIPTORIUM_{name} must be a number, not {raw!r}") from None
        if not least <= value <= most:
            raise SettingsError(f"SCRIPTORIUM_{name} must be between {least:g} and {most:g}, not {raw}")
        return value

    def integer(self, name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
        value = self.number(name, default, least=least, most=most)
        if value != int(value):
            raise SettingsError(f"SCRIPTORIUM_{name} must be a whole number")
        return int(value)

    def budget(self, name: str, default: int) -> int:
        """So many a day; those not set by name grow with the limits."""
        scale = self.number("LIMIT_SCALE", 1.0, least=0.001, most=1e6)
        return self.integer(name, min(2**31, max(1, round(default * scale))))

    def path(self, name: str) -> Path | None:
        raw = self.text(name)
        return Path(raw) if raw else None

    def words(self, name: str) -> tuple[str, ...]:
        return tuple(word for word in self.text(name).replace(",", " ").split() if word)

    def networks(self, name: str) -> tuple[Network, ...]:
        try:
            return tuple(ip_network(word) for word in self.words(name))
        except ValueError as error:
            raise SettingsError(f"SCRIPTORIUM_{name} must list networks such as 10.0.0.0/8: {error}") from None

    def limits(self) -> Mapping[str, Limit]:
        scale = self.number("LIMIT_SCALE", 1.0, least=0.001, most=1e6)
        limits = {
            name: Limit(max(1, round(limit.count * scale)), limit.period) for name, limit in DEFAULT_LIMITS.items()
        }
        prefix = "SCRIPTORIUM_LIMIT_"
        for variable, text in self._environment.items():
            name = variable.removeprefix(prefix)
            if variable.startswith(prefix) and name != "SCALE" and text.strip():
                limits[name] = _limit(variable, text)
        return limits
