# SPDX-License-Identifier: EUPL-1.2
"""Finds the sentence of a code or an exception. The sentences are in the tables beside this module."""

from typing import NamedTuple

from app.core import log
from app.core.i18n import tr
from app.core.visible import one_line
from app.errors import FileFault, is_ours
from ui.errors.cards import CARDS
from ui.errors.codes import code_of
from ui.errors.connection import CONNECTION
from ui.errors.conversion import CONVERSION
from ui.errors.copies import COPIES
from ui.errors.devices import DEVICES
from ui.errors.egress import EGRESS
from ui.errors.office import OFFICE
from ui.errors.pruning import PRUNING
from ui.errors.recovery import RECOVERY
from ui.errors.row import Row, Rows
from ui.errors.storage import STORAGE
from ui.errors.trust import TRUST
from ui.errors.unlocking import UNLOCKING
from ui.errors.viewing import VIEWING

_NAME_CHARS = 60
"""The most characters of a file's name in a sentence."""

_TECHNICAL = {
    "invalid", "sync", "world", "need-log", "internal-error", "bad-state", "chain",
    "format",
}  # fmt: skip
"""Codes of broken rules that only support can use: they share one sentence."""


def _unknown() -> Row:
    return (
        tr("Something was not as it should be."),
        tr("It has been stopped, and what you have written is kept."),
        tr("Try again. If it happens again, give IT support the code below."),
    )


_ROWS: Rows = {
    **UNLOCKING,
    **CARDS,
    **STORAGE,
    **CONVERSION,
    **VIEWING,
    **COPIES,
    **OFFICE,
    **CONNECTION,
    **EGRESS,
    **DEVICES,
    **RECOVERY,
    **TRUST,
    **PRUNING,
    **dict.fromkeys(_TECHNICAL, _unknown),
}


class Sentence(NamedTuple):
    """The text about an error, in the language in force: what happened, what it means for the work, and what to do."""

    title: str
    meaning: str
    action: str

    @property
    def text(self) -> str:
        """All three sentences in one line of text."""
        return f"{self.title} {self.meaning} {self.action}"


def sentences() -> dict[str, Row]:
    """Every code's sentence, in the language in force."""
    return {code: row() for code, row in _ROWS.items()}


def sentence(code: str, **context: object) -> Sentence:
    """The text about the error with this code; for an unknown code a general one. `context`: values for the text's
    placeholders by name, such as address="…". If none are given, placeholders stay as they are."""
    found = _ROWS.get(code, _unknown)()
    return Sentence(*(part.format(**context) if context else part for part in found))


def sentence_of(error: BaseException) -> Sentence:
    """The text about an exception, by its code, with the name of the file that it is about, if it has one. A fault of
    our own code has the general text."""
    found = sentence(code_of(error), **_context(error))
    if not isinstance(error, FileFault) or not error.file:
        return found
    named = tr("“{name}”: {sentence}").format(name=one_line(error.file, _NAME_CHARS), sentence=found.title)
    return found._replace(title=named)


def format_error(error: BaseException, prefix: str = "", more: str = "") -> tuple[str, str]:
    """Returns (the text about an exception, in one line, with `more` after it; the exception's code). A view's own text
    for the code is preferred: the one whose code begins with `prefix`, for example "join-". A fault of our own code
    is written to the log."""
    code = code_of(error)
    if is_ours(error):
        log.ui.exception("shown-in-place", error)
    shown = sentence(prefix + code if prefix + code in _ROWS else code, **_context(error)).text
    return f"{shown} {more}".rstrip(), code


def _context(error: BaseException) -> dict[str, object]:
    """The values of the placeholders in the text about an exception, by name: "address", if the exception has one;
    otherwise none."""
    address = getattr(error, "address", None)
    return {"address": address} if isinstance(address, str) else {}
