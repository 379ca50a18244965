"""Markdown to safe HTML, within a bound: CommonMark with tables, strikethrough, footnotes, task lists and anchors.

Three walls stand behind one another: raw HTML is never parsed, links keep only harmless schemes, and what comes out goes
through a sanitiser with a short list of what may stay.  A text that would cost too much is shown as it was typed.
Rendering is work for the processor (up to about a second): callers on an event loop do it in a thread.
"""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from app.web.code import CLASSES, LONGEST, highlight, mark_hidden
from app.web.dressing import Heading, allowed_link, dress, plain

STEPS = 300_000
"""Parsing steps one text may take; each makes at most a few tokens, so this bounds memory as well as time."""
SECONDS = 1.0
"""Processor time one text may take, whatever its steps cost."""
DEEPEST = 60
"""Levels of quotes and lists within one another (a list counts two)."""
CELLS = 20_000
"""Table cells one text may have."""
AMPERSANDS = 40_000
"""`&` characters one text may have: the sanitiser's cost grows with their square."""
LONGEST_LABEL = 200
"""Characters between the brackets of a footnote's mark."""
COLOURED = 60_000
"""Characters of code in one text that are coloured; what comes after is shown plain."""


class TooCostly(Exception):
    """This text would take more time or memory to render than a page is worth."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text made ready for a page: safe HTML and its headings in order."""

    html: Markup
    contents: tuple[Heading, ...]


class Budget:
    """What is left to spend on one text; shared with the parser's rules through `env`."""

    def __init__(self) -> None:
        self.steps = STEPS
        self.coloured = COLOURED
        self._until = time.thread_time() + SECONDS

    def spend(self, steps: int) -> None:
        """Take `steps` away; raises TooCostly when nothing is left, in steps or in time."""
        self.steps -= steps
        # Looking at the clock costs more than most steps, so it is looked at once in 256.
        if self.steps < 0 or (self.steps & 0xFF < steps and time.thread_time() > self._until):
            raise TooCostly


def read(text: str) -> Reading:
    """Render `text` once, for pages that show both the text and its table of contents."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    env: dict[str, Any] = {"budget": Budget()}
    try:
        if clean.count("|") > CELLS or clean.count("&") > AMPERSANDS:
            raise TooCostly
        body = _PARSER.render(clean, env)
    except (TooCostly, RecursionError):
        # Escaped whole, so there is nothing in it to sanitise.
        return Reading(Markup('<pre class="unrendered" tabindex="0">\n{}</pre>').format(clean), ())
    # Sanitised by nh3 just here: the one place where text becomes markup.
    return Reading(Markup(_CLEANER.clean(body)), tuple(env["contents"]))


def render(text: str) -> Markup:
    """Safe HTML for `text`."""
    return read(text).html


def contents(text: str) -> list[Heading]:
    """The headings of `text`, with the anchors that `render` gives them."""
    return list(read(text).contents)


def excerpt(text: str, limit: int = 280) -> str:
    """The first words of `text` as plain text, at most `limit` characters, cut between words and marked with "…"."""
    start = text[: limit * 4 + 400].encode("utf-8", "replace").decode("utf-8")
    try:
        tokens = _PARSER.parse(start, {"budget": Budget()})
        pieces = [(before.level, plain(token.children or ())) for token, before in zip(tokens[1:], tokens, strict=False)
                  if token.type == "inline" and before.type == "paragraph_open"]  # fmt: skip
        # Running text says best what a text is; one that is all lists or quotes is quoted from those.
        chosen = [words for level, words in pieces if level == 0] or [words for _, words in pieces]
        words = " ".join(" ".join(chosen).split())
    except (TooCostly, RecursionError):
        words = " ".join(start.split())
    if len(words) <= limit:
        return words
    cut = words[: limit - 1]
    # A long word without spaces (or a script without them) is cut where the limit falls.
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > limit // 2 else cut).rstrip(" ,;:.") + "…"


def _spend_on_block(state: StateBlock, startLine: int, endLine: int, silent: bool) -> bool:
    if state.level > DEEPEST:
        # Beyond its own limit the parser drops text without a word; nothing anybody wrote may vanish.
        raise TooCostly
    state.env["budget"].spend(4)
    return False


def _spend_on_inline(state: StateInline, silent: bool) -> bool:
    state.env["budget"].spend(1)
    return False


def _footnote_ref(state: StateInline, silent: bool) -> bool:
    # The plugin looks for the closing bracket through the whole paragraph, at every opening one.
    near = state.src.find("]", state.pos, state.pos + LONGEST_LABEL)
    return near > 0 and footnote_ref(state, silent)


def _code(self: object, tokens: Sequence[Token], index: int, options: object, env: dict[str, Any]) -> str:
    token, budget = tokens[index], env["budget"]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    size = len(token.content)
    if size > LONGEST or size > budget.coloured:
        language = ""
    if language:
        budget.coloured -= size
    budget.spend(256)
    # Code that is wider than the column scrolls by itself; the keyboard must be able to reach it.
    return f'<pre tabindex="0"><code>{highlight(token.content, language)}</code></pre>\n'


def _code_inline(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return f"<code>{mark_hidden(html.escape(tokens[index].content, quote=False))}</code>"


def _task(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    done = tokens[index].meta["done"]
    label, shape = ("Done", "☑") if done else ("To do", "☐")
    return f'<span class="task" role="img" aria-label="{label}">{shape}</span> '


def _table_open(self: object, tokens: Sequence[Token], index: int, options: object, env: dict[str, Any]) -> str:
    env["tables"] = number = env.get("tables", 0) + 1
    return f'<div class="table-scroll" role="region" aria-label="Table {number}" tabindex="0"><table>\n'


def _footnotes_open(self: object, tokens: Sequence[Token], index: int, options: object, env: object) -> str:
    return '<section class="footnotes" aria-label="Footnotes"><ol>\n'


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 2 * DEEPEST})
    parser.enable(["table", "strikethrough"])
    # Inline footnotes (`^[...]`) parse themselves again at every level: without a bound, so without them.
    parser.use(footnote_plugin, inline=False)
    parser.inline.ruler.at("footnote_ref", _footnote_ref)
    ends = ["paragraph", "reference", "blockquote", "list", "table"]
    parser.block.ruler.before("table", "budget", _spend_on_block, {"alt": ends})
    parser.inline.ruler.before("text", "budget", _spend_on_inline)
    parser.core.ruler.push("dress", dress)
    parser.validateLink = allowed_link  # type: ignore[method-assign]
    for name, rule in {
        "fence": _code, "code_block": _code, "code_inline": _code_inline, "task": _task, "table_open": _table_open,
        "table_close": lambda *_: "</table></div>\n", "footnote_block_open": _footnotes_open,
        "footnote_block_close": lambda *_: "</ol></section>\n",
    }.items():  # fmt: skip
        parser.add_render_rule(name, rule)
    return parser


_PARSER = _parser()
_PLAIN_TAGS = "p br hr em strong s del blockquote ul ol li h2 h3 h4 h5 h6 pre code span a img sup section div table thead tbody tr th td"
_CLEANER = nh3.Cleaner(
    tags=set(_PLAIN_TAGS.split()),
    attributes={
        "a": {"href", "title", "rel", "id"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "li": {"id"},
        "h2": {"id"}, "h3": {"id"}, "h4": {"id"}, "h5": {"id"}, "h6": {"id"}, "span": {"title", "role", "aria-label"},
        "div": {"role", "aria-label", "tabindex"}, "section": {"aria-label"}, "pre": {"tabindex"},
    },
    allowed_classes={
        "span": {"mark", "task", *CLASSES}, "div": {"table-scroll"}, "pre": {"unrendered"}, "ul": {"tasks"}, "ol": {"tasks"},
        "li": {"task-item", "footnote-item"}, "sup": {"footnote-ref"}, "a": {"footnote-backref"}, "section": {"footnotes"},
        "th": {"align-right", "align-center"}, "td": {"align-right", "align-center"},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)  # fmt: skip
