"""Turning away a WebSocket before it is open, with a readable answer where the server can send one."""

from __future__ import annotations

from app.web.asgi import Receive, Scope, Send
from app.web.headers import HeaderSet
from app.web.refusals import PROBLEM_TYPE, Refusal, problem_body
from app.web.request_id import STATE_KEY


async def refuse_socket(scope: Scope, receive: Receive, send: Send, headers: HeaderSet, refusal: Refusal) -> None:
    """Answer the handshake with `refusal` (ASGI's denial response), or close it, which servers show as 403."""
    await receive()  # websocket.connect comes first, always
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    request_id: str = scope["state"][STATE_KEY]
    body = problem_body(refusal, request_id)
    given = [(b"content-type", PROBLEM_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    start = headers.complete(given, request_id.encode())
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": start})
    await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
