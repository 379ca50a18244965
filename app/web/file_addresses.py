"""Addresses of files as the site gives them out: below its own origin, or below that of files when there is one.

A link is given out plain: it says nothing that others must not read, works for whoever it is passed on to and may see
the file, and never grows old, because the origin of files asks the site who is calling.  A picture within a page is
fetched at once and by the one who was shown the page, so its address carries the proof already.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import time
from typing import Final

from markupsafe import Markup

from app.web.context import current_actor, resources, settings
from app.web.file_paths import FILE
from app.web.file_proofs import FIELD, prover

# An attribute within a tag of what the sanitiser wrote: it quotes every value and leaves no "<" in a text.
_GIVEN: Final = re.compile(rf'(<(?:a|img)\s(?:[^<>"]|"[^"]*")*?\b(href|src)=")({FILE})(?=")')


def plain_address(path: str) -> str:
    """The address of a file for everybody; what lies at `path` stays there when there is no origin of its own."""
    return settings().files_url + path


def proven_address(path: str) -> str:
    """The address of a file for the session that asks: good for some minutes, and not after the session has ended."""
    return _proven()(path)


def holds_files(html: Markup) -> bool:
    """Whether anything in a rendered text is served elsewhere than it says."""
    return "/attachments/" in html and bool(settings().files_url)


def placing(*, for_everybody: bool) -> Callable[[Markup], Markup]:
    """What puts files of a rendered text where they are served; `for_everybody` when the page may be kept for others.

    Who asks is looked up here, so that the work itself may be done in a thread.
    """
    origin, proven = settings().files_url, None if for_everybody else _proven()

    def place(found: re.Match[str]) -> str:
        address = proven(found[3]) if proven is not None and found[2] == "src" else origin + found[3]
        return found[1] + address

    return lambda html: Markup(_GIVEN.sub(place, str(html)))  # noqa: S704 - sanitised before; what is put in has no sign that HTML knows  # nosec B704


def _proven() -> Callable[[str], str]:
    """What makes addresses for the session that asks."""
    origin, session_id = settings().files_url, current_actor().session_id
    if session_id is None or not origin:
        return lambda path: origin + path
    prove = prover(resources().secrets.snapshot.rings["session"], session_id, time())
    return lambda path: f"{origin}{path}?{FIELD}={prove(path)}"
