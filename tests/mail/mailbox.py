"""A real mail server on loopback, which keeps what it is given and refuses what it is told to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as modern
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.vault.test_serve import free_port


class Mailbox:
    """What arrived, and how the next letters are answered."""

    def __init__(self, port: int, password: bytes) -> None:
        self.port = port
        self.letters: list[EmailMessage] = []
        self.answer = ""
        self._password = password

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's names
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        content = envelope.original_content or b""
        letter: Any = BytesParser(policy=modern).parsebytes(content)
        self.letters.append(letter)
        return "250 Kept"

    def check(self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
        good = isinstance(given, LoginPassword) and given.password == self._password
        return AuthResult(success=good)


@contextmanager
def mailbox(password: str = "", **options: Any) -> Iterator[Mailbox]:
    """A mail server for as long as this lasts; with a password it takes mail only from who knows it."""
    box = Mailbox(free_port(), password.encode())
    if password:
        options |= {"authenticator": box.check, "auth_required": True}
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
