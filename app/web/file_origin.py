"""The origin files are served from when it is another than the site's: what it answers to, and that it does no more.

What somebody attached never shares an origin with people's sessions there: should a browser run it after all, it finds
no cookie, no page and no form of ours (ASVS 3.5.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from quart import has_request_context

from app.web.asgi import Scope
from app.web.current import this_request
from app.web.file_paths import FILE
from app.web.refusals import Refusal, Refused

STATE_KEY: Final = "scriptorium.file_origin"
_ADDRESS: Final = re.compile(FILE)
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# What the site would read a caller's identity from; here nobody has one but by the address itself.
_CREDENTIALS: Final = frozenset({b"cookie", b"authorization"})
COOKIES: Final = frozenset({b"set-cookie"})
"""What no answer there carries."""

NOT_A_FILE: Final = Refusal(404, "not_a_file", "There is nothing here", "Only files are kept at this address.")
_ONLY_READ: Final = Refusal(
    405, "method_not_allowed", "Method not allowed", "Files are only read here.", (("allow", "GET, HEAD"),)
)


class FileOrigin:
    """The names the origin goes by, and the few requests it takes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        names = {parts.netloc} if url else set()
        if url and parts.port is None:
            names.add(f"{parts.netloc}:{_DEFAULT_PORTS[parts.scheme]}")
        self._names = frozenset(name.encode("ascii") for name in names)

    def is_meant(self, host: bytes | None) -> bool:
        """Tell whether a request with this `Host` is for here."""
        return bool(self._names) and host is not None and host.lower() in self._names

    def admit(self, scope: Scope) -> None:
        """Mark a request for a file and take every credential off it; raises Refused for all others."""
        if _ADDRESS.fullmatch(scope["path"]) is None:
            raise Refused(NOT_A_FILE)
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused(_ONLY_READ)
        scope["state"][STATE_KEY] = True
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in _CREDENTIALS]


def on_file_origin() -> bool:
    """Whether the request being answered came to the origin of files."""
    if not has_request_context():
        return False
    scope: Any = this_request().scope
    state: Mapping[str, Any] = scope.get("state", {})
    return STATE_KEY in state
