"""The words of letters: plain text, in kind words, with what was written for the person and no other link than to us."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Final
from uuid import UUID

from app.ids import now
from app.mail.envelope import Content
from app.settings import Settings

# Subject, first sentence, and what the person can do now; staff's own reasons never come this far.
LETTERS: Final[Mapping[str, tuple[str, str, str]]] = {
    "approve": (
        "Welcome to Scriptorium",
        "good news: your account is open.",
        "You can sign in at {url}/login and begin.",
    ),
    "decline": (
        "About your application to Scriptorium",
        "thank you for your application. We cannot open your account at this time.",
        "You are welcome to apply again; sign in at {url}/login to see how things stand.",
    ),
    "suspend": (
        "Your account is suspended",
        "your account is suspended{until}. What you have written is kept.",
        "Sign in at {url}/login to see how things stand.",
    ),
    "reinstate": (
        "Your account is open again",
        "your account is open again, with everything you had written.",
        "You can sign in at {url}/login and go on.",
    ),
}


def compose(settings: Settings, letter_id: UUID, template: str, content: Content) -> EmailMessage:
    """The letter as it is handed over.  Its Message-ID is the row's, so that a second delivery can be recognised."""
    subject, first, last = LETTERS[template]
    until = f" until {content.values['until']}" if content.values.get("until") else ""
    said = content.values.get("message", "")
    paragraphs = [
        f"Dear {content.name},",
        first.format(until=until),
        *([f"We were asked to tell you:\n\n{said}"] if said else []),
        last.format(url=settings.public_url),
        "Scriptorium",
    ]
    letter = EmailMessage()
    letter["From"] = formataddr(("Scriptorium", settings.mail_from))
    letter["To"] = content.address
    letter["Subject"] = subject
    letter["Date"] = format_datetime(now())
    letter["Message-ID"] = f"<{letter_id}@{settings.mail_from.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # RFC 3834: no automatic answers, please
    letter.set_content("\n\n".join(paragraphs) + "\n")
    return letter
