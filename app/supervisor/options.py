"""How uvicorn is told to serve, and the socket it serves on."""

from __future__ import annotations

import errno
import importlib.util
import socket
import ssl
from typing import Any, Final

from app.settings import Settings
from app.supervisor.errors import MISCONFIGURED, PORT_TAKEN, ServeError

BACKLOG: Final = 2048
KEEP_ALIVE: Final = 65  # seconds; above the proxy's, so that the proxy is the one who hangs up
WEBSOCKET_MESSAGE: Final = 64 * 1024
PROTOCOL: Final = "app.web.http_protocol:BoundedProtocol"
NEEDED: Final = ("uvloop", "httptools")  # without them uvicorn falls back silently, at 60 % more CPU


def check(settings: Settings) -> None:
    """Raise ServeError for what would only fail later, in every worker at once."""
    for name in NEEDED:
        if importlib.util.find_spec(name) is None:
            raise ServeError(MISCONFIGURED, f"{name} is not installed, and serving without it is not supported")
    if settings.tls_certificate is None or settings.tls_key_file is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key_file)
    except (OSError, ssl.SSLError) as error:
        raise ServeError(
            MISCONFIGURED,
            f"TLS cannot be served with {settings.tls_certificate} and {settings.tls_key_file}: "
            f"{error.strerror or type(error).__name__}",
        ) from None


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """The options both ways of serving share.  Who the caller is behind a proxy is for our guard to say."""
    return {
        "loop": "uvloop",
        # By name: the supervisor itself need not load the application's modules.
        "http": PROTOCOL + ("OverTLS" if settings.secure else ""),
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "backlog": BACKLOG,
        "timeout_keep_alive": KEEP_ALIVE,
        "timeout_graceful_shutdown": max(1, round(settings.drain)),
        "ws_max_size": WEBSOCKET_MESSAGE,
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key_file,
    }


def bind(settings: Settings) -> list[socket.socket]:
    """The sockets of host and port, bound but not yet listening; raises ServeError saying what is in the way."""
    bound: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listener = socket.socket(family, kind, protocol)
            bound.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.set_inheritable(True)
    except OSError as error:
        for listener in bound:
            listener.close()
        raise _refusal(settings, error) from None
    return bound


def _refusal(settings: Settings, error: OSError) -> ServeError:
    place = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return ServeError(PORT_TAKEN, f"{place} is taken by another program; choose another port with SCRIPTORIUM_PORT")
    return ServeError(
        MISCONFIGURED,
        f"{place} cannot be served: {error.strerror or error}; see SCRIPTORIUM_HOST and SCRIPTORIUM_PORT",
    )
