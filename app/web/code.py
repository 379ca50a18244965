"""How source code is shown: coloured on the server, with every hidden character made visible."""

from __future__ import annotations

import html
import re
import unicodedata

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES

# Lexers are regular expressions somebody else wrote; only well-trodden ones run over text that strangers wrote.
_LANGUAGES = frozenset({
    "bash", "c", "cpp", "css", "diff", "go", "html", "ini", "java", "javascript", "json", "kotlin", "php", "python",
    "ruby", "rust", "sql", "swift", "toml", "typescript", "xml", "yaml",
})  # fmt: skip
_ALIASES = {"js": "javascript", "py": "python", "python3": "python", "rb": "ruby", "rs": "rust", "sh": "bash",
            "shell": "bash", "ts": "typescript", "yml": "yaml", "c++": "cpp"}  # fmt: skip
LONGEST = 5_000
"""Characters; a longer block is shown uncoloured, so that no lexer can be kept busy."""
# Nor is one with a very long line or a desert of empty ones: there some lexers take time that grows with the square.
_WEARISOME = re.compile(r"[^\n]{400}|\s{60}")

# Controls, invisible fillers and everything that reorders or hides what follows (Unicode TR 36, "Trojan Source").
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)


def mark_hidden(escaped: str) -> str:
    """Put a visible `U+202E` in the place of each hidden character; `escaped` is already HTML."""
    return _HIDDEN.sub(_mark, escaped)


def _mark(found: re.Match[str]) -> str:
    character = found.group()
    name = unicodedata.name(character, "CONTROL CHARACTER").capitalize()
    return f'<span class="mark" title="{name}">U+{ord(character):04X}</span>'


def lexer_for(language: str) -> Lexer | None:
    """The lexer for a fence's info word, or None when the language is not one of ours."""
    name = _ALIASES.get(language.lower(), language.lower())
    return get_lexer_by_name(name, stripnl=False, ensurenl=False) if name in _LANGUAGES else None


def highlight(source: str, language: str) -> str:
    """HTML for one block of code: escaped, coloured by class if it can be, hidden characters marked."""
    lexer = None if len(source) > LONGEST or _WEARISOME.search(source) else lexer_for(language)
    if lexer is None:
        return mark_hidden(html.escape(source, quote=False))
    parts: list[str] = []
    for kind, value in lexer.get_tokens(source):
        text = html.escape(value, quote=False)
        name = STANDARD_TYPES.get(kind) or STANDARD_TYPES.get(kind.parent or kind, "")
        parts.append(f'<span class="{name}">{text}</span>' if name and value.strip() else text)
    return mark_hidden("".join(parts))
