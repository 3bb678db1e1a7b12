# SPDX-License-Identifier: EUPL-1.2
"""Controls by which a person keeps received files on this computer: a file's menu entry, and a button for a room."""

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QWidget

from app.chat.model import Message
from app.chat.service import ChatService
from app.core.ids import RoomId
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.menu import Entry
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.tool_views import toast


def keep_entries(
    view: QWidget, service: ChatService, room: RoomId, message: Message, numbers: Sequence[int] | None = None
) -> list[Entry | None]:
    """A menu entry with a tick for each received file of a message that can be kept on this computer; of the files with
    these indexes, or of all (None). `view` shows errors."""
    keeping = service.keeping
    if keeping is None:
        return []

    def switch(number: int, on: bool) -> None:
        run_guarded(view, lambda: keeping.keep(room, message, number, on))

    entries = list[Entry | None]()
    for number in numbers if numbers is not None else range(len(message.attachments)):
        if keeping.can_keep(message, number):
            kept, name = keeping.is_kept(message, number), message.attachments[number].name
            text = tr("Keep {name} on this computer").format(name=name)
            entries.append(Entry(text=text, checked=kept, run=partial(switch, number, not kept)))
    return entries


class KeepAll(TextButton):
    """A button that stays pressed while all files of a room are kept on this computer. Hidden in a session
    that can keep no files."""

    def __init__(self, service: ChatService, room: RoomId) -> None:
        super().__init__(tr("Keep all on this computer"), self._switch, kind="quiet", icon="pin", checkable=True)
        self._keeping, self._room = service.keeping, room
        self._is_switching = False
        if self._keeping is None:
            self.hide()
        else:  # shown by its page: alone it would be a window for a moment, and take the focus
            bind(self, self._keeping.changed, self.refresh)
            self.refresh()

    def refresh(self) -> None:
        """Shows whether the room's files are kept now."""
        if self._keeping is not None and not self._is_switching:
            self.setChecked(self._keeping.is_room_kept(self._room))

    def _switch(self) -> None:
        run(self, self._keep(self.isChecked()))

    async def _keep(self, on: bool) -> None:
        if self._keeping is not None:
            self._is_switching = True
            try:
                await self._keeping.keep_room(self._room, on)
            finally:
                self._is_switching = False
                self.refresh()
            kept = tr(
                "The room's files are kept on this computer, also later ones. They are fetched in the background."
            )
            toast(self, kept if on else tr("The files stay on this computer until their space is needed."))
