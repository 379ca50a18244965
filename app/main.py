"""The ASGI entry: `app.main:application` is a factory, called once in every worker."""

from __future__ import annotations

import os

from quart import Quart

from app.factory import create_app
from app.settings import Settings
from app.web import logs


def application() -> Quart:
    """The application with the settings of this process's environment."""
    settings = Settings.from_environment(os.environ)
    logs.configure(settings.log_level)
    return create_app(settings)
