# SPDX-License-Identifier: EUPL-1.2
"""Inter, shipped with the program, in the few sizes and weights that are used.

As TrueType, not OpenType/CFF: Qt darkens the stems of CFF outlines and blends them by a gamma, which makes the same
weight look bolder in dark themes than in light ones.
"""

from functools import cache, lru_cache

from PySide6.QtGui import QFont, QFontDatabase

from resources import path
from ui.kit import scale

FAMILY = "Inter"
BASE_PX = 13.5
TITLE_PX = 17
SMALL_PX = 12
TINY_PX = 11

_FILES = ("Regular", "Medium", "SemiBold", "Bold", "Italic", "BoldItalic")


@cache
def load_fonts() -> tuple[int, ...]:
    """Registers Inter with Qt; once per process. Returns Qt's ids."""
    return tuple(QFontDatabase.addApplicationFont(str(path(f"fonts/Inter-{name}.ttf"))) for name in _FILES)


@lru_cache(maxsize=128)
def _font(size_px: float, weight: int, italic: bool) -> QFont:
    result = QFont(FAMILY)
    # Points, because Qt's pixel sizes are integers: 13.5 px = 10.125 pt at 96 dpi.
    result.setPointSizeF(size_px * 0.75)
    result.setWeight(QFont.Weight(weight))
    result.setItalic(italic)
    result.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    result.setStyleStrategy(QFont.StyleStrategy.PreferAntialias)
    return result


def font(size_px: float = BASE_PX, weight: int = 400, *, italic: bool = False) -> QFont:
    """The program's font in the size `size_px` at 100 % (may be fractional) and a `weight` (400, 500, 600 or 700),
    upright or `italic`, made larger by the text size in force. A fresh copy, which the caller may change."""
    return QFont(_font(size_px * scale.ratio(), weight, italic))
