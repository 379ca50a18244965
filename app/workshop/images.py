"""Pictures as pages may show them: decoded within bounds and written anew, so that nothing but the pixels is left.

What a camera or a hostile hand put beside the pixels (place, owner, thumbnails, scripts, a second file behind the first)
does not survive.  Decompression bombs are refused by their announced size, before a pixel is decoded.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from app.workshop.bench import Refused

PIXELS: Final = 40_000_000
LONGEST_SIDE: Final = 2400
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
QUALITY: Final = 85


def work(data: bytes) -> bytes:
    """The picture in `data` as PNG (if it has transparency or few colours) or JPEG, at most `LONGEST_SIDE` wide or high."""
    # Our own bound is looked at first; the library's would only warn.
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            if picture.width * picture.height > PIXELS:
                raise Refused("pixels")
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture.seek(0)
            picture.load()
            return _written(picture)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError):
        raise Refused("damaged") from None


def _written(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    flat = picture.format == "JPEG"
    shown = upright.convert("RGB" if flat else "RGBA")
    shown.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    # A new image from the bare pixels: `info` (ICC profiles, comments, EXIF) is not carried over.
    bare = Image.frombytes(shown.mode, shown.size, shown.tobytes())
    if flat:
        bare.save(out, "JPEG", quality=QUALITY, progressive=True)
    else:
        bare.save(out, "PNG")
    return out.getvalue()
