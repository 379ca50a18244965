"""Static files: their addresses, which change with their content, and the digests by which pages name their scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from quart import Quart, Response, request

from app.web.headers import may_answer

STATIC: Final = Path(__file__).parent / "static"
KEPT: Final = f"public, max-age={365 * 86400}"
_DIGITS: Final = 12


@lru_cache(maxsize=256)
def _digest(path: Path) -> bytes:
    return sha256(path.read_bytes()).digest()


def asset(name: str) -> str:
    """The address of a static file, with a hash of its content so that browsers may keep it for ever."""
    return f"/static/{name}?v={_digest(STATIC / name).hex()[:_DIGITS]}"


def integrity(name: str) -> str:
    """What a page expects of one of its scripts (Subresource Integrity); a browser runs nothing else under that name."""
    return integrity_of(STATIC / name)


def integrity_of(path: Path) -> str:
    """The same of any file that is the same for as long as this process lives."""
    return f"sha256-{b64encode(_digest(path)).decode()}"


def static_view(app: Quart) -> Callable[..., Awaitable[Response]]:
    """The view of static files.

    One that is asked for under the hash of another version is sent and kept by nobody: during an upgrade a page of the
    new version may ask a worker of the old one, and what a browser kept for a year would then never fit its page.
    """

    @may_answer(cache_control=KEPT)
    async def static(filename: str) -> Response:
        response = await app.send_static_file(filename)
        version = request.args.get("v")
        held = STATIC / filename
        same = version is None or (held.is_file() and _digest(held).hex()[:_DIGITS] == version)
        response.headers["Cache-Control"] = KEPT if same else "no-store"
        return response

    return static
