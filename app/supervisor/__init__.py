"""The processes behind `scriptorium serve`: the supervisor, the secret broker, and the workers."""

from __future__ import annotations

from app.settings import Settings


def serve(settings: Settings) -> int:
    """Serve in the foreground until SIGTERM or SIGINT; returns the exit code of the process, 0 when told to stop.

    The children read the same environment this process was started with, so `settings` must come from it.
    """
    # Imported here because the broker, which holds the token, must not load the web application it serves.
    from app.supervisor.serving import run  # noqa: PLC0415  # see above

    return run(settings)
