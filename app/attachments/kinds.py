"""What a file is, by its first bytes alone: neither its name nor what its sender calls it is believed (ASVS 5.2.2)."""

from __future__ import annotations

from typing import Final

HEAD: Final = 4096
"""Bytes from the start that are enough to tell."""
UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"
PICTURES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})

_IN_WORDS: Final = {
    "image/png": "Picture (PNG)",
    "image/jpeg": "Picture (JPEG)",
    "image/webp": "Picture (WebP)",
    "image/gif": "Picture (GIF)",
    "application/pdf": "PDF",
    "application/zip": "Zip file",
    "application/epub+zip": "EPUB book",
    TEXT: "Text",
}

_STARTS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
)
# A house of texts has no use for programs; whoever was sent one by a colleague has a problem we need not help with.
_PROGRAMS: Final = (
    b"MZ", b"\x7fELF", b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe", b"\x00asm", b"dex\n",
)  # fmt: skip
_OFFICE: Final = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_DECLARED_BY_ZIP: Final = b"mimetype"
_ODF: Final = (b"application/epub+zip", b"application/vnd.oasis.opendocument.")
_NOT_TEXT: Final = bytes(set(range(0x20)) - set(b"\t\n\f\r\x1b"))


def kind_of(head: bytes) -> str:
    """The media type of a file that starts with `head` (`HEAD` bytes or the whole file)."""
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    if head[:4] == b"PK\x03\x04":
        return _zipped(head)
    return TEXT if head and _is_text(head) else UNKNOWN


def in_words(kind: str) -> str:
    """The kind of a file as a page for writers says it."""
    family = {"audio": "Sound", "video": "Film"}.get(kind.partition("/")[0], "File")
    return "Office document" if "document." in kind or "office" in kind else _IN_WORDS.get(kind, family)


def is_program(head: bytes) -> bool:
    """Whether a machine would run this."""
    return head.startswith(_PROGRAMS) and not (head.startswith(b"MZ") and _is_text(head))


def _zipped(head: bytes) -> str:
    name = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if name == _DECLARED_BY_ZIP:  # OpenDocument and EPUB say so in their first, stored member
        stored = head[38:128]
        if stored.startswith(_ODF[0]):
            return _ODF[0].decode()
        for ending in (b"text", b"spreadsheet", b"presentation"):
            if stored.startswith(_ODF[1] + ending):
                return (_ODF[1] + ending).decode()
    for folder, kind in _OFFICE:
        if b"[Content_Types].xml" in head and folder in head:
            return kind
    return "application/zip"


def _is_text(head: bytes) -> bool:
    if len(head.translate(None, _NOT_TEXT)) != len(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) >= HEAD and error.start > len(head) - 4  # cut within a character
    return True
