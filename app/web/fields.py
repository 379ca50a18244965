"""The kinds of text that people may send, as types for msgspec structs; each says in plain words what is wrong."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

BODY_MOST = 500_000
LOCAL_PART_MOST = 64

RULE = "rule"

_NEVER_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_JOINERS = "\u200c\u200d"  # part of how Persian, Hindi and emoji are written

_LOCAL_PART = re.compile(r"[^\s\x00-\x20\x7f()<>\[\]:;@\\,.\"]+(?:\.[^\s\x00-\x20\x7f()<>\[\]:;@\\,.\"]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class FieldError(ValueError):
    """A value is not acceptable; the message is written for whoever typed it."""


@dataclass(frozen=True)
class TextRule:
    """How one kind of text is cleaned and what it must be.  Lengths are in code points."""

    least: int = 0
    most: int = BODY_MOST
    multiline: bool = False
    strip: bool = True
    invisible: str = ""

    def clean(self, value: str) -> str:
        """Return the text as it is kept; raises FieldError."""
        if self.multiline:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
            if _NEVER_IN_TEXT.search(value):
                raise FieldError("This holds control characters, which no text needs.")
        else:
            value = unicodedata.normalize("NFC", value[: self.most * 4 + 1])
            self._check_line(value)
        if self.strip:
            value = value.strip()
        if len(value) < max(self.least, 0):
            raise FieldError("This is needed." if not value else f"This needs at least {self.least} characters.")
        if len(value) > self.most:
            raise FieldError(f"This is longer than {self.most:,} characters.")
        return value

    def _check_line(self, value: str) -> None:
        # Control, format, line-separator and surrogate characters reorder, hide or forge what is seen (UTS 39).
        if value.isprintable():
            return
        for character in value:
            category = unicodedata.category(character)
            if category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and character not in self.invisible):
                raise FieldError("This must be one line, without invisible or control characters.")


class EmailRule(TextRule):
    """An address that mail could reach (RFC 5321 4.5.3.1, RFC 6531); its domain is kept in lower case."""

    def clean(self, value: str) -> str:
        value = super().clean(value)
        local, at, domain = value.rpartition("@")
        domain = domain.lower()
        if (
            not at
            or len(local) > LOCAL_PART_MOST
            or not _LOCAL_PART.fullmatch(local)
            or not _DOMAIN.fullmatch(_ascii(domain))
        ):
            raise FieldError("This does not look like an email address.")
        return f"{local}@{domain}"


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return ""


class NameRule(TextRule):
    """A name others will see: runs of space collapsed, nothing that makes it look like another name."""

    def clean(self, value: str) -> str:
        return " ".join(super().clean(value).split())


def text(rule: TextRule) -> Meta:
    """Describe a rule to msgspec: the lengths, which also reach the OpenAPI document, and the rule itself."""
    return Meta(min_length=rule.least or None, max_length=rule.most, extra={RULE: rule})


def rule_of(meta: Any) -> TextRule | None:
    """Return the rule that `text` put into an annotation, or None."""
    rule = meta.extra.get(RULE) if isinstance(meta, Meta) and meta.extra else None
    return rule if isinstance(rule, TextRule) else None


Line = Annotated[str, text(TextRule(most=200, invisible=_JOINERS))]
Title = Annotated[str, text(TextRule(least=1, most=200, invisible=_JOINERS))]
DisplayName = Annotated[str, text(NameRule(least=1, most=80))]
Email = Annotated[str, text(EmailRule(least=1, most=254))]
# Neither stripped nor normalised here: whole, as typed, is what the hashing policy expects (ASVS 6.2.8).
Password = Annotated[str, text(TextRule(least=1, most=1024, multiline=True, strip=False))]
BodyText = Annotated[str, text(TextRule(most=BODY_MOST, multiline=True, strip=False))]
Brief = Annotated[str, text(TextRule(most=20_000, multiline=True, strip=False))]
Note = Annotated[str, text(TextRule(most=2_000, multiline=True))]
Reason = Annotated[str, text(TextRule(least=1, most=2_000, multiline=True))]
Opaque = Annotated[str, text(TextRule(least=1, most=4_096, strip=False))]
