# SPDX-License-Identifier: EUPL-1.2
"""The layouts of the messages that were seen last, and the heights of all."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from app.core.ids import ChangeId
from ui.chat.heights import Heights
from ui.chat.item_model import TimelineModel
from ui.chat.message_layout import MessageLayout
from ui.chat.things import Things
from ui.kit.scale import px

GUESS_PX = 58
LAYOUTS_KEPT = 400


class Layouts:
    """The layouts of a conversation's messages, made when they are asked for, and the heights of all rows in pixels;
    that of a row which was never laid out is guessed. Only the 400 layouts that were made last are kept. `things` finds
    what messages link to."""

    def __init__(self, model: TimelineModel, things: Things, viewport: QWidget) -> None:
        """`model` has the messages, `things` finds what they link to. They are laid out as wide as the `viewport`."""
        self._chat = model
        self._things = things
        self._viewport = viewport
        self._kept: OrderedDict[int, MessageLayout] = OrderedDict()
        self._marked: tuple[ChangeId | None, Sequence[str]] = (None, ())
        self._unfolded = set[object]()
        """The keys of lines beside messages that the person has unfolded."""
        self.heights = Heights(model.rowCount(), px(GUESS_PX))

    def __len__(self) -> int:
        return len(self.heights)

    def at(self, row: int) -> MessageLayout:
        """The layout of the message in this row (from 0), made now if it is not kept or not as wide as the viewport.
        Its height replaces the guess in `heights`. IndexError for no such row."""
        layout = self._kept.get(row)
        width = self._viewport.width()
        if layout is None or layout.width != width:
            timeline = self._chat.timeline
            message, place = timeline.message(row), timeline.place(row)
            words = self._marked[1] if self._marked[0] == message.change_id else ()
            layout = MessageLayout(message, place, width, self._chat.people, self._things, words, self._unfolded)
            self._kept[row] = layout
            if len(self._kept) > LAYOUTS_KEPT:
                self._kept.popitem(last=False)
        if self.heights[row] != layout.height:
            self.heights[row] = layout.height
        return layout

    def height(self, row: int) -> int:
        """The height of a row, which is laid out for it."""
        return self.at(row).height

    def unfold(self, row: int, number: int) -> None:
        """Unfolds the line with the index `number` beside the message in this row, or folds it again."""
        lines = self.at(row).lines
        if number < len(lines):
            self._unfolded ^= {lines[number].key}
            self.forget(row, row)

    def mark(self, change_id: ChangeId | None, words: Sequence[str]) -> None:
        """Marks the `words` of a search in the message with this id, and no words in any other, until the next call.
        None: in no message."""
        changed = {self._marked[0], change_id} - {None}
        self._marked = change_id, words
        self.forget_where(lambda layout: layout.message.change_id in changed)

    def forget(self, first: int, last: int) -> None:
        """Drops the layouts of the rows from `first` to `last`, and of one row before and after them, whose look may
        depend on them. The heights stay."""
        for row in [r for r in self._kept if first - 1 <= r <= last + 1]:
            del self._kept[row]

    def forget_where(self, changed: Callable[[MessageLayout], bool]) -> bool:
        """Drops the layouts for which `changed` returns True. Returns whether there were any. The heights stay."""
        rows = [row for row, layout in self._kept.items() if changed(layout)]
        for row in rows:
            del self._kept[row]
        return bool(rows)

    def forget_all(self) -> None:
        """Forgets every layout; the heights stay."""
        self._kept.clear()

    def reset(self) -> None:
        """Drops the layouts and heights of all messages, since the rows have another order."""
        self.heights.reset(self._chat.rowCount())
        self._kept.clear()

    def guess_again(self) -> None:
        """Drops the layouts and heights of all messages, since the text size has changed, and with it the guessed
        height."""
        self._kept.clear()
        self.heights = Heights(self._chat.rowCount(), px(GUESS_PX))

    def row_now(self, row: int | None) -> int | None:
        """The present row of the message that was laid out in `row` before the rows changed. None if the message is
        gone, if its layout is not kept, or for None."""
        layout = self._kept.get(row) if row is not None else None
        return self._chat.timeline.index_of(layout.message.change_id) if layout is not None else None
