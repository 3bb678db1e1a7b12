# SPDX-License-Identifier: EUPL-1.2
"""The field a message is written in: grows with the text, Enter sends, and "@" offers people's names."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QInputMethodEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from app.chat import pasting
from app.chat.marking import (
    BOLD,
    ITALIC,
    NO_MARKS,
    Marks,
    Written,
    emptied,
    finished,
    new_line,
    toggle,
    toggle_list,
    typed,
)
from app.chat.mentions import complete
from app.chat.pasting import FENCE
from app.core.ids import Uid
from app.core.text_units import point_from_utf16, utf16_from_point
from app.people.person import Person
from ui.chat.clipboard import as_written
from ui.kit import scale, theme
from ui.kit.bind import bind
from ui.kit.dropping import paths_of, take_copy
from ui.kit.edits import Edit, Inserted, Moved, Removed, edits
from ui.kit.faces import leave_focus
from ui.kit.left_out import left_out, no_text
from ui.kit.pictures import can_paste, offers_picture, pasted
from ui.kit.presence import presence_icon, presence_name
from ui.kit.presence_in_view import KnownPresence, NothingKnown, PresenceInView
from ui.kit.scale import px
from ui.kit.spoken_list import ItemList
from ui.kit.style import column, set_props
from ui.kit.translate import tr

_LEAST_HEIGHT, _MOST_HEIGHT = 26, 190
NAMES_SHOWN = 7
_NAMES_WIDTH, _NAME_HEIGHT = 280, 28


class TextField(QTextEdit):
    """The field in which a message is written, as plain text. What the field cannot do itself it emits as signals.
    `people` returns who can be mentioned, and `presence` knows whether they can be reached (None: nothing is known)."""

    submitted = Signal()
    edit_last_asked = Signal()
    """↑ in the empty field asks to edit the last message."""
    cancelled = Signal()
    """Emitted by Escape."""
    files_given = Signal(list)
    """Paths that were pasted or dropped."""
    marks_changed = Signal()
    """`written_here` has changed: the caret moved, or bold or italic was turned on or off for what is typed next."""
    image_given = Signal(bytes)
    """The bytes of a PNG or JPEG that was pasted and is no file."""
    not_taken = Signal(str)
    """A sentence about the part of a paste that could not be taken; empty if all was taken."""

    def __init__(
        self,
        people: Callable[[], Sequence[Person]],
        parent: QWidget | None = None,
        *,
        presence: KnownPresence | None = None,
    ) -> None:
        super().__init__(parent)
        leave_focus(self)
        self._people, self._presence = people, presence or NothingKnown()
        self._names: NameList | None = None
        self._on, self._on_at = NO_MARKS, -1
        """Marks that were turned on with nothing typed in them yet, and the caret's place; they go when it moves."""
        self.setAcceptRichText(False)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self.setFixedHeight(px(_LEAST_HEIGHT))
        set_props(self, kind="clear")
        self.textChanged.connect(self._on_text)
        self.textChanged.connect(self.marks_changed)
        self.cursorPositionChanged.connect(self._on_caret)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._grow())
        theme.on_change(self, self._grow)

    def toggle_mark(self, mark: str) -> None:
        """Switches `mark`, BOLD or ITALIC, on or off, for the selection or for what is typed next. With the caret in
        the middle of a run that has the mark, all of the run loses it. The field gets the focus."""
        self._apply(toggle(self._written(), mark))
        self.setFocus()

    def toggle_list(self) -> None:
        """Makes the caret's line, or the selected lines, items of a list, or plain lines again if all are items. The
        field gets the focus."""
        self._apply(toggle_list(self._written()))
        self.setFocus()

    def written_here(self) -> Written:
        """The text of the caret's line, with the caret in it, from which the marks at the caret are read. A selection
        is left out."""
        cursor = self.textCursor()
        text = cursor.block().text().replace("\u2028", "\n")
        at = point_from_utf16(text, cursor.positionInBlock())
        return Written(text=text, start=at, end=at, on=self._marks_on())

    def finished_text(self) -> str:
        """The text to send."""
        return finished(self._written()).strip()

    def _marks_on(self) -> Marks:
        return self._on if self._on_at == self.textCursor().position() else NO_MARKS

    def _on_caret(self) -> None:
        self._on = self._marks_on()
        self.marks_changed.emit()
        if self.names is not None:
            self._on_text()  # the caret may have left the name: Enter would choose one where none is written

    def _written(self) -> Written:
        text, cursor = self.toPlainText(), self.textCursor()
        start, end = (point_from_utf16(text, p) for p in (cursor.selectionStart(), cursor.selectionEnd()))
        return Written(text=text, start=start, end=end, on=self._marks_on())

    def _apply(self, new: Written, *, join: bool = False) -> None:
        """Shows the text and selection `new`. Only the part of the text that differs is replaced, as one step of undo;
        with `join`, as part of the step before."""
        old, cursor = self.toPlainText(), self.textCursor()
        if new.text != old:
            same = _same(old, new.text)
            tail = _same(old[same:][::-1], new.text[same:][::-1])
            cursor.setPosition(utf16_from_point(old, same))
            cursor.setPosition(utf16_from_point(old, len(old) - tail), QTextCursor.MoveMode.KeepAnchor)
            if join:
                cursor.joinPreviousEditBlock()
            else:
                cursor.beginEditBlock()
            cursor.insertText(new.text[same : len(new.text) - tail])
            cursor.endEditBlock()
        cursor.setPosition(utf16_from_point(new.text, new.start))
        cursor.setPosition(utf16_from_point(new.text, new.end), QTextCursor.MoveMode.KeepAnchor)
        self._on, self._on_at = new.on, cursor.position()
        self.setTextCursor(cursor)
        self.marks_changed.emit()

    def _apply_emptied(self) -> None:
        now = self._written()
        new = emptied(now)
        if new is not now:
            self._apply(new, join=True)

    def _type(self, write: Callable[[], object]) -> None:
        """Calls `write`, which types or pastes something, and gives the new text the marks that were switched on
        before."""
        on = self._marks_on()
        if not on:
            write()
            return
        before, cursor = self._written(), self.textCursor()
        cursor.beginEditBlock()  # Qt joins only blocks, and typed letters are none
        write()
        cursor.endEditBlock()
        now = self._written()
        size = len(now.text) - len(before.text)
        if size > 0 and now.start == now.end == before.end + size:
            self._apply(typed(replace(now, on=on), size), join=True)

    def insert(self, text: str) -> None:
        """Inserts `text` at the caret, as if it was typed, and gives the field the focus."""
        self.setFocus()  # first: names are offered only in the field that has it
        self._type(partial(self.textCursor().insertText, text))

    def start_mention(self) -> None:
        """Inserts "@" at the caret, after a space where a word is before it, and gives the field the focus. The names
        of people are offered only if the field had the focus before."""
        before = self.toPlainText()[: point_from_utf16(self.toPlainText(), self.textCursor().position())]
        self.insert("@" if not before or before[-1].isspace() else " @")

    def close_names(self) -> None:
        """Hides the list of names."""
        if self._names is not None:
            if self._names.isVisible():
                self.setAccessibleDescription("")
            self._names.hide()

    @property
    def names(self) -> "NameList | None":
        """The list of names while it is open."""
        return self._names if self._names is not None and self._names.isVisible() else None

    def _on_text(self) -> None:
        text = self.toPlainText()
        cursor = point_from_utf16(text, self.textCursor().position())
        _, people = complete(text, cursor, self._people())
        if not people or not self.hasFocus():
            self.close_names()
            return
        if self._names is None:
            self._names = NameList(self.window(), self._take_name, self._presence)
            # The focus stays here, so a screen reader is notified here who is chosen.
            self._names.list.currentTextChanged.connect(self.setAccessibleDescription)
        self._names.offer(people)
        rect = self.cursorRect()
        self._names.place(self.viewport().mapTo(self.window(), QPoint(rect.left(), rect.top())))

    def _take_name(self, person: Person) -> None:
        text = self.toPlainText()
        end = point_from_utf16(text, self.textCursor().position())
        start, _ = complete(text, end, self._people())
        if start < 0:
            return
        cursor = self.textCursor()
        cursor.setPosition(utf16_from_point(text, start))
        cursor.setPosition(utf16_from_point(text, end), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(f"@{person.name} ")
        self.setTextCursor(cursor)
        self.close_names()
        self.setFocus()

    def _grow(self) -> None:
        height = round(self.document().size().height()) + 2
        self.setFixedHeight(max(px(_LEAST_HEIGHT), min(self._most(), height)))

    def _most(self) -> int:
        """The greatest height: a third of the window, because the message that is answered has to stay in sight."""
        return min(px(_MOST_HEIGHT), max(px(_LEAST_HEIGHT), self.window().height() // 3))

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, shift = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        names = self.names
        if names is not None and names.take_key(key):
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if shift:
                self._apply(new_line(self._written()))
            else:
                self.submitted.emit()
        elif key == Qt.Key.Key_Escape:
            self.cancelled.emit()
        elif key == Qt.Key.Key_Up and not self.toPlainText():
            self.edit_last_asked.emit()
        elif control and key == Qt.Key.Key_B:
            self.toggle_mark(BOLD)
        elif control and key == Qt.Key.Key_I:
            self.toggle_mark(ITALIC)
        elif key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            super().keyPressEvent(event)
            self._apply_emptied()
        else:
            self._type(partial(super().keyPressEvent, event))

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Takes letters from dead keys and input methods."""
        self._type(partial(super().inputMethodEvent, event))

    def focusNextPrevChild(self, forward: bool) -> bool:
        # While names are offered Tab takes one of them; Qt would move the focus before the key arrives.
        return super().focusNextPrevChild(forward) if self.names is None else False

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        if self._names is None or not self._names.underMouse():
            self.close_names()

    def dropEvent(self, event: QDropEvent) -> None:
        """Handles a drop: files are always copied, a text may be moved within the field."""
        if event.source() is not self.viewport() and paths_of(event):
            event.setDropAction(Qt.DropAction.CopyAction)
        super().dropEvent(event)
        if paths_of(event):
            take_copy(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or can_paste(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        paths = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        if paths:
            self.files_given.emit(paths)
        else:
            self._paste(source)

    def _paste(self, source: QMimeData) -> None:
        """Pastes text. The picture on the clipboard is given on instead (`image_given`) if there is no text with it, or
        only an address. Emits `not_taken` with a sentence about what could not be pasted, or ""."""
        copied = as_written(source)
        if copied:
            self._type(partial(self.textCursor().insertText, copied))
            self.not_taken.emit("")
            self.ensureCursorVisible()
            return
        found = pasting.read(source.text(), source.html() if source.hasHtml() else "")
        picture = None if found.beats else pasted(source)
        if picture is not None:
            self.not_taken.emit("")
            self.image_given.emit(picture)
            return
        if FENCE in found.text and found.text != source.text():
            self._insert_lines(found.text)
        elif found.text:
            self._type(partial(self.textCursor().insertText, found.text))
        lost = found.pictures or int(not found.text and offers_picture(source))
        self.not_taken.emit(left_out(lost) if found.text or lost else no_text())
        self.ensureCursorVisible()

    def _insert_lines(self, text: str) -> None:
        """Inserts `text` in place of the selection, on lines of its own."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        whole = self.toPlainText()
        before, behind = whole[: point_from_utf16(whole, start)], whole[point_from_utf16(whole, end) :]
        head = "\n" if before and not before.endswith("\n") else ""
        cursor.insertText(head + text + ("" if behind.startswith("\n") else "\n"))

    def loadResource(self, kind: int, name: Any) -> Any:
        return None  # nothing is ever fetched


def _same(one: str, other: str) -> int:
    """How many characters at the beginning of two texts are the same. Searched by halves, since a pasted text may be
    long."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        middle = (least + most + 1) // 2
        if one[least:middle] == other[least:middle]:
            least = middle
        else:
            most = middle - 1
    return least


class NameList(QFrame):
    """A list of people above the caret, one of whom is to be mentioned: `take` is called with the one chosen. The field
    keeps the focus and passes keys on to `take_key`. `presence` is asked for those who are listed."""

    def __init__(self, window: QWidget, take: Callable[[Person], object], presence: KnownPresence) -> None:
        super().__init__(window)
        set_props(self, frame="palette")
        self._take, self._presence = take, presence
        self._offered: list[Person] = []
        self._in_view = PresenceInView(self, presence)
        bind(self, presence.changed, self._on_presence)
        self.list = ItemList(self)
        self.list.setAccessibleName(tr("People to mention"))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(lambda item: self._take(self._offered[self.list.row(item)]))
        column(self, margins=(6, 6, 6, 6)).addWidget(self.list)

    def offer(self, people: Sequence[Person]) -> None:
        """Lists the first NAMES_SHOWN of `people`, who may be mentioned, in their order, and chooses the first. The
        caller hides the list if there is nobody."""
        before, self._offered = self._offered, list(people)[:NAMES_SHOWN]
        for edit in edits([person.uid for person in before], [person.uid for person in self._offered]):
            self._do(edit)
        for at, person in enumerate(self._offered):
            self._show_person(at, person)
            self.list.item(at).setSizeHint(QSize(200, scale.row(_NAME_HEIGHT)))
        self._in_view.show([person.uid for person in self._offered])
        self.list.setCurrentRow(0)
        width = min(px(_NAMES_WIDTH), self.window().width() - 16)
        self.setFixedSize(width, scale.row(_NAME_HEIGHT) * len(self._offered) + 16)

    def _show_person(self, at: int, person: Person) -> None:
        text = f"{person.name} · {person.title}" if person.title and person.title != person.name else person.name
        presence = self._presence.of(person.uid)
        self.list.item(at).setIcon(presence_icon(presence))
        self.list.item(at).setText(f"{text} · {presence_name(presence.state)}" if presence is not None else text)

    def _on_presence(self, uid: Uid) -> None:
        """Shows an answer in the row of the person that it is about. The choice and the other rows stay."""
        for at, person in enumerate(self._offered):
            if person.uid == uid:
                self._show_person(at, person)
                if at == self.list.currentRow():
                    self.list.currentTextChanged.emit(self.list.item(at).text())

    def _do(self, edit: Edit) -> None:
        top = QModelIndex()
        match edit:
            case Removed(first, count):
                self.list.model().removeRows(first, count, top)
            case Moved(first):
                self.list.model().moveRow(top, first, top, edit.before)
            case Inserted(first, count):
                self.list.model().insertRows(first, count, top)

    def place(self, cursor: QPoint) -> None:
        """Shows the list above the point `cursor`, in the window's coordinates, but inside the window."""
        self.move(
            max(8, min(cursor.x() - 14, self.window().width() - self.width() - 8)),
            max(0, cursor.y() - self.height() - 8),
        )
        self.show()
        self.raise_()

    def take_key(self, key: int) -> bool:
        """Handles `key`, a number of Qt's: arrows choose (after the last comes the first), Enter and Tab take, Esc
        closes. Returns False if the key is not for the list. To be called only while the list is open."""
        row, count = self.list.currentRow(), self.list.count()
        if key == Qt.Key.Key_Down:
            self.list.setCurrentRow((row + 1) % count)
        elif key == Qt.Key.Key_Up:
            self.list.setCurrentRow((row - 1) % count)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab):
            self._take(self._offered[max(0, row)])
        elif key == Qt.Key.Key_Escape:
            self.list.setCurrentRow(-1)
            self.hide()
        else:
            return False
        return True
