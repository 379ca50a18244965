"""The journal for feed readers: Atom (RFC 4287) and JSON Feed 1.1, the newest entries with their first words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, tostring  # nosec B405 - writes XML and reads none

import orjson

from app.journal.permalinks import author_page, permalink
from app.journal.schemas import EntryView
from app.web.markdown import excerpt

ATOM: Final = "application/atom+xml; charset=utf-8"
JSON: Final = "application/feed+json"
NAME: Final = "Scriptorium"
EXCERPT: Final = 600
_NAMESPACE: Final = "http://www.w3.org/2005/Atom"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2


@dataclass(frozen=True)
class Feed:
    """What is in a feed and what it is called; `page` is where people read the same, `place` stands before the
    names of its files."""

    title: str
    page: str
    place: str
    entries: Sequence[EntryView]


def atom(found: Feed, site: str) -> bytes:
    """The feed as XML; `site` is the public address without a slash at its end."""
    feed = Element("feed", xmlns=_NAMESPACE)
    _add(feed, "id", site + found.page)
    _add(feed, "title", found.title)
    _add(feed, "updated", _moment(max((entry.updated_at for entry in found.entries), default=_BEGINNING)))
    _link(feed, "self", "application/atom+xml", f"{site}{found.place}/feed.atom")
    _link(feed, "alternate", "text/html", site + found.page)
    for entry in found.entries:
        item = SubElement(feed, "entry")
        _add(item, "id", f"urn:uuid:{entry.id}")
        _add(item, "title", entry.title)
        _add(item, "published", _moment(entry.published_at))
        _add(item, "updated", _moment(entry.updated_at))
        author = SubElement(item, "author")
        _add(author, "name", entry.author.display_name)
        _add(author, "uri", site + author_page(entry.author.id))
        for tag in entry.tags:
            SubElement(item, "category", term=_clean(tag))
        _link(item, "alternate", "text/html", site + permalink(entry.id, entry.title))
        _add(item, "summary", excerpt(entry.body, EXCERPT))
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def json_feed(found: Feed, site: str) -> bytes:
    """The feed as JSON; `site` as above."""
    return orjson.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": found.title,
            "home_page_url": site + found.page,
            "feed_url": f"{site}{found.place}/feed.json",
            "items": [_item(entry, site) for entry in found.entries],
        }
    )


def _item(entry: EntryView, site: str) -> dict[str, Any]:
    return {
        "id": f"urn:uuid:{entry.id}",
        "url": site + permalink(entry.id, entry.title),
        "title": entry.title,
        "content_text": excerpt(entry.body, EXCERPT),
        "date_published": _moment(entry.published_at),
        "date_modified": _moment(entry.updated_at),
        "authors": [{"name": entry.author.display_name, "url": site + author_page(entry.author.id)}],
        **({"tags": entry.tags} if entry.tags else {}),
    }


def _link(parent: Element, relation: str, media_type: str, address: str) -> None:
    SubElement(parent, "link", rel=relation, type=media_type, href=address)


def _add(parent: Element, name: str, words: str) -> None:
    SubElement(parent, name).text = _clean(words)


def _clean(words: str) -> str:
    return _NOT_XML.sub("\ufffd", words)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
