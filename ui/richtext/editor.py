# SPDX-License-Identifier: EUPL-1.2
"""The page of text: a QTextEdit bound to a Document, with its keys, clipboard, page look and carets.

Typing, deleting and input methods are Qt's own; every formatting goes to the model and comes back through the binding.
Tab moves list items, and is typed in other paragraphs; only after Esc it leaves the text.
"""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QObject, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDropEvent,
    QFocusEvent,
    QInputMethodEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QTextCursor,
)
from PySide6.QtWidgets import QApplication, QFrame, QTextEdit, QWidget

from app.core.text_units import point_from_utf16, utf16_len
from app.objects.addresses import safe_link
from app.objects.crdt import REMOTE, UNDO
from app.objects.links import ObjectLink
from app.richtext import edits, formats
from app.richtext.carets import Caret
from app.richtext.flow import BODY, Block, Marks, Style, joined
from app.richtext.formats import Taken
from app.richtext.model import Change, Document
from ui.kit import theme
from ui.kit.bind import bind
from ui.kit.left_out import left_out_files
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.style import set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.kit.web import address_tip
from ui.richtext import carets, clipboard, keys, link_notes, look, page, staying, text_menu
from ui.richtext.binding import Binding
from ui.richtext.flags import Flags
from ui.richtext.found import FoundWords

Key = Qt.Key
Move = QTextCursor.MoveOperation
Mode = QTextCursor.MoveMode


class Editor(QTextEdit):
    """The text of one document. `selection_changed`: the caret moved, or what is under it changed."""

    selection_changed = Signal()
    link_wanted = Signal()
    find_wanted = Signal()
    replace_wanted = Signal()
    find_closed = Signal()
    link_opened = Signal(str)
    pasted = Signal(str)
    """A sentence about the part of a paste that could not be taken; "" if all was."""

    def __init__(self, document: Document, *, read_only: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spoken_inside: Callable[[], Sequence[QObject]] = tuple
        """What a screen reader finds in the text beside its characters."""
        self._document = document
        self._carets: Sequence[Caret] = ()
        self._grounds: Sequence[carets.Ground] = ()
        self._flags = Flags(self)
        self._flags.changed.connect(self.viewport().update)
        self.found = FoundWords(self)
        self._marks: Marks | None = None
        self._tab_leaves = False
        set_props(self, kind="page")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Document text"))
        self.setAccessibleDescription(tr("Press Esc and then Tab to leave the text."))
        self.document().setDocumentMargin(0)
        self._measure()
        self.set_writable(not read_only)
        self.viewport().setMouseTracking(True)
        self._binding = Binding(self, document)
        self._margin()
        theme.on_change(self, self.restyle)
        bind(self, document.changed, self._on_changed)
        self.cursorPositionChanged.connect(self._on_moved)
        self.selectionChanged.connect(self._on_moved)
        self.moveCursor(Move.Start)

    def set_writable(self, writable: bool) -> None:
        """Whether the text can be changed, or only read and selected."""
        self.setReadOnly(not writable)
        self.setTabChangesFocus(not writable)
        if not writable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )

    # ---- what is selected

    def selection(self) -> tuple[int, int]:
        """(anchor, caret) in UTF-16 positions."""
        cursor = self.textCursor()
        return cursor.anchor(), cursor.position()

    def range(self) -> tuple[int, int]:
        """(start, length) of the selection."""
        cursor = self.textCursor()
        return cursor.selectionStart(), cursor.selectionEnd() - cursor.selectionStart()

    def select(self, start: int, length: int = 0) -> None:
        """Selects a range and brings it into view."""
        cursor = self.textCursor()
        cursor.setPosition(min(start, self._document.length_utf16))
        cursor.setPosition(min(start + length, self._document.length_utf16), Mode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def blocks_selected(self) -> tuple[int, int]:
        """The first and last block that the selection touches."""
        start, length = self.range()
        return self._document.find_block(start)[0], self._document.find_block(start + length)[0]

    def style_here(self) -> Style:
        """The style of the block with the caret."""
        return self._document.block(self.blocks_selected()[0]).style

    def marks_here(self) -> Marks:
        """The marks that typing would get, or those of a selection's first character."""
        if self._marks is not None:
            return self._marks
        cursor = self.textCursor()
        if cursor.hasSelection():
            cursor.setPosition(cursor.selectionStart() + 1)
            return look.marks_of(cursor.charFormat())
        return look.marks_of(self.currentCharFormat())

    # ---- verbs of the toolbar

    def toggle(self, mark: str) -> None:
        """Bold, italic, underline or strike on or off, for the selection or what is typed next."""
        if self.isReadOnly():
            return
        start, length = self.range()
        on = not getattr(self.marks_here(), mark)
        if length:
            run_guarded(self, lambda: self._document.format(start, length, {mark: on or None}))
        else:
            self._set_typing(self.marks_here().with_attrs({mark: on}))
        self.selection_changed.emit()

    def set_link(self, link: str, text: str = "") -> None:
        """Links the selection, or the link under the caret; inserts `text` where neither is. Empty takes away."""
        start, length = self.link_range()
        if length:
            run_guarded(self, lambda: self._document.format(start, length, {"link": link or None}))
        elif link:
            self._document.split_undo()
            marks = self.marks_here()._replace(link=link)
            run_guarded(self, lambda: self._document.splice(start, 0, text or link, marks))
            self.select(start + utf16_len(text or link))
        self.selection_changed.emit()

    def link_range(self) -> tuple[int, int]:
        """The selection, or the whole of the link that the caret is in."""
        start, length = self.range()
        if length or not (link := self.marks_here().link):
            return start, length
        index, offset = self._document.find_block(start)
        block, begin = self._document.block(index), self._document.block_start(index)
        at = 0
        for run in block.runs:
            size = utf16_len(run.text)
            if run.marks.link == link and at <= offset <= at + size:
                return begin + at, size
            at += size
        return start, 0

    def set_style(self, style: Style) -> None:
        """Gives the selected blocks a style."""
        if self.isReadOnly():
            return
        first, last = self.blocks_selected()
        run_guarded(self, lambda: self._document.set_block(first, last, style))
        self.selection_changed.emit()

    def toggle_list(self, kind: str) -> None:
        """Makes the selected blocks list items, or body text if they are already."""
        first, last = self.blocks_selected()
        styles = [block.style for block in self._document.blocks()[first : last + 1]]
        on = not all(style.list == kind for style in styles)
        self._set_styles(first, [Style(list=kind, indent=max(1, style.indent)) if on else BODY for style in styles])

    def indent(self, step: int) -> None:
        """Moves the selected list items `step` levels inwards, outwards if it is negative. An outermost item that moves
        outwards becomes body text; body text that moves inwards becomes a bullet."""
        first, last = self.blocks_selected()
        styles = [block.style for block in self._document.blocks()[first : last + 1]]
        self._set_styles(first, [keys.indented(style, step) for style in styles])

    def _set_styles(self, first: int, styles: Sequence[Style]) -> None:
        if not self.isReadOnly():
            run_guarded(self, lambda: self._document.set_styles(first, styles))
            self.selection_changed.emit()

    def undo(self) -> None:
        """Undoes this person's last step. Qt's own undo would take back colleagues' words."""
        if not self.isReadOnly():
            run_guarded(self, self._document.undo)

    def redo(self) -> None:
        """Redoes the step that was undone last."""
        if not self.isReadOnly():
            run_guarded(self, self._document.redo)

    def insert_blocks(self, blocks: Sequence[Block]) -> None:
        """Puts blocks in place of the selection: what pasting and dropping do."""
        first, begin, end, selected = self._selected()
        new, caret = edits.inserted(selected, begin, end, blocks)
        start = self._document.block_start(first)
        self._document.split_undo()
        run_guarded(self, lambda: self._rewrite(first, selected, begin, end, new))
        self._document.split_undo()
        self.select(start + caret)

    def _rewrite(self, first: int, old: Sequence[Block], begin: int, end: int, new: Sequence[Block]) -> None:
        """Replaces the blocks `old`, the first of which is number `first` of the document, by `new`. The edit lies
        between `begin`, in the first of the old blocks, and `end`, in the last one (both in UTF-16 units)."""
        before = point_from_utf16(old[0].text, begin)
        behind = len(old[-1].text) + 1 - point_from_utf16(old[-1].text, end)
        self._document.rewrite(first, len(old), new, prefix_cap=before, suffix_cap=behind)

    def selected_blocks(self) -> list[Block]:
        """The selection as blocks, for the clipboard."""
        _, begin, end, selected = self._selected()
        return edits.stretch(selected, begin, end)

    def _selected(self) -> tuple[int, int, int, Sequence[Block]]:
        """The number of the first selected block, where the selection begins in it and ends in the last one, and the
        blocks."""
        start, length = self.range()
        first, begin = self._document.find_block(start)
        last, end = self._document.find_block(start + length)
        return first, begin, end, self._document.blocks()[first : last + 1]

    # ---- carets of others

    def show_carets(self, shown: Sequence[Caret]) -> None:
        """Paints where colleagues are."""
        self._carets = shown
        self._grounds = carets.grounds(self, shown)
        self._flags.show(shown)
        self.viewport().update()

    # ---- inside

    def _on_changed(self, change: Change) -> None:
        self._flags.follow(change)
        if change.origin == UNDO and change.edits:
            last = change.edits[-1]
            self.select(last.pos + utf16_len(last.text))
        if change.origin == REMOTE:
            self._type_as_before()
        self.selection_changed.emit()

    def _type_as_before(self) -> None:
        """Gives what is typed next, after a colleague's edit, the look that it would have had without that edit."""
        if self._marks is not None:
            self._set_typing_quietly(self._marks)
        else:
            self._leave_link()

    def _on_moved(self) -> None:
        if self._binding.receiving:
            return
        self._tab_leaves = False
        self._marks = None
        self._leave_link()
        self.selection_changed.emit()

    def _leave_link(self) -> None:
        """Ends a link at its end, so that typing after it does not lengthen it."""
        cursor = self.textCursor()
        here = look.marks_of(cursor.charFormat())
        if here.link and not cursor.hasSelection():
            at_end = cursor.atBlockEnd()
            cursor.setPosition(cursor.position() + (0 if at_end else 1))
            if at_end or look.marks_of(cursor.charFormat()).link != here.link:
                self._set_typing(here._replace(link=""))

    def _set_typing(self, marks: Marks) -> None:
        self._document.split_undo()
        self.setCurrentCharFormat(look.char_format(marks, self.style_here()))
        self._marks = marks

    def _measure(self) -> None:
        self.document().setDefaultFont(look.block_font(BODY))
        self.document().setIndentWidth(px(look.INDENT_PX))
        self.setTabStopDistance(px(look.TAB_PX))

    def restyle(self) -> None:
        """Formats the text again, after the theme or the text size has changed. Only the look changes: the document's
        content and the line at the top of the view stay."""
        top = staying.top_line(self)
        self._measure()
        self._margin()
        self._binding.restyle()
        staying.scroll_to_line(self, *top)
        self.show_carets(self._carets)

    def _margin(self) -> None:
        room = self.width() - self.verticalScrollBar().sizeHint().width()
        side = page.side_px(room)
        self.setViewportMargins(side, 0, side, 0)
        margin = page.margin_px(room)
        if not page.has_margins(self.document(), margin):
            self._binding.quietly(lambda: page.set_margins(self.document(), margin))

    def _enter(self) -> None:
        """A new block. An empty list item or quote ends its list or quote; after a heading comes body text."""
        start, length = self.range()
        first, begin, end, selected = self._selected()
        style = selected[0].style
        if not length and not selected[0].text and (style.list or style.quote):
            self.set_style(keys.indented(style, -1) if style.list else BODY)
            return
        marks = self.marks_here()._replace(link="")
        head, tail = joined(edits.runs_before(selected[0], begin)), joined(edits.runs_after(selected[-1], end))
        before, after = keys.split(style, head=bool(head), tail=bool(tail))
        new = [Block(head, before), Block(tail, after)]
        run_guarded(self, lambda: self._rewrite(first, selected, begin, end, new))
        self.select(start + 1)
        if after == style:
            self._set_typing_quietly(marks)

    def _set_typing_quietly(self, marks: Marks) -> None:
        self.setCurrentCharFormat(look.char_format(marks, self.style_here()))
        self._marks = marks

    def _back(self) -> bool:
        """Backspace at a block's start first takes its style away."""
        start, length = self.range()
        if length or self._document.find_block(start)[1]:
            return False
        style = self.style_here()
        if style == BODY:
            return False
        self.set_style(keys.indented(style, -1) if style.list else BODY)
        return True

    def _run(self, name: str) -> None:
        actions: dict[str, Callable[[], object]] = {
            "bullets": lambda: self.toggle_list("ul"),
            "numbers": lambda: self.toggle_list("ol"),
            "quote": lambda: self.set_style(Style(quote=True)),
            "link": self.link_wanted.emit,
            "find": self.find_wanted.emit,
            "replace": self.replace_wanted.emit,
            "paste-plain": self.paste_plain,
            "undo": self.undo,
            "redo": self.redo,
        }
        if name.startswith("heading"):
            self.set_style(Style(heading=int(name[-1])))
        elif name in Marks._fields and name != "link":
            self.toggle(name)
        else:
            actions[name]()

    def paste_plain(self) -> None:
        """The clipboard's text without any formatting."""
        source = QApplication.clipboard().mimeData()
        if not self.isReadOnly() and not self._has_files(source):
            self._paste(formats.take_text(source.text(), self.style_here()))

    def _has_files(self, source: QMimeData) -> bool:
        """Refuses files, and shows that they were refused."""
        count = clipboard.files_in(source)
        if count:
            self.pasted.emit(left_out_files(count))
        return count > 0

    def _paste(self, taken: Taken) -> None:
        """Puts what was taken in place of the selection, which stays where there is no text."""
        if taken.blocks:
            self.insert_blocks(taken.blocks)
        self.pasted.emit(clipboard.sentence(taken))

    # ---- Qt

    def minimumSizeHint(self) -> QSize:
        """A few lines, whatever Qt thinks of its scroll bars."""
        return QSize(px(80), px(48))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() not in keys.MODIFIERS:
            self._tab_leaves = event.key() == Key.Key_Escape
        name = keys.action(event)
        if name and (not self.isReadOnly() or name in ("find", "replace")):
            self._run(name)
            event.accept()
            return
        if event.key() == Key.Key_Escape:
            self.find_closed.emit()
            return
        if self.isReadOnly():
            super().keyPressEvent(event)
            return
        self._write(event)
        if keys.is_typed(event):
            event.accept()  # ▲ what Qt does not use would go on to the view around the text

    def _write(self, event: QKeyEvent) -> None:
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() in (Key.Key_Tab, Key.Key_Backtab):
            self._tab(event)
        elif event.key() in (Key.Key_Return, Key.Key_Enter) and plain:
            self._enter()
            self.ensureCursorVisible()
        elif not (event.key() == Key.Key_Backspace and plain and self._back()):
            super().keyPressEvent(event)

    def _tab(self, event: QKeyEvent) -> None:
        """Moves list items a level; is typed elsewhere. Shift+Tab does nothing there."""
        if not keys.is_typed(event):
            event.ignore()
        elif self.style_here().list:
            self.indent(1 if event.key() == Key.Key_Tab else -1)
        elif event.key() == Key.Key_Tab:
            self.insertPlainText("\t")
            self.ensureCursorVisible()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Decides for Qt whether Tab moves the focus. It leaves the text only after Esc, or where the text is only
        read."""
        if not self.isReadOnly() and not self._tab_leaves:
            return False
        self._tab_leaves = False
        QWidget.focusNextPrevChild(self, forward)
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._tab_leaves = False
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_for_text(event):
            event.accept()  # the window's own shortcuts come after the text's
            return True
        if kind == QEvent.Type.Wheel:
            return bool(self.verticalScrollBar().event(event))  # on the grey beside the page
        if kind == QEvent.Type.Resize:
            self._margin()  # before Qt lays the text out
        return super().event(event)

    def _is_for_text(self, event: QKeyEvent) -> bool:
        return bool(keys.action(event)) or (not self.isReadOnly() and keys.is_typed(event))

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        if not self.isReadOnly():
            with self._binding.committing(utf16_len(event.commitString())):
                super().inputMethodEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        writing = text_menu.Writing(
            can_undo=self._document.can_undo,
            can_redo=self._document.can_redo,
            undo=self.undo,
            redo=self.redo,
            paste_plain=self.paste_plain,
            delete=lambda: self.textCursor().removeSelectedText(),
        )
        text_menu.open_menu(self, None if self.isReadOnly() else writing, event)

    def createMimeDataFromSelection(self) -> QMimeData:
        return clipboard.mime_of(self.selected_blocks())

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return not self.isReadOnly() and clipboard.has_text(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        if not self.isReadOnly() and not self._has_files(source):
            self._paste(clipboard.taken(source, self.style_here()))

    def dropEvent(self, event: QDropEvent) -> None:
        super().dropEvent(event)
        if clipboard.files_in(event.mimeData()):
            # ▲ after a move, a file manager deletes its file
            copies = event.possibleActions() & Qt.DropAction.CopyAction
            event.setDropAction(Qt.DropAction.CopyAction if copies else Qt.DropAction.IgnoreAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        link = self.anchorAt(event.position().toPoint())
        wanted = self.isReadOnly() or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if link and wanted and not self.textCursor().hasSelection() and safe_link(link):
            self.link_opened.emit(link)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._flags.point(carets.caret_at(self, self._carets, event.position().toPoint()))
        link = self.anchorAt(event.position().toPoint())
        address = link if ObjectLink.parse(link) else address_tip(link)
        set_tip(self.viewport(), tr("{address} (Ctrl+click to open)").format(address=address) if address else "")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        page.paint(self, painter, event.rect())
        self.found.paint(painter)
        carets.paint_grounds(self, painter, self._grounds)
        painter.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        link_notes.paint(self, painter)
        painter.end()
        if self._carets:
            painter = QPainter(self.viewport())
            carets.paint(self, painter, self._carets, self._flags.opacity)
            painter.end()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.viewport().update()

    def loadResource(self, kind: int, name: Any) -> Any:
        return None  # nothing is ever fetched
