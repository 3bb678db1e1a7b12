# SPDX-License-Identifier: EUPL-1.2
"""A room's chat: the timeline, who is writing, files on their way, and the composer."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec import structs
from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from app.chat.files import Picture
from app.chat.markup import parse
from app.chat.model import Message
from app.chat.service import ChatService, Draft
from app.chat.transfers import Transfer
from app.core.ids import ChangeId, ObjId, RoomId
from app.errors import StoreFault, WorldError
from app.objects.files import Source
from ui.chat.clipboard import mime_of
from ui.chat.composer import Composer, DraftMessage, Written
from ui.chat.emoji import EmojiPanel
from ui.chat.hover_bar import HoverBar
from ui.chat.item_model import TimelineModel, naming
from ui.chat.jump_button import JumpButton
from ui.chat.letters import edit_letter, reply_letter
from ui.chat.message_layout import Hit, Part, left_px
from ui.chat.pictures import picture_of
from ui.chat.reading import Reading
from ui.chat.things import Things, Unnamed
from ui.chat.timeline import TimelineView
from ui.kit import theme
from ui.kit.announcing import announce
from ui.kit.bind import bind
from ui.kit.card import EmptyState
from ui.kit.dialogs import confirm, save_file
from ui.kit.dropping import FileDrops
from ui.kit.gathering import Kind
from ui.kit.keyed_rows import KeyedRows
from ui.kit.menu import Entry, close_when, popup
from ui.kit.pages import Pages
from ui.kit.progress import ProgressRow
from ui.kit.scale import hold
from ui.kit.selecting import select
from ui.kit.sizes import size_text
from ui.kit.style import column, label, set_props
from ui.kit.tasks import Recurring, run, run_guarded
from ui.kit.translate import tr, trn
from ui.kit.web import open_address
from ui.tool import LinkWords, ViewPlace, follow, toast

DRAFT_MS = 600
QUICK_EMOJI = "👍"


class ChatView(QWidget):
    """Shows one conversation. `open_ref` jumps to a message by its change id."""

    def __init__(
        self, service: ChatService, room: RoomId, parent: QWidget | None = None, *, words: LinkWords | None = None
    ) -> None:
        """`words`: how what a message links to is shown."""
        super().__init__(parent)
        set_props(self, frame="surface")
        self._service = service
        self._room = room
        self._words = words or Unnamed()
        self._timeline = service.timeline(room)
        self.setAccessibleName(tr("Chat"))
        self.model = TimelineModel(self._timeline, service.people, self)
        self.list = TimelineView(self.model, service.transfers, Things(find=service.things.find, words=self._words))
        self._empty = EmptyState(
            "chat", tr("No messages yet"), tr("Only the room's members can read what is written here.")
        )
        placeholder = tr("Write to {room} …").format(room=service.room_title(room))
        self.composer = Composer(placeholder, lambda: service.members(room))
        self.hover = HoverBar(self.list.viewport(), self._on_action)
        self._reading = Reading(self.list, self)
        self.jump = JumpButton(self._on_jump, self.list)
        self._sending: list[DraftMessage] = []
        """Drafts with files that are not sent yet."""
        self._unread = 0
        self._opened: ChangeId | None = None
        """The message that a link led to."""
        self._unread_left: int | None = 0
        """How many messages were unread when the person left the view; None while it is shown."""
        self.typing = label("", "faint")
        hold(self.typing, height=22)
        self._indent()
        theme.on_change(self, self._indent)
        self._upload_host = uploads = QWidget()
        column(uploads, margins=(24, 0, 24, 0), spacing=4)
        uploads.hide()
        self._uploads: KeyedRows[Transfer, ProgressRow] = KeyedRows(
            uploads, lambda transfer: transfer.key, self._upload_row, _show_upload
        )
        self._build()
        self._drafts, self._marks = Recurring(self), Recurring(self)
        self._draft_timer = QTimer(self, singleShot=True, interval=DRAFT_MS)
        self._draft_timer.timeout.connect(self.keep_draft)
        self._typing_timer = QTimer(self, interval=1000)
        self._typing_timer.timeout.connect(self._show_typing)
        self._connect()
        can_attach = lambda: self._writable and self.composer.edits is None  # noqa: E731 - what the mark depends on
        self.drops = FileDrops(self, tr("Drop the files to attach them"), can_attach, self.composer.add_files)
        self._restore_draft()
        self._on_changed(room)

    def _build(self) -> None:
        self._stack = Pages()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        layout = column(self)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.typing)
        layout.addWidget(self._upload_host)
        foot = column(margins=(20, 4, 20, 14))
        foot.addWidget(self.composer)
        self._closed = label(tr("You can read here, but not write."), "muted")
        self._closed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hold(self._closed, height=36)
        foot.addWidget(self._closed)
        layout.addLayout(foot)
        self.set_writable(self._service.may_write(self._room))

    def _indent(self) -> None:
        self.typing.setContentsMargins(left_px(), 0, 0, 0)

    def _connect(self) -> None:
        bind(self, self._service.changed, self._on_changed)
        bind(self, self._service.things.changed, lambda room: self.list.refresh_things())
        bind(self, self._service.typing.changed, self._on_typing)
        bind(self, self._service.transfers.changed, self._on_transfers)
        self.list.hit.connect(self._on_hit)
        self.list.key_pressed.connect(self._on_action)
        self.list.menu_asked.connect(self._open_menu)
        self.list.hovered.connect(self._on_hovered)
        self.list.at_end_changed.connect(self._on_at_end)
        self.list.left.connect(self.composer.setFocus)
        self.list.typed.connect(self._on_typed)
        self.list.left.connect(lambda: self.list.mark(None, ()))
        self._reading.seen.connect(self._on_seen)
        self.composer.submitted.connect(self._on_submitted)
        self.composer.written.connect(self._on_written)
        self.composer.edit_last_asked.connect(self._edit_last)

    # -- for the shell ----------------------------------------------------------------------------------------------

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Jumps to the message with that change id."""
        index = self._timeline.index_of(ChangeId(ref))
        self._opened = ChangeId(ref) if index is not None else None
        if index is not None:
            self._unread_left = None  # a view that is not shown yet stays here when it is
            self.list.jump_to(index)
            self.list.setFocus()

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the message that was opened."""
        self.list.mark(self._opened if words else None, words)

    def view_place(self) -> ViewPlace:
        """Which message is at the top, and what is selected in the field."""
        top, cursor = self.list.top_row(), self.composer.field.textCursor()
        at, px = (self._timeline.message(top[0]).change_id, top[1]) if top is not None else (b"", 0)
        return ViewPlace(at=at, px=px, anchor=cursor.anchor(), caret=cursor.position())

    def restore_place(self, left: ViewPlace) -> None:
        """Restores the place. Shows the latest message if that was at the top, or if the message is gone."""
        row = self._timeline.index_of(ChangeId(left.at)) if left.at else None
        if row is not None:
            self.list.scroll_to_row(row, left.px)
        select(self.composer.field, left.anchor, left.caret)

    def writing_area(self) -> QWidget:
        """The composer."""
        return self.composer

    def set_writable(self, writable: bool) -> None:
        """Shows or hides the composer and the answers to messages. What was being written is kept."""
        self._writable = writable
        self.composer.setVisible(writable)
        self._closed.setVisible(not writable)
        if not writable:
            self.hover.hide()

    def keep_draft(self) -> None:
        """Keeps what is being written, and the text of files that are being sent."""
        self._draft_timer.stop()
        composer, edit = self.composer, self.composer.edits
        aside = composer.aside if edit is not None else composer.begun
        begun = [*self._sending, aside]
        text = "\n".join(part.text for part in begun if part.text.strip() or part is aside)
        replies = [part.reply_to.change_id for part in reversed(begun) if part.reply_to is not None]
        reply = replies[0] if replies else None
        files = [file for part in begun for file in part.files]
        paths = tuple(str(file) for file in files if isinstance(file, Path))
        attached = Draft(files=paths, pictures=len(files) - len(paths))
        if edit is None:
            draft = structs.replace(attached, text=text, reply_to=reply)
        else:
            changed = {"text": composer.text, "edits": edit.change_id}
            draft = structs.replace(attached, **changed, aside=text, aside_reply_to=reply)
        self._drafts.run_guarded(lambda: self._service.keep_draft(self._room, draft))

    # -- what happens -----------------------------------------------------------------------------------------------

    def _on_changed(self, room: RoomId) -> None:
        if room != self._room:
            return
        self._stack.setCurrentIndex(0 if len(self._timeline) else 1)
        self._unread, mentions = self._service.unread(room)
        self.jump.show_count(self._unread, mentions)

    def _on_seen(self, seen: set[ChangeId]) -> None:
        self._marks.run_guarded(lambda: self._service.mark_read(self._room, seen))

    def _on_at_end(self, at_end: bool) -> None:
        self.jump.setVisible(not at_end)
        self.jump.place()

    def _on_jump(self) -> None:
        self.list.jump_to_end()
        run_guarded(self, lambda: self._service.mark_all_read(self._room))
        self.composer.setFocus()

    def _open_at_unread(self) -> None:
        """Shows the first unread message if something was received since the view was left. Otherwise everything stays
        in place."""
        left, self._unread_left = self._unread_left, None
        first = self._timeline.first_unread
        if left is not None and first is not None and self._unread > left:
            self.list.open_at(first)

    def _on_hovered(self, message: Message | None, rect: object) -> None:
        editable = message is not None and self._service.can_edit(self._room, message)
        self.hover.show_for(message, rect, can_write=self._writable, can_edit=editable)  # type: ignore[arg-type] # a QRect through Signal(object)

    def _on_typing(self, room: RoomId) -> None:
        if room == self._room:
            self._show_typing()

    def _show_typing(self) -> None:
        uids = [uid for uid in self._service.typing.now(self._room) if uid != self._service.me]
        names = [self._service.people.person(uid).name for uid in uids]
        text = typing_text(names)
        if text and text != self.typing.text() and self.isVisible() and self.isActiveWindow():
            announce(self, text, Kind.PASSING)
        self.typing.setText(text)
        if names and not self._typing_timer.isActive():
            self._typing_timer.start()
        elif not names:
            self._typing_timer.stop()

    def _on_transfers(self, room: RoomId) -> None:
        """Rows for uploads; a fetch shows in its message."""
        if room != self._room:
            return
        uploads = [transfer for transfer in self._service.transfers.of(room) if transfer.upload]
        self._upload_host.setVisible(bool(uploads))
        self._uploads.show(uploads)
        self.list.viewport().update()

    def _upload_row(self, transfer: Transfer) -> ProgressRow:
        text = tr("Sending {name}").format(name=transfer.name)
        return ProgressRow(text, lambda: self._cancel(transfer.key))

    def _cancel(self, key: tuple[bytes, int]) -> None:
        run_guarded(self, lambda: self._service.transfers.cancel(key))

    # -- writing ----------------------------------------------------------------------------------------------------

    def _on_written(self) -> None:
        if self.isVisible():  # not while a draft is put back
            self._draft_timer.start()
            if self.composer.text and self.composer.edits is None:
                run_guarded(self, lambda: self._service.typing.send(self._room))

    def _on_submitted(self, written: Written) -> None:
        if written.files:
            run(self, self._send_files(written))
            return
        reply = written.reply_to.change_id if written.reply_to else None
        again = self.composer.submit  # what was refused is still there
        if written.edits is not None:
            target = written.edits.change_id
            done = run_guarded(self, lambda: self._service.edit(self._room, target, written.text), again=again)
        else:
            text = written.text
            done = run_guarded(self, lambda: self._service.send(self._room, text, reply_to=reply), again=again)
        if done:
            self._sent()

    async def _send_files(self, written: Written) -> None:
        """Sends files with a message. The field is free at once. On an error or Cancel, what was written comes back
        before what is new there. Until the message is sent, the draft has it, since Kansli may be locked meanwhile."""
        sending = self._begun(written)
        self._sending.append(sending)
        self._sent()
        reply = written.reply_to.change_id if written.reply_to else None
        try:
            pictures: dict[Source, Picture] = {}
            for source in written.files:
                picture = await asyncio.to_thread(picture_of, source)
                if picture is not None:
                    pictures[source] = picture
            await self._service.send_file(self._room, written.files, written.text, reply_to=reply, pictures=pictures)
        except (WorldError, asyncio.CancelledError):
            self._sending.remove(sending)
            if isValid(self):  # otherwise the draft has it
                self.composer.put_back(sending)
                self.keep_draft()
            raise
        self._sending.remove(sending)
        self.keep_draft()

    def _begun(self, written: Written) -> DraftMessage:
        reply = written.reply_to
        name = self._service.people.person(reply.author).name if reply else ""
        return DraftMessage(text=written.text, reply_to=reply, name=name, files=written.files)

    def _sent(self) -> None:
        self.composer.clear()
        self.keep_draft()
        self.list.jump_to_end()

    def _restore_draft(self) -> None:
        draft = self._service.draft(self._room)
        edit = self._message(draft.edits)
        reply = self._message(draft.reply_to if draft.edits is None else draft.aside_reply_to)
        text = draft.text if draft.edits is None else draft.aside
        if draft.edits is not None and edit is None:  # the message is gone: its new text is there beside the draft
            text = "\n".join(part for part in (text, draft.text) if part)
        files = tuple(Path(path) for path in draft.files)
        if text or reply or edit or files:
            name = self._service.people.person(reply.author).name if reply else ""
            self.composer.restore(DraftMessage(text=text, reply_to=reply, name=name, files=files), edit, draft.text)
        if draft.pictures:
            self.composer.show_left_out(
                trn(
                    "{n} pasted picture was not kept. Paste it again.",
                    "{n} pasted pictures were not kept. Paste them again.",
                    draft.pictures,
                ).format(n=draft.pictures)
            )

    def _message(self, change_id: bytes | None) -> Message | None:
        index = self._timeline.index_of(ChangeId(change_id)) if change_id else None
        return self._timeline.message(index) if index is not None else None

    def _on_typed(self, text: str) -> None:
        """Moves letters that were typed at the message list into the composer."""
        if self._writable:
            self.composer.setFocus()
            self.composer.field.insert(text)

    def _edit_last(self) -> None:
        message = self._timeline.last_own(self._service.me)
        if message is not None:
            self.composer.edit(message)

    # -- with a message ---------------------------------------------------------------------------------------------

    def _on_action(self, shown: Message, action: str) -> None:
        """Does something with a message as it is now, because it may have changed since it was `shown`."""
        message = self._message(shown.change_id)
        if message is None or message.deleted:
            toast(self, tr("The message was deleted"))
            return
        match action:
            case "reply" if self._writable:
                self.composer.reply(message, self._service.people.person(message.author).name)
            case "edit" if self._service.can_edit(self._room, message):
                self.composer.edit(message)
            case "delete" if self._service.can_delete(self._room, message):
                run(self, self._delete(message))
            case "copy":
                QApplication.clipboard().setMimeData(mime_of(message))
                toast(self, tr("The text is copied"))
            case "react" if self._writable:
                self._ask_reaction(message)
            case "more":
                self._open_menu(message, self.hover.below("more"))

    async def _delete(self, message: Message) -> None:
        text = tr("The text and files disappear for everybody. That it was deleted, and by whom, stays visible.")
        about = naming(self._service.people, message)
        if await confirm(self, tr("Delete the message?"), text, about=about, accept=tr("Delete"), danger=True):
            self._delete_now(message.change_id)

    def _delete_now(self, message: ChangeId) -> None:
        run_guarded(self, lambda: self._service.delete(self._room, message), again=lambda: self._delete_now(message))

    def _ask_reaction(self, message: Message) -> None:
        index = self._timeline.index_of(message.change_id)
        rect = self.list.row_rect(index or 0)
        at = self.list.viewport().mapToGlobal(QPoint(left_px(), max(0, rect.top()) + 30))
        panel = EmojiPanel(self, lambda emoji: self._react(message, emoji))
        panel.open_at(self.hover.below("react") if self.hover.stands_on(message) else at)

    def _react(self, message: Message, emoji: str) -> None:
        again = partial(self._react, message, emoji)
        run_guarded(self, lambda: self._service.react(self._room, message.change_id, emoji), again=again)

    def _open_menu(self, message: Message, at: QPoint) -> None:
        if message.deleted:
            return
        entries: list[Entry | None] = [
            *self._link_entries(message),
            *(self._answer_entries(message) if self._writable else ()),
            Entry(text=tr("Copy text"), icon="copy", shortcut="Ctrl+C", run=partial(self._on_action, message, "copy")),
        ]
        if self._service.can_edit(self._room, message):
            entries.append(
                Entry(
                    text=tr("Edit"), icon="edit", shortcut=edit_letter(), run=partial(self._on_action, message, "edit")
                )
            )
        entries += [
            Entry(
                text=tr("Save {name} …").format(name=attachment.name),
                icon="download",
                run=lambda n=number: run(self, self._fetch(message, n)),  # type: ignore[misc] # bound per file
            )
            for number, attachment in enumerate(message.attachments)
        ]
        if message.quote is not None:
            entries.append(Entry(text=tr("Show what it answers"), icon="up", run=lambda: self._jump_to_quote(message)))
        if self._service.can_delete(self._room, message):
            delete = partial(self._on_action, message, "delete")
            entries += [None, Entry(text=tr("Delete"), icon="delete", shortcut="Del", danger=True, run=delete)]
        menu = popup(self, tr("Message menu"), entries, at)
        close_when(menu, self._service.changed, lambda: self._is_gone(message))

    def _is_gone(self, message: Message) -> bool:
        now = self._message(message.change_id)
        return now is None or now.deleted

    def _answer_entries(self, message: Message) -> list[Entry]:
        react = tr("React with {emoji}").format(emoji=QUICK_EMOJI)
        return [
            Entry(
                text=tr("Reply"), icon="reply", shortcut=reply_letter(), run=partial(self._on_action, message, "reply")
            ),
            Entry(text=react, run=lambda: self._react(message, QUICK_EMOJI)),
            Entry(
                text=tr("Other reaction …"), icon="emoji", shortcut="+", run=partial(self._on_action, message, "react")
            ),
        ]

    def _link_entries(self, message: Message) -> list[Entry]:
        """The things that the message links to, so that they are opened without a mouse too."""
        links = [(run.text, run.link) for run in parse(message.text, message.mentions) if run.link is not None]
        return [
            Entry(
                text=tr("Open “{title}”").format(title=title),
                icon=self._words.icon_of(link),
                run=lambda to=link: follow(self, to),  # type: ignore[misc] # bound per link
            )
            for title, link in links
        ]

    def _on_hit(self, message: Message, hit: Hit) -> None:
        match hit.part:
            case Part.QUOTE:
                self._jump_to_quote(message)
            case Part.REPLIES if message.last_reply is not None:
                self._jump_to_id(message.last_reply[0])
            case Part.REACTION if self._writable:
                self._react(message, message.reactions[hit.number].emoji)
            case Part.FILE | Part.DOWNLOAD | Part.IMAGE:
                self._file_hit(message, hit.number)
            case Part.LINK if hit.run is not None:
                self._follow(hit.run.href, hit)
            case _:
                pass

    def _file_hit(self, message: Message, number: int) -> None:
        key = (message.change_id, number)
        if self._service.transfers.get(key) is not None:
            self._cancel(key)
        else:
            run(self, self._fetch(message, number))

    async def _fetch(self, message: Message, number: int) -> None:
        self._service.check_export()
        name = message.attachments[number].name
        target = await save_file(self, tr("Save file"), name)
        if target is not None:
            with suppress(asyncio.CancelledError):
                await self._service.fetch_file(self._room, message, number, target)
                toast(self, tr("{name} is saved").format(name=target.name))

    def _follow(self, href: str, hit: Hit) -> None:
        link = hit.run.link if hit.run else None
        if link is not None:
            follow(self, link)
        elif href:
            run(self, open_address(self, href))

    def _jump_to_quote(self, message: Message) -> None:
        if message.quote is not None:
            self._jump_to_id(message.quote.change_id)

    def _jump_to_id(self, change_id: ChangeId) -> None:
        index = self._timeline.index_of(change_id)
        if index is not None:
            self.list.jump_to(index)
            self.list.setFocus()

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def focusInEvent(self, event: object) -> None:
        # no focus proxy: with one, Tab would begin again here and never reach the timeline
        if self._writable:
            self.composer.field.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moves the focus to the messages by an arrow key, if there is nothing to write in and the view has the focus
        as a whole."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.hasFocus():
            self.list.setFocus()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self._timeline.mark_divider()
        self._open_at_unread()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)  # type: ignore[arg-type] # Qt's own event, passed on
        self._unread_left = self._unread
        self.list.mark(None, ())
        if self._draft_timer.isActive():
            self.keep_draft()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate and self.isVisible():
            with suppress(StoreFault):  # the mark stays where it was; the next action shows the fault
                self._timeline.mark_divider()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.jump.place()


def _show_upload(row: ProgressRow, transfer: Transfer) -> None:
    row.set_progress(transfer.percent, 100, f"{size_text(transfer.done)} / {size_text(transfer.total)}")


def typing_text(names: Sequence[str]) -> str:
    """A sentence that names the people who are writing."""
    match len(names):
        case 0:
            return ""
        case 1:
            return tr("{name} is writing …").format(name=names[0])
        case 2:
            return tr("{a} and {b} are writing …").format(a=names[0], b=names[1])
        case _:
            return tr("Several people are writing …")
