"""Names of files as people gave them: texts to be read, never paths, and how an answer says them (RFC 6266, RFC 8187)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

LONGEST: Final = 150
"""Characters of a name that are kept; the ending is kept with them."""
_LONGEST_ENDING: Final = 12
NAMELESS: Final = "file"
# Control, format (zero-width and direction marks), surrogate and private characters; line and paragraph separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = frozenset("\u200d\u200c")
# A browser that saves the file under its name meets the rules of its system, among them those of 1981.
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10))}
)
_MARKDOWN: Final = re.compile(r"([\\\[\]`*_<>&!])")
_NEVER_PLAIN: Final = '"\\%;/:*?<>|'


def clean(name: str) -> str:
    """The last part of `name` without characters that are not seen or mean something to a file system."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    # Joiners make one emoji of several and are needed in Persian and Hindi; alone at an edge they hide.
    shown = "".join(sign for sign in last if unicodedata.category(sign) not in _UNSEEN or sign in _JOINERS)
    shown = " ".join(shown.split()).strip(". \u200d\u200c")
    if not shown:
        return NAMELESS
    if shown.partition(".")[0].strip().lower() in _DEVICES:
        shown = f"_{shown}"
    if len(shown) <= LONGEST:
        return shown
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending) > _LONGEST_ENDING:
        return shown[:LONGEST].rstrip()
    return stem[: LONGEST - len(ending) - 1].rstrip() + dot + ending


def disposition(name: str, *, inline: bool = False) -> str:
    """The `Content-Disposition` of a file: a plain name for old programs and the true one, percent-encoded."""
    plain = "".join(
        sign if sign.isascii() and sign.isprintable() and sign not in _NEVER_PLAIN else "_"
        for sign in unicodedata.normalize("NFKD", name)
        if not unicodedata.combining(sign)
    )
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain or NAMELESS}\"; filename*=UTF-8''{quote(name, safe='')}"


def markdown(name: str, page_url: str, image_url: str | None) -> str:
    """A picture or a link for a text in Markdown; the name stays a text, whatever signs it is made of."""
    stem = name.rpartition(".")[0] or name
    shown = _MARKDOWN.sub(r"\\\1", stem if image_url else name)
    return f"![{shown}]({image_url})" if image_url else f"[{shown}]({page_url})"
