"""Files on their way in: read part by part, never faster than they are dealt with, so that memory stays flat.

Quart puts whatever arrives into one buffer; the gate between the server and that buffer closes while more than
`WAITING` bytes lie there unread, and the server then stops reading from the client (TCP does the rest).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any, Final, cast

from quart import Request, g, request
from quart.wrappers.request import Body
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from app.web.body_caps import MULTIPART_ROOM, UPLOAD, takes_upload
from app.web.forms import MAX_BOUNDARY, MalformedForm, Pairs

WAITING: Final = 256 * 1024
GATE: Final = "scriptorium_upload_gate"
_FIELDS_BEFORE: Final = 4
_FIELD_BYTES: Final = 4096
_BOUNDARY: Final = re.compile(rb"[ -~]{0,%d}[!-~]" % (MAX_BOUNDARY - 1))


class Gate:
    """Counts what has come and not yet gone on."""

    def __init__(self) -> None:
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until there is room for more."""
        await self._room.wait()

    def came(self, size: int) -> None:
        self._waiting += size
        if self._waiting > WAITING:
            self._room.clear()

    def went(self, size: int) -> None:
        self._waiting -= size
        if self._waiting <= WAITING:
            self._room.set()


class _Buffer(BytesIO):
    """What Quart's body asks of its bytearray, without a second copy: a whole body is the buffer itself, handed out."""

    extend = BytesIO.write

    def __len__(self) -> int:
        return self.tell()

    def __bytes__(self) -> bytes:
        return self.getvalue()

    def clear(self) -> None:
        self.seek(0)
        self.truncate()


class OnceHeld(Body):
    """A body of which there is one copy, and not two as soon as it is read."""

    def __init__(self, expected_content_length: int | None, max_content_length: int | None) -> None:
        super().__init__(expected_content_length, max_content_length)
        self._data: Any = _Buffer()


class UploadingRequest(Request):
    """A request whose longest body depends on where it goes; what comes for a file is never held as a whole."""

    body_class = OnceHeld

    def __init__(self, method: str, scheme: str, path: str, *rest: Any, **options: Any) -> None:
        if takes_upload(path):
            options["max_content_length"] = UPLOAD + MULTIPART_ROOM
        super().__init__(method, scheme, path, *rest, **options)


async def body_parts() -> AsyncIterator[bytes]:
    """The request's body as it comes."""
    gate = cast(Mapping[str, Any], request.scope.get("state", {})).get(GATE)
    async for part in request.body:
        yield part
        if isinstance(gate, Gate):
            gate.went(len(part))


class FileForm:
    """A `multipart/form-data` body (RFC 7578) with a few short fields, the form token first, and then one file."""

    def __init__(self, boundary: bytes) -> None:
        if not _BOUNDARY.fullmatch(boundary):
            raise MalformedForm("The form does not say where its parts end.")
        self._decoder = MultipartDecoder(boundary, max_form_memory_size=None, max_parts=_FIELDS_BEFORE + 2)
        self._source = body_parts()
        self.fields: Pairs = []
        self.name: str | None = None

    async def begin(self) -> None:
        """Read the fields up to the file; `name` is then the file's, or None when there is no file."""
        name, value = "", b""
        while not isinstance(event := await self._next(), Epilogue):
            if isinstance(event, File):
                self.name = event.filename or ""
                return
            if isinstance(event, Field):
                name, value = event.name or "", b""
            elif isinstance(event, Data):
                value += event.data
                if len(value) > _FIELD_BYTES:
                    raise MalformedForm("A field before the file is too long.")
                if not event.more_data:
                    self.fields.append((name, value.decode("utf-8", "replace")))

    async def file(self) -> AsyncIterator[bytes]:
        """The file's bytes; what comes after it in the form is not read."""
        while isinstance(event := await self._next(), Data):
            if event.data:
                yield bytes(event.data)
            if not event.more_data:
                return
        raise MalformedForm("The form is incomplete.")

    async def _next(self) -> object:
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                self._decoder.receive_data(await anext(self._source, None))
        except (ValueError, RequestEntityTooLarge):
            raise MalformedForm("A part of the form is not as parts are.") from None
        return event


async def file_form() -> FileForm:
    """The form with a file that this request carries; read once, up to the file.  Raises MalformedForm."""
    known: FileForm | None = g.get("scriptorium_file_form")
    if known is None:
        _, options = parse_options_header(request.headers.get("Content-Type", ""))
        known = g.scriptorium_file_form = FileForm(options.get("boundary", "").encode("latin-1", "replace"))
        await known.begin()
    return known
