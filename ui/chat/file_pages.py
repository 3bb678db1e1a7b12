# SPDX-License-Identifier: EUPL-1.2
"""What a conversation shows in place of its messages: the viewer with one of its files, or the list of all of them."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.chat.attached import AttachedFile
from app.chat.model import Message
from app.chat.service import ChatService
from app.copies.service import ChangedCopy
from app.core.ids import ChangeId, RoomId
from app.errors import FileTooLarge, NotFound
from app.viewing.errors import ViewTooLarge
from app.viewing.kinds import kind_of_name
from ui.chat.file_list import FileListPage, Listed
from ui.chat.found_messages import found
from ui.chat.keeping import KeepAll, keep_entries
from ui.chat.message_actions import MessageActions
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.menu import Entry, popup
from ui.kit.outside import outside_entries, refusal
from ui.kit.pages import Pages
from ui.kit.style import line
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import clock, day, short_day, tr
from ui.tool_views import toast
from ui.viewer.item import Item
from ui.viewer.viewer import Viewer


class FilePages:
    """Shows a conversation's files in `pages`, a stack of which the first page is `messages`. `actions` saves files and
    opens them in other programs; `go_to` shows a message."""

    def __init__(
        self,
        pages: Pages,
        messages: QWidget,
        service: ChatService,
        room: RoomId,
        actions: MessageActions,
        go_to: Callable[[ChangeId], object],
    ) -> None:
        self._pages, self._service, self._room = pages, service, room
        self._messages = messages
        self._actions, self._go_to = actions, go_to
        self._from_list = False
        self._files: Sequence[AttachedFile] = ()
        """The files through which the person can go in the viewer."""
        self._stale = True
        self._listing: asyncio.Task[None] | None = None
        self._left: QWidget | None = None
        """What had the focus among the messages."""
        self.viewer = Viewer()
        self.keep_all = KeepAll(service, room)
        self.list = FileListPage(lambda file: service.people.person(file.author).name, self.keep_all)
        self.button = TextButton(tr("Files"), self.show_list, kind="quiet", icon="file")
        self.bar = QWidget()
        row = line(self.bar, margins=(16, 4, 12, 0))
        row.addStretch(1)
        row.addWidget(self.button)
        pages.addWidget(messages)
        pages.addWidget(self.viewer)
        pages.addWidget(self.list)
        self.viewer.closed.connect(self._on_closed)
        self.viewer.cancelled.connect(self._on_cancelled)
        self.list.closed.connect(self.back)
        self.list.table.wanted.connect(self._on_wanted)
        self.list.table.menu_wanted.connect(self._on_menu)
        bind(self.viewer, service.transfers.changed, self._on_transfers)

    @property
    def shows_messages(self) -> bool:
        """Whether the messages are shown, and neither the viewer nor the list."""
        return self._pages.currentWidget() is self._messages

    def refresh(self) -> None:
        """Shows the button for the list once there is a file, and reads the list again if it is shown."""
        self.bar.setVisible(self._service.attached.any(self._room) or bool(self._actions.copies.all()))
        self._stale = True
        if self._pages.currentWidget() is self.list and self._listing is None:
            self._listing = run(self.list, self._fill_list())

    def close_gone(self) -> None:
        """Closes the viewer, with a sentence, if it shows or fetches a file of a message that was deleted or disposed
        of: messages or list are shown again. The focus moves only if it is in the viewer."""
        item = self.viewer.item
        file = next((each for each in self._files if item is not None and each.key == item.key), None)
        words = self._gone_text(file) if file is not None else ""
        if words:
            self.viewer.leave()
            if self._pages.isVisible():
                toast(self._pages, words)

    def _gone_text(self, file: AttachedFile) -> str:
        """Text: that the file was closed, and why; "" if its message is still here. What this person wrote and never
        sent stays when its month is disposed of."""
        message = found(self._service.timeline(self._room), file.message)
        is_waiting = message is not None and message.waiting
        if self._service.is_destroyed(self._room, file) and not is_waiting:
            return tr("The file was closed: its month has been disposed of")
        if message is None or message.deleted:
            return tr("The file was closed: its message is no longer here")
        return ""

    async def _fill_list(self) -> None:
        """Reads the list, and again if something has changed meanwhile."""
        try:
            while self._stale:
                self._stale = False
                files = await self._service.attached.all(self._room)
                self.list.show_files(files, self._actions.copies.all())
        finally:
            self._listing = None

    def open(self, message: ChangeId, number: int) -> None:
        """Shows a file of a message in the viewer. The person can go on to the conversation's other files that can be
        shown, in the order in which they were sent."""
        files = self._service.attached.near(self._room, message)
        shown = [file for file in files if kind_of_name(file.name) is not None or file.key == (message, number)]
        self._open(shown, (message, number), from_list=False)

    def show_list(self) -> None:
        """Shows the list of the conversation's files."""
        self._leave_messages()
        self._show_list()

    def back(self) -> None:
        """Shows the messages again; the focus is where it was."""
        self._pages.setCurrentWidget(self._messages)
        left, self._left = self._left, None
        if left is not None:
            left.setFocus()

    def take_focus(self) -> None:
        """Gives the focus to the viewer or the list, whichever is shown."""
        if self._pages.currentWidget() is self.viewer:
            self.viewer.take_focus()
        elif self._pages.currentWidget() is self.list:
            self.list.take_focus()

    def _show_list(self, *, takes_focus: bool = True) -> None:
        self._pages.setCurrentWidget(self.list)
        self.refresh()
        if takes_focus:
            self.list.take_focus()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _open(self, files: Sequence[AttachedFile], key: tuple[ChangeId, int], *, from_list: bool) -> None:
        at = next((at for at, file in enumerate(files) if file.key == key), None)
        if at is None:
            return
        self._from_list, self._files = from_list, files
        self._leave_messages()
        self._pages.setCurrentWidget(self.viewer)
        self.viewer.show_items([self._item(file) for file in files], at)
        self.viewer.take_focus()

    def _leave_messages(self) -> None:
        if self.shows_messages:
            self._left = self._messages.focusWidget()

    def _item(self, file: AttachedFile) -> Item:
        who = self._service.people.person(file.author).name
        return Item(
            key=file.key,
            name=file.name,
            size_bytes=file.size_bytes,
            about=f"{who} · {short_day(day(file.t))} {clock(file.t)}",
            fetch=partial(self._fetch, file),
            save=partial(self._save_file, file) if refusal(self._service.check_export) is None else None,
            may_print=lambda: self._service.may_print(),
            may_export=lambda: self._service.may_export(),
            go_to=partial(self._show_message, file),
        )

    def _message(self, file: AttachedFile) -> Message:
        """The message as it is now. NotFound if it is gone."""
        timeline = self._service.timeline(self._room)
        index = timeline.index_of(file.message)
        if index is None:
            raise NotFound
        return timeline.message(index)

    async def _fetch(self, file: AttachedFile) -> bytes:
        """The file's bytes. ViewTooLarge instead of the error about files that are sent."""
        try:
            return await self._service.files.read(self._room, self._message(file), file.number)
        except FileTooLarge as e:
            raise ViewTooLarge from e

    def _save_file(self, file: AttachedFile) -> None:
        run_guarded(self.viewer, lambda: self._actions.save(self._message(file), file.number))

    def _show_message(self, file: AttachedFile) -> None:
        self._left = None
        self.back()
        self._go_to(file.message)

    def _on_closed(self) -> None:
        self._files = ()
        focus = self._pages.window().focusWidget()
        is_elsewhere = focus is not None and focus is not self.viewer and not self.viewer.isAncestorOf(focus)
        if is_elsewhere:
            self._left = None
        if self._from_list:
            self._show_list(takes_focus=not is_elsewhere)
        else:
            self.back()

    def _on_cancelled(self, key: tuple[bytes, int]) -> None:
        run_guarded(self.viewer, lambda: self._service.transfers.cancel(key))

    def _on_transfers(self, room: RoomId) -> None:
        item = self.viewer.item
        if room == self._room and item is not None and isinstance(item.key, tuple):
            transfer = self._service.transfers.get(item.key)
            if transfer is not None:
                self.viewer.show_progress(transfer.done, transfer.total)

    def _on_wanted(self, listed: Listed) -> None:
        if isinstance(listed, ChangedCopy):
            self._on_menu(listed, self.list.table.middle_of_current())
        elif kind_of_name(listed.name) is not None:
            shown = [each for each in self.list.shown if kind_of_name(each.name) is not None]
            self._open(shown, listed.key, from_list=True)
        elif self._service.opening is not None:
            self._open_outside(listed)
        else:
            self._save_file(listed)

    def _open_outside(self, file: AttachedFile) -> None:
        run_guarded(self.list, lambda: self._actions.copies.open(self._message(file), file.number))

    def _on_menu(self, listed: Listed, at: QPoint) -> None:
        if isinstance(listed, ChangedCopy):
            entries = self._actions.copies.entries(listed, may_write=self._actions.writable)
        else:
            entries = self._file_entries(listed)
        popup(self.list, tr("File menu"), entries, at)

    def _file_entries(self, file: AttachedFile) -> list[Entry | None]:
        entries: list[Entry | None] = []
        outside: list[Entry] = []
        if kind_of_name(file.name) is not None:
            show = partial(self._on_wanted, file)
            entries.append(Entry(text=tr("Show {name}").format(name=file.name), icon="eye", run=show))
        elif self._actions.copies.can_open:
            text = tr("Open {name} in another program").format(name=file.name)
            outside.append(Entry(text=text, icon="open", run=partial(self._open_outside, file)))
        save = tr("Save {name} …").format(name=file.name)
        outside.append(Entry(text=save, icon="download", run=partial(self._save_file, file)))
        entries += outside_entries(*((entry, self._service.check_export) for entry in outside))
        entries.append(Entry(text=tr("Go to the message"), icon="chat", run=partial(self._show_message, file)))
        message = found(self._service.timeline(self._room), file.message)
        if message is not None:
            entries += keep_entries(self.list, self._service, self._room, message, (file.number,))
        return entries
