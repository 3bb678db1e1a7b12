# SPDX-License-Identifier: EUPL-1.2
"""Removing a member with a reason, and the list of those who were removed."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QCheckBox, QWidget

from app.core.ids import RoomId
from app.people.person import Person
from app.rooms.records import MAX_GREETING
from app.rooms.removals import Removal
from app.rooms.service import RoomSummary
from ui.kit.card import Card
from ui.kit.dialogs import Dialog
from ui.kit.style import label
from ui.kit.translate import clock, day, short_day, tr, trn
from ui.kit.working_dialog import WorkingDialog


class RemoveDialog(WorkingDialog):
    """A dialog that asks whether `person` is to be removed from the room, and why. `remove` is called with this dialog,
    and awaited; it removes the person, or raises. `reason` holds the text; it may be empty. `mine` and `others` are the
    rooms that belong to this one and that `person` is in: `mine` those that the person at the screen owns, `others`
    those whose owners are asked. `also` holds the rooms of `mine` from which `person` is to be removed too; at first it
    has all."""

    def __init__(
        self,
        parent: QWidget,
        person: Person,
        remove: Callable[["RemoveDialog"], Awaitable[object]],
        mine: Sequence[RoomSummary] = (),
        others: Sequence[RoomSummary] = (),
    ) -> None:
        super().__init__(
            parent,
            tr("Remove {name}?").format(name=person.name),
            accept=tr("Remove"),
            work=lambda: remove(self),
            danger=True,
        )
        text = tr("{name} keeps what has been read already, but gets nothing written from now on.")
        self.add_text(text.format(name=person.name), "body")
        self._boxes = {room.room: QCheckBox(tr("Remove from {room} too").format(room=room.title)) for room in mine}
        for box in self._boxes.values():
            box.setChecked(True)
            self.body.addWidget(box)
        if others:
            titles = ", ".join(room.title for room in others)
            asked = trn(
                "{name} is also in {rooms}. Its owners are asked.",
                "{name} is also in {rooms}. Their owners are asked.",
                len(others),
            )
            self.add_text(asked.format(name=person.name, rooms=titles), "small")
        self._reason = self.add_field(tr("Reason (may be empty)"))
        self._reason.setMaxLength(MAX_GREETING)
        text = tr("The members of the room can read the reason. {name} and the server cannot.")
        self.add_text(text.format(name=person.name), "small")

    @property
    def also(self) -> list[RoomId]:
        """The other rooms from which the person is to be removed."""
        return [room for room, box in self._boxes.items() if box.isChecked()]

    @property
    def reason(self) -> str:
        return self._reason.text().strip()


class RemovalsDialog(Dialog):
    """A dialog that lists the newest removals from a room, newest first, with the reasons that this device can
    decrypt."""

    def __init__(self, parent: QWidget, removals: Sequence[Removal]) -> None:
        super().__init__(parent, tr("Removed from the room"), accept=tr("Close"))
        for button in self.buttons.buttons():
            button.setVisible(button is self.accept_button)
        self.add_text(tr("Only members can read the reasons. They are encrypted, and the server sees none of them."))
        for removal in removals:
            self.body.addWidget(RemovalCard(removal))
        self.accept_button.setFocus()  # the list has nothing to choose


class RemovalCard(Card):
    """A card about one removal from a room: the person, who removed them, when, and why."""

    def __init__(self, removal: Removal, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=4, parent=parent)
        self.content.addWidget(label(removal.person.name, "strong", wrap=True))
        when = f"{short_day(day(removal.t_ms))} {clock(removal.t_ms)}"
        by = tr("Removed by {by}, {when}").format(by=removal.by.name, when=when)
        self.content.addWidget(label(by, "small", wrap=True))
        self.content.addWidget(label(reason_text(removal.reason), "body" if removal.reason else "muted", wrap=True))


def reason_text(reason: str | None) -> str:
    """The reason for a removal; for "" a sentence that none was given, for None a sentence that it cannot be decrypted
    here."""
    if reason is None:
        return tr("You cannot read the reason. It is encrypted for those who were members then.")
    return reason or tr("No reason was given.")
