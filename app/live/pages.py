"""The socket of one document: opened by its page, closed within a second when its reader's access ends."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from uuid import UUID

import msgspec
from quart import Blueprint, Response, websocket

from app.errors import NotFound
from app.live import service
from app.live.callers import Recogniser
from app.live.hub import Hub, Seat
from app.live.service import Known
from app.rights.line import NoticeLine
from app.web.answers import LONGEST_VERSION
from app.web.context import extension, reading
from app.web.guards import public

blueprint = Blueprint("live", __name__)
SIGNED_OUT = 4401
NOT_YOURS = 4404
TALKATIVE = 1008
LOOK_EVERY = 15.0
LOOK_IN_DOUBT = 0.8
"""Seconds between looks while the line that brings notices is down."""
BREATH = 0.1
"""Seconds between two looks, however much happens."""
_TALK = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,18}")
_encode = msgspec.json.Encoder().encode


@blueprint.websocket("/documents/<uuid:document_id>/live")
@public
async def live(document_id: UUID) -> Response | None:
    """Tell a reader what happens to a document until they leave or may no longer see it."""
    actor = await extension(Recogniser).actor()
    if not actor.signed_in or not actor.active:
        return _refusal(HTTPStatus.UNAUTHORIZED)
    try:
        async with reading() as db:
            await service.look(db, actor, document_id)
    except NotFound:
        return _refusal(HTTPStatus.NOT_FOUND)
    hub, seat = extension(Hub), Seat(document_id, actor.person_id(), actor.session_id)
    if not hub.take(seat):
        return _refusal(HTTPStatus.TOO_MANY_REQUESTS)
    try:
        await websocket.accept()
        code = await _tell(hub, seat, Known(_since(), _talk()))
        await websocket.close(code)
    finally:
        hub.leave(seat)
        # The reader is gone and this task may be ending: the farewell must not be cut short.
        await asyncio.shield(hub.depart(seat))
    return None


def _refusal(status: HTTPStatus) -> Response:
    headers = {"Retry-After": "60"} if status == HTTPStatus.TOO_MANY_REQUESTS else {}
    return Response(b"", status=status, headers=headers)


def _since() -> int:
    """The version on the reader's page."""
    given = websocket.args.get("since", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= LONGEST_VERSION else 0


def _talk() -> str:
    """How far the talk on the reader's page has come, as `talk_mark` says it; empty when the page does not know."""
    given = websocket.args.get("talk", "")
    return given if _TALK.fullmatch(given) else ""


async def _tell(hub: Hub, seat: Seat, known: Known) -> int:
    """Look and tell until it must end; returns the code to close with."""
    said = asyncio.create_task(websocket.receive())
    try:
        while not said.done():
            seat.wake.clear()
            actor = await extension(Recogniser).actor()
            if not actor.active or actor.id != seat.person_id:
                return SIGNED_OUT
            await hub.arrive(seat)
            present = await hub.present(seat.document_id)
            try:
                async with reading() as db:
                    messages = await service.news(db, actor, seat.document_id, known, present)
            except NotFound:
                return NOT_YOURS
            for message in messages:
                await websocket.send(_encode(message).decode())
            _leave_if_told()
            await _pause(seat, said)
        return TALKATIVE  # readers have nothing to say here
    finally:
        said.cancel()


def _leave_if_told() -> None:
    """Notice a cancellation that a library on the way has swallowed: the reader has gone, and nobody says so twice."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _pause(seat: Seat, said: asyncio.Task[str | bytes]) -> None:
    """Wait until there is something to look at."""
    await asyncio.sleep(BREATH)
    patience = LOOK_EVERY if extension(NoticeLine).up else LOOK_IN_DOUBT
    woken = asyncio.create_task(seat.wake.wait())
    try:
        await asyncio.wait([woken, said], timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        woken.cancel()
