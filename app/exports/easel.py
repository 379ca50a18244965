"""The pictures of a text made ready for the press, as far as there is room and time; all others with the reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from app.attachments.illustrations import Illustration
from app.attachments.pictures import Gallery, place_of
from app.errors import NotFound
from app.workshop.service import Unworkable
from app.workshop.sheets import MOST_PICTURES, PICTURE_BYTES, Plate

PATIENCE: Final = 20.0
"""Seconds after which no further picture is begun: making one anew takes tenths of one, or up to ten for hostile ones."""
_FOR_GOOD: Final = frozenset({"pixels", "damaged", "size"})


@dataclass
class Hung:
    """What the press is told of each picture, and where in the store those lie that it gets, in the same order."""

    plates: list[Plate] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


class Easel:
    """Where the gallery's pictures are measured out to one text."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery

    async def hang(self, pictures: Sequence[Illustration]) -> Hung:
        """Make these pictures ready, in the order of the text; raises Busy when the line or the machine takes too long."""
        hung = Hung()
        left, until = PICTURE_BYTES, time.monotonic() + PATIENCE
        for one in pictures:
            plate = Plate(one.address, why="many")
            if len(hung.places) < MOST_PICTURES:
                plate = await self._plate(one, left) if time.monotonic() < until else Plate(one.address, why="late")
            hung.plates.append(plate)
            if plate.size:
                left -= plate.size
                hung.places.append(place_of(one.sha256))
        return hung

    async def _plate(self, one: Illustration, left: int) -> Plate:
        try:
            size = await self._gallery.ready(one.sha256)
        except NotFound:  # the file is attached, so its bytes are only away for now
            return Plate(one.address, why="late")
        except Unworkable as error:
            return Plate(one.address, why="damaged" if error.word in _FOR_GOOD else "late")
        return Plate(one.address, size) if 0 < size <= left else Plate(one.address, why="large")
