# SPDX-License-Identifier: EUPL-1.2
"""The dialogs that make a restricted room within a case room, and that link one to its case room again."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidgetItem, QWidget

from app.core.collation import swedish_key
from app.core.ids import RoomId, Uid
from app.rooms.records import MAX_TITLE
from app.rooms.service import MemberInfo
from ui.kit.scale import hold
from ui.kit.spoken_list import ItemList
from ui.kit.style import label, set_props
from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.shell.words import role_name

_LIST_HEIGHT, _PARENTS_HEIGHT = 160, 110


class RestrictedRoomDialog(WorkingDialog):
    """A dialog that asks for the title of a room within the case room `parent` (its title), and who of `members` (those
    of the case room) are to be in it; at first nobody but the person. `make` is called with the title and with these
    people, and awaited; it makes the room, or raises."""

    def __init__(
        self,
        window: QWidget | None,
        parent: str,
        members: Sequence[MemberInfo],
        make: Callable[[str, list[Uid]], Awaitable[object]],
    ) -> None:
        super().__init__(
            window,
            tr("Restricted room in {room}").format(room=parent),
            accept=tr("Create room"),
            work=lambda: make(self.name, self.people),
            width=480,
        )
        self.add_text(
            tr("A room of its own within the case, with a key of its own. Members of the case who are not in it see "
               "nothing of it."),
            "body",
        )  # fmt: skip
        self.field = self.add_field(tr("Name of the room"))
        self.field.setMaxLength(MAX_TITLE)
        self.list = ItemList()
        self.list.setAccessibleName(tr("Who is to be in it"))
        set_props(self.list, frame="card")
        hold(self.list, height=_LIST_HEIGHT)
        self._uids: list[Uid] = []
        for member in sorted((m for m in members if not m.person.is_me), key=lambda m: swedish_key(m.person.name)):
            item = QListWidgetItem(f"{member.person.name} · {role_name(member.role)}")
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked)
            self.list.addItem(item)
            self._uids.append(member.person.uid)
        if self._uids:
            self.list.setCurrentRow(0)
            caption = label(tr("Who is to be in it"), "label")
            caption.setBuddy(self.list)
            self.body.addWidget(caption)
            self.body.addWidget(self.list)
            self.add_text(
                tr("You own the room, and can add more people later. Those whom you choose write in it."), "small"
            )
        else:
            self.list.hide()
        self.add_text(tr("What was in the case room until now stays readable for those who were there."), "small")
        self.refresh_button()
        self.field.textChanged.connect(self.refresh_button)
        self.field.setFocus()

    def may_accept(self) -> bool:
        return bool(self.name)

    @property
    def name(self) -> str:
        """The title of the room."""
        return self.field.text().strip()

    @property
    def people(self) -> list[Uid]:
        """The people who are ticked."""
        ticked = Qt.CheckState.Checked
        return [uid for row, uid in enumerate(self._uids) if self.list.item(row).checkState() == ticked]


class LinkRoomDialog(WorkingDialog):
    """A dialog that asks to which of `parents` (id and title, at least one) the room `title` is to belong again, and
    says what that changes. `link` is called with the chosen one, and awaited; it links the rooms, or raises."""

    def __init__(
        self,
        window: QWidget | None,
        title: str,
        parents: Sequence[tuple[RoomId, str]],
        link: Callable[[RoomId], Awaitable[object]],
    ) -> None:
        super().__init__(
            window,
            tr("Which case room does {room} belong to?").format(room=title),
            accept=tr("Link the rooms"),
            work=lambda: link(self.parent_room),
        )
        self._parents = [parent for parent, _ in parents]
        self.list = ItemList()
        self.list.setAccessibleName(tr("Belongs to"))
        set_props(self.list, frame="card")
        hold(self.list, height=_PARENTS_HEIGHT)
        for _, name in parents:
            self.list.addItem(QListWidgetItem(name))
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(lambda: self.accept())
        self.body.addWidget(self.list)
        self.add_text(tr("The room is then shown below the case room again. Nobody's membership changes."), "body")
        self.add_text(
            tr("The link takes effect once both an administrator of the case room and an owner of the restricted room "
               "have made it."),
            "small",
        )  # fmt: skip
        self.list.setFocus()

    @property
    def parent_room(self) -> RoomId:
        """The case room that is chosen."""
        return self._parents[max(0, self.list.currentRow())]
