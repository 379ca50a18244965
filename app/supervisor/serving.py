"""`scriptorium serve`: secrets first, then the port, then workers; and in the opposite order at the end."""

from __future__ import annotations

import signal

import uvicorn

from app.settings import Settings
from app.supervisor import nursery
from app.supervisor.errors import ServeError
from app.supervisor.keeper import BrokerKeeper
from app.supervisor.options import bind, check, uvicorn_options
from app.supervisor.workers import Workers
from app.vault.errors import VaultStartError
from app.vault.voice import to_standard_error
from app.web import logs

APPLICATION = "app.main:application"


def run(settings: Settings) -> int:
    """See `app.supervisor.serve`."""
    logs.configure(settings.log_level)
    try:
        check(settings)
        if settings.workers == 1:
            from app.supervisor.alone import serve_alone  # noqa: PLC0415  # it loads the application; a supervisor must not

            serve_alone(settings)
        else:
            _serve_together(settings)
    except (VaultStartError, ServeError) as error:
        if error.message:
            to_standard_error(error.message)
        return error.exit_code
    except Told:
        return 0
    return 0


class Told(BaseException):
    """Somebody asked us to stop before we served."""


def _told(_number: int, _frame: object) -> None:
    raise Told


def _serve_together(settings: Settings) -> None:
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _told)  # until the workers' supervisor takes over
    nursery.prepare()
    keeper = BrokerKeeper()
    try:
        keeper.first_start()
        sockets = bind(settings)
        config = uvicorn.Config(
            APPLICATION,
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            **uvicorn_options(settings),
        )
        Workers(config, sockets, keeper).serve()
    finally:
        nursery.abandon()
        keeper.stop()
