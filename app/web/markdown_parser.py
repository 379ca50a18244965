"""The Markdown parser as this site sets it up: which syntax there is, and how much one text may cost."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from app.web.code import LONGEST, highlight, mark_hidden
from app.web.dressing import allowed_link, dress

STEPS = 300_000
"""Parsing steps one text may take; each makes at most a few tokens, so this bounds memory as well as time."""
SECONDS = 0.6
"""Processor time one text may take to be parsed, whatever its steps cost: the better part of the second a page may take.

Writing and cleaning what was parsed by then takes less than the rest; a manuscript of the longest kind is read in 0.2.
"""
DEEPEST = 60
"""Levels of quotes and lists within one another (a list counts two)."""
COLOURED = 60_000
"""Characters of code in one text that are coloured; what comes after is shown plain."""
LONGEST_LABEL = 200
"""Characters between the brackets of a footnote's mark."""
WRITTEN = 12
"""Characters of code, as HTML, that cost as much as a step."""
LOOK = 256
"""Steps between two looks at the clock, which cost more than most steps do."""


class TooCostlyError(Exception):
    """This text would take more time or memory to render than a page is worth."""


class Budget:
    """What is left to spend on one text; shared with the parser's rules through `env["budget"]`."""

    def __init__(self) -> None:
        self.steps = STEPS
        self.coloured = COLOURED
        self._until = time.thread_time() + SECONDS

    def spend(self, steps: int) -> None:
        """Take `steps` away; raises TooCostlyError when nothing is left, in steps or in time."""
        self.steps -= steps
        if self.steps < 0 or (self.steps % LOOK < steps and time.thread_time() > self._until):
            raise TooCostlyError


def make_parser() -> MarkdownIt:
    """A parser that any number of threads may share; each call brings its own `{"budget": Budget()}`."""
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 2 * DEEPEST})
    parser.enable(["table", "strikethrough"])
    # Inline footnotes (`^[...]`) parse themselves again at every level: without a bound, so without them.
    parser.use(footnote_plugin, inline=False)
    parser.inline.ruler.at("footnote_ref", _footnote_ref)
    ends = ["paragraph", "reference", "blockquote", "list", "table"]
    parser.block.ruler.before("table", "budget", _spend_on_block, {"alt": ends})
    parser.inline.ruler.before("text", "budget", _spend_on_inline)
    parser.core.ruler.push("dress", dress)
    parser.validateLink = allowed_link  # type: ignore[method-assign]  # documented
    for name, write in _WRITERS.items():
        parser.add_render_rule(name, _render_rule(write))
    return parser


def _spend_on_block(state: StateBlock, _line: int, _end: int, _silent: bool) -> bool:
    if state.level > DEEPEST:
        # Beyond its own limit the parser drops text without a word; nothing anybody wrote may vanish.
        raise TooCostlyError
    state.env["budget"].spend(4)
    return False


def _spend_on_inline(state: StateInline, _silent: bool) -> bool:
    state.env["budget"].spend(1)
    return False


def _footnote_ref(state: StateInline, silent: bool) -> bool:
    # The plugin looks for the closing bracket through the whole paragraph, at every opening one.
    near = state.src.find("]", state.pos, state.pos + LONGEST_LABEL)
    return near > 0 and footnote_ref(state, silent)


def _code(token: Token, env: dict[str, Any]) -> str:
    budget = env["budget"]
    language = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    size = len(token.content)
    if size > LONGEST or size > budget.coloured:
        language = ""
    if language:
        budget.coloured -= size
        budget.spend(LOOK)
    # Code that is wider than the column scrolls by itself; the keyboard must be able to reach it.
    return f'<pre tabindex="0"><code>{_paid(highlight(token.content, language), budget)}</code></pre>\n'


def _code_inline(token: Token, env: dict[str, Any]) -> str:
    return f"<code>{_paid(mark_hidden(html.escape(token.content, quote=False)), env['budget'])}</code>"


def _paid(written: str, budget: Budget) -> str:
    """Code as it is written, paid for by its length: one hidden character becomes sixty that show it."""
    budget.spend(len(written) // WRITTEN)
    return written


def _task(token: Token, _env: dict[str, Any]) -> str:
    label, shape = ("Done", "☑") if token.meta["done"] else ("To do", "☐")
    return f'<span class="task" role="img" aria-label="{label}">{shape}</span> '


def _table_open(_token: Token, env: dict[str, Any]) -> str:
    env["tables"] = number = env.get("tables", 0) + 1
    return f'<div class="table-scroll" role="region" aria-label="Table {number}" tabindex="0"><table>\n'


_WRITERS: dict[str, Callable[[Token, dict[str, Any]], str]] = {
    "fence": _code,
    "code_block": _code,
    "code_inline": _code_inline,
    "task": _task,
    "table_open": _table_open,
    "table_close": lambda *_: "</table></div>\n",
    "footnote_block_open": lambda *_: '<section class="footnotes" aria-label="Footnotes"><ol>\n',
    "footnote_block_close": lambda *_: "</ol></section>\n",
}


def _render_rule(write: Callable[[Token, dict[str, Any]], str]) -> Callable[..., str]:
    def rule(_renderer: object, tokens: Sequence[Token], index: int, _options: object, env: dict[str, Any]) -> str:
        return write(tokens[index], env)

    return rule
