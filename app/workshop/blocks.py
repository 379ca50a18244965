"""A Markdown text as a flat list of blocks of runs: nothing nests, so paper can be set from it without recursion.

The result is plain data.  No word of the text ever becomes part of a program: the template reads it as JSON.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from markdown_it.token import Token

from app.web.dressing import allowed_link, is_outside, plain
from app.web.markdown import TOO_COSTLY
from app.web.markdown_parser import Budget, TooCostlyError, make_parser
from app.workshop.sheets import described, picture_address

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


def blocks_of(text: str, plates: Mapping[str, Run]) -> list[Block]:
    """The blocks of a text with its pictures; one that would cost too much to read comes as it was typed."""
    clean = text.encode("utf-8", "replace").decode()
    try:
        tokens = make_parser().parse(clean, {"budget": Budget()})
    except (TooCostlyError, RecursionError):
        told = _Place().block("par", runs=[{"t": TOO_COSTLY, "i": True}], rtl=False)
        return [told, *(_Place().block("code", text=piece, lang="") for piece in _sheets(_seen(clean)))]
    _find_pictures(tokens, plates)
    notes = _notes(tokens)
    return list(_walk(tokens, notes))


def _find_pictures(tokens: Sequence[Token], plates: Mapping[str, Run]) -> None:
    """Put beside each picture how it is shown: as the plate at its address, or in words that say why it is not."""
    for inline in tokens:
        for token in inline.children or ():
            if token.type == "image":
                alt = plain(token.children or ())
                plate = plates.get(picture_address(str(token.attrGet("src") or "")) or "", {"why": "missing"})
                if "why" in plate:
                    token.meta = {"t": _breakable(described(alt, plate["why"])), "i": True}
                else:
                    token.meta = {**plate, "alt": alt, "title": str(token.attrGet("title") or "")}


def _walk(tokens: Sequence[Token], notes: dict[int, list[Run]]) -> Iterator[Block]:
    place = _Place()
    index = 0
    while index < len(tokens):
        token = tokens[index]
        kind = token.type
        if kind == "footnote_block_open":
            return  # they stand at the foot of the page that speaks of them
        if kind == "heading_open":
            runs = [_in_words(run) for run in _runs(tokens[index + 1], {}) if "note" not in run]
            yield place.block("heading", level=int(token.tag[1]) - 1, runs=runs, rtl=rightward(runs))
        elif kind == "inline" and tokens[index - 1].type == "paragraph_open":
            yield from _paragraph(place, _runs(token, notes))
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
            run = {**token.meta}
    return run


def _paragraph(place: _Place, runs: Sequence[Run]) -> Iterator[Block]:
    """A paragraph's blocks: words, and pictures by themselves between them."""
    for part in _parted(runs):
        if "pic" in part[0]:
            yield place.block("picture", **part[0], rtl=rightward([{"t": part[0]["title"]}]))
        else:
            yield place.block("par", runs=part, rtl=rightward(part))


def _parted(runs: Sequence[Run]) -> Iterator[list[Run]]:
    words: list[Run] = []
    for run in runs:
        if "pic" not in run:
            # Below a picture a new line begins, without the space that stood before the word.
            words.append(run if words or "t" not in run else {**run, "t": run["t"].lstrip(" ")})
            continue
        if any(_says(word) for word in words):
            yield words
        words = []
        yield [run]
    if any(_says(word) for word in words):
        yield words


def _says(run: Run) -> bool:
    return "note" in run or bool(run.get("t", "").strip())


def _in_words(run: Run) -> Run:
    """A heading is repeated in the contents: there a picture is its description."""
    return {"t": f"[Image: {run['alt'] or 'without a description'}]", "i": True} if "pic" in run else run


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
