# SPDX-License-Identifier: EUPL-1.2
"""A text of a shared document."""

from typing import Any, cast

from app.core.signal import Signal
from app.errors import BugError
from app.objects.crdt.change import Attributes, Origin, TextOp
from app.objects.crdt.holder import Holder
from app.objects.crdt.library import pycrdt
from app.objects.crdt.panics import DamagedUpdate, panics
from app.objects.crdt.values import attrs_of, text_op
from app.objects.sticky import clock_in, is_sticky, item_of


class CrdtText:
    """A root text of a shared document; its characters have attributes such as bold. Positions and lengths are UTF-8
    bytes and must lie between characters."""

    def __init__(self, doc: Holder, name: str) -> None:
        self.changed: Signal[tuple[TextOp, ...], Origin] = Signal()
        """After each transaction that changed this text."""
        self._doc = doc
        self._name = name
        self.rebind()

    @property
    def shared(self) -> "pycrdt.Text":
        """pycrdt's own text, for this package's classes. BugError after the document's `close`."""
        if self._text is None:
            raise BugError("closed")
        return self._text

    def __str__(self) -> str:
        return str(self.shared)

    def runs(self) -> list[tuple[str, dict[str, Any]]]:
        """The text in stretches of equal attributes, as (text, attributes). Anything embedded that we do not know is
        one U+FFFC."""
        return [(x if isinstance(x, str) else "\ufffc", attrs_of(a)) for x, a in self.shared.diff()]

    def insert(self, pos: int, text: str, attrs: Attributes | None = None) -> None:
        """Inserts `text` at byte position `pos` with exactly these attributes (None: without any), whatever the text
        beside it has. `pos` must be between two characters or at an end: any other is not refused, and the text is
        inserted elsewhere."""
        self.shared.insert(pos, text, dict(attrs or {}))

    def delete(self, pos: int, length: int) -> None:
        """Removes `length` bytes from byte position `pos` on; nothing if `length` is 0 or less. Both ends must be
        between characters; otherwise more is removed. If the text has fewer bytes, those are removed, and pycrdt
        panics, which is BugError within the document's `transact`."""
        if length > 0:
            del self.shared[pos : pos + length]

    def format(self, pos: int, length: int, attrs: Attributes) -> None:
        """Sets attributes on `length` bytes from byte position `pos` on; None takes an attribute away. Does nothing if
        `length` is 0 or less, or `attrs` is empty. Both ends must be between characters; otherwise more is formatted.
        Bytes beyond the text's end are ignored."""
        if length > 0 and attrs:
            self.shared.format(pos, pos + length, dict(attrs))

    def sticky(self, pos: int, *, before: bool = False) -> bytes:
        """Makes a position that moves with the text when others edit it. It is attached to the character after byte
        `pos`, or with `before` to the one before it. b"" in an empty text; BugError for its end without `before`, and
        for a position beyond its end."""
        if not len(self.shared):
            return b""  # pycrdt panics: there is nothing to hold on to
        assoc = pycrdt.Assoc.BEFORE if before else pycrdt.Assoc.AFTER
        with panics(BugError, "position"):
            return self.shared.sticky_index(pos, assoc).encode()

    def resolve(self, sticky: bytes) -> int | None:
        """The byte position at which a sticky position is now; None if it is damaged, or attached to a character that
        is not here (it came from another device).

        ▲ pycrdt is not called for an item that is not here. It would panic, which takes a hundred times as long as an
        answer and writes to standard error. A colleague's caret is often received before the letter to which it is
        attached.
        """
        if not is_sticky(sticky):
            return None
        item = item_of(sticky)
        if item is not None and item[1] >= clock_in(self._doc.state(), item[0]):
            return None
        try:
            with panics(DamagedUpdate, "position"):
                return int(pycrdt.StickyIndex.decode(sticky, self.shared).get_index())
        except DamagedUpdate:
            return None

    def rebind(self) -> None:
        """Finds the text in the document again, after the document was rebuilt, and subscribes to its changes."""
        text = cast("pycrdt.Text", self._doc.shared[self._name])
        self._text: pycrdt.Text | None = text
        self._doc.observers.add(text, text.observe, self._on_event)

    def release(self) -> None:
        """Lets go of the text: the document was closed."""
        self._text = None

    def _on_event(self, event: Any) -> None:
        ops, origin = tuple(text_op(op) for op in event.delta), self._doc.origin
        self._doc.later(lambda: self.changed.emit(ops, origin))
