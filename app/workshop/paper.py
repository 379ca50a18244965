"""Texts set on paper: a title page, contents, numbered pages; by Typst, from data and never from anybody's program.

The compiler sees one folder as its whole world, in which nothing lies but the pictures of this text, knows no packages,
and has no address to fetch any from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import typst

from app.workshop.bench import Refused
from app.workshop.blocks import blocks_of, rightward
from app.workshop.plates import plates_of
from app.workshop.sheets import unpacked

TEMPLATE: Final = Path(__file__).with_suffix(".typ")
_HEADINGS_FOR_CONTENTS: Final = 3


def work(task: bytes) -> bytes:
    """The PDF file of a sheet and its pictures."""
    sheet, pictures = unpacked(task)
    here = Path.cwd()
    blocks = blocks_of(sheet.body, plates_of(sheet, pictures, here))
    data = {
        "title": sheet.title,
        "rtl": rightward([{"t": sheet.title}]),
        "people": sheet.people,
        "lines": sheet.lines,
        "contents": sum(block["k"] == "heading" for block in blocks) >= _HEADINGS_FOR_CONTENTS,
        "words": {"contents": "Contents"},
        "blocks": blocks,
    }
    fonts = typst.Fonts(font_paths=[sheet.fonts] if sheet.fonts else [])
    compiler = typst.Compiler(root=here, font_paths=fonts, package_path=here, package_cache_path=here)
    texts = {"text": msgspec.json.encode(data).decode()}
    try:
        made = compiler.compile(TEMPLATE.read_bytes(), format="pdf", timestamp=sheet.at, sys_inputs=texts)
    except typst.TypstError as error:
        raise Refused("layout") from error
    if not isinstance(made, bytes):
        raise Refused("layout")
    return made
