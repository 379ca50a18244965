"""Pictures made fit for paper: no finer than print shows them, none that would take more room or time than there is.

They come from our own workshop, where they were written anew within bounds; they are looked at here once more all the
same, for their number decides what all of them together take.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from PIL import Image, UnidentifiedImageError

from app.workshop.sheets import Sheet

PRINTED: Final = 1600
"""Pixels of the longer side: about 270 to the inch across the width of the text."""
EFFORT: Final = 100_000_000
"""Pixels all pictures together may have, those that are not JPEG counted twice: about four seconds of work."""
TEXT_WIDTH: Final = 425.0
TALLEST: Final = 560.0
"""Points: the width of the text on a page, and as much of its height as leaves room for a line below."""
SMALL: Final = 70.0
"""Points either way that a picture takes among words: in a table or a note."""
_POINTS: Final = 0.5  # for a pixel: a picture of 850 pixels fills the width
_FLAT: Final = 0.5  # bytes for each pixel up to which PNG is the better way: drawings, and pictures of screens
_ENDINGS: Final = {"JPEG": "jpg", "PNG": "png"}


def plates_of(sheet: Sheet, pictures: Mapping[str, bytes], folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of each picture by its address: its file in `folder` and its size in points, or why it is left out."""
    Image.MAX_IMAGE_PIXELS = None  # our own bound is looked at first; the library's would only warn
    left = EFFORT
    plates: dict[str, dict[str, Any]] = {}
    for number, plate in enumerate(sheet.pictures):
        if plate.why:
            plates[plate.address] = {"why": plate.why}
            continue
        data = pictures[plate.address]
        try:
            with Image.open(io.BytesIO(data), formats=tuple(_ENDINGS)) as picture:
                cost = _effort(picture)
                if cost > left:
                    plates[plate.address] = {"why": "large"}
                    continue
                left -= cost
                size = picture.size
                ending, printed = _printed(picture, data)
                plates[plate.address] = {"pic": f"{number}.{ending}", **_measured(*size)}
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
            plates[plate.address] = {"why": "damaged"}
            continue
        (folder / f"{number}.{ending}").write_bytes(printed)
    return plates


def _effort(picture: Image.Image) -> int:
    return picture.width * picture.height * (1 if picture.format == "JPEG" else 2)


def _printed(picture: Image.Image, data: bytes) -> tuple[str, bytes]:
    """The ending and the bytes of the picture as paper shows it."""
    small = max(picture.size) <= PRINTED
    if picture.format == "JPEG" and small:
        return "jpg", data
    flat = picture.format == "PNG" and len(data) <= _FLAT * picture.width * picture.height
    if picture.mode == "RGB":
        shown = picture
    else:  # paper is white
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture.convert("RGBA"))
        shown = paper.convert("RGB")
    shown.thumbnail((PRINTED, PRINTED))
    out = io.BytesIO()
    if flat:
        shown.save(out, "PNG", compress_level=1)
        return "png", out.getvalue()
    shown.save(out, "JPEG", quality=88, subsampling=0)
    return "jpg", out.getvalue()


def _measured(width: int, height: int) -> dict[str, float]:
    """Its width in points where it stands alone, and among words; never larger than it is."""
    alone = min(TEXT_WIDTH, width * _POINTS, TALLEST * width / height)
    among = min(SMALL, alone, SMALL * width / height)
    return {"alone": round(alone, 2), "among": round(among, 2)}
