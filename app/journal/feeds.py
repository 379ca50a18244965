"""The journal for feed readers: Atom (RFC 4287) and JSON Feed 1.1, the newest entries with their first words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson

from app.journal.permalinks import permalink
from app.journal.schemas import EntryView
from app.web.markdown import excerpt

ATOM: Final = "application/atom+xml; charset=utf-8"
JSON: Final = "application/feed+json"
NAME: Final = "Scriptorium"
EXCERPT: Final = 600
_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


def atom(entries: Sequence[EntryView], site: str) -> bytes:
    """The feed as XML; `site` is the public address without a slash at its end."""
    feed = Element("feed", xmlns=_NAMESPACE)
    _add(feed, "id", f"{site}/")
    _add(feed, "title", NAME)
    _add(feed, "updated", _moment(max((entry.updated_at for entry in entries), default=_BEGINNING)))
    SubElement(feed, "link", rel="self", type="application/atom+xml", href=f"{site}/feed.atom")
    SubElement(feed, "link", rel="alternate", type="text/html", href=f"{site}/")
    for entry in entries:
        item = SubElement(feed, "entry")
        _add(item, "id", f"urn:uuid:{entry.id}")
        _add(item, "title", entry.title)
        _add(item, "published", _moment(entry.published_at))
        _add(item, "updated", _moment(entry.updated_at))
        _add(SubElement(item, "author"), "name", entry.author.display_name)
        SubElement(item, "link", rel="alternate", type="text/html", href=site + permalink(entry.id, entry.title))
        _add(item, "summary", excerpt(entry.body, EXCERPT))
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def json_feed(entries: Sequence[EntryView], site: str) -> bytes:
    """The feed as JSON; `site` as above."""
    items: list[dict[str, Any]] = [
        {
            "id": f"urn:uuid:{entry.id}",
            "url": site + permalink(entry.id, entry.title),
            "title": entry.title,
            "content_text": excerpt(entry.body, EXCERPT),
            "date_published": _moment(entry.published_at),
            "date_modified": _moment(entry.updated_at),
            "authors": [{"name": entry.author.display_name, "url": f"{site}/by/{entry.author.id}"}],
        }
        for entry in entries
    ]
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": NAME,
            "home_page_url": f"{site}/",
            "feed_url": f"{site}/feed.json",
            "items": items,
        }
    )


def _add(parent: Element, name: str, words: str) -> None:
    SubElement(parent, name).text = _NOT_XML.sub("\ufffd", words)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
