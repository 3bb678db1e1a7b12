# SPDX-License-Identifier: EUPL-1.2
"""Moving a document to a room that belongs to its room: a copy there, and the trash here."""

from collections.abc import Awaitable, Callable, Sequence

from PySide6.QtWidgets import QListWidgetItem, QWidget

from app.core.ids import ObjId, RoomId
from app.documents.service import DocumentService
from ui.kit.dialogs import show
from ui.kit.scale import hold
from ui.kit.spoken_list import ItemList
from ui.kit.style import set_props
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.tool_views import toast

_LIST_HEIGHT = 140


class MoveDialog(WorkingDialog):
    """A dialog that asks to which of `rooms` (id and title, at least one) the document `title` is to be moved, and says
    who can still read it here. `room` is the chosen one: `move` is called with it and awaited."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        rooms: Sequence[tuple[RoomId, str]],
        move: Callable[[RoomId], Awaitable[object]],
    ) -> None:
        super().__init__(parent, tr("Move to a restricted room"), accept=tr("Move"), work=lambda: move(self.room))
        self.add_text(title, "strong")
        self._rooms = [room for room, _ in rooms]
        self.list = ItemList()
        self.list.setAccessibleName(tr("Restricted rooms"))
        hold(self.list, height=_LIST_HEIGHT)
        set_props(self.list, frame="card")
        for _, name in rooms:
            self.list.addItem(QListWidgetItem(name))
        self.list.setCurrentRow(0)
        self.list.itemActivated.connect(lambda: self.accept())
        self.body.addWidget(self.list)
        self.add_text(
            tr("A copy with its text and its title is put there, and the document goes to the trash here, for "
               "everybody. Its earlier versions stay here.")
        )  # fmt: skip
        self.add_text(tr("What was in this room until now stays readable for those who were here."), "body")
        self.list.setFocus()

    @property
    def room(self) -> RoomId:
        """The room that was chosen."""
        return self._rooms[max(0, self.list.currentRow())]


async def move(widget: QWidget, service: DocumentService, obj: ObjId, room: RoomId) -> bool:
    """Asks where the document `obj` of `room` is to be moved, and moves it. Returns whether it was moved. The dialog
    shows an error, and stays open then."""
    rooms, row = service.rooms_to_move_to(room), service.row(obj)
    if not rooms or row is None:
        return False
    title = row.title or tr("Untitled")
    moved: list[tuple[RoomId, ObjId]] = []

    async def move_to(target: RoomId) -> None:
        moved.append((target, await service.move(obj, target)))

    if not await show(MoveDialog(widget.window(), title, rooms, move_to)):
        return False
    [(target, copied)] = moved
    text = tr("“{title}” is moved to {room}").format(title=title, room=dict(rooms)[target])
    window = widget.window()
    toast(window, text, lambda: run_guarded(window, lambda: service.move_back(obj, copied)))
    return True
