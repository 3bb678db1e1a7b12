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

from app.core.text_units import utf16_len
from app.objects.addresses import safe_link
from app.objects.crdt import REMOTE, UNDO
from app.richtext import formats
from app.richtext.flow import BODY, Block, Marks, Style
from app.richtext.formats import Taken
from app.richtext.model import Change, Document
from app.richtext.selected_blocks import SelectedBlocks
from ui.kit import theme
from ui.kit.bind import bind
from ui.kit.left_out import left_out_files
from ui.kit.plain import set_tip
from ui.kit.scale import px
from ui.kit.style import set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.richtext import clipboard, keys, link_notes, look, page, staying, text_menu
from ui.richtext.binding import Binding
from ui.richtext.colleagues import Colleagues
from ui.richtext.found import FoundWords
from ui.richtext.links import link_around, link_tip
from ui.richtext.typing_marks import TypingMarks

Key = Qt.Key
Move = QTextCursor.MoveOperation
Mode = QTextCursor.MoveMode


class Editor(QTextEdit):
    """The editor of one document's text. `selection_changed` is emitted when the caret has moved or what is under it
    has changed."""

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
        self.colleagues = Colleagues(self)
        self.found = FoundWords(self)
        self._typing_marks = TypingMarks(self, document)
        self._tab_leaves = False
        set_props(self, kind="page")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Document text"))
        self.setAccessibleDescription(tr("Press Esc and then Tab to leave the text."))
        self.document().setDocumentMargin(0)
        look.measure(self)
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
        """Sets whether the text can be changed (`writable`), or only read and selected."""
        self.setReadOnly(not writable)
        self.setTabChangesFocus(not writable)
        if not writable:
            self.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )

    # ---- what is selected

    def selection(self) -> tuple[int, int]:
        """(anchor, caret) of the selection, in UTF-16 positions; they are equal if nothing is selected."""
        cursor = self.textCursor()
        return cursor.anchor(), cursor.position()

    def range(self) -> tuple[int, int]:
        """(start, length) of the selection, in UTF-16 units."""
        cursor = self.textCursor()
        return cursor.selectionStart(), cursor.selectionEnd() - cursor.selectionStart()

    def select(self, start: int, length: int = 0) -> None:
        """Selects `length` UTF-16 units from `start` on, up to the text's end at most, and brings them into view."""
        cursor = self.textCursor()
        cursor.setPosition(min(start, self._document.length_utf16))
        cursor.setPosition(min(start + length, self._document.length_utf16), Mode.KeepAnchor)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    def style_here(self) -> Style:
        """The style of the block with the caret."""
        return self._document.block(self._document.find_block(self.range()[0])[0]).style

    def marks_here(self) -> Marks:
        """The marks that typing would get, or those of a selection's first character."""
        return self._typing_marks.here()

    # ---- verbs of the toolbar

    def toggle(self, mark: str) -> None:
        """Switches the mark ("bold", "italic", "underline" or "strike") on or off, for the selection or what is typed
        next. Does nothing in a text that can only be read."""
        if self.isReadOnly():
            return
        start, length = self.range()
        on = not getattr(self.marks_here(), mark)
        if length:
            run_guarded(self, lambda: self._document.format(start, length, {mark: on or None}))
        else:
            self._typing_marks.choose(self.marks_here().with_attrs({mark: on}))
        self.selection_changed.emit()

    def set_link(self, link: str, text: str = "") -> None:
        """Makes the selection, or the link under the caret, a link to the address `link`, or no link if that is "". If
        there is neither, inserts `text` (the address, if it is "") as a link. Does nothing in a read-only text."""
        if self.isReadOnly():
            return
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
        """(start, length) of the selection, or of the link that the caret is in, or (caret, 0); UTF-16 units."""
        start, length = self.range()
        if length or not (link := self.marks_here().link):
            return start, length
        return link_around(self._document, start, link)

    def set_style(self, style: Style) -> None:
        """Gives the selected paragraphs a style. Does nothing in a text that can only be read."""
        if self.isReadOnly():
            return
        selected = self._selected()
        run_guarded(self, lambda: self._document.set_block(selected.first, selected.last, style))
        self.selection_changed.emit()

    def toggle_list(self, kind: str) -> None:
        """Makes the selected paragraphs list items ("ul" or "ol"), or body text if all are. Not in a read-only text."""
        selected = self._selected()
        on = not all(style.list == kind for style in selected.styles)
        listed = [Style(list=kind, indent=max(1, style.indent)) if on else BODY for style in selected.styles]
        self._set_styles(selected.first, listed)

    def indent(self, step: int) -> None:
        """Moves the selected list items `step` levels inwards, outwards if negative, not in a read-only text. One that
        leaves the outermost level becomes body text; body text moved inwards a bullet. Headings and quotes stay."""
        selected = self._selected()
        self._set_styles(selected.first, [keys.indented(style, step) for style in selected.styles])

    def _set_styles(self, first: int, styles: Sequence[Style]) -> None:
        if not self.isReadOnly():
            run_guarded(self, lambda: self._document.set_styles(first, styles))
            self.selection_changed.emit()

    def undo(self) -> None:
        """Undoes the person's own last step, not in a read-only text. Qt's own would undo colleagues' edits too."""
        if not self.isReadOnly():
            run_guarded(self, self._document.undo)

    def redo(self) -> None:
        """Makes the step again that was undone last. Does nothing in a read-only text."""
        if not self.isReadOnly():
            run_guarded(self, self._document.redo)

    def insert_blocks(self, blocks: Sequence[Block]) -> None:
        """Puts paragraphs in place of the selection, as pasting does, and the caret behind them. One step to undo."""
        selected = self._selected()
        new, caret = selected.with_inserted(blocks)
        start = self._document.block_start(selected.first)
        self._document.split_undo()
        run_guarded(self, lambda: selected.rewrite(self._document, new))
        self._document.split_undo()
        self.select(start + caret)

    def selected_blocks(self) -> list[Block]:
        """The selection as blocks, for the clipboard."""
        return self._selected().content()

    def _selected(self) -> SelectedBlocks:
        return SelectedBlocks.of(self._document, *self.range())

    # ---- inside

    def _on_changed(self, change: Change) -> None:
        self.colleagues.follow(change)
        if change.origin == UNDO and change.edits:
            last = change.edits[-1]
            self.select(last.pos + utf16_len(last.text))
        if change.origin == REMOTE:
            self._typing_marks.on_merged()
        self.selection_changed.emit()

    def _on_moved(self) -> None:
        if self._binding.receiving:
            return
        self._tab_leaves = False
        self._typing_marks.on_moved()
        self.selection_changed.emit()

    def restyle(self) -> None:
        """Formats the text again, after the theme or the text size has changed. Only the look changes: the document's
        content and the line at the top of the view stay."""
        top = staying.top_line(self)
        look.measure(self)
        self._margin()
        self._binding.restyle()
        staying.scroll_to_line(self, *top)
        self.colleagues.measure()

    def _margin(self) -> None:
        page.fit(self, self._binding.quietly)

    def _enter(self) -> None:
        """Handles Enter: begins a new paragraph in place of the selection. In an empty list item or quote it ends the
        list or quote instead; an empty paragraph after or before a heading is body text."""
        start, length = self.range()
        selected = self._selected()
        style = selected.blocks[0].style
        if not length and not selected.blocks[0].text and (style.list or style.quote):
            self.set_style(keys.outwards(style))
            return
        marks = self.marks_here()._replace(link="")
        head, tail = selected.around()
        before, after = keys.split(style, head=bool(head), tail=bool(tail))
        new = [Block(head, before), Block(tail, after)]
        run_guarded(self, lambda: selected.rewrite(self._document, new))
        self.select(start + 1)
        if after == style:
            self._typing_marks.keep(marks)

    def _back(self) -> bool:
        """Handles Backspace at a paragraph's start: moves a list item a level outwards, takes any other style away.
        False in body text and anywhere else: Qt is to delete."""
        start, length = self.range()
        if length or self._document.find_block(start)[1]:
            return False
        style = self.style_here()
        if style == BODY:
            return False
        self.set_style(keys.outwards(style))
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
        """Pastes the clipboard's text without any formatting. Files are refused, which is shown."""
        source = QApplication.clipboard().mimeData()
        if not self.isReadOnly() and not self._has_files(source):
            self._paste(formats.take_text(source.text(), self.style_here()))

    def _has_files(self, source: QMimeData) -> bool:
        """Whether `source` has files, which the editor refuses; shows the person that they were refused."""
        count = clipboard.files_in(source)
        if count:
            self.pasted.emit(left_out_files(count))
        return count > 0

    def _paste(self, taken: Taken) -> None:
        """Puts pasted text in place of the selection, if there is any, and shows what could not be pasted."""
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
        """Handles Tab and Shift+Tab: they move list items a level. Elsewhere Tab is typed, Shift+Tab does nothing."""
        if not keys.is_typed(event):
            event.ignore()
        elif self.style_here().list:
            self.indent(1 if event.key() == Key.Key_Tab else -1)
        elif event.key() == Key.Key_Tab:
            self.insertPlainText("\t")
            self.ensureCursorVisible()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Moves the focus out of the text for Tab (`forward`) or Shift+Tab, after Esc or in a read-only text. In any
        other case returns False: Tab is for the text."""
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
            clipboard.keep_files(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        link = self.anchorAt(event.position().toPoint())
        wanted = self.isReadOnly() or event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if link and wanted and not self.textCursor().hasSelection() and safe_link(link):
            self.link_opened.emit(link)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.colleagues.point(event.position().toPoint())
        link = self.anchorAt(event.position().toPoint())
        set_tip(self.viewport(), link_tip(link, by_click=self.isReadOnly()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        page.paint(self, painter, event.rect())
        self.found.paint(painter)
        self.colleagues.paint_under(painter)
        painter.end()
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        link_notes.paint(self, painter)
        painter.end()
        self.colleagues.paint_over()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.viewport().update()

    def loadResource(self, kind: int, name: Any) -> Any:
        return None  # nothing is ever fetched
