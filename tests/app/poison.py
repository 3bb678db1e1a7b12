# SPDX-License-Identifier: EUPL-1.2
"""Updates that end a process or keep it busy, as the security audit found them, and honest ones beside them.

The grammar takes none of the audit's (they are void), so that what the worker is for is tried with `FATAL`: a change
that is well-formed, and of which a worker started with MORTAL dies as of a fault in native code.
"""

from typing import Any

import pycrdt

from app.objects import pieces
from app.richtext.model import Document

FATAL = "Här tar det slut"
MORTAL = f"""
import os
from app.objects.crdt import CrdtDoc
from app.worker import serve
apply = CrdtDoc.apply
def dies(self, updates):
    return os.abort() if any({FATAL!r}.encode() in update for update in updates) else apply(self, updates)
CrdtDoc.apply = dies
serve.main()
"""
"""What a worker runs that dies of FATAL: `[sys.executable, "-c", MORTAL]`."""
TAKES_US = 400_000
SLOW = f"""
from app.objects.crdt import CrdtDoc
from app.worker import serve
spent, apply = [0], CrdtDoc.apply
def slowly(self, updates):
    spent[0] += sum({TAKES_US} * update.count({FATAL!r}.encode()) for update in updates)
    return apply(self, updates)
CrdtDoc.apply, serve.clock_us = slowly, lambda: spent[0]
serve.main()
"""
"""Code for a worker in which only FATAL takes time, wherever it is in an update: TAKES_US each time."""
SEEDS = (
    bytes.fromhex(
        "010502000401017803610a62080105626f61726400880205037add923520c3ff50f9760201617d000162787a702c1a9841c4"
        "c00c49020504677569647e000300"
    ),
    bytes.fromhex(
        "020302050080808080088801030375007b08422d15eb64a5087b523608d21fe5aa55890300046775696479020201810103028103040100"
    ),
)
"""64 and 55 bytes. In this order they end a bare pycrdt.Doc (audit finding 1 b)."""
DEEP = 90_000
"""Levels of a list in 180,050 bytes that overflow the stack of yrs' decoder (audit finding 1 a)."""


def deep_update(root: str, levels: int = DEEP) -> bytes:
    """An update that sets a key of a root map to a list in a list in a list."""
    name = root.encode()
    item = bytes((0x28, 1, len(name))) + name + b"\x05title" + b"\x01" + b"\x75\x01" * levels + b"\x7e"
    return b"\x01\x01\x01\x00" + item + b"\x00"


def written(root: str, key: str, value: object) -> bytes:
    """An honest update that sets one key of a root map."""
    doc: pycrdt.Doc[Any] = pycrdt.Doc()
    found: pycrdt.Map[Any] = pycrdt.Map()
    doc[root] = found
    found[key] = value
    return doc.get_update()


def fatal(root: str) -> bytes:
    """An update by the grammar of which a MORTAL worker dies."""
    return written(root, "k", {"title": FATAL, "t": 1})


class Writer:
    """A colleague who types in a document: each call gives the data of one change more."""

    def __init__(self, title: str = "Beslut om tillsyn å 🙂") -> None:
        self._updates: list[bytes] = []
        self.document = Document(self._updates.append)
        self.document.set_up(title)

    def take(self) -> list[bytes]:
        """The data of what was written since the last call."""
        taken = list(self._updates)
        self._updates.clear()
        return [data for update in taken for data in pieces.encode(update)]

    def types(self, text: str) -> bytes:
        """The data of one change that adds text at the end."""
        self.document.splice(self.document.length_utf16, 0, text)
        (data,) = self.take()
        return data
