# SPDX-License-Identifier: EUPL-1.2
"""Beside a room's members: the room that it belongs to, the rooms that belong to it, and members who were removed from
the one and are still in the other."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.core.ids import RoomId, Uid
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter, NoticeId
from app.people.person import Person
from app.rooms.service import RoomSummary
from app.session import Session
from ui.kit.buttons import RowButton, TextButton
from ui.kit.card import Card, IconLabel, SectionHeader
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import ElidedLabel, column, label, line, set_props
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import day, short_day, tr
from ui.shell.room.removing import ask_and_remove
from ui.tool_views import toast


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Whether `person`, whom `by` removed from the room `parent` (its title) at `t_ms`, stays in this room. `ident`:
    the notice that asks."""

    ident: NoticeId
    person: Person
    by: Person | None
    parent: str
    t_ms: int


class NestedRow(RowButton):
    """A row that shows a room which this room belongs to, or the other way round. A press calls `choose` with that
    room's id."""

    def __init__(self, room: RoomSummary, choose: Callable[[RoomId], object]) -> None:
        super().__init__("", lambda: choose(self._room.room))
        self._room = room
        set_props(self, kind="card-row")
        layout = line(self, margins=(12, 10, 12, 10), spacing=7)
        self._title = ElidedLabel()
        layout.addWidget(IconLabel("case", "accent", 16))
        layout.addWidget(self._title, 1)
        self.take_clicks()
        self.show_room(room)

    def show_room(self, room: RoomSummary) -> None:
        """Shows this room, from now on."""
        self._room = room
        if self.accessibleName() != room.title:
            self.setAccessibleName(room.title)
            self._title.set_text(room.title)


class QuestionCard(Card):
    """A card that asks whether a person who was removed from the case room stays in this room. `remove` and `keep` are
    called with the question."""

    def __init__(
        self, question: Question, remove: Callable[[Question], object], keep: Callable[[Question], object]
    ) -> None:
        super().__init__(margin=12, spacing=6)
        self._question = question
        top = line(spacing=7)
        self._name, self._about = label("", "strong", wrap=True), label("", "small", wrap=True)
        top.addWidget(IconLabel("warning", "warning", 16))
        top.addWidget(self._name, 1)
        self.content.addLayout(top)
        self.content.addWidget(self._about)
        self.remove_button = TextButton(tr("Remove from here …"), lambda: remove(self._question), kind="primary")
        self.keep_button = TextButton(tr("Keep"), lambda: keep(self._question))
        answers = QWidget()
        flow = FlowLayout(answers, gap=8)
        flow.addWidget(self.remove_button)
        flow.addWidget(self.keep_button)
        self.content.addWidget(answers)
        self.show_question(question)

    def show_question(self, question: Question) -> None:
        """Shows this question, from now on."""
        self._question = question
        self._name.setText(tr("Is {name} to stay in this room?").format(name=question.person.name))
        by = question.by.name if question.by is not None else tr("Somebody")
        text = tr("{by} removed {name} from {parent} on {day}. {name} is still a member here.")
        when = short_day(day(question.t_ms))
        self._about.setText(text.format(by=by, name=question.person.name, parent=question.parent, day=when))


class NestedPart(QWidget):
    """The part of the people panel about rooms that belong to each other. It emits `room_chosen` with the room that a
    person presses."""

    room_chosen = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._room: RoomId | None = None
        layout = column(self, margins=(0, 8, 0, 0), spacing=8)
        questions, rooms = QWidget(), QWidget()
        column(questions, spacing=8)
        column(rooms, spacing=10)
        self._title = SectionHeader("")
        layout.addWidget(questions)
        layout.addWidget(self._title)
        layout.addWidget(rooms)
        self._hosts = questions, rooms
        self._questions: KeyedRows[Question, QuestionCard] = KeyedRows(
            questions,
            lambda question: question.ident,
            lambda question: QuestionCard(question, self._on_remove, self._on_keep),
            lambda card, question: card.show_question(question),
        )
        self._rows: KeyedRows[RoomSummary, NestedRow] = KeyedRows(
            rooms,
            lambda room: room.room,
            lambda room: NestedRow(room, self.room_chosen.emit),
            lambda row, room: row.show_room(room),
        )

    def snapshot(self, room: RoomId) -> tuple[object, ...]:
        """All that `show_room` would show of `room`, to be compared with what it showed before."""
        parent, within = self._rooms(room)
        return parent, tuple((each.room, each.title) for each in within), tuple(self.questions(room))

    def show_room(self, room: RoomId) -> None:
        """Shows what concerns `room`, from now on. Hidden if nothing does."""
        self._room = room
        is_child, found = self._rooms(room)
        asked = self.questions(room)
        self._title.setText(tr("Belongs to") if is_child else tr("Restricted rooms"))
        self._title.setVisible(bool(found))
        self._hosts[0].setVisible(bool(asked))
        self._hosts[1].setVisible(bool(found))
        self._questions.show(asked)
        self._rows.show(found)
        self.setVisible(bool(asked or found))

    def take_focus(self) -> None:
        """Gives the focus to the first question; does nothing if there is none."""
        for card in self._questions.rows[:1]:
            card.remove_button.setFocus()

    def _rooms(self, room: RoomId) -> tuple[bool, list[RoomSummary]]:
        """Returns (True, [the room that `room` belongs to]) or (False, the rooms that belong to `room`)."""
        parent = self._session.nesting.parent(room)
        return (True, [parent]) if parent is not None else (False, self._session.nesting.children(room))

    def questions(self, room: RoomId) -> list[Question]:
        """The questions about members of `room` that wait for this person's answer."""
        wanted = NoticeFilter(kinds=frozenset({LEFT_PARENT.id}), room=room, open=True)
        people, parent = self._session.people, self._session.nesting.parent(room)
        return [
            Question(
                ident=row.id,
                person=people.person(Uid(row.ref)),
                by=people.person(row.by) if row.by is not None else None,
                parent=parent.title if parent is not None else "",
                t_ms=row.t,
            )
            for row in self._session.notices.list(wanted)
        ]

    def _on_remove(self, question: Question) -> None:
        if self._room is not None:
            window = self.window()  # not this part: leaving the room does not end it half way
            run(window, ask_and_remove(window, self._session, self._room, question.person))

    def _on_keep(self, question: Question) -> None:
        notices, window, ident = self._session.notices, self.window(), question.ident
        if run_guarded(self, lambda: notices.mark_done([ident])):
            text = tr("{name} stays in the room.").format(name=question.person.name)
            toast(window, text, lambda: run_guarded(window, lambda: notices.mark_new([ident])))
