# SPDX-License-Identifier: EUPL-1.2
"""Sizes of files as people read them: 820 B, 12 kB, 1,8 MB."""

from ui.kit.translate import language


def size_text(size_bytes: int) -> str:
    """A number of bytes as text: 820 B, 12 kB, 1,8 MB. Decimal units, one decimal from MB on, in Swedish with a
    comma."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    if size_bytes < 999_500:
        return f"{round(size_bytes / 1000)} kB"
    for unit, step in (("MB", 10**6), ("GB", 10**9)):
        if size_bytes < 999.95 * step or unit == "GB":
            text = f"{size_bytes / step:.1f} {unit}"
            break
    return text.replace(".", ",") if language() == "sv" else text
