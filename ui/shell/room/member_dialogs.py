# SPDX-License-Identifier: EUPL-1.2
"""Dialogs about rooms and members: a new room, adding from the directory, roles."""

import asyncio
from collections.abc import Awaitable, Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QComboBox, QLineEdit, QRadioButton, QWidget

from app.core.enums import Role, RoomType
from app.core.ids import Uid
from app.people.person import Person
from app.people.service import PeopleService
from app.rooms.records import MAX_GREETING
from ui.errors import sentence_of
from ui.kit.plain import set_item_tip
from ui.kit.scale import hold
from ui.kit.search_field import SearchField
from ui.kit.style import label, set_props
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.kit.wheel import keep_still
from ui.kit.working_dialog import WorkingDialog
from ui.shell.rows import Row, RowList, Sizes
from ui.shell.words import role_meaning, role_name, verified_chip

_TYPING_PAUSE_MS = 150


class NewRoomDialog(WorkingDialog):
    """A dialog that asks for the title and the type of a new room. `things` is a text that names what rooms hold, such
    as "chat, documents and tasks". `make` is called with the title and the type, and awaited; it makes the room, or
    raises."""

    def __init__(self, parent: QWidget, things: str, make: Callable[[str, RoomType], Awaitable[object]]) -> None:
        super().__init__(
            parent,
            tr("New room"),
            accept=tr("Create room"),
            work=lambda: make(self.title.text().strip(), self.room_type),
        )
        self.title = self.add_field(tr("Name of the room"))
        self.title.setPlaceholderText(tr("For example Supervision 2026-1184"))
        self.title.setMaxLength(200)
        self._types = QButtonGroup(self)
        choices = (
            (RoomType.CASE, tr("Case room"), tr("For one case: its {things}.").format(things=things)),
            (RoomType.GROUP, tr("Group"), tr("For a unit, a project or a subject.")),
        )
        for i, (_, word, meaning) in enumerate(choices):
            button = QRadioButton(word)
            button.setAccessibleDescription(meaning)
            button.setChecked(i == 0)
            self._types.addButton(button, i)
            self.body.addWidget(button)
            note = label(meaning, "small")
            note.setContentsMargins(24, 0, 0, 4)
            self.body.addWidget(note)
        self.refresh_button()
        self.title.textChanged.connect(self.refresh_button)
        self.title.setFocus()

    def may_accept(self) -> bool:
        return bool(self.title.text().strip())

    @property
    def room_type(self) -> RoomType:
        """CASE or GROUP."""
        return RoomType.GROUP if self._types.checkedId() == 1 else RoomType.CASE


class PersonSearch(QWidget):
    """A search line over the directory, with a list of the people found. People in `already` are left out. `person()`
    is the one chosen, or None."""

    def __init__(self, people: PeopleService, already: set[Uid], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._people = people
        self._already = already
        self._found: dict[Uid, Person] = {}
        self._search: asyncio.Task[None] | None = None
        self.field = SearchField(tr("Search the directory"), self)
        self.list = RowList(tr("People found"), Sizes(row=46, inset=4, picture=30), self)
        set_props(self.list, frame="card")
        hold(self.list, height=196)
        self.note = label(tr("Type a name, a title or a unit."), "small", wrap=True)
        self._pause = QTimer(self, singleShot=True, interval=_TYPING_PAUSE_MS)
        self._pause.timeout.connect(self._start)
        self.field.textChanged.connect(lambda: self._pause.start())

    def person(self) -> Person | None:
        """The person who is chosen in the list; None if nobody is."""
        row = self.list.current_row()
        return next((p for uid, p in self._found.items() if row is not None and row.key == uid), None)

    def _start(self) -> None:
        if self._search is not None:
            self._search.cancel()
        self._search = run(self, self.look_for(self.field.text().strip()), on_error=self._failed)

    async def look_for(self, query: str) -> None:
        """Searches the directory for `query` and shows the people found, with the first one chosen; nobody for an empty
        query. People in `already` are left out. SyncErrors, such as Unreachable while offline."""
        people = await self._people.search(query) if query else []
        self._found = {p.uid: p for p in people if p.uid not in self._already}
        self.list.rows.set_rows([person_row(p) for p in self._found.values()])
        if self._found:
            self.list.choose_first()
            self.note.setText(tr("Arrow keys choose."))
        elif query:
            self.note.setText(tr("Nobody found who is not already a member."))
        else:
            self.note.setText(tr("Type a name, a title or a unit."))
        self._describe()

    def _describe(self) -> None:
        """Makes the chosen person, or if there is none the note below the list, the description of the search line for
        screen readers, since the focus stays there."""
        row = self.list.current_row()
        self.field.setAccessibleDescription(row.spoken if row is not None else self.note.text())

    def _failed(self, error: Exception) -> None:
        self.note.setText(" ".join(sentence_of(error)[:2]))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.field.hasFocus():
            self.list.step(1 if event.key() == Qt.Key.Key_Down else -1)
            self._describe()
            return
        super().keyPressEvent(event)


def person_row(person: Person) -> Row:
    """A person as a row of a list: picture, name, title and unit, and how they are verified."""
    word = verified_chip(person)[0]
    detail = " · ".join(x for x in (person.title, person.unit) if x and x != person.name)
    return Row(
        key=person.uid,
        title=person.name,
        detail=detail,
        picture=(person.initials, person.colour, False),
        right=word,
    )


def role_choice(current: Role, my_role: Role | None) -> QComboBox:
    """A combo box with the roles that a member with `my_role` may give (none above it), on `current` at first, or on
    the lowest if that is not among them. `my_role` None (no member): the box is empty."""
    box = keep_still(QComboBox())
    box.setAccessibleName(tr("Role"))
    for role in Role:
        if role <= (my_role or 0):
            box.addItem(role_name(role), int(role))
            set_item_tip(box, box.count() - 1, role_meaning(role))
    box.setCurrentIndex(max(box.findData(int(current)), 0))
    return box


class AddMemberDialog(WorkingDialog):
    """A dialog that asks whom to add to a room, in which role, whether they may read what was written before, and for a
    greeting: `search.person()`, `role`, `history_all` and `greeting` hold the answers. `add` is called with this dialog
    and with the person, and awaited; it adds the person, raises, or returns False to keep the dialog open. People in
    `already` are members and cannot be found. `my_role` is the role of the person at the screen."""

    def __init__(
        self,
        parent: QWidget,
        people: PeopleService,
        already: set[Uid],
        my_role: Role | None,
        add: Callable[["AddMemberDialog", Person], Awaitable[object]],
    ) -> None:
        super().__init__(parent, tr("Add member"), accept=tr("Add"), work=lambda: self._add_chosen(), width=480)
        self._add = add
        self.search = PersonSearch(people, already, self)
        self.body.addWidget(self.search.field)
        self.body.addWidget(self.search.list)
        self.body.addWidget(self.search.note)
        self._role = role_choice(Role.WRITER, my_role)
        self._meaning = label(role_meaning(Role.WRITER), "small", wrap=True)
        self._role.currentIndexChanged.connect(lambda: self._meaning.setText(role_meaning(self.role)))
        caption = label(tr("Role"), "label")
        caption.setBuddy(self._role)
        self.body.addWidget(caption)
        self.body.addWidget(self._role)
        self.body.addWidget(self._meaning)
        self._all = QRadioButton(tr("May read everything from the beginning"))
        self._now = QRadioButton(tr("May read from now on"))
        self._all.setChecked(True)
        self.body.addWidget(self._all)
        self.body.addWidget(self._now)
        self._greeting = QLineEdit()
        self._greeting.setMaxLength(MAX_GREETING)
        self._greeting.setPlaceholderText(tr("For example what the room is about"))
        greeting = label(tr("Greeting"), "label")
        greeting.setBuddy(self._greeting)
        self._greeting.setAccessibleName(tr("Greeting"))
        self.body.addWidget(greeting)
        self.body.addWidget(self._greeting)
        note = tr("Shown to one who does not know you and is asked first. Everyone in the room can read it.")
        self._greeting.setAccessibleDescription(note)
        self.body.addWidget(label(note, "small", wrap=True))
        self.refresh_button()
        self.search.list.selectionModel().currentChanged.connect(self.refresh_button)
        self.search.list.rows.rowsRemoved.connect(self.refresh_button)
        self.search.field.setFocus()

    def may_accept(self) -> bool:
        return self.search.person() is not None and self._role.count() > 0

    async def _add_chosen(self) -> object:
        person = self.search.person()  # None if the list has changed in this moment
        return person is not None and await self._add(self, person)

    @property
    def role(self) -> Role:
        """The chosen role."""
        return Role(self._role.currentData())

    @property
    def greeting(self) -> str:
        """The greeting to the new member; may be empty."""
        return self._greeting.text().strip()

    @property
    def history_all(self) -> bool:
        """Whether the newcomer may read from the beginning."""
        return self._all.isChecked()


class RoleDialog(WorkingDialog):
    """A dialog that asks for a member's new role. `role` is the present one at first (the lowest, if that is above
    `my_role`); `my_role` is the role of the person at the screen. `change` is called with the chosen role, and awaited;
    it gives the member this role, or raises."""

    def __init__(
        self,
        parent: QWidget,
        person: Person,
        role: Role,
        my_role: Role | None,
        change: Callable[[Role], Awaitable[object]],
    ) -> None:
        title = tr("Role of {name}").format(name=person.name)
        super().__init__(parent, title, accept=tr("Change role"), work=lambda: change(self.role))
        self._role = role_choice(role, my_role)
        self._meaning = label(role_meaning(role), "small", wrap=True)
        self._role.currentIndexChanged.connect(lambda: self._meaning.setText(role_meaning(self.role)))
        self.body.addWidget(self._role)
        self.body.addWidget(self._meaning)
        self.refresh_button()

    def may_accept(self) -> bool:
        return self._role.count() > 0

    @property
    def role(self) -> Role:
        """The chosen role. ValueError if there is none to choose from."""
        return Role(self._role.currentData())
