# SPDX-License-Identifier: EUPL-1.2
"""The only door to pycrdt: shared documents with texts and maps, their updates, undo and sticky positions.

Positions in a text are UTF-8 bytes here, as in the CRDT; app/core/text_units.py converts. Not thread safe: one
document belongs to the event loop. pycrdt panics with a BaseException subclass on wrong ranges and some bad input;
none of that passes this package: it becomes a `DamagedUpdate` or a `BugError`, and the document stays usable.
"""

from app.objects.crdt.change import LOCAL, REMOTE, SETUP, STORED, UNDO, Attributes, Origin, Path, TextOp, Update, Value
from app.objects.crdt.document import CrdtDoc, UndoSteps
from app.objects.crdt.library import load
from app.objects.crdt.map import CrdtMap
from app.objects.crdt.panics import DamagedUpdate
from app.objects.crdt.text import CrdtText
from app.objects.crdt.updates import checking, is_short_state, is_update, may_be_kept, merged
from app.objects.crdt.values import MAX_DEPTH

__all__ = [
    "LOCAL",
    "MAX_DEPTH",
    "REMOTE",
    "SETUP",
    "STORED",
    "UNDO",
    "Attributes",
    "CrdtDoc",
    "CrdtMap",
    "CrdtText",
    "DamagedUpdate",
    "Origin",
    "Path",
    "TextOp",
    "UndoSteps",
    "Update",
    "Value",
    "checking",
    "is_short_state",
    "is_update",
    "load",
    "may_be_kept",
    "merged",
]
