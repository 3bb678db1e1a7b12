# SPDX-License-Identifier: EUPL-1.2
"""The code of an exception, as support and the log name it."""

import re
import traceback
from types import FrameType

from app.core import log
from app.errors import is_ours

_OURS = ("ui", "app", "sync")
_STEM_CHARS = 24


def code_of(error: BaseException) -> str:
    """The code of an exception, for support and the log. It is stable for errors of the world outside the program. For
    any other exception, a fault of our own code, it is where the exception was raised: file and line of the innermost
    call in our code, or of the innermost call if none is ours, for example "bug-kanban-165"; "bug" if it was never
    raised."""
    if not is_ours(error):
        return str(getattr(error, "code", "bug"))
    own, every = in_ours(error), list(traceback.walk_tb(error.__traceback__))
    if not every:
        return "bug"
    frame, line = (own or every)[-1]
    stem = re.sub(r"[^A-Za-z0-9_]", "-", log.file_name(frame.f_code.co_filename).removesuffix(".py"))
    return f"bug-{stem[:_STEM_CHARS]}-{line}"


def in_ours(error: BaseException) -> list[tuple[FrameType, int]]:
    """The calls in our own code that an exception went through, as (frame, line number), the innermost last; [] if
    there were none."""
    frames = traceback.walk_tb(error.__traceback__)
    return [found for found in frames if str(found[0].f_globals.get("__name__", "")).partition(".")[0] in _OURS]
