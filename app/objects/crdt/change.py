# SPDX-License-Identifier: EUPL-1.2
"""What changes a document: who made a transaction, its bytes, and the steps in a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, TypeAlias

Value: TypeAlias = "str | int | float | bool | bytes | list[Value] | dict[str, Value] | None"
"""What a map may hold. A dict put into a map becomes a nested map, merged key by key; a list is one whole value."""

Attributes: TypeAlias = Mapping[str, "str | int | bool | None"]
"""Attributes of a text's characters; None takes one away."""

Path: TypeAlias = tuple[str, ...]

Origin = NewType("Origin", str)
"""The maker of a transaction. Undo follows origins; updates of REMOTE and STORED are not sent on."""

LOCAL = Origin("local")
"""My own edits: sent, and undone by my Ctrl+Z."""
SETUP = Origin("setup")
"""What the program writes on my behalf (a new document's first lines): sent, never undone."""
REMOTE = Origin("remote")
"""Updates from the store or from colleagues: not sent on."""
STORED = Origin("stored")
"""Edits of mine that were stored before they were merged here: not sent on, and undone by my Ctrl+Z."""
UNDO = Origin("undo")
"""What my undo and redo did: sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOp:
    """One step of a change to a text, in the style of Quill. Exactly one is set: `retain` (skip so many UTF-8 bytes),
    `delete` (remove so many), or `insert` (add this text). `attrs`: the attributes that are set on the skipped or added
    text; a value of None takes one away."""

    retain: int = 0
    delete: int = 0
    insert: str = ""
    attrs: Attributes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The update that one finished transaction made, as bytes, and who made the transaction."""

    data: bytes
    origin: Origin
