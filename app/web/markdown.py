"""Markdown to safe HTML, within a bound: CommonMark with tables, strikethrough, footnotes, task lists and anchors.

Three walls stand behind one another: raw HTML is never parsed, links keep only harmless schemes, and what comes out
goes through a sanitiser with a short list of what may stay.  A text that would cost too much is shown as it was typed,
and says so.  Rendering is work for the processor (up to a second): callers on an event loop do it in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import nh3
from markdown_it.token import Token
from markupsafe import Markup

from app.web.code import CLASSES
from app.web.dressing import Heading, plain
from app.web.markdown_parser import Budget, TooCostlyError, make_parser

__all__ = ["Heading", "Reading", "contents", "excerpt", "read", "render"]

CELLS = 20_000
"""Table cells one text may have."""
AMPERSANDS = 40_000
"""`&` characters one text may have: the sanitiser's cost grows with their square."""
LONGEST_HTML = 4_000_000
"""Characters of HTML one text may become: it is held twice while it is cleaned."""
TOO_COSTLY = "This text would take too long to lay out, so it is shown as it was typed."

# Embeddings and overrides: harmless within a paragraph of their own, not in a line quoted among others.
_REORDERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_PARSER = make_parser()
_BLOCKS = {"p", "hr", "blockquote", "ul", "ol", "li", "pre", "section", "div", "h2", "h3", "h4", "h5", "h6"}
_TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
_WORDS = {"br", "em", "strong", "s", "code", "span", "a", "img", "sup"}
_ALIGNED = {"align-right", "align-center"}
_CLEANER = nh3.Cleaner(
    tags=_BLOCKS | _TABLES | _WORDS,
    attributes={
        "a": {"href", "title", "rel", "id"},
        "img": {"src", "alt", "title"},
        "ol": {"start"},
        "li": {"id"},
        "span": {"title", "role", "aria-label"},
        "div": {"role", "aria-label", "tabindex"},
        "section": {"aria-label"},
        "pre": {"tabindex"},
        **{f"h{level}": {"id"} for level in range(2, 7)},
    },
    allowed_classes={
        "span": {"mark", "task", *CLASSES},
        "div": {"table-scroll"},
        "ul": {"tasks"},
        "ol": {"tasks"},
        "li": {"task-item", "footnote-item"},
        "sup": {"footnote-ref"},
        "a": {"footnote-backref"},
        "section": {"footnotes"},
        "th": _ALIGNED,
        "td": _ALIGNED,
    },
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A text made ready for a page: safe HTML and its headings in order."""

    html: Markup
    contents: tuple[Heading, ...]


def read(text: str) -> Reading:
    """Render `text` once, for pages that show both the text and its table of contents."""
    clean = _encodable(text)
    if clean.count("|") > CELLS or clean.count("&") > AMPERSANDS:
        return _as_typed(clean)
    env: dict[str, Any] = {"budget": Budget()}
    try:
        body = _PARSER.render(clean, env)
    except (TooCostlyError, RecursionError):
        return _as_typed(clean)
    if len(body) > LONGEST_HTML:
        return _as_typed(clean)
    safe = Markup(_CLEANER.clean(body))  # noqa: S704 - sanitised in this very call, the one place where text becomes markup  # nosec B704
    return Reading(safe, tuple(env["contents"]))


def render(text: str) -> Markup:
    """Safe HTML for `text`."""
    return read(text).html


def contents(text: str) -> list[Heading]:
    """The headings of `text`, with the anchors that `render` gives them."""
    return list(read(text).contents)


def excerpt(text: str, limit: int = 280) -> str:
    """The first words of `text` as plain text, at most `limit` characters, cut between words and marked with "…"."""
    return _first_words(text[: limit * 4 + 400], limit)


@lru_cache(maxsize=1024)
def _first_words(opening: str, limit: int) -> str:
    """As above; kept, because a list of twenty texts is parsed at every visit else.  At most 7 MB for a process."""
    start = _encodable(opening)
    try:
        words = _running_text(_PARSER.parse(start, {"budget": Budget()}))
    except (TooCostlyError, RecursionError):
        words = start
    words = " ".join(words.translate(_REORDERING).split())
    if len(words) <= limit:
        return words
    cut = words[: limit - 1]
    # A long word without spaces (or a script without them) is cut where the limit falls.
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip(" ,;:.") + "…"


def _running_text(tokens: list[Token]) -> str:
    paragraphs = [
        (before.level, plain(token.children or ()))
        for before, token in pairwise(tokens)
        if token.type == "inline" and before.type == "paragraph_open"
    ]
    # Running text says best what a text is; one that is all lists or quotes is quoted from those.
    outermost = [words for level, words in paragraphs if level == 0]
    return " ".join(outermost or [words for _, words in paragraphs])


def _encodable(text: str) -> str:
    # Half of a surrogate pair is not a character; the sanitiser speaks UTF-8 and would refuse the whole text.
    return text.encode("utf-8", "replace").decode("utf-8")


def _as_typed(text: str) -> Reading:
    # Escaped whole, so there is nothing in it to sanitise.
    written = Markup('<p class="notice">{}</p>\n<pre class="unrendered" tabindex="0">\n{}</pre>')
    return Reading(written.format(TOO_COSTLY, text), ())
