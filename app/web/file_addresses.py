"""Addresses of files as the site gives them out: below its own origin, or below that of files when there is one.

A link is given out plain: it says nothing that others must not read, works for whoever it is passed on to and may see
the file, and never grows old, because the origin of files asks the site who is calling.  A picture within a page is
fetched at once and by the one who was shown the page, so its address carries the proof already.
"""

from __future__ import annotations

import re
from time import time
from typing import Final

from markupsafe import Markup

from app.web.context import current_actor, resources, settings
from app.web.file_origin import ADDRESS
from app.web.file_proofs import FIELD, proof

# An attribute within a tag of what the sanitiser wrote: it quotes every value and leaves no "<" in a text.
_GIVEN: Final = re.compile(rf'(<(?:a|img)\s(?:[^<>"]|"[^"]*")*?\b(href|src)=")({ADDRESS})(?=")')


def plain_address(path: str) -> str:
    """The address of a file for everybody; what lies at `path` stays there when there is no origin of its own."""
    return settings().files_url + path


def proven_address(path: str) -> str:
    """The address of a file for the session that asks: good for some minutes, and not after the session has ended."""
    session_id = current_actor().session_id
    address = plain_address(path)
    if session_id is None or address == path:
        return address
    return f"{address}?{FIELD}={proof(resources().secrets.snapshot.rings['session'], path, session_id, time())}"


def placed(html: Markup, *, for_everybody: bool) -> Markup:
    """A rendered text whose files are where they are served; `for_everybody` when the page may be kept for others."""
    if "/attachments/" not in html or not settings().files_url:
        return html

    def place(found: re.Match[str]) -> str:
        proven = found[2] == "src" and not for_everybody
        return found[1] + (proven_address if proven else plain_address)(found[3])

    return Markup(_GIVEN.sub(place, str(html)))  # noqa: S704 - sanitised before; what is put in has no sign that HTML knows  # nosec B704
