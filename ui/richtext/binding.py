# SPDX-License-Identifier: EUPL-1.2
"""Keeps a QTextDocument and a Document the same, both ways, edit by edit.

Qt reports which units changed; the touched blocks are read and given to the model, which finds the difference. The
model's changes come back as edits, around which `staying` keeps the caret and the view in place. Qt's own undo is off:
it would take back colleagues' words.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextBlock, QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextEdit

from app.core.text_units import point_from_utf16, utf16_len
from app.objects.crdt import REMOTE
from app.richtext.flow import PLAIN, Block, Style
from app.richtext.model import Change, Document
from ui.kit.bind import bind
from ui.kit.tasks import run_guarded
from ui.richtext import link_notes, look
from ui.richtext.staying import Staying


class Binding(QObject):
    """Keeps the text of one editor (a QTextDocument) and the `document` that it shows equal, in both directions. Lives
    as long as the editor."""

    def __init__(self, edit: QTextEdit, document: Document) -> None:
        super().__init__(edit)
        self._edit = edit
        self._qt: QTextDocument = edit.document()
        self._document = document
        self._busy = False
        self._receiving = False
        self._committed: int | None = None
        self._count = 1
        self._repairs: set[int] = set()
        self._relist: tuple[int, int] | None = None
        self._qt.setUndoRedoEnabled(False)
        self.load()
        self._qt.contentsChange.connect(self._on_contents_change)
        self._qt.contentsChanged.connect(self._on_contents_changed)
        bind(self, document.changed, self._on_changed)

    @property
    def receiving(self) -> bool:
        """Whether a colleague's edit is being shown. The person did not move a caret that moves now."""
        return self._receiving

    def load(self) -> None:
        """Fills the editor with the whole document, in place of what it shows."""
        cursor = self._begin()
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.removeSelectedText()
        for index, block in enumerate(self._document.blocks()):
            if index:
                cursor.insertBlock(look.block_format(block.style), look.char_format(PLAIN, block.style))
            else:
                cursor.setBlockFormat(look.block_format(block.style))
                cursor.setBlockCharFormat(look.char_format(PLAIN, block.style))
            for text, marks in block.runs:
                cursor.insertText(look.shown(text), look.char_format(marks, block.style))
            if noted := link_notes.wanted(block):
                link_notes.put(cursor.block(), noted)
        self._lists(0, len(self._document.blocks()) - 1)
        self._end(cursor)

    def restyle(self) -> None:
        """Formats the editor's text again, after the theme or text size has changed. The content stays."""
        cursor = self._begin()
        qt_block = self._qt.begin()
        for block in self._document.blocks():
            self._dress(qt_block, block)
            qt_block = qt_block.next()
        self._lists(0, len(self._document.blocks()) - 1)
        self._end(cursor)

    def quietly(self, act: Callable[[], None]) -> None:
        """Calls `act`, which changes only the look of the editor's text, such as page margins. Its changes are not
        taken for edits."""
        self._busy = True
        try:
            act()
        finally:
            self._busy = False

    @contextmanager
    def committing(self, length: int) -> Iterator[None]:
        """A context for an event of an input method, which shows a draft (`length` 0) or inserts `length` UTF-16 units
        before the caret. What Qt reports in it is taken as an insertion of these units.

        ▲ Qt then reports that the caret's whole paragraph has changed. Otherwise a dead key or an input method would
        write the paragraph from scratch, and what two people write in it at once would be in it twice.
        """
        self._committed = length
        try:
            yield
        finally:
            self._committed = None

    # ---- Qt to model

    def _on_contents_change(self, pos: int, removed: int, added: int) -> None:
        if self._busy:
            return
        first = self._block_at(pos)
        last = self._block_at(min(pos + added, self._qt.characterCount() - 1))
        index = first.blockNumber()
        new: list[Block] = []
        block = first
        while block.isValid() and block.blockNumber() <= last.blockNumber():
            values, right = look.read_block(block)
            if not right:
                self._repairs.add(block.blockNumber())
            new.append(values)
            block = block.next()
        old_count = len(new) - (self._qt.blockCount() - self._count)
        self._count = self._qt.blockCount()
        old = self._document.blocks()[index : index + old_count]
        self._plan_lists(index, old, new)
        head, tail = self._typed(pos, added)
        before = point_from_utf16(new[0].text, max(0, head - first.position()))
        behind = None if tail is None else self._behind(tail, index, new)
        caps = {"prefix_cap": before, "suffix_cap": behind}
        run_guarded(self._edit, lambda: self._document.rewrite(index, old_count, new, source=self, **caps))

    def _typed(self, pos: int, added: int) -> tuple[int, int | None]:
        """Where the text that was just typed begins and ends, in UTF-16 positions: the `added` units at `pos` that Qt
        reported, but of an input method only what it inserted. The end is None if the caret is elsewhere (text was
        dragged away)."""
        caret = self._edit.textCursor().position()
        if self._committed is not None:
            return caret - self._committed, caret
        return pos, caret if caret == pos + added else None

    def _behind(self, pos: int, first: int, blocks: Sequence[Block]) -> int:
        """How many code points of `blocks`, paragraphs that follow each other, come after `pos` (a UTF-16 position in
        the document, within them), with one for the break after each paragraph. `first` is the number of the first of
        them in the document."""
        at = self._block_at(pos)
        own = blocks[at.blockNumber() - first]
        after = blocks[at.blockNumber() - first + 1 :]
        rest = len(own.text) - point_from_utf16(own.text, pos - at.position())
        return rest + 1 + sum(len(block.text) + 1 for block in after)

    def _plan_lists(self, index: int, old: Sequence[Block], new: Sequence[Block]) -> None:
        styles = [block.style for block in new]
        if [block.style for block in old] != styles and any(b.style.list for b in (*old, *new)):
            self._relist = (index, index + len(new))

    def _on_contents_changed(self) -> None:
        """Repairs formats that do not fit, and lists, after Qt has finished with an edit that was made here."""
        if self._busy or not (self._repairs or self._relist):
            return
        cursor = self._begin()
        for number in sorted(self._repairs):
            qt_block = self._qt.findBlockByNumber(number)
            if qt_block.isValid() and number < len(self._document.blocks()):
                self._repair_block(qt_block, self._document.block(number))
        if self._relist:
            self._lists(*self._relist)
        self._repairs.clear()
        self._relist = None
        self._end(cursor)

    def _repair_block(self, qt_block: QTextBlock, block: Block) -> None:
        if look.shown(block.text) != qt_block.text():
            cursor = QTextCursor(qt_block)
            cursor.movePosition(QTextCursor.MoveOperation.EndOfBlock, QTextCursor.MoveMode.KeepAnchor)
            cursor.insertText(look.shown(block.text))
        self._dress(qt_block, block)

    # ---- model to Qt

    def _on_changed(self, change: Change) -> None:
        if change.source is self:
            return
        self._receiving = change.origin == REMOTE
        cursor = self._begin()
        staying = Staying(self._edit)
        for edit in change.edits:
            staying.follow(edit)
            cursor.setPosition(edit.pos)
            if edit.removed:
                end = min(edit.pos + edit.removed, self._qt.characterCount() - 1)
                cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
                cursor.removeSelectedText()
            if edit.text:
                cursor.insertText(look.shown(edit.text))
        lists = self._fix(change.first, change.blocks)
        if lists:
            self._lists(change.first, change.first + len(change.blocks))
        staying.put_draft()
        self._end(cursor)
        staying.put_caret()
        if not self._receiving:
            self._edit.ensureCursorVisible()
        self._receiving = False

    def _fix(self, first: int, blocks: Sequence[Block]) -> bool:
        """Formats those of the `blocks`, from number `first` on, that do not look as they should yet. Returns True if
        lists must be put together again."""
        qt_block = self._qt.findBlockByNumber(first)
        lists = len(blocks) != 1
        for block in blocks:
            values, right = look.read_block(qt_block)
            lists = lists or values.style != block.style or qt_block.textList() is not None
            if not right or not values.same(block):
                self._dress(qt_block, block)
            qt_block = qt_block.next()
        return lists

    def _dress(self, qt_block: QTextBlock, block: Block) -> None:
        cursor = QTextCursor(qt_block)
        keep = look.style_of(qt_block) == block.style and bool(block.style.list)
        if not keep:
            cursor.setBlockFormat(look.block_format(block.style))
        cursor.setBlockCharFormat(look.char_format(PLAIN, block.style))
        pos = qt_block.position()
        for text, marks in block.runs:
            cursor.setPosition(pos)
            pos += utf16_len(text)
            cursor.setPosition(pos, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(look.char_format(marks, block.style))
        link_notes.put(qt_block, link_notes.wanted(block))

    # ---- lists

    def _lists(self, first: int, last: int) -> None:
        """Puts list items that belong together, among the blocks `first` to `last`, into one QTextList, so that numbers
        run on past nested items; takes paragraphs that are no list items out of theirs."""
        block = self._qt.findBlockByNumber(first)
        while block.previous().isValid() and look.style_of(block.previous()).list:
            block = block.previous()
        open_lists: dict[int, tuple[Style, object]] = {}
        taken: set[int] = set()
        while block.isValid():
            style = look.style_of(block)
            if not style.list:
                open_lists.clear()
                if block.blockNumber() > last:
                    return
                if block.textList() is not None:
                    QTextCursor(block).setBlockFormat(look.block_format(style))
            else:
                self._join_list(block, style, open_lists, taken)
            block = block.next()

    def _join_list(
        self, block: QTextBlock, style: Style, open_lists: dict[int, tuple[Style, object]], taken: set[int]
    ) -> None:
        for deeper in [indent for indent in open_lists if indent > style.indent]:
            del open_lists[deeper]
        own = block.textList()
        before = open_lists.get(style.indent)
        if before is not None and before[0] == style:
            wanted = before[1]
            if own is None or own.objectIndex() != wanted.objectIndex():  # type: ignore[attr-defined]
                wanted.add(block)  # type: ignore[attr-defined]
            return
        fits = own is not None and own.objectIndex() not in taken and own.format() == look.list_format(style)
        new = own if fits else QTextCursor(block).createList(look.list_format(style))
        taken.add(new.objectIndex())
        open_lists[style.indent] = (style, new)

    # ---- inside

    def _begin(self) -> QTextCursor:
        self._busy = True
        cursor = QTextCursor(self._qt)
        cursor.beginEditBlock()
        return cursor

    def _end(self, cursor: QTextCursor) -> None:
        cursor.endEditBlock()
        self._busy = False
        self._count = self._qt.blockCount()

    def _block_at(self, pos: int) -> QTextBlock:
        block = self._qt.findBlock(pos)
        return block if block.isValid() else self._qt.lastBlock()
