"""Handing letters to the mail server: one task in every worker, each letter claimed by one of them at a time."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, Final

import aiosmtplib
import structlog

from app.database import Database
from app.errors import Unavailable
from app.ids import now
from app.mail import queries, service
from app.mail.envelope import Unreadable, unseal
from app.mail.letters import compose
from app.mail.service import Postbox
from app.settings import Settings
from app.vault.snapshot import SecretSource

PAUSE: Final = 5.0  # seconds between two looks
CLAIMED: Final = timedelta(minutes=2)  # how long a letter is one sender's; longer than one delivery may take
TIMEOUT: Final = 20.0  # seconds for each step of a delivery
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=6)
ATTEMPTS: Final = 12  # a little more than a day
PERMANENT: Final = 500  # answers from here on will be the same next time (RFC 5321 4.2.1)

_log = structlog.get_logger("scriptorium.mail")


class Postman:
    """Sends what is due for as long as the worker lives; a letter is never lost, and rarely delivered twice."""

    def __init__(self, settings: Settings, database: Database, secrets: SecretSource, postbox: Postbox) -> None:
        self._settings = settings
        self._database = database
        self._secrets = secrets
        self._postbox = postbox
        self._task: asyncio.Task[None] | None = None
        self.outcomes: Counter[str] = Counter()

    async def start(self) -> None:
        """Begin, if there is a mail server to go to."""
        if self._settings.smtp_host:
            self._task = asyncio.get_running_loop().create_task(self._go_round(), name="postman")

    async def stop(self) -> None:
        """Leave what is under way to whoever looks after its claim has ended."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=PAUSE)  # a delivery that is cut off says goodbye to its server

    async def deliver_due(self) -> int:
        """Try every letter that is due, and seal anew what lies under an older key; returns how many were sent."""
        sent = 0
        while (row := await self._claim()) is not None:
            sent += await self._deliver(row)
        async with self._database.transaction() as db:
            await service.seal_anew(db, self._postbox.ring, self._postbox.ring.signing)
        return sent

    async def _claim(self) -> Any:
        moment = now()
        async with self._database.transaction() as db:
            return (await db.execute(queries.CLAIM, {"moment": moment, "until": moment + CLAIMED})).first()

    async def _deliver(self, row: Any) -> bool:
        try:
            content = unseal(self._postbox.ring, row.key_version, row.id, row.sealed)
        except Unreadable as error:
            await self._note(row, queries.GIVEN_UP, "given_up", error=str(error))
            return False
        try:
            letter = compose(self._settings, row.id, row.template, content)
        except (ValueError, KeyError):
            await self._note(row, queries.GIVEN_UP, "given_up", error="it cannot be written as a letter")
            return False
        try:
            await self._hand_over(letter)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            code = max(one.code for one in refused.recipients)
            await self._failed(row, f"the recipient is refused ({code})", final=code >= PERMANENT)
        except aiosmtplib.SMTPResponseException as error:
            # A refused sign-in or greeting is the operator's to put right, so only the letter itself is judged by it.
            judged = not isinstance(error, aiosmtplib.SMTPAuthenticationError | aiosmtplib.SMTPConnectResponseError)
            await self._failed(row, f"the mail server says {error.code}", final=judged and error.code >= PERMANENT)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await self._failed(row, f"the mail server cannot be reached ({type(error).__name__})", final=False)
        else:
            await self._note(row, queries.SENT, "sent")
            return True
        return False

    async def _hand_over(self, letter: EmailMessage) -> None:
        settings = self._settings
        context = None
        if settings.smtp_tls != "off":
            context = ssl.create_default_context(cafile=str(settings.smtp_ca) if settings.smtp_ca else None)
        async with aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "on",
            start_tls=settings.smtp_tls == "starttls",
            tls_context=context,
            timeout=TIMEOUT,
            username=settings.smtp_user or None,
            password=self._secrets.snapshot.smtp_password if settings.smtp_user else None,
        ) as server:
            await server.send_message(letter)

    async def _failed(self, row: Any, error: str, *, final: bool) -> None:
        if final or row.attempts >= ATTEMPTS:
            await self._note(row, queries.GIVEN_UP, "given_up", error=error)
            return
        again = now() + min(LONGEST_RETRY, FIRST_RETRY * 2 ** (row.attempts - 1))
        await self._note(row, queries.LATER, "postponed", error=error, again=again)

    async def _note(self, row: Any, statement: Any, outcome: str, **values: Any) -> None:
        self.outcomes[outcome] += 1
        log = _log.info if outcome == "sent" else _log.warning
        log(
            f"mail.{outcome}",
            letter=str(row.id),
            template=row.template,
            attempts=row.attempts,
            error=values.get("error"),
        )
        async with self._database.transaction() as db:
            await db.execute(statement, {"id": row.id, "moment": now(), **values})

    async def _go_round(self) -> None:
        while True:
            try:
                await self.deliver_due()
            except Unavailable as error:
                _log.info("mail.waiting", reason=error.detail)
            except Exception:  # noqa: BLE001 - the edge of this task: nothing that goes wrong may end it
                _log.exception("mail.waiting")
            await asyncio.sleep(PAUSE)
