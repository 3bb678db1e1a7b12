# SPDX-License-Identifier: EUPL-1.2
"""Opens the files of a conversation in other programs, and what a person does with copies that were changed there."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.chat.model import Message
from app.chat.opening import Opening
from app.chat.service import ChatService
from app.copies.errors import NoProgram
from app.copies.service import ChangedCopy
from app.core.ids import RoomId
from app.errors import NotFound
from app.objects.files import Pasted
from app.viewing.errors import OpensHarm
from ui.errors import sentence_of
from ui.kit.covering import uncovered
from ui.kit.dialogs import confirm, save_file
from ui.kit.menu import Entry
from ui.kit.outside import outside_entries
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.kit.web import open_outside
from ui.tool_views import toast

Save = Callable[[Message, int], object]
"""Asks the person where to save a file of a message, by its number, and saves it there."""


class Copies:
    """Opens files of one conversation in the person's programs, as read-only copies, and offers what is done with
    changed copies. `view` is the parent of dialogs and shows errors; `save` saves a file that must not be opened."""

    def __init__(self, view: QWidget, service: ChatService, room: RoomId, save: Save) -> None:
        self._view, self._service, self._room, self._save = view, service, room, save

    @property
    def _opening(self) -> Opening:
        if self._service.opening is None:
            raise NotFound
        return self._service.opening

    @property
    def can_open(self) -> bool:
        """Whether this session has a place for copies that other programs open. Policy may forbid it all the same."""
        return self._service.opening is not None

    def open(self, message: Message, number: int) -> None:
        """Opens the message's file with this index (from 0) in the person's program, as a read-only copy. If it is a
        program or may hold macros, says so and offers to save it. An error is shown."""
        run(self._view, self._open(message, number))

    async def _open(self, message: Message, number: int) -> None:
        name = message.attachments[number].name
        with suppress(asyncio.CancelledError):  # the person stopped the fetching
            try:
                path = await self._opening.open(self._room, message, number, _label())
            except OpensHarm as harm:
                if await self.warned(harm, name):
                    self._save(message, number)
                return
            await self._start(path, name)

    async def _start(self, path: Path, name: str) -> None:
        """▲ Fetching takes a while: under the curtain no other program shows a file, only once it is lifted."""
        await uncovered()
        if not open_outside(path):
            raise NoProgram
        text = tr("{name} opens in another program as “{copy}”. What you change in it stays on this computer.")
        toast(self._view, text.format(name=name, copy=path.stem))

    async def warned(self, harm: OpensHarm, name: str) -> bool:
        """Shows a dialog that says why the file `name` is not opened. Returns whether the person saves it all the
        same."""
        title, means, advice = sentence_of(harm)[:3]
        return await confirm(
            self._view, title, f"{means} {advice}", about=name, accept=tr("Save it all the same …"), danger=True
        )

    # -- changed copies

    def all(self) -> list[ChangedCopy]:
        """All changed copies of the room's files, the newest first."""
        opening = self._service.opening
        return opening.changed(self._room) if opening is not None else []

    def entries(self, copy: ChangedCopy, *, may_write: bool) -> list[Entry | None]:
        """The menu entries for a changed copy. `may_write`: the person may send to the room."""
        found: list[Entry | None] = [Entry(text=tr("Changed copy of {name}").format(name=copy.of.name))]
        view, check = self._view, self._service.check_export
        if self.can_open:
            opens, saves = tr("Open the changed copy"), tr("Save the changed copy …")
            found += outside_entries(
                (Entry(text=opens, icon="open", run=lambda: run(view, self._open_changed(copy))), check),
                (Entry(text=saves, icon="download", run=lambda: run(view, self._keep(copy))), check),
            )
        if may_write:
            text = tr("Send the changed copy to the room")
            found.append(Entry(text=text, icon="send", run=lambda: run(view, self._send(copy))))
        text = tr("Discard the changed copy …")
        return [*found, Entry(text=text, icon="delete", danger=True, run=lambda: run(view, self._discard(copy)))]

    async def _open_changed(self, copy: ChangedCopy) -> None:
        try:
            path = await self._opening.open_changed(copy.id, _label())
        except OpensHarm as harm:
            if await self.warned(harm, copy.of.name):
                await self._keep(copy)
            return
        await self._start(path, copy.of.name)

    async def _keep(self, copy: ChangedCopy) -> None:
        target = await save_file(self._view, tr("Save file"), changed_name(copy.of.name))
        if target is not None:
            await self._opening.save_changed(copy.id, target)
            toast(self._view, tr("{name} is saved").format(name=target.name))

    async def _send(self, copy: ChangedCopy) -> None:
        found, data = await self._opening.copies.read(copy.id)
        with suppress(asyncio.CancelledError):
            await self._service.send_file(self._room, [Pasted(changed_name(found.of.name), data)])
            await self._opening.copies.discard(found)  # what was changed since stays
            toast(self._view, tr("{name} is sent").format(name=changed_name(found.of.name)))

    async def _discard(self, copy: ChangedCopy) -> None:
        title, text = tr("Discard the changed copy?"), tr("What was changed in it is lost. The file in the room stays.")
        if await confirm(self._view, title, text, about=copy.of.name, accept=tr("Discard"), danger=True):
            await self._opening.copies.discard(copy)


def changed_name(name: str) -> str:
    """The name of a changed copy beside the file itself: "Beslut (ändrad).docx"."""
    stem, dot, ending = name.rpartition(".")
    pattern = tr("{name} (changed)")
    return f"{pattern.format(name=stem)}.{ending}" if dot and stem else pattern.format(name=name)


def _label() -> str:
    return tr("Read-only copy")
