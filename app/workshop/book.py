"""Texts as electronic books (EPUB 3.3): one chapter in XHTML with its pictures, contents, and nothing loaded or run.

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

from app.web.markdown import Reading, read
from app.workshop.bench import Refused
from app.workshop.sheets import described, picture_address, unpacked

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
    '<item id="style" href="book.css" media-type="text/css"/>{pictures}</manifest>\n'
    '<spine><itemref idref="text"/></spine></package>\n'
)
_STYLE: Final = (
    "body { line-height: 1.5; } .front { text-align: center; margin: 3em 0; } pre { white-space: pre-wrap; }\n"
    "table { border-collapse: collapse; } th, td { border: 1px solid; padding: .2em .5em; text-align: start; }\n"
    "img { max-width: 100%; height: auto; }\n"
)
_KINDS: Final = {b"\x89P": ("png", "image/png"), b"\xff\xd8": ("jpg", "image/jpeg")}


class _Rewriter(HTMLParser):
    """Writes HTML that was made safe and balanced as XML; pictures that are not at hand give way to their descriptions.

    `files` are the names of those at hand by their addresses, `left_out` the reasons of others; `used` are those shown.
    """

    def __init__(self, files: dict[str, str], left_out: dict[str, str]) -> None:
        super().__init__()
        self._out: list[str] = []
        self._files = files
        self._left_out = left_out
        self.used: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or name for name, value in attrs}
        if tag == "img":
            self._out.append(self._picture({name: value or "" for name, value in attrs}))
            return
        if given.get("href", "").startswith("/"):  # leads nowhere outside of the site
            del given["href"]
        given = {name: value for name, value in given.items() if name in _KEPT}
        words = "".join(f' {name}="{_xml(value)}"' for name, value in given.items())
        self._out.append(f"<{tag}{words}/>" if tag in _VOID else f"<{tag}{words}>")

    def _picture(self, given: dict[str, str]) -> str:
        address = picture_address(given.get("src", "")) or ""
        alt = given.get("alt", "")
        if address not in self._files:
            return f"<em>{_xml(described(alt, self._left_out.get(address, 'missing')))}</em>"
        name = self.used[address] = self._files[address]
        title = f' title="{_xml(given["title"])}"' if given.get("title") else ""
        return f'<img src="{name}" alt="{_xml(alt)}"{title}/>'

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
    """The EPUB file of a sheet and its pictures; the same task gives the same bytes."""
    sheet, pictures = unpacked(task)
    reading = read(sheet.body)
    title = _xml(sheet.title)
    front = "".join(f"<p>{_xml(line)}</p>" for line in sheet.lines)
    files = {
        address: f"pictures/{number}.{_kind(data)[0]}" for number, (address, data) in enumerate(pictures.items(), 1)
    }
    rewriter = _Rewriter(files, {plate.address: plate.why for plate in sheet.pictures if plate.why})
    text = rewriter.written(str(reading.html))
    shown = {name: pictures[address] for address, name in rewriter.used.items()}
    chapter = f'<body dir="auto"><section class="front" id="front"><h1>{title}</h1>{front}</section>\n{text}</body>'
    package = _PACKAGE.format(
        id=UUID(bytes=sha256(task).digest()[:16], version=5),
        title=title,
        people="".join(f"<dc:creator>{_xml(name)}</dc:creator>" for name in sheet.people),
        at=datetime.fromtimestamp(sheet.at, UTC),
        pictures="".join(
            f'<item id="picture-{number}" href="{name}" media-type="{_kind(data)[1]}"/>'
            for number, (name, data) in enumerate(shown.items(), 1)
        ),
    )
    parts = {
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
        for name, content in parts.items():
            book.writestr(zipfile.ZipInfo(name, at), content, zipfile.ZIP_DEFLATED)
        for name, data in shown.items():  # packed as they are already
            book.writestr(zipfile.ZipInfo(f"EPUB/{name}", at), data, zipfile.ZIP_STORED)
    return out.getvalue()


def _kind(picture: bytes) -> tuple[str, str]:
    """The ending and the media type of a picture from our workshop."""
    if picture[:2] not in _KINDS:
        raise Refused("picture")
    return _KINDS[picture[:2]]


def _contents(title: str, reading: Reading) -> str:
    """The headings, one after the other; readers show them as the table of contents."""
    rows = [("front", title), *((heading.id, _xml(heading.text)) for heading in reading.contents)]
    items = "".join(f'<li><a href="text.xhtml#{_xml(anchor)}">{words or "…"}</a></li>' for anchor, words in rows)
    return f'<body><nav epub:type="toc" id="toc"><h1>{title}</h1><ol>{items}</ol></nav></body>'


def _xml(text: str) -> str:
    """Text as XML may hold it: escaped, and without the characters it knows no way to say."""
    return escape(_NOT_XML.sub("\ufffd", text))
