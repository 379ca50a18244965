"""Texts as electronic books (EPUB 3.3): one chapter in XHTML, a table of contents, and nothing that is loaded or runs.

The text is read by the same reader as for pages, so what is safe there is safe here; it is then written anew as XML.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from html.parser import HTMLParser
from typing import Final
from uuid import UUID

import msgspec

from app.web.markdown import Reading, read
from app.workshop.sheets import Sheet

_NOT_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VOID: Final = frozenset({"br", "hr", "wbr", "col"})
_KEPT: Final = frozenset({"href", "id", "class", "title", "start", "role", "aria-label"})
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_XHTML: Final = (
    _HEAD + '<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">\n'
    '<head><title>{title}</title><link rel="stylesheet" type="text/css" href="book.css"/></head>\n{body}\n</html>\n'
)
_CONTAINER: Final = (
    _HEAD + '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
_PACKAGE: Final = (
    _HEAD + '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="und">\n'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">urn:uuid:{id}</dc:identifier>'
    "<dc:title>{title}</dc:title><dc:language>und</dc:language>{people}"
    '<meta property="dcterms:modified">{at:%Y-%m-%dT%H:%M:%SZ}</meta></metadata>\n'
    '<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="text" href="text.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="style" href="book.css" media-type="text/css"/></manifest>\n'
    '<spine><itemref idref="text"/></spine></package>\n'
)
_STYLE: Final = (
    "body { line-height: 1.5; } .front { text-align: center; margin: 3em 0; } pre { white-space: pre-wrap; }\n"
    "table { border-collapse: collapse; } th, td { border: 1px solid; padding: .2em .5em; text-align: start; }\n"
)


class _Rewriter(HTMLParser):
    """Writes HTML that was made safe and balanced as XML; pictures give way to their descriptions."""

    def __init__(self) -> None:
        super().__init__()
        self._out: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or name for name, value in attrs}
        if tag == "img":
            self._out.append(f"<em>{_xml(given.get('alt', ''))}</em>")
            return
        if given.get("href", "").startswith("/"):  # leads nowhere outside of the site
            del given["href"]
        given = {name: value for name, value in given.items() if name in _KEPT}
        words = "".join(f' {name}="{_xml(value)}"' for name, value in given.items())
        self._out.append(f"<{tag}{words}/>" if tag in _VOID else f"<{tag}{words}>")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and tag != "img":
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._out.append(_xml(data))

    def written(self, html: str) -> str:
        self.feed(html)
        self.close()
        return "".join(self._out)


def work(task: bytes) -> bytes:
    """The EPUB file of a `Sheet` in JSON; the same task gives the same bytes."""
    sheet = msgspec.json.decode(task, type=Sheet)
    reading = read(sheet.body)
    title = _xml(sheet.title)
    front = "".join(f"<p>{_xml(line)}</p>" for line in sheet.lines)
    text = _Rewriter().written(str(reading.html))
    chapter = f'<body dir="auto"><section class="front" id="front"><h1>{title}</h1>{front}</section>\n{text}</body>'
    package = _PACKAGE.format(
        id=UUID(bytes=sha256(task).digest()[:16], version=5),
        title=title,
        people="".join(f"<dc:creator>{_xml(name)}</dc:creator>" for name in sheet.people),
        at=datetime.fromtimestamp(sheet.at, UTC),
    )
    files = {
        "META-INF/container.xml": _CONTAINER,
        "EPUB/package.opf": package,
        "EPUB/nav.xhtml": _XHTML.format(title=title, body=_contents(title, reading)),
        "EPUB/text.xhtml": _XHTML.format(title=title, body=chapter),
        "EPUB/book.css": _STYLE,
    }
    out = io.BytesIO()
    at = datetime.fromtimestamp(max(sheet.at, 315_532_800), UTC).timetuple()[:6]  # a zip file knows no year before 1980
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        # First and as it is, so that a program knows what it has from the first bytes (OCF 4.3).
        book.writestr(zipfile.ZipInfo("mimetype", at), "application/epub+zip", zipfile.ZIP_STORED)
        for name, content in files.items():
            book.writestr(zipfile.ZipInfo(name, at), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _contents(title: str, reading: Reading) -> str:
    """The headings, one after the other; readers show them as the table of contents."""
    rows = [("front", title), *((heading.id, _xml(heading.text)) for heading in reading.contents)]
    items = "".join(f'<li><a href="text.xhtml#{_xml(anchor)}">{words or "…"}</a></li>' for anchor, words in rows)
    return f'<body><nav epub:type="toc" id="toc"><h1>{title}</h1><ol>{items}</ol></nav></body>'


def _xml(text: str) -> str:
    """Text as XML may hold it: escaped, and without the characters it knows no way to say."""
    return escape(_NOT_XML.sub("\ufffd", text))
