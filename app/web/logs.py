"""What is logged and how: one JSON object per line, UTC, control characters escaped, credentials masked."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.web.redaction import redact_error, redact_value

_FIRST = ("time", "level", "event")
_LONGEST = 20_000

# Chatty below this level, and what they chat about (addresses, headers) is not for the log.
_QUIET = {"hvac": "WARNING", "urllib3": "WARNING", "valkey": "WARNING", "asyncio": "WARNING", "hypercorn": "WARNING"}


def add_time(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Stamp the event in RFC 3339, UTC, with milliseconds."""
    event["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return event


def without_colours(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leave out the second wording that uvicorn brings for terminals: the same again, among signs for colours."""
    event.pop("color_message", None)
    return event


def redact_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Mask credentials in every field."""
    return {name: redact_value(name, value) for name, value in event.items()}


def redact_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Leave the data of people out of a traceback: whoever reads a log for faults has no business with it."""
    if "exception" in event:
        event["exception"] = redact_error(str(event["exception"]))
    return event


def to_line(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    """Write the event as one line of ASCII.

    Escaping everything beyond ASCII costs nothing and leaves no character (CR, LF, ESC, U+2028, U+202E) by which
    a forged line or a terminal command could ride along (ASVS 16.4.1).
    """
    ordered = {name: event.pop(name) for name in _FIRST if name in event} | dict(event)
    for name, value in ordered.items():
        if isinstance(value, str) and len(value) > _LONGEST:
            ordered[name] = value[:_LONGEST] + "..."
    return json.dumps(ordered, ensure_ascii=True, default=str).replace("\x7f", "\\u007f")


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        without_colours,
        add_time,
    ]


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send everything that is logged in this process, by whichever library, to `stream` (standard error)."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact_exception,
            redact_event,
            to_line,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _adopt_libraries()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _adopt_libraries() -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "quart.app", "quart.serving"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # The guard writes the access line, with the request id and without the query.
    logging.getLogger("uvicorn.access").propagate = False
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
