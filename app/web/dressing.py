"""What the site adds to parsed Markdown before it becomes HTML: heading anchors, task marks, careful links and images.

Everything here is one pass over the tokens; each function changes the tokens it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from markdown_it.rules_core import StateCore
from markdown_it.token import Token

OUTSIDE = "noopener noreferrer nofollow"
_NOT_WORD = re.compile(r"[^\w]+")
_TASK = re.compile(r"\[([ xX])\]\s+")


@dataclass(frozen=True, slots=True)
class Heading:
    """One line of a table of contents; `level` is that of the HTML heading, 2 to 6, and `id` its anchor."""

    level: int
    id: str
    text: str


def allowed_link(url: str) -> bool:
    """Only http, https, mailto and addresses within this site; anything unparsable is refused."""
    try:
        scheme = urlsplit(url.strip()).scheme.lower()
    except ValueError:
        return False
    return scheme in {"", "http", "https", "mailto"}


def is_outside(url: str) -> bool:
    """Whether following `url` leaves this site.  Browsers read `//host` and `/\\host` as another site."""
    return url.lower().startswith(("http:", "https:")) or url.replace("\\", "/").startswith("//")


def dress(state: StateCore) -> None:
    """The core rule: walks the finished tokens once and leaves the headings found in `env["contents"]`."""
    seen: dict[str, int] = {}
    contents: list[Heading] = state.env.setdefault("contents", [])
    lists: list[Token] = []
    tokens = state.tokens
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            contents.append(_anchor(token, tokens[index + 1], seen))
        elif token.type == "heading_close":
            token.tag = _lower(token.tag)
        elif token.type in {"bullet_list_open", "ordered_list_open"}:
            lists.append(token)
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            lists.pop()
        elif token.type in {"th_open", "td_open"}:
            _align(token)
        elif token.type == "inline" and token.children:
            token.children = list(_careful(token.children))
            if lists and tokens[index - 2].type == "list_item_open":
                _task(lists[-1], tokens[index - 2], token.children)


def plain(children: Iterable[Token]) -> str:
    """The words of inline tokens without their markup; images count by their description."""
    parts: list[str] = []
    for token in children:
        if token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif token.type == "image":
            parts.append(plain(token.children or ()))
    return "".join(parts)


def _lower(tag: str) -> str:
    # The page's own title is its one h1, so a text's headings begin a level below.
    return f"h{min(6, int(tag[1]) + 1)}"


def _anchor(token: Token, inline: Token, seen: dict[str, int]) -> Heading:
    token.tag = _lower(token.tag)
    text = " ".join(plain(inline.children or ()).split())
    # The prefix keeps a text's anchors apart from the ids of the page around it.
    base = "s-" + (_NOT_WORD.sub("-", text.lower()).strip("-")[:80] or "section")
    seen[base] = number = seen.get(base, 0) + 1
    # Two dashes: one heading called "Notes 2" and two called "Notes" must not meet.
    identity = base if number == 1 else f"{base}--{number}"
    token.attrSet("id", identity)
    return Heading(int(token.tag[1]), identity, text or "Untitled")


def _align(token: Token) -> None:
    # The parser aligns by a style attribute, which the site's policy forbids.
    style = str(token.attrs.pop("style", ""))
    if style.endswith(("right", "center")):
        token.attrSet("class", "align-" + style.rpartition(":")[2])


def _careful(children: list[Token]) -> Iterator[Token]:
    depth = 0
    for token in children:
        if token.type == "link_open":
            depth += 1
            if is_outside(str(token.attrGet("href") or "")):
                token.attrSet("rel", OUTSIDE)
        elif token.type == "link_close":
            depth -= 1
        if token.type == "image" and is_outside(str(token.attrGet("src") or "")):
            yield from _as_link(token, nested=depth > 0)
        else:
            yield token


def _as_link(image: Token, *, nested: bool) -> Iterator[Token]:
    # No page loads anything from elsewhere (it would tell another site who reads what), so the image becomes a link.
    source = str(image.attrGet("src"))
    label = Token("text", "", 0, content=f"[Image: {plain(image.children or ()) or source}]")
    if nested:
        yield label
        return
    yield Token("link_open", "a", 1, attrs={"href": source, "rel": OUTSIDE})
    yield label
    yield Token("link_close", "a", -1)


def _task(parent: Token, item: Token, children: list[Token]) -> None:
    if not children or children[0].type != "text" or not (found := _TASK.match(children[0].content)):
        return
    children[0].content = children[0].content[found.end() :]
    done = found.group(1) != " "
    children.insert(0, Token("task", "", 0, meta={"done": done}))
    item.attrJoin("class", "task-item")
    parent.attrSet("class", "tasks")
