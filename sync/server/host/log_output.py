# SPDX-License-Identifier: EUPL-1.2
"""The log: lines on standard error, for people or as JSON, and a file of bounded size. Ids, counts, sizes, codes.

Of an exception the class and the place where it was raised are logged, never its message: the message could contain
what a client sent. No address is logged.
"""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from types import TracebackType

from sync.server.config import Config

_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""Syslog's priorities: the journal reads <n> at the beginning of a line."""
_FRAMES = 12
_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


@contextlib.contextmanager
def logging_as(config: Config, *, to_file: bool) -> Iterator[None]:
    """Until the block ends, writes what is logged to standard error, in the level and form that `config` sets (but
    administrators' commands at any level, and of some libraries only warnings or errors). The block's end restores the
    levels of before.

    `to_file`: also to the configuration's log file, if it names one; OSError if that cannot be opened. Only one process
    at a time may: the file is renamed when it is full.
    """
    root, ours, handlers = logging.getLogger(), logging.getLogger("sync.server"), _handlers(config, to_file)
    admins = logging.getLogger("sync.server.admin")
    before = root.level, ours.level, admins.level
    root.setLevel(config.log_level)
    ours.setLevel(config.log_level)  # whatever level a client in the same process sets for "sync"
    admins.setLevel(logging.INFO)  # at any configured level
    for name in ("websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.ERROR)  # it warns of each odd request, and strangers make those
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before[0])
        ours.setLevel(before[1])
        admins.setLevel(before[2])
        for handler in handlers:
            root.removeHandler(handler)
            with contextlib.suppress(OSError):  # a full disk: the last lines are on standard error all the same
                handler.close()


def _handlers(config: Config, to_file: bool) -> list[logging.Handler]:
    form = _Json() if config.log_format == "json" else _Text()
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_Journal(form) if _in_journal() else form)
    if not to_file or config.log_file is None:
        return [console]
    file = _File(config.log_file, "a", config.log_file_bytes, config.log_files_kept, "utf-8")
    file.setFormatter(form)
    return [console, file]


def _in_journal() -> bool:
    """Whether standard error goes to systemd's journal, which adds times itself: then log lines have no time. systemd
    names the journal's stream in JOURNAL_STREAM, which is compared with standard error. False if standard error is no
    file."""
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class _File(RotatingFileHandler):
    """A log file that rotates by itself, so that no other program has to signal the server. If a line cannot be
    written, as on a full disk, no error is raised: the line is still on standard error."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class _Json(logging.Formatter):
    """Formats a record as a JSON object on one line: time (UTC), level, subject (the logger's name), message, and an
    exception's class and places. Never an exception's message: it could have what a client sent."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": at, "level": record.levelname, "subject": record.name, "message": record.getMessage()}
        if record.exc_info:
            fields["error"] = _places(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


class _Text(logging.Formatter):
    """Formats a record as one line: time, subject, level, message, and an exception's class and places."""

    def __init__(self, form: str = "%(asctime)s %(name)s %(levelname)s %(message)s") -> None:
        super().__init__(form)

    def format(self, record: logging.LogRecord) -> str:
        line = self._style.format(self._prepared(record))
        return f"{line}: {_places(record.exc_info)}" if record.exc_info else line

    def _prepared(self, record: logging.LogRecord) -> logging.LogRecord:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        return record


class _Journal(logging.Formatter):
    """Formats a log record for systemd's journal: its priority first (`<6>`), and no time in a text line, since the
    journal has it. `form` is the formatter for all other outputs. If that is JSON, its lines are used here too, with
    their time; otherwise a text line is made here."""

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._form = form if isinstance(form, _Json) else _Text("%(name)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        return f"<{_PRIORITY.get(record.levelno, 6)}>{self._form.format(record)}"


def _places(raised: _Raised) -> str:
    """The class of an exception, then the places of its traceback (file, line, function), the innermost first, at most
    twelve. `raised`: (class, exception, traceback), as a log record has it; "nothing" if they are None. The exception's
    message is left out, since it could have what a client sent."""
    kind, _, trace = raised
    places: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")  # noqa: PTH119 - no Path
        trace = trace.tb_next
    name = kind.__name__ if kind is not None else "nothing"
    return " < ".join([name, *reversed(places[-_FRAMES:])])
