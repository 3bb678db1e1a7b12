# SPDX-License-Identifier: EUPL-1.2
"""Reads a PNG or JPEG with Pillow, in the process that reads this file alone.

Pillow's reader of the one format is called by its class; `Image.open` would try other formats. Qt's readers are not
used: they scale in threads, which this process may not start, and `app/` does not import Qt.
"""

import io
from contextlib import suppress

from PIL import Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin

from app.viewing.errors import ViewDamaged, ViewTooLarge
from app.viewing.kinds import JPEG, PNG
from app.viewing.limits import MAX_PIXELS, MAX_SCANS

_EXIF = TiffImagePlugin.ImageFileDirectory_v2
"""The class with which Pillow reads a photo's orientation. Pillow would import it at the first photo, when the process
may no longer open files."""
_ORIENTATION = 0x0112
_TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_QUARTERS = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}

Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS is checked instead, before anything is decoded


class PictureReader:
    """A picture as a file of one page. `kind`: PNG or JPEG. The whole picture is decoded at once. ViewTooLarge, before
    anything is decoded; ViewDamaged."""

    cut = False
    pages = 1

    def __init__(self, kind: str, data: bytes) -> None:
        try:
            self._image = _flat(_upright(_opened(kind, data)))
        except (MemoryError, ViewTooLarge):
            raise
        except Exception as e:  # Pillow raises OSError, SyntaxError, ValueError, struct.error, zlib.error and more
            raise ViewDamaged from e

    def sizes(self, first: int) -> list[tuple[float, float]]:
        """The (width, height) of the picture in pixels, upright, as the only item; [] if `first` is not 0."""
        return [] if first else [(float(self._image.width), float(self._image.height))]

    def render(self, page: int, width: int, height: int, box: tuple[int, int, int, int], turn: int) -> bytes:
        """Paints a piece of the picture; see `PdfReader.render`. `page` is ignored."""
        image = self._image
        left, top, wide, high = _unturned(box, width, height, turn)
        full = (width, height) if turn % 2 == 0 else (height, width)
        across, down = image.width / full[0], image.height / full[1]
        source = (left * across, top * down, (left + wide) * across, (top + high) * down)
        piece = image.resize((wide, high), Image.Resampling.BILINEAR, box=_within(source, image.size))
        if turn:
            piece = piece.transpose(_QUARTERS[turn])
        return piece.tobytes("raw", "BGRX")


def _opened(kind: str, data: bytes) -> ImageFile.ImageFile:
    """Reads the picture's size and decodes nothing. ViewTooLarge."""
    if kind == JPEG and data.count(b"\xff\xda") > MAX_SCANS:
        raise ViewTooLarge
    file = io.BytesIO(data)
    image = PngImagePlugin.PngImageFile(file) if kind == PNG else JpegImagePlugin.JpegImageFile(file)
    if image.width * image.height > MAX_PIXELS[kind]:
        raise ViewTooLarge
    return image


def _upright(image: Image.Image) -> Image.Image:
    """Decodes the picture, and turns a photo upright by the orientation that its camera noted."""
    turned = None
    with suppress(Exception):  # a note that cannot be read is none
        turned = _TURNED.get(image.getexif().get(_ORIENTATION, 1))
    image.load()
    return image if turned is None else image.transpose(turned)


def _flat(image: Image.Image) -> Image.Image:
    """Converts a picture to RGB, with white where it is transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey: the upper half of each
        wide = image.convert("I")
        image = Image.frombytes("L", image.size, wide.tobytes()[1::4])
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        flat = Image.new("RGB", image.size, "white")
        flat.paste(clear, mask=clear.getchannel("A"))
        return flat
    return image.convert("RGB")


def _unturned(box: tuple[int, int, int, int], width: int, height: int, turn: int) -> tuple[int, int, int, int]:
    """Converts a piece (left, top, width, height) of the turned picture into one of the picture before its turn.
    `width` and `height`: the size of the turned picture."""
    left, top, wide, high = box
    match turn:
        case 1:
            return top, width - left - wide, high, wide
        case 2:
            return width - left - wide, height - top - high, wide, high
        case 3:
            return height - top - high, left, high, wide
    return box


def _within(source: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The rectangle (left, top, right, bottom), cut to the picture: rounding may have moved it outside."""
    x0, y0, x1, y1 = source
    return max(0.0, x0), max(0.0, y0), min(float(size[0]), x1), min(float(size[1]), y1)


def warm_up() -> None:
    """Reads a small picture of each kind, so that Pillow has imported everything before the process may no longer open
    files."""
    for kind, name in ((PNG, "PNG"), (JPEG, "JPEG")):
        held = io.BytesIO()
        Image.new("RGB", (2, 2)).save(held, name)
        PictureReader(kind, held.getvalue()).render(0, 2, 2, (0, 0, 2, 2), 1)
