"""What Atom (RFC 4287) and JSON Feed 1.1 ask of a feed, each rule as one sentence about what breaks it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

ATOM = "{http://www.w3.org/2005/Atom}"
# element -> its parents' children it may have, with how many of each: exactly one, at most one, or any number.
ONE, OPTIONAL, ANY = "1", "?", "*"
FEED = {"id": ONE, "title": ONE, "updated": ONE, "subtitle": OPTIONAL, "link": ANY, "author": ANY, "category": ANY,
        "entry": ANY}  # fmt: skip
ENTRY = {"id": ONE, "title": ONE, "updated": ONE, "published": OPTIONAL, "summary": OPTIONAL, "content": OPTIONAL,
         "link": ANY, "author": ANY, "category": ANY}  # fmt: skip
PERSON = {"name": ONE, "uri": OPTIONAL, "email": OPTIONAL}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")  # RFC 3339, upper-case T and Z
JSON_FEED = {"version", "title", "items", "home_page_url", "feed_url", "description", "next_url", "authors", "language"}
JSON_ITEM = {"id", "url", "title", "content_text", "content_html", "summary", "date_published", "date_modified",
             "authors", "tags", "language"}  # fmt: skip


def atom_problems(data: bytes) -> list[str]:
    """What is wrong with an Atom feed."""
    return list(_atom(data))


def _atom(data: bytes) -> Iterator[str]:
    if b"<!DOCTYPE" in data:
        yield "it has a document type"
    feed = ET.fromstring(data)  # noqa: S314 - our own
    if feed.tag != f"{ATOM}feed":
        yield f"it begins with {feed.tag}"
    yield from _children(feed, FEED, "the feed")
    yield from _texts(feed, "the feed")
    links = feed.findall(f"{ATOM}link")
    if [link.get("rel") for link in links].count("self") != 1:
        yield "the feed does not say where it is itself"
    yield from _links(links, "the feed")
    entries = feed.findall(f"{ATOM}entry")
    ids = Counter(entry.findtext(f"{ATOM}id") for entry in entries)
    yield from (f"{number} entries have the id {name}" for name, number in ids.items() if number > 1)
    for entry in entries:
        where = f"the entry {entry.findtext(f'{ATOM}id')}"
        yield from _children(entry, ENTRY, where)
        yield from _texts(entry, where)
        yield from _links(entry.findall(f"{ATOM}link"), where)
        if not entry.findall(f"{ATOM}author") and not feed.findall(f"{ATOM}author"):
            yield f"{where} has no author"
        for author in entry.findall(f"{ATOM}author"):
            yield from _children(author, PERSON, f"the author of {where}")
        if entry.find(f"{ATOM}content") is None and not _rel(entry, "alternate"):
            yield f"{where} has neither content nor a page"
        yield from (
            f"a category of {where} has no term" for tag in entry.findall(f"{ATOM}category") if not tag.get("term")
        )


def _rel(parent: ET.Element, relation: str) -> list[ET.Element]:
    return [link for link in parent.findall(f"{ATOM}link") if link.get("rel", "alternate") == relation]


def _children(parent: ET.Element, allowed: Mapping[str, str], where: str) -> Iterator[str]:
    found = Counter(child.tag.removeprefix(ATOM) for child in parent)
    yield from (f"{where} has an element {name}" for name in found if name not in allowed)
    for name, how_many in allowed.items():
        if how_many == ONE and found[name] != 1:
            yield f"{where} has {found[name]} of {name}"
        if how_many == OPTIONAL and found[name] > 1:
            yield f"{where} has {found[name]} of {name}"


def _texts(parent: ET.Element, where: str) -> Iterator[str]:
    for name in ("updated", "published"):
        moment = parent.findtext(f"{ATOM}{name}")
        if moment is not None and not _is_moment(moment):
            yield f"{where} is {name} at {moment}"
    if not urlsplit(parent.findtext(f"{ATOM}id") or "").scheme:
        yield f"the id of {where} is no absolute address"
    if not (parent.findtext(f"{ATOM}title") or "").strip():
        yield f"{where} has an empty title"


def _links(links: Sequence[ET.Element], where: str) -> Iterator[str]:
    for link in links:
        if urlsplit(link.get("href", "")).scheme not in ("http", "https"):
            yield f"{where} links to {link.get('href')}"
    kinds = Counter((link.get("type"), link.get("hreflang")) for link in links if link.get("rel") == "alternate")
    yield from (f"{where} has {number} pages of the kind {kind}" for kind, number in kinds.items() if number > 1)


def json_feed_problems(feed: Mapping[str, Any]) -> list[str]:
    """What is wrong with a JSON Feed."""
    return list(_json_feed(feed))


def _json_feed(feed: Mapping[str, Any]) -> Iterator[str]:
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield f"its version is {feed.get('version')}"
    yield from (f"it has a field {name}" for name in feed.keys() - JSON_FEED if not name.startswith("_"))
    yield from (f"it has no {name}" for name in ("title", "items") if name not in feed)
    yield from _addresses(feed, ("home_page_url", "feed_url"), "the feed")
    ids = Counter(item.get("id") for item in feed.get("items", ()))
    yield from (f"{number} items have the id {name}" for name, number in ids.items() if number > 1)
    for item in feed.get("items", ()):
        where = f"the item {item.get('id')}"
        if not isinstance(item.get("id"), str) or not item["id"]:
            yield f"{where} has no id"
        if not isinstance(item.get("content_text", item.get("content_html")), str):
            yield f"{where} has no content"
        yield from (f"{where} has a field {name}" for name in item.keys() - JSON_ITEM if not name.startswith("_"))
        yield from _addresses(item, ("url",), where)
        for name in ("date_published", "date_modified"):
            if name in item and not _is_moment(item[name]):
                yield f"{where} has {name} {item[name]}"
        for author in item.get("authors", ()):
            if not author.keys() & {"name", "url", "avatar"} or author.keys() - {"name", "url", "avatar"}:
                yield f"an author of {where} is {author}"
        if not all(isinstance(tag, str) and tag for tag in item.get("tags", ())):
            yield f"{where} has tags that are no texts"


def _addresses(thing: Mapping[str, Any], names: Sequence[str], where: str) -> Iterator[str]:
    for name in names:
        if name in thing and urlsplit(thing[name]).scheme not in ("http", "https"):
            yield f"{where} has {name} {thing[name]}"


def _is_moment(text: str) -> bool:
    return MOMENT.fullmatch(text) is not None and datetime.fromisoformat(text).tzinfo is not None
