# SPDX-License-Identifier: EUPL-1.2
"""Logs by subject, holding only what may be read by anybody: ids, counts, sizes, durations, codes.

Never titles, texts, names, addresses, keys, content paths or SQL parameters: a field that is not a number, an id or a
short code is written as "?", and of an exception only its type and places are written, not its message.
"""

import logging
import re
import threading
import traceback
from collections.abc import Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path

SUBJECTS = ("sync", "store", "crypto", "ui")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,39}")

_CAUSES = 4
"""How many errors are written: an exception, and those that it was raised from."""
_IN_PLACES = "._-\\"
_PLACE_CHARS = 80


class Place(str):
    """A text that a log may have although it is no code: the name of a file or registry key that an administrator made.
    Written with its letters, digits and ._-\\, "_" for any other sign, and at most 80 characters. Never for a name that
    a person gave to their own files."""

    __slots__ = ()


Field = int | float | bytes | str | bool | None

_whole = threading.RLock()
"""Held while the lines of one entry are written: otherwise another thread's lines come between an error and the places
where it was raised."""


class Subject:
    """The logger of one subject. Each entry has an event and fields: `log.store.info("opened", version=1, ms=4)`. Only
    numbers, ids (their first 4 bytes), short codes and a `Place` are written; any other text, also as the event,
    becomes "?"."""

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: Field) -> None:
        """Logs a step that only a developer follows."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Field) -> None:
        """Logs a normal milestone."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Field) -> None:
        """Logs something odd that was handled."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Field) -> None:
        """Logs a failure of which a person was or should be notified."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, error: BaseException, **fields: Field) -> None:
        """Logs `error`, which was not expected, under the short code `event` and with `fields`: its type and the places
        where it was raised, the same for the errors that it was raised from; never a message."""
        with _whole:
            self._logger.error("%s", _line(event, {**fields, "type": type(error).__name__, "code": _code(error)}))
            for line in places(error):
                self._logger.error("%s", line)

    def _write(self, level: int, event: str, fields: dict[str, Field]) -> None:
        if self._logger.isEnabledFor(level):
            with _whole:
                self._logger.log(level, "%s", _line(event, fields))


sync = Subject("sync")
store = Subject("store")
crypto = Subject("crypto")
ui = Subject("ui")


class _Formatter(logging.Formatter):
    """Formats a line of the log: time, level, subject, text. If an exception is logged with it, lines for its type and
    the places where it was raised follow, never its message."""

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        if not isinstance(error, BaseException):
            return ""
        return "\n".join([f"    {type(error).__name__}", *places(error)])


def places(error: BaseException) -> Iterator[str]:
    """Yields where an error was raised: a line for each call, with the file's name, the number of the line and the
    function, the innermost last. Then the same for the error that it was raised from, at most _CAUSES errors in all."""
    found: BaseException | None = error
    for number in range(_CAUSES):
        if found is None:
            return
        if number:
            yield f"    from {type(found).__name__}"
        for frame, line in traceback.walk_tb(found.__traceback__):
            yield f"    at {file_name(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def file_name(path: str) -> str:
    """The last part of a path of any system: the folders may be named after a person."""
    return path.replace("\\", "/").rpartition("/")[2]


def start(folder: Path, level: str = "info") -> None:
    """Writes all subjects to the file kansli.log in `folder` (3 files of 1 MB). `level`: the least that is written:
    "warning", "info" or "debug". A second call moves to the new folder. Makes the folder if there is none; OSError if
    that fails. ValueError for another level."""
    stop()
    folder.mkdir(parents=True, exist_ok=True)
    file = RotatingFileHandler(folder / "kansli.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True)
    file.setFormatter(_Formatter("%(asctime)s %(levelname).1s %(name)s %(message)s"))
    for name in SUBJECTS:
        logging.getLogger(name).addHandler(file)
    set_level(level)


def set_level(level: str) -> None:
    """Sets the least `level` that is written from now on, until the log is closed or opened again: "warning", "info"
    or "debug". ValueError for another one."""
    for name in SUBJECTS:
        logging.getLogger(name).setLevel(level.upper())


def stop() -> None:
    """Ends the log: closes its files and forgets the level that was set. A second call does nothing."""
    for name in SUBJECTS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.NOTSET)
        for handler in [h for h in logger.handlers if isinstance(h, RotatingFileHandler)]:
            logger.removeHandler(handler)
            handler.close()


def _line(event: str, fields: dict[str, Field]) -> str:
    return " ".join([_plain(event), *(f"{name}={_plain(value)}" for name, value in fields.items())])


def _plain(value: Field) -> str:
    match value:
        case bool() | None:
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"{value:.1f}"
        case bytes():
            return value[:4].hex()
        case Place():
            return "".join(c if c.isalnum() or c in _IN_PLACES else "_" for c in value[:_PLACE_CHARS])
        case str():
            return value if _CODE.fullmatch(value) else "?"


def _code(error: BaseException) -> str | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, str) else None
