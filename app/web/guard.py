"""The outermost wall: an ASGI layer that looks at every request before Quart does, and completes every answer."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from time import perf_counter
from typing import Protocol
from urllib.parse import quote

import structlog

from app.watch.recorder import Watch
from app.web import client_address as address
from app.web import refusals
from app.web import request_id as identifier
from app.web.access_log import AccessLog
from app.web.answer_head import look_at
from app.web.asgi import ASGIApp, Message, RawHeaders, Receive, Scope, Send
from app.web.body_caps import UPLOAD_SECONDS, body_cap, takes_upload
from app.web.client_address import Network, TrustedProxies
from app.web.exchange import Exchange
from app.web.faces import for_programs
from app.web.file_origin import COOKIES, NOT_A_FILE, FileOrigin
from app.web.headers import HeaderSet, file_headers, security_headers
from app.web.redaction import redact
from app.web.refusals import Refusal, Refused
from app.web.request_head import (
    METHODS,
    Head,
    Hosts,
    body_length,
    check_encoding,
    check_target,
    check_upgrade,
    without_hearsay,
)
from app.web.socket_refusal import refuse_socket
from app.web.uploads import GATE, Gate

log = structlog.get_logger(__name__)

BODY_SECONDS = 30.0
CONCURRENCY = 1000
CLIENT_LEFT = 499  # no answer was sent because nobody waited for one; the number nginx made customary

_UNCOUNTED = frozenset({"/health/live", "/health/ready"})
_BROKEN = "request.broken"
# Among them what browsers ask for beside a file unbidden, such as an icon.
_BLAMELESS = frozenset(
    {refusals.TOO_BUSY.code, refusals.BROKEN.code, refusals.NEEDS_HTTPS.code, "https", NOT_A_FILE.code}
)
_BOMBS = frozenset(
    refusal.code
    for refusal in (refusals.TOO_LARGE, refusals.ENCODED_BODY, refusals.TOO_SLOW, refusals.HEADERS_TOO_LARGE)
)
_LONGEST_PATH = 200


class GuardSettings(Protocol):
    """What the guard needs to know of the settings."""

    @property
    def public_url(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def allowed_hosts(self) -> Iterable[str]: ...
    @property
    def files_url(self) -> str: ...
    @property
    def trusted_proxies(self) -> Iterable[Network]: ...


BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds


class Tallies:
    """Plain counters of this process, for whoever shows metrics."""

    __slots__ = ("in_flight", "refused", "requests", "seconds", "slots", "statuses")

    def __init__(self) -> None:
        self.requests = 0
        self.in_flight = 0
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()
        self.slots = [0] * (len(BUCKETS) + 1)  # requests by the bucket their duration falls into
        self.seconds = 0.0


class Guard:
    """Stands between server and application: nothing malformed, foreign or boundless gets past.

    The application finds the request id and the client's address in `scope["state"]`, the true peer in
    `scope["client"]`, and no header left by which a client could claim to be somebody else.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: GuardSettings,
        *,
        concurrency: int = CONCURRENCY,
        body_seconds: float = BODY_SECONDS,
        access_log: AccessLog | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.app = app
        self.tallies = Tallies()
        self.access_log = access_log or AccessLog()
        self.watch = watch or Watch()
        self._https = settings.public_url.startswith("https://")
        self._public_url = settings.public_url.rstrip("/")
        self._hosts = Hosts(settings.public_url, settings.port, settings.allowed_hosts, files_url=settings.files_url)
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._headers = HeaderSet(security_headers(https=self._https, files_url=settings.files_url))
        self._files = FileOrigin(settings.files_url)
        self._file_headers = HeaderSet(file_headers(https=self._https), never=COOKIES)
        look_at([*self._headers.pairs, *self._file_headers.pairs])
        self._concurrency = concurrency
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            try:
                await self.app(scope, receive, send)
            finally:
                self.access_log.flush()

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        tallies = self.tallies
        tallies.requests += 1
        tallies.in_flight += 1
        path: str = scope["path"]
        exchange = Exchange(receive, send, self._headers, path)
        try:
            try:
                self._admit(scope, exchange)
            except Refused as refused:
                await exchange.refuse(refused.refusal, drain=refused.refusal is refusals.TOO_LARGE)
            else:
                await self.app(scope, exchange.receive, exchange.send)
        except Exception:
            # The last edge: whatever the application could not handle itself is answered and written down here.
            log.exception(_BROKEN, method=scope["method"], path=quote(path), request_id=exchange.request_id)
            await exchange.refuse(refusals.BROKEN)
        finally:
            tallies.in_flight -= 1
            status = exchange.status or CLIENT_LEFT
            tallies.statuses[status] += 1
            took = perf_counter() - started
            tallies.seconds += took
            tallies.slots[bisect_left(BUCKETS, took)] += 1
            if exchange.refused is not None:
                self._note(scope, exchange.refused, exchange.request_id)
            self.access_log.add(
                scope["method"],
                scope.get("raw_path") or quote(path).encode(),
                status,
                took,
                exchange.request_id,
                scope["state"][address.STATE_KEY],
            )

    def _admit(self, scope: Scope, exchange: Exchange) -> None:
        """Check the head and prepare the scope; raises Refused.  Cheap checks first, and the id before all."""
        head = self._introduce(scope, exchange)
        host = head.named.get(b"host")
        for_files = self._files.is_meant(host)
        if for_files:
            exchange.answer_elsewhere(self._file_headers, self._public_url)
        if scope["method"] not in METHODS:
            raise Refused(refusals.BAD_METHOD)
        check_target(scope)
        if for_files:
            self._files.admit(scope)
        else:
            self._hosts.check(host)
        if b"upgrade" in head.named or b"http2-settings" in head.named:
            check_upgrade(head)
        length = body_length(head)
        if length != 0:
            self._admit_body(scope, head, exchange, length)
        if self.tallies.in_flight > self._concurrency and scope["path"] not in _UNCOUNTED:
            raise Refused(refusals.TOO_BUSY)
        if self._https and scope["scheme"] != "https":
            self._insist_on_https(scope, self._files.url if for_files else self._public_url)

    def _introduce(self, scope: Scope, exchange: Exchange | None) -> Head:
        """Establish who calls and under which id, so that even a refusal can be traced."""
        state = scope.get("state")
        if state is None:
            state = scope["state"] = {}
        peer = (scope.get("client") or (address.UNKNOWN, 0))[0]
        state[address.STATE_KEY] = peer
        request_id = state[identifier.STATE_KEY] = identifier.new_request_id()
        if exchange is not None:
            exchange.request_id = request_id
        headers: RawHeaders = scope["headers"]
        head = Head(headers)
        if head.hearsay is None and peer[-1:].isdigit() and ":" not in peer and not self._proxies:
            return head
        trusted = self._proxies.trusts(peer)
        if head.hearsay is not None:
            if trusted:
                self._listen(scope, head.hearsay, exchange)
            scope["headers"] = without_hearsay(headers)
        elif trusted and self._https:
            scope["scheme"] = "https" if scope["type"] == "http" else "wss"
        client = (
            self._proxies.client(peer, head.forwarded)
            if trusted
            else str(address.parse_address(peer) or address.UNKNOWN)
        )
        state[address.STATE_KEY] = client
        scope["client"] = (client, 0)
        return head

    def _listen(self, scope: Scope, hearsay: dict[bytes, bytes], exchange: Exchange | None) -> None:
        """Believe a configured proxy: scheme and request id; the address is read by `TrustedProxies`."""
        scheme = hearsay.get(b"x-forwarded-proto", b"").rpartition(b",")[2].strip().lower()
        secure = scheme in (b"https", b"wss") or (scheme == b"" and self._https)
        plain, over_tls = ("http", "https") if scope["type"] == "http" else ("ws", "wss")
        scope["scheme"] = over_tls if secure else plain
        given = hearsay.get(b"x-request-id", b"")
        if identifier.acceptable(given):
            request_id = scope["state"][identifier.STATE_KEY] = given.decode()
            if exchange is not None:
                exchange.request_id = request_id

    def _admit_body(self, scope: Scope, head: Head, exchange: Exchange, length: int | None) -> None:
        check_encoding(head)
        cap = body_cap(scope["path"], head.named.get(b"content-type", b"").decode("latin-1"))
        uploads = takes_upload(scope["path"])
        exchange.expect_body(cap, max(self._body_seconds, UPLOAD_SECONDS) if uploads else self._body_seconds)
        if uploads:
            exchange.gate = scope["state"][GATE] = Gate()
        if length is not None and length > cap:
            raise Refused(refusals.TOO_LARGE)

    def _insist_on_https(self, scope: Scope, here: str) -> None:
        """Send readers over to https; refuse programs, whose credentials have travelled readable (ASVS 4.1.2).

        A caller on this very machine may stay: that is a health check, and nothing has left the house.
        """
        if _within_the_house(scope):
            return
        if scope["method"] not in ("GET", "HEAD") or for_programs(scope["path"]):
            raise Refused(refusals.NEEDS_HTTPS)
        target = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
        query = scope["query_string"].decode("latin-1")
        location = f"{here}{target}" + (f"?{query}" if query else "")
        raise Refused(Refusal(308, "https", "Over here", "This site is read over https.", (("location", location),)))

    def _insist_on_wss(self, scope: Scope) -> None:
        """Sockets have no other address to be sent to (ASVS 4.4.1)."""
        if self._https and scope["scheme"] != "wss" and not _within_the_house(scope):
            raise Refused(refusals.NEEDS_HTTPS)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            head = self._introduce(scope, None)
            check_target(scope)
            self._hosts.check(head.named.get(b"host"))
            self._hosts.check_origin(head.named.get(b"origin"))
            self._insist_on_wss(scope)
        except Refused as refused:
            self._note(scope, refused.refusal, scope["state"][identifier.STATE_KEY])
            await refuse_socket(scope, receive, send, self._headers, refused.refusal)
        else:
            await self.app(scope, receive, self._completed(scope, send))

    def _note(self, scope: Scope, refusal: Refusal, request_id: str) -> None:
        self.tallies.refused[refusal.code] += 1
        if refusal.code not in _BLAMELESS:
            block = address.address_block(scope["state"][address.STATE_KEY])
            kind = "bomb" if refusal.code in _BOMBS else "hostile"
            path = redact(quote(scope["path"]))[:_LONGEST_PATH]
            self.watch.note(kind, block=block, request_id=request_id, path=path, code=refusal.code)

    def _completed(self, scope: Scope, send: Send) -> Send:
        """Complete the headers of an answer that refuses a socket."""

        async def complete(message: Message) -> None:
            if message["type"] == "websocket.http.response.start":
                request_id: str = scope["state"][identifier.STATE_KEY]
                message["headers"] = self._headers.complete(message["headers"], request_id.encode())
            await send(message)

        return complete


def _within_the_house(scope: Scope) -> bool:
    peer = address.parse_address(scope["state"][address.STATE_KEY])
    return peer is not None and peer.is_loopback
