# SPDX-License-Identifier: EUPL-1.2
"""The panel beside the board in which a card is read and changed. Written at once; Ctrl+Z takes it back."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QLineEdit, QPlainTextEdit, QWidget

from app.people.person import Person
from app.tasks.cards import LABEL_COLOURS
from app.tasks.model import Board, Card
from ui.kit.bind import bind
from ui.kit.buttons import IconButton, TextButton
from ui.kit.card import scroll
from ui.kit.chip import Chip
from ui.kit.dialogs import ask
from ui.kit.flow_layout import FlowLayout
from ui.kit.menu import Entry, popup
from ui.kit.style import clear, column, label, line, set_props
from ui.kit.tasks import done_now, run
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.tasks.card_widget import LABEL_KINDS
from ui.tasks.checklist import Checklist
from ui.tasks.due_field import DueField

WIDTH = 360


class CardEditor(QFrame):
    """Shows one card at a time. Escape or the cross closes it."""

    closed = Signal(str)
    delete_asked = Signal(str)

    def __init__(self, board: Board, people: Callable[[], Sequence[Person]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_props(self, frame="panel")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(tr("Task"))
        self._board = board
        self._people = people
        self._card = ""
        self._from_archive = False
        """The card was opened as an archived one; another that becomes archived is closed."""
        self.title = QLineEdit()
        self.title.setAccessibleName(tr("Title"))
        self.title.editingFinished.connect(self._on_title)
        self.column = self._choice(tr("Column"), self._on_column)
        self.assignee = self._choice(tr("Assigned to"), self._on_assignee)
        self.due = DueField()
        self.due.changed.connect(lambda due: self._board.set_due(self._card, due))
        self.labels = TextButton(tr("Choose labels …"), self._ask_labels, icon="label")
        self._chips = QWidget()
        FlowLayout(self._chips)
        self.description = QPlainTextEdit()
        self.description.setAccessibleName(tr("Description"))
        self.description.setPlaceholderText(tr("What is to be done, and why"))
        self.description.setTabChangesFocus(True)
        self.description.setFixedHeight(120)
        self.checklist = Checklist(board)
        self._archived = QFrame()
        self._delete = IconButton("delete", tr("Delete the task"), self._ask_delete, size=16)
        self._back = TextButton(tr("Put back on the board"), self._put_back, kind="link")
        self._writable = True
        self._captions: dict[QWidget, QWidget] = {}
        self._build()
        bind(self, board.changed, self._on_changed)
        bind(self, board.columns_changed, self._refresh)
        self.hide()

    def _build(self) -> None:
        body = QWidget()
        rows = column(body, margins=(18, 4, 18, 18), spacing=6)
        head = line(margins=(18, 12, 10, 4))
        head.addWidget(label(tr("Task"), "section"))
        head.addStretch(1)
        head.addWidget(self._delete)
        head.addWidget(IconButton("close", tr("Close the task"), self.close_card, size=16))
        fields: list[tuple[str, QWidget]] = [
            (tr("Title"), self.title),
            (tr("Column"), self.column),
            (tr("Assigned to"), self.assignee),
            (tr("Due date"), self.due),
            (tr("Labels"), self.labels),
            ("", self._chips),
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
        rows.addStretch(1)
        set_props(self._archived, frame="bar-info")
        bar = line(self._archived, margins=(18, 6, 10, 6), spacing=8)
        bar.addWidget(label(tr("The task is archived."), "small"), 1)
        bar.addWidget(self._back)
        self._archived.hide()
        outer = column(self)
        outer.addLayout(head)
        outer.addWidget(self._archived)
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

    def set_writable(self, writable: bool) -> None:
        """Whether a card can be changed here, or only read. What cannot be read is gone, not grey."""
        self._writable = writable
        for field in (self.title, self.description):
            field.setReadOnly(not writable)
        for box in (self.column, self.assignee):
            box.setEnabled(writable)
        self.due.set_writable(writable)
        self.checklist.set_writable(writable)
        for button in (self.labels, self._delete, self._back):
            button.setVisible(writable)
        for captioned in self._captions:
            self._show_field(captioned, True)
        self._refresh()

    def _show_field(self, field: QWidget, filled: bool) -> None:
        """Who may only read sees no empty field that asks to be filled in."""
        shown = self._writable or filled
        self._captions[field].setVisible(shown)
        if field is not self.labels:
            field.setVisible(shown)

    def open_card(self, card_id: str) -> None:
        """Shows a card and puts the cursor into its title."""
        if self._card:
            self._keep_texts()
        self._card = card_id
        card = self._board.card(card_id)
        if card is None:
            return
        self._from_archive = card.archived
        self.title.setText(card.title)
        self.description.setPlainText(card.description)
        self._refresh()
        self.show()
        self.title.setFocus()
        self.title.selectAll()

    def close_card(self) -> None:
        """Keeps what is written and closes."""
        if not self._card:
            return
        self._keep_texts()
        card, self._card = self._card, ""
        self.hide()
        self.closed.emit(card)

    def keep_draft(self) -> None:
        """Stores what is being written in the open card."""
        if self._card:
            done_now(self, self._keep_texts)

    def _keep_texts(self) -> None:
        if not self._writable:
            return
        title = self.title.text() if self.title.text().strip() else None
        self._board.edit_card(self._card, title=title, description=self.description.toPlainText())

    def _on_title(self) -> None:
        if self._card and self._writable and self.title.text().strip():
            self._board.edit_card(self._card, title=self.title.text())

    def _on_changed(self, ids: frozenset[str]) -> None:
        if not ids or self._card in ids:
            self._refresh()

    def _refresh(self) -> None:
        if not self._card:
            return
        card = self._board.card(self._card)
        if card is None or (card.archived and not self._from_archive):
            self._card = ""
            self.hide()
            self.closed.emit("")
            return
        self._archived.setVisible(card.archived)
        if not self.title.hasFocus():
            self.title.setText(card.title)
        if not self.description.hasFocus() and self.description.toPlainText() != card.description:
            self.description.setPlainText(card.description)
        self._fill(card)
        self.due.show_date(card.due)
        self._show_chips(card)
        self.checklist.show_card(card)
        if not self._writable:
            filled = ((self.due, card.due), (self.labels, card.labels), (self.description, card.description),
                      (self.checklist, card.checklist), (self.assignee, card.assignee))  # fmt: skip
            for field, value in filled:
                self._show_field(field, bool(value))

    def _show_chips(self, card: Card) -> None:
        flow = self._chips.layout()
        if flow is not None:
            clear(flow)
        chosen = [found for found in self._board.labels() if found.id in card.labels]
        for found in chosen:
            chip = Chip(found.name, LABEL_KINDS[found.colour])
            if flow is not None:
                flow.addWidget(chip)
        self._chips.setVisible(bool(chosen))

    def _fill(self, card: Card) -> None:
        columns = [(column_.title or tr("Without column"), column_.id) for column_ in self._board.columns()]
        here = self._board.column_of(card.id)
        _offer(self.column, columns, here.id if here else "")
        people = [(person.name, person.uid) for person in self._people()]
        _offer(self.assignee, [(tr("Nobody"), None), *people], card.assignee)

    def _on_column(self) -> None:
        self._board.move_card(self._card, str(self.column.currentData()))

    def _on_assignee(self) -> None:
        self._board.assign(self._card, self.assignee.currentData())

    def _put_back(self) -> None:
        self._board.archive_card(self._card, False)
        self._from_archive = False
        self.title.setFocus()

    def _ask_delete(self) -> None:
        card = self._card
        self.close_card()
        self.delete_asked.emit(card)

    def _ask_labels(self) -> None:
        card = self._board.card(self._card)
        if card is None:
            return
        entries: list[Entry | None] = [
            Entry(
                text=found.name,
                checked=found.id in card.labels,
                run=partial(self._board.set_label, card.id, found.id, found.id not in card.labels),
            )
            for found in self._board.labels()
        ]
        if entries:
            entries.append(None)
        entries += [
            Entry(text=text, icon="add", run=partial(self._ask_new_label, card.id, colour))
            for colour, text in zip(LABEL_COLOURS, _new_label_texts(), strict=True)
        ]
        popup(self.labels, tr("Labels"), entries, self.labels.mapToGlobal(QPoint(0, self.labels.height() + 4)))

    def _ask_new_label(self, card: str, colour: str) -> None:
        async def choose() -> None:
            name = await ask(self, tr("New label"), tr("Name"), accept=tr("Add"))
            if name:
                self._board.set_label(card, self._board.add_label(name, colour), True)

        run(self, choose())

    def hideEvent(self, event: QHideEvent) -> None:
        """Stores what is being written when the editor disappears: for another room, or because Kansli is locked."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.keep_draft()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_card()
        else:
            super().keyPressEvent(event)


def _offer(box: QComboBox, choices: Sequence[tuple[str, object]], chosen: object) -> None:
    """Fills a box, but leaves alone one that somebody is just choosing in and whose choices are the same."""
    if [(box.itemText(i), box.itemData(i)) for i in range(box.count())] != list(choices):
        box.clear()
        for text, value in choices:
            box.addItem(text, value)
    place = next((i for i, (_, value) in enumerate(choices) if value == chosen), 0)
    if box.currentIndex() != place:
        box.setCurrentIndex(place)


def _new_label_texts() -> tuple[str, ...]:
    """In the order of LABEL_COLOURS."""
    return (
        tr("New blue label …"),
        tr("New green label …"),
        tr("New yellow label …"),
        tr("New red label …"),
        tr("New grey label …"),
    )
