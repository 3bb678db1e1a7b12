# SPDX-License-Identifier: EUPL-1.2
"""The effect of others' operations on the characters that they touch, and the edits that a view must make."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.text_units import utf8_len, utf16_len
from app.objects.crdt import TextOp
from app.richtext.flow import Cell, Edit, Marks

FAR = 512
"""Operations with more unchanged bytes than this between them go into different stretches."""


def stretches(ops: Sequence[TextOp]) -> list[tuple[int, list[TextOp]]]:
    """Groups the operations of a change that are close together. Returns (start, operations) of each group, in order;
    `start` is in UTF-8 bytes of the text before the operations.

    ▲ The unchanged text between two groups need not be walked over. Otherwise an update of 47 bytes that touches both
    ends of a document of 500,000 characters would stop the program of everybody who has the document open for 5 s.
    """
    found: list[tuple[int, list[TextOp]]] = []
    at, apart = 0, True
    for op in ops:
        if op.retain and not op.attrs and (apart or op.retain > FAR):
            apart = True
        elif apart:
            found.append((at, [op]))
            apart = False
        else:
            found[-1][1].append(op)
        at += op.retain + op.delete
    return found


class Merge:
    """Applies the operations of a colleague's change to the characters that they touch. Afterwards `out` has the new
    characters and `edits` the edits that a view must make. `items`: the characters; `utf16_start`: where they begin in
    the text; `open_end`: the last of them is a newline that the CRDT does not have."""

    def __init__(self, items: list[Cell], *, utf16_start: int, open_end: bool) -> None:
        self._items = items[:-1] if open_end else items
        self._at = 0
        self._pos = utf16_start
        self.out: list[Cell] = []
        self.edits: list[Edit] = []
        self.kept_last = False
        """Whether the last newline is still the last character."""

    def run(self, skip: int, ops: Sequence[TextOp]) -> None:
        """Applies the operations, the first of which is `skip` UTF-8 bytes into the characters. Call it once."""
        self._keep(skip, None)
        for op in ops:
            if op.retain:
                self._keep(op.retain, op.attrs)
            elif op.delete:
                self._drop(op.delete)
            else:
                self._add(op.insert, op.attrs or {})
        self.kept_last = self._at < len(self._items)
        rest = self._items[self._at :]
        self.out += rest

    def _keep(self, size: int, attrs: Mapping[str, Any] | None) -> None:
        while size > 0 and self._at < len(self._items):
            char, own = self._items[self._at]
            if attrs:
                own = own.with_attrs(attrs) if isinstance(own, Marks) else _merged(own, attrs)
            self.out.append((char, own))
            self._at += 1
            size -= utf8_len(char)
            self._pos += utf16_len(char)

    def _drop(self, size: int) -> None:
        begin = self._at
        while size > 0 and self._at < len(self._items):
            size -= utf8_len(self._items[self._at][0])
            self._at += 1
        gone = "".join(char for char, _ in self._items[begin : self._at])
        self._note(utf16_len(gone), "")

    def _add(self, text: str, attrs: Mapping[str, Any]) -> None:
        marks, raw = Marks().with_attrs(attrs), _merged({}, attrs)
        self.out.extend((char, raw if char == "\n" else marks) for char in text)
        self._note(0, text)
        self._pos += utf16_len(text)

    def _note(self, removed: int, text: str) -> None:
        """Adds an edit at the present position: `removed` UTF-16 units replaced by `text`. A deletion and an insertion
        at one place become one replacement, so that an editor can distinguish text that replaces a selection's edge
        from text inserted within the selection."""
        if self.edits:
            pos, before, put = self.edits[-1]
            if pos + utf16_len(put) == self._pos:
                self.edits[-1] = Edit(pos, before + removed, put + text)
                return
        self.edits.append(Edit(self._pos, removed, text))


def _merged(own: Mapping[str, Any], attrs: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in {**own, **attrs}.items() if value is not None}
