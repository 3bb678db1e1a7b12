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
"""The maker of a transaction. Undo follows origins; updates of REMOTE are not sent on."""

LOCAL = Origin("local")
"""My own edits: sent, and undone by my Ctrl+Z."""
SETUP = Origin("setup")
"""What the program writes on my behalf (a new document's first lines): sent, never undone."""
REMOTE = Origin("remote")
"""Updates from the store or from colleagues: not sent on."""
UNDO = Origin("undo")
"""What my undo and redo did: sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOp:
    """One step of a text's change, Quill style. Exactly one of `retain`, `delete` (UTF-8 bytes), `insert` is set."""

    retain: int = 0
    delete: int = 0
    insert: str = ""
    attrs: Attributes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """The bytes of one finished transaction, and whose it was."""

    data: bytes
    origin: Origin
