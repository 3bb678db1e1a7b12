# SPDX-License-Identifier: EUPL-1.2
"""The panel beside the board in which a card is read and changed. Edits are stored at once; Ctrl+Z takes them back.
Title and description are stored while the person types; what is written in them without leaving them is one step to
undo.

Tasks are often written down several at a time. So Enter in a new task's title puts the task on the board and offers an
empty title for the next one in the same column; Enter without a title, or Esc, ends it. Otherwise the next task's name
would be written into the first one. Tab goes on with the task instead: it is then an open card like any other. Enter
does the same after a pause has put the task on the board, because the person does not notice that moment.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QWidget

from app.people.person import Person
from app.tasks.model import Board, Card
from app.tasks.new_values import new_card_id
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.buttons import IconButton
from ui.kit.card import scroll
from ui.kit.choices import offer
from ui.kit.faces import Role, Spoken, State
from ui.kit.selecting import select
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.tasks.away_bar import AwayBar
from ui.tasks.checklist import Checklist
from ui.tasks.description_field import DescriptionField
from ui.tasks.due_field import DueField
from ui.tasks.label_field import LabelField
from ui.tasks.title_field import TitleField
from ui.trash import Who

WIDTH = 360
_COMES_BACK = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)


class CardEditor(Spoken, QFrame):
    """The panel in which one card is read and changed. Escape or the cross closes it. `people` returns whom a card can
    be assigned to (nobody: no field asks for it), `who` the person for an id.

    An open card has the focus as a whole, so that keys which were meant for the board write nothing into its title.
    From there F2, Enter and Tab go to the title.
    """

    closed = Signal(str)
    """The card that was open, "" if it is gone. Emitted before the panel disappears, so that the focus can go on."""
    delete_asked = Signal(str)
    card_shown = Signal(str)
    """The open card's id; "" for a new one that is not on the board yet."""

    def __init__(
        self, board: Board, people: Callable[[], Sequence[Person]], who: Who, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        set_props(self, frame="panel")
        self.setAccessibleName(tr("Task"))
        self._board = board
        self._people, self._who = people, who
        self._card = ""
        self._make: Callable[[str, str], object] | None = None
        """Puts the new card on the board; None if the open card is on the board already."""
        self._again: Callable[[str, str], object] | None = None
        """Makes the next new card; None unless the caret is in a new card's title."""
        self._made = ""
        """The card that was made before the new one, or ""."""
        self._from_archive = False
        """Whether the card was opened as an archived one. Another card that becomes archived is closed."""
        self.title = TitleField()
        hint = tr("Enter makes the task and begins the next one. Tab goes on with this one.")
        self._hint = label(hint, "small", wrap=True)
        self._step, self._step_open = ExitStack(), False
        self.column = self._choice(tr("Column"), self._on_column)
        self.assignee = self._choice(tr("Assigned to"), self._on_assignee)
        self.due = DueField()
        self.labels = LabelField(self, board)
        self.description = DescriptionField()
        self.checklist = Checklist(board)
        self.archived = AwayBar(self._put_back, who)
        self.away = self.archived.sentence
        self._delete = IconButton("delete", tr("Delete the task"), self._ask_delete, size=16)
        self._writable = True
        self._captions: dict[QWidget, QWidget] = {}
        self._build()
        self._connect()
        bind(self, board.changed, self._on_changed)
        bind(self, board.columns_changed, self._refresh)
        self.hide()

    def _connect(self) -> None:
        self.title.editingFinished.connect(self._leave_texts)
        self.title.installEventFilter(self)
        self.title.pause.connect(self._keep_typed)
        self.due.changed.connect(self._on_due)
        self.description.pause.connect(self._keep_typed)
        self.description.left.connect(self._leave_texts)

    def _build(self) -> None:
        body = QWidget()
        rows = column(body, margins=(18, 4, 18, 18), spacing=6)
        self.head = head = line(margins=(18, 12, 10, 4))
        head.addWidget(label(tr("Task"), "section"), 1)
        head.addWidget(self._delete)
        head.addWidget(IconButton("close", tr("Close the task"), self.close_card, size=16))
        fields: list[tuple[str, QWidget]] = [
            (tr("Title"), self.title),
            (tr("Column"), self.column),
            (tr("Assigned to"), self.assignee),
            (tr("Due date"), self.due),
            (tr("Labels"), self.labels.button),
            ("", self.labels.chips),
            (tr("Description"), self.description),
            (tr("Checklist"), self.checklist),
        ]
        for name, field in fields:
            if name:
                caption = label(name, "label")
                caption.setBuddy(field)
                rows.addWidget(caption)
                self._captions[field] = caption
            rows.addWidget(field)
            if field is self.title:
                rows.addWidget(self._hint)
                rows.addWidget(self.title.other)
            if field is self.description:
                rows.addWidget(self.description.too_long)
        rows.addStretch(1)
        outer = column(self)
        outer.addLayout(head)
        outer.addWidget(self.archived)
        outer.addWidget(scroll(body, tr("The task's fields")), 1)

    def _choice(self, name: str, on_choice: Callable[[], object]) -> QComboBox:
        box = keep_still(QComboBox())
        box.setAccessibleName(name)
        box.activated.connect(lambda _index: on_choice())
        return box

    @property
    def card_id(self) -> str:
        """The card that is open, or ""."""
        return self._card if self.isVisible() else ""

    def caret(self) -> tuple[str, int, int]:
        """The caret's field ("title", "description"), and anchor and position in it (UTF-16); ("panel", 0, 0) if
        neither has the focus."""
        focus = self.window().focusWidget()  # also while another program is in front
        if focus is self.description:
            cursor = self.description.textCursor()
            return "description", cursor.anchor(), cursor.position()
        if focus is not self.title:
            return "panel", 0, 0
        caret, start, end = self.title.cursorPosition(), self.title.selectionStart(), self.title.selectionEnd()
        return "title", caret if start < 0 else end if caret == start else start, caret

    def put_caret(self, field: str, anchor: int, caret: int) -> None:
        """Puts the caret back where `caret` found it: into `field` of the open card; for "panel" on the whole panel."""
        if field == "description":
            self.description.setFocus()
            select(self.description, anchor, caret)
        elif field == "panel":
            self.setFocus()
        else:
            self.title.setFocus()
            self.title.setSelection(anchor, caret - anchor)

    def set_writable(self, writable: bool) -> None:
        """Sets whether a card can be changed here (`writable`), or only read. In the latter case buttons and empty
        fields are hidden, and texts stay readable."""
        self._writable = writable
        for field in (self.title, self.description):
            field.setReadOnly(not writable)
        for box in (self.column, self.assignee):
            box.setEnabled(writable)
        self.due.set_writable(writable)
        self.checklist.set_writable(writable)
        for button in (self.labels.button, self._delete, self.archived.back):
            button.setVisible(writable)
        for captioned in self._captions:
            self._show_field(captioned, True)
        self._refresh()

    def _show_field(self, field: QWidget, filled: bool) -> None:
        """Shows or hides `field` with its caption; `filled`: whether the card has something in it. A person who may
        only read sees no empty field that asks to be filled in, and a new card has only its title."""
        shown = (self._writable or filled) and (self._make is None or field is self.title)
        shown = shown and (field is not self.assignee or bool(self._people()))
        self._captions[field].setVisible(shown)
        if field is not self.labels.button:
            field.setVisible(shown)

    def open_card(self, card_id: str) -> None:
        """Stores what is being written in the card that was open, and shows the card with this id. The focus goes to
        the panel as a whole. If there is no such card, the former one stays open."""
        self._leave_card()
        card = self._board.any_card(card_id)
        if card is None:
            return
        self._end_series()
        self._card, self._make, self._made = card_id, None, ""
        self._from_archive = card.archived
        self.title.open_text(card_id, card.title, self._retitled_by(card_id))
        self.description.open_text(card.description)
        self.due.open_card(card_id, card.due)
        self._show()
        self.setFocus()

    def open_new(self, make: Callable[[str, str], object]) -> None:
        """Asks for a new card's title. `make` is called with the card's id and the title, and puts it on the board:
        once, when there is a title, and never if the panel is closed without one."""
        self._leave_card()
        self._card, self._make, self._from_archive = "", make, False
        self._again, self._made = make, ""
        self._hint.show()
        self.title.open_text("", "")
        self.description.open_text("")
        self.due.open_card("", None)
        self._show()
        self._go_to_title()

    def _show(self) -> None:
        self._show_fields()
        self._refresh()
        self.show()

    def _go_to_title(self) -> None:
        """Puts the caret at the end of the title; nothing is selected, so that a key replaces nothing."""
        self.title.setFocus()
        self.title.deselect()
        self.title.end(False)

    def _begin_next(self) -> None:
        """Handles Enter in a new card's title: asks for the title of the next card. Without a title the panel
        closes."""
        again, title = self._again, self.title.text().strip()
        if again is None or not title:
            self.close_card()
            return
        self._leave_card()
        made = self._card
        self.open_new(again)
        self._made = made
        announce(self.title, tr("“{title}” is on the board. Now the next task.").format(title=title))

    def _end_series(self) -> None:
        self._again = None
        self._hint.hide()

    def _show_fields(self) -> None:
        for field in self._captions:
            self._show_field(field, True)
        self.labels.chips.hide()
        self.archived.hide()
        for button in (self.labels.button, self._delete):
            button.setVisible(self._writable and self._make is None)
        self.card_shown.emit(self._card)

    def _retitled_by(self, card_id: str) -> str:
        """The name of the person who replaced the title of the card `card_id` in another program since the board was
        opened here; "A colleague" if it is not known. "" if nobody did, or if the title was written here last."""
        if card_id not in self._board.replaced.retitled:
            return ""
        uid = self._board.replaced.retitled[card_id]
        return self._who(uid).name if uid is not None else tr("A colleague")

    def close_card(self) -> None:
        """Stores what is being written, closes the panel, and emits `closed` with the card's id: for a new card without
        a title, that of the card made before it, or "". Does nothing if no card is open."""
        if not self._card and self._make is None:
            return
        self._leave_card()
        card, self._card, self._make, self._made = self._card or self._made, "", None, ""
        self._end_series()
        self.closed.emit(card)
        self.hide()

    def keep_draft(self) -> None:
        """Stores what is being written in the open card and its checklist, and a date that is being typed if it is
        understood."""
        self.title.show_board_title()
        self._keep_typed()
        self._keep_due()
        if self._card:
            self.checklist.keep()

    def _keep_typed(self) -> None:
        """Stores title and description in a pause, while a date may be half typed in its field."""
        run_guarded(self, self._keep_texts)

    def _keep_due(self) -> None:
        if self._card and self._writable:
            self.due.keep()

    def _leave_texts(self) -> None:
        """Stores title and description, ends the step that Ctrl+Z undoes, and stores a typed date as its own step."""
        self._keep_typed()
        self.title.leave()
        self._step.close()
        self._step_open = False
        self._keep_due()

    def _leave_card(self) -> None:
        """Stores everything that is being written in the card: title, description, date and checklist."""
        self._leave_texts()
        if self._card:
            self.checklist.keep()

    def _keep_texts(self) -> None:
        title, text = self.title.unstored, self.description.unstored
        if not self._writable or (not self._card and (self._make is None or title is None)):
            return
        if title is None and text is None:
            return
        make, self._make = self._make, None
        if make is not None and title is not None:
            self._card = new_card_id()
            self.title.stored(self._card)
            self.due.open_card(self._card, None)
            self._show_fields()
            make(self._card, title)
            return
        if not self._step_open:
            self._step.enter_context(self._board.undo.together())
            self._step_open = True
        if text is not None:
            self.description.stored()
        if title is not None:
            self.title.stored(self._card)
        self._board.edit_card(self._card, title=title, description=text)

    def _on_changed(self, ids: frozenset[str]) -> None:
        if not ids or self._card in ids:
            self._refresh()

    def _refresh(self) -> None:
        if not self._card:
            return
        card = self._board.any_card(self._card)
        if card is not None and card.archived and not self._from_archive and self.has_focus():
            self._from_archive = True  # a colleague archived what I write in: it stays open
        if card is None or (card.archived and not self._from_archive):
            if card is not None:
                self._leave_card()
            self._step.close()
            if self._card:  # otherwise what was stored has closed it
                self._card, self._step_open = "", False
                self.closed.emit("")
                self.hide()
            return
        self.archived.show_card(card)
        self._delete.setVisible(self._writable and not card.deleted)
        self.setAccessibleDescription(card.title)
        self.title.take(card.title, self._retitled_by(card.id))
        self.description.take(card.description)
        self._fill(card)
        self.due.show_date(card.due)
        self.labels.show_card(card)
        self.checklist.show_card(card)
        if not self._writable:
            filled = ((self.due, card.due), (self.labels.button, card.labels), (self.description, card.description),
                      (self.checklist, card.checklist), (self.assignee, card.assignee))  # fmt: skip
            for field, value in filled:
                self._show_field(field, bool(value))

    def has_focus(self) -> bool:
        """Whether the focus is in this panel."""
        focus = self.window().focusWidget()
        return focus is not None and self.isAncestorOf(focus)

    def _fill(self, card: Card) -> None:
        columns = [(column_.title or tr("Without column"), column_.id) for column_ in self._board.columns()]
        here = self._board.column_of(card.id)
        offer(self.column, columns, here.id if here else "")
        offer(self.assignee, [(tr("Nobody"), None), *((p.name, p.uid) for p in self._people())], card.assignee)

    def _on_column(self) -> None:
        run_guarded(self, lambda: self._board.move_card(self._card, str(self.column.currentData())))

    def _on_assignee(self) -> None:
        run_guarded(self, lambda: self._board.assign(self._card, self.assignee.currentData()))

    def _on_due(self, due: date | None) -> None:
        if self._card:
            run_guarded(self, lambda: self._board.set_due(self._card, due))

    def _put_back(self) -> None:
        card = self._board.any_card(self._card)
        if card is not None and card.deleted:
            run_guarded(self, lambda: self._board.restore_card(self._card))
        elif run_guarded(self, lambda: self._board.archive_card(self._card, False)):
            self._from_archive = False
        self.setFocus()

    def _ask_delete(self) -> None:
        card = self._card
        self.close_card()
        self.delete_asked.emit(card)

    def hideEvent(self, event: QHideEvent) -> None:
        """Stores what is being written when the editor disappears: for another room, or because Kansli is locked."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.keep_draft()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handles keys in a new card's title. Enter begins the next card, and True keeps it from Qt. Tab first makes
        the card, and with it the next field, and Qt then goes there."""
        if watched is not self.title or self._again is None:
            return False
        pressed = event.key() if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress else None
        if pressed in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._begin_next()
            return True
        if pressed == Qt.Key.Key_Tab and self._make is not None:
            self.keep_draft()
        if isinstance(event, QFocusEvent) and event.lostFocus() and event.reason() not in _COMES_BACK:
            self._end_series()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        elif self.hasFocus() and event.key() in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._go_to_title()
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Decides for Qt where Tab goes (`forward`), or Shift+Tab: Tab goes to the title if the panel itself has the
        focus, and Qt decides in every other case. True if the focus went on."""
        if forward and self.hasFocus():
            self._go_to_title()
            return True
        return super().focusNextPrevChild(forward)

    def spoken_role(self) -> Role:
        return Role.Grouping

    def spoken_state(self) -> State:
        state = super().spoken_state()
        state.focusable = True  # though Tab and a click do not stop at it
        return state
