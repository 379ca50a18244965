"""What all commands share: whose settings they take, and how they end when something is wrong."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from app.settings import Settings, SettingsError


def instance_environment() -> Mapping[str, str]:
    """The settings of the instance this state folder belongs to, with the caller's own variables on top."""
    state = Path(os.environ.get("SCRIPTORIUM_STATE") or "var")
    told: dict[str, str] = {}
    try:
        told = dict(json.loads((state / "instance.json").read_text())["environment"])
    except (OSError, ValueError, KeyError):
        told = {}
    return {**told, **os.environ}


def load_settings(environment: Mapping[str, str]) -> Settings:
    """The settings, or an exit that names the one that cannot be used."""
    try:
        return Settings.from_environment(environment)
    except SettingsError as error:
        fail(str(error), 78)


def fail(message: str, code: int) -> NoReturn:
    """Say why and end."""
    click.echo(f"scriptorium: {message}", err=True)
    sys.exit(code)
