"""Every log line is one JSON object whatever is in it, and holds no credential whatever was logged."""

from __future__ import annotations

import io
import json
import logging
import secrets
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import structlog
from quart import Quart
from sqlalchemy import exc

from app.web import error_pages, logs
from app.web.redaction import MASK, redact


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = io.StringIO()
    logging.disable(logging.NOTSET)
    for name in ("asyncio", "hvac", "some.library", "uvicorn", "uvicorn.error", "uvicorn.access"):
        # Other tests in this process run servers and libraries that set these up for themselves.
        logger = logging.getLogger(name)
        logger.disabled, logger.propagate, logger.handlers[:] = False, True, []
        logger.setLevel(logging.NOTSET)
    logs.configure("info", written)
    yield written
    root.handlers[:], root.level = before[0], before[1]
    structlog.reset_defaults()


def records(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_with_time_and_level(stream: io.StringIO) -> None:
    structlog.get_logger("app.x").warning("account.suspended", person="1", count=2)
    (record,) = records(stream)
    assert list(record)[:3] == ["time", "level", "event"]
    assert record["time"].endswith("Z")
    assert record["time"][10] == "T"
    assert (record["level"], record["event"], record["person"], record["count"]) == (
        "warning", "account.suspended", "1", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    "evil", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\u2029b", "a\x85b", "a\x7fb", "a\u202eb", "\x00"]
)
def test_nothing_logged_can_start_a_line_or_command_a_terminal(stream: io.StringIO, evil: str) -> None:
    structlog.get_logger().info("event", name=evil)
    logging.getLogger("some.library").error("said %s", evil)
    text = stream.getvalue()
    assert len(text.splitlines()) == len(text.strip().split("\n")) == 2
    assert all(" " <= character <= "~" for character in text.replace("\n", ""))
    assert records(stream)[0]["name"] == evil


def test_other_libraries_and_uvicorn_speak_the_same_way(stream: io.StringIO) -> None:
    coloured = {"color_message": "Started server process [\x1b[36m%d\x1b[0m]"}
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7, extra=coloured)
    logging.getLogger("uvicorn.access").info("never seen")
    logging.getLogger("hvac").info("never seen")
    (record,) = records(stream)
    assert record["event"] == "Started server process [7]"
    assert record.keys() == {"time", "level", "event"}


def test_an_exception_is_one_line_too(stream: io.StringIO) -> None:
    token = "hvs." + secrets.token_urlsafe(24)
    try:
        dict[str, str]()[f"permission denied for {token}\nforged line"]
    except KeyError:
        structlog.get_logger().exception("request.failed", path="/x")
        logging.getLogger("asyncio").exception("Task failed")
    assert len(records(stream)) == 2
    assert "KeyError" in records(stream)[0]["exception"]
    assert token not in stream.getvalue()


def test_no_row_and_no_value_of_the_database_stands_in_a_traceback(stream: io.StringIO) -> None:
    """PostgreSQL names the key that is there already, and shows the whole row that breaks a rule; the driver the value."""
    word = secrets.token_urlsafe(24)
    row = asyncpg.UniqueViolationError('duplicate key value violates unique constraint "uq_people_email"')
    row.detail, row.hint = f"Key (email)=({word})\nlines of {word}\n\n already exists.", "Choose another."
    value = asyncpg.DataError(f"invalid input for query argument $2: '{word}' (an integer is required)")
    for error in (row, value, exc.IntegrityError("SELECT 7", None, row, hide_parameters=True)):
        above = LookupError()
        above.__cause__ = error
        structlog.get_logger().error("book.kept", exc_info=above)
        logging.getLogger("library").error("broken", exc_info=above)
    assert word not in stream.getvalue()
    for record in records(stream):
        assert MASK in record["exception"]
        assert "LookupError" in record["exception"], "what comes after it is still there"
    assert "uq_people_email" in records(stream)[0]["exception"]
    assert "SELECT 7" in records(stream)[-1]["exception"]
    assert "Choose another." in records(stream)[-1]["exception"]


def canaries() -> dict[str, str]:
    word = secrets.token_urlsafe(24)
    return {
        f"x hvs.{word} y": word,
        f"token s.{word}": word,
        f"vault:v1:{word}==": word,
        f"scr_{word}": word,
        f"eyJhbGciOi.{word}.{word}": word,
        f"Authorization: Bearer {word}": word,
        f"Authorization: Basic {word}": word,
        f"Cookie: session={word}; b={word}": word,
        f"Set-Cookie: __Host-x={word}; HttpOnly": word,
        f"password={word}&x=1": word,
        f"{{'new_password': '{word}'}}": word,
        f'{{"refresh_token": "{word}"}}': word,
        f"postgresql://kim:{word}@db/x": word,
        f"$argon2id$v=19$m=1$a${word}": word,
        f"-----BEGIN PRIVATE {'KEY'}-----\n{word}\n-----END PRIVATE {'KEY'}-----": word,
    }


def test_credentials_are_masked_wherever_they_stand(stream: io.StringIO) -> None:
    found = canaries()
    for text in found:
        structlog.get_logger().info("event", note=text, inner={"list": [text], "bytes": text.encode()})
        logging.getLogger("library").warning("said %s", text)
        structlog.get_logger().info(text)
    for text, word in found.items():
        assert word not in stream.getvalue(), text
    assert MASK in stream.getvalue()


def test_fields_that_are_secret_by_name(stream: io.StringIO) -> None:
    word = secrets.token_urlsafe(24)
    names = ("password", "current_password", "token", "cookie", "Authorization", "secret_id", "otp", "pepper")
    for name in names:
        structlog.get_logger().info("event", **{name: word}, inner={name: [word]})
    assert word not in stream.getvalue()


async def test_a_fault_is_written_once_with_the_request_id_and_no_decoded_path(stream: io.StringIO) -> None:
    app = Quart(__name__)

    @app.get("/page/<word>")
    async def fail(word: str) -> str:
        return dict[str, str]()[word]

    async def page(template: str, **context: object) -> str:
        return str(context["request_id"])

    error_pages.install(app, page)
    path = '/page/a%0a{"event":"forged"}'
    answer = await app.test_client().get(path)
    (record,) = records(stream)
    assert record["event"] == "request.failed"
    assert record["request_id"] == (await answer.get_data(as_text=False)).decode()
    assert record["path"] == "/page/a%0A%7B%22event%22%3A%22forged%22%7D"
    assert "KeyError" in record["exception"]


def test_ordinary_text_is_left_alone() -> None:
    for text in ("The password was wrong.", "a token is needed", "/editor/documents/0192aabb", "kim@a.test wrote"):
        assert redact(text) == text
