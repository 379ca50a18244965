"""What browsers report about the Content-Security-Policy (CSP 3, section 5), read down to what is worth keeping.

A report is written by a stranger: anybody can send any number of them.  So little of it is kept, cut short and printable;
of addresses never the query, which may hold what is nobody's business, and of foreign ones the origin only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

MOST: Final = 20  # reports in one delivery
LONGEST: Final = 200
LONGEST_SEGMENT: Final = 36
LARGEST: Final = 10**9
# Each field by its name in `application/csp-report`, and in the body of `application/reports+json`.
_PAGE: Final = ("document-uri", "documentURL")
_DIRECTIVE: Final = ("effective-directive", "effectiveDirective")
_VIOLATED: Final = ("violated-directive", "violatedDirective")
_BLOCKED: Final = ("blocked-uri", "blockedURL")
_SOURCE: Final = ("source-file", "sourceFile")
_LINE: Final = ("line-number", "lineNumber")


class Violation(NamedTuple):
    """What was refused on which page, by which directive, and where the page asked for it."""

    page: str
    directive: str
    blocked: str
    source: str
    line: int

    @property
    def digest(self) -> bytes:
        """By this, equal reports are one row."""
        return sha256("\0".join(map(str, self)).encode("utf-8", "replace")).digest()


def violations(given: Any, origins: Collection[str]) -> Iterator[Violation]:
    """The violations in a decoded body: one in an object, or several in a list (Reporting API).  Others are skipped."""
    if isinstance(given, Mapping):
        yield from _read([given.get("csp-report")], origins)
    elif isinstance(given, Sequence) and not isinstance(given, str):
        delivered = [item for item in given[:MOST] if isinstance(item, Mapping)]
        yield from _read([item.get("body") for item in delivered if item.get("type") == "csp-violation"], origins)


def _read(reports: Sequence[Any], origins: Collection[str]) -> Iterator[Violation]:
    for report in reports:
        if isinstance(report, Mapping):
            directive = _text(report, _DIRECTIVE) or _text(report, _VIOLATED).partition(" ")[0]
            page = _address(_text(report, _PAGE), origins)
            if directive and page.startswith("/"):  # a report about somebody else's page is none of ours
                blocked, source = (_address(_text(report, names), origins) for names in (_BLOCKED, _SOURCE))
                yield Violation(page, directive[:50], blocked, source, _number(report, _LINE))


def _text(report: Mapping[str, Any], names: tuple[str, str]) -> str:
    found = next((report[name] for name in names if isinstance(report.get(name), str)), "")
    return "".join(character for character in found[:2000] if character.isprintable()).strip()


def _number(report: Mapping[str, Any], names: tuple[str, str]) -> int:
    found = next((report[name] for name in names if type(report.get(name)) is int), 0)
    return min(max(found, 0), LARGEST)


def _address(text: str, origins: Collection[str]) -> str:
    """The path of a page of ours (`origins`), the origin of another's; words such as "inline" as they are."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return "unreadable"
    if not parts.scheme:
        return text[:LONGEST] if "/" not in text else "unreadable"
    if not parts.netloc:
        return parts.scheme[:LONGEST]
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if origin not in origins:
        return origin[:LONGEST]
    # A segment longer than an id may be a credential that was sent by mail.
    shown = "/".join(part if len(part) <= LONGEST_SEGMENT else "..." for part in parts.path.split("/"))
    return shown[:LONGEST] or "/"
