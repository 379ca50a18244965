"""Where the newest texts begin, remembered for a minute: counting back to there costs as much as looking the words up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil, log
from time import monotonic
from typing import Final

from app.reader import Reader
from app.search import queries
from app.search.shapes import Kind, Shape, Values

_KEPT: Final = 60.0  # seconds
_STEP: Final = 1.25  # numbers of texts are rounded up to its powers, so that few have to be remembered


class Newest:
    """The dates at which so many of the newest texts begin.  They may be a minute old: searches only begin there."""

    def __init__(self) -> None:
        self._known: dict[tuple[Kind, int], tuple[float, datetime]] = {}

    async def since(self, db: Reader, shape: Shape, texts: Mapping[Kind, int], values: Values) -> dict[Kind, datetime]:
        """Where that many texts of each kind begin, or a few more; where there are fewer, before all of them."""
        if shape.limits & {"since", "until"}:
            return await _counted(db, shape, texts, values)
        rounded = {kind: ceil(_STEP ** ceil(log(number, _STEP))) for kind, number in texts.items()}
        at = monotonic()
        known = {kind: self._known.get((kind, number), (at, None)) for kind, number in rounded.items()}
        missing = {kind: rounded[kind] for kind, (until, date) in known.items() if date is None or until < at}
        counted = await _counted(db, shape, missing, values) if missing else {}
        for kind, date in counted.items():
            self._known[kind, rounded[kind]] = (at + _KEPT, date)
        return {kind: self._known[kind, number][1] for kind, number in rounded.items()}


async def _counted(db: Reader, shape: Shape, texts: Mapping[Kind, int], values: Values) -> dict[Kind, datetime]:
    numbers = {f"{kind}_enough": number for kind, number in texts.items()}
    found = await queries.beginnings(shape, tuple(texts)).first(db, {**values, **numbers})
    return {kind: getattr(found, kind) or queries.BEFORE_ALL for kind in texts}
