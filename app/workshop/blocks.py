"""A Markdown text as a flat list of blocks of runs: nothing nests, so paper can be set from it without recursion.

The result is plain data.  No word of the text ever becomes part of a program: the template reads it as JSON.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from markdown_it.token import Token

from app.web.dressing import allowed_link, is_outside, plain
from app.web.markdown_parser import Budget, TooCostlyError, make_parser

Block = dict[str, Any]
Run = dict[str, Any]

DEEPEST: Final = 6
"""Levels of indentation paper shows."""
LONGEST_URL: Final = 2000
_COLOURED: Final = 40_000
_LINES: Final = 200
# A word longer than a line cannot be broken by any rule of its language: it may break anywhere.
_ENDLESS: Final = re.compile(r"\S{60}(?=\S)")
_UNSEEN: Final = {"Cc", "Cf"}
_STYLES: Final = {"strong": "b", "em": "i", "s": "s"}


@dataclass
class _Place:
    """Where in lists and quotes the walk is."""

    lists: list[tuple[str, int]] = field(default_factory=list)
    quotes: int = 0
    marker: str = ""

    def block(self, kind: str, **more: Any) -> Block:
        depth = min(len(self.lists), DEEPEST)
        made = {"k": kind, "depth": depth, "quote": min(self.quotes, DEEPEST), "marker": self.marker, **more}
        self.marker = ""
        return made


def blocks_of(text: str) -> list[Block]:
    """The blocks of a text; one that would cost too much to read comes as it was typed."""
    clean = text.encode("utf-8", "replace").decode()
    try:
        tokens = make_parser().parse(clean, {"budget": Budget()})
    except (TooCostlyError, RecursionError):
        return [_Place().block("code", text=piece, lang="") for piece in _sheets(_seen(clean))]
    notes = _notes(tokens)
    return list(_walk(tokens, notes))


def _walk(tokens: Sequence[Token], notes: dict[int, list[Run]]) -> Iterator[Block]:
    place = _Place()
    index = 0
    while index < len(tokens):
        token = tokens[index]
        kind = token.type
        if kind == "footnote_block_open":
            return  # they stand at the foot of the page that speaks of them
        if kind == "heading_open":
            runs = [run for run in _runs(tokens[index + 1], {}) if "note" not in run]
            yield place.block("heading", level=int(token.tag[1]) - 1, runs=runs, rtl=rightward(runs))
        elif kind == "inline" and tokens[index - 1].type == "paragraph_open":
            runs = _runs(token, notes)
            if runs:
                yield place.block("par", runs=runs, rtl=rightward(runs))
        elif kind in ("fence", "code_block"):
            language = _language(token)
            for piece in _sheets(_seen(token.content.rstrip("\n"))):
                yield place.block("code", text=piece, lang=language)
        elif kind == "hr":
            yield place.block("rule")
        elif kind == "table_open":
            end = next(at for at in range(index, len(tokens)) if tokens[at].type == "table_close")
            yield place.block("table", **_table(tokens[index:end], notes))
            index = end
        else:
            _step(place, token)
        index += 1


def _step(place: _Place, token: Token) -> None:
    """Enter or leave a list, an item or a quotation."""
    kind = token.type
    if kind == "ordered_list_open":
        place.lists.append(("ordered", int(token.attrGet("start") or 1)))
    elif kind == "bullet_list_open":
        place.lists.append(("bullet", 0))
    elif kind in ("ordered_list_close", "bullet_list_close"):
        place.lists.pop()
    elif kind == "list_item_open":
        style, number = place.lists[-1]
        place.marker = f"{number}." if style == "ordered" else "•"
        place.lists[-1] = (style, number + 1)
    elif kind == "list_item_close":
        place.marker = ""
    elif kind == "blockquote_open":
        place.quotes += 1
    elif kind == "blockquote_close":
        place.quotes -= 1


def _table(tokens: Sequence[Token], notes: dict[int, list[Run]]) -> Block:
    rows: list[list[list[Run]]] = []
    aligns: list[str] = []
    for index, token in enumerate(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(_runs(tokens[index + 1], notes))
            if len(rows) == 1:
                aligns.append(str(token.attrGet("class") or "").removeprefix("align-") or "left")
    return {"aligns": aligns, "rows": rows}


def _notes(tokens: Sequence[Token]) -> dict[int, list[Run]]:
    """The runs of every footnote by its number; paragraphs of one are set one after the other."""
    notes: dict[int, list[Run]] = {}
    open_note: int | None = None
    for token in tokens:
        if token.type == "footnote_open":
            open_note = int(token.meta["id"])
            notes[open_note] = []
        elif token.type == "footnote_close":
            open_note = None
        elif open_note is not None and token.type == "inline":
            held = notes[open_note]
            held += ([{"br": True}] if held else []) + _runs(token, {})
        elif open_note is not None and token.type in ("fence", "code_block"):
            notes[open_note].append({"t": _seen(token.content), "c": True})
    return notes


def _runs(inline: Token, notes: dict[int, list[Run]]) -> list[Run]:
    """The runs of one inline token: pieces of text with their style, breaks and notes."""
    runs: list[Run] = []
    style: dict[str, Any] = {}
    for token in inline.children or ():
        name, _, side = token.type.rpartition("_")
        if name in _STYLES:
            style = {**style, _STYLES[name]: True} if side == "open" else _without(style, _STYLES[name])
        elif token.type == "link_open":
            style = {**style, **_target(str(token.attrGet("href") or ""))}
        elif token.type == "link_close":
            style = _without(style, "u")
        elif token.type == "footnote_ref":
            note = notes.get(int(token.meta["id"]))
            runs += [{"note": note}] if note else []
        else:
            run = _run(token)
            runs += [{**run, **style}] if run else []
    return runs


def _run(token: Token) -> Run | None:
    """What one token says by itself."""
    run: Run | None = None
    match token.type:
        case "text" if token.content:
            run = {"t": _breakable(token.content)}
        case "code_inline":
            run = {"t": _breakable(_seen(token.content)), "c": True}
        case "softbreak":
            run = {"t": " "}
        case "hardbreak":
            run = {"br": True}
        case "task":
            run = {"t": "☑ " if token.meta["done"] else "☐ "}
        case "image":
            run = {"t": f"[Image: {plain(token.children or ()) or 'without a description'}]", "i": True}
    return run


def _without(style: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in style.items() if key != name}


def _target(url: str) -> dict[str, str]:
    """Links that lead somewhere from paper: other sites and mail; addresses within this site stay words."""
    leads = allowed_link(url) and (is_outside(url) or url.lower().startswith("mailto:"))
    return {"u": url} if leads and not url.startswith(("/", "\\")) and len(url) <= LONGEST_URL else {}


def _sheets(code: str) -> Iterator[str]:
    """Code in pieces that are quick to lay out: one block of ten thousand lines takes time with their square."""
    lines = code.split("\n")
    for start in range(0, len(lines), _LINES):
        yield "\n".join(lines[start : start + _LINES])


def _language(token: Token) -> str:
    words = token.info.split(maxsplit=1)
    return words[0][:40] if words and len(token.content) <= _COLOURED else ""


def _breakable(text: str) -> str:
    return _ENDLESS.sub(lambda found: f"{found[0]}\u200b", text)


def _seen(code: str) -> str:
    """Code with hidden and reordering characters written out: on paper too, what is seen is what is there."""
    return "".join(
        f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in _UNSEEN and sign not in "\n\t" else sign
        for sign in code
    )


def rightward(runs: Sequence[Run]) -> bool:
    """Whether the first letter with a direction runs from right to left (Unicode bidi rule P2)."""
    for run in runs:
        for sign in run.get("t", ""):
            direction = unicodedata.bidirectional(sign)
            if direction in ("R", "AL"):
                return True
            if direction == "L":
                return False
    return False
