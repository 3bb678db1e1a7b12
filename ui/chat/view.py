# SPDX-License-Identifier: EUPL-1.2
"""A room's chat: the timeline, who is writing, files on their way, and the composer."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from app.chat.files import Picture, check_count
from app.chat.model import NOWHERE, Message
from app.chat.service import ChatService
from app.core.ids import ChangeId, ObjId, RoomId
from app.errors import StoreFault
from app.objects.files import Source
from ui.chat.composer import Composer, DraftMessage, Written
from ui.chat.drafting import Drafting
from ui.chat.file_pages import FilePages
from ui.chat.found_messages import found
from ui.chat.hover_bar import HoverBar
from ui.chat.item_model import TimelineModel
from ui.chat.jump_button import JumpButton
from ui.chat.message_actions import MessageActions
from ui.chat.pictures import forget_previews, picture_of
from ui.chat.reading import Reading
from ui.chat.reminders import MessageReminding
from ui.chat.stranded_bar import StrandedBar
from ui.chat.things import Things, Unnamed
from ui.chat.timeline import TimelineView
from ui.chat.typing_line import TypingLine
from ui.chat.upload_rows import UploadRows
from ui.kit.bind import bind
from ui.kit.card import EmptyState
from ui.kit.dropping import FileDrops
from ui.kit.pages import Pages
from ui.kit.presence_in_view import KnownPresence
from ui.kit.scale import hold
from ui.kit.selecting import select
from ui.kit.style import column, label, set_props
from ui.kit.tasks import Recurring, run, run_guarded
from ui.kit.translate import tr
from ui.reminding import COMMAND, Reminders
from ui.tool import LinkWords
from ui.tool_views import ViewPlace


class ChatView(QWidget):
    """The view of a room's chat: its messages, who is writing, files that are being sent, and the composer."""

    def __init__(
        self,
        service: ChatService,
        room: RoomId,
        parent: QWidget | None = None,
        *,
        words: LinkWords | None = None,
        presence: KnownPresence | None = None,
        reminders: Reminders | None = None,
    ) -> None:
        """`presence` knows whether the people who may be mentioned can be reached. `words` says how things that a
        message links to are shown; None: with the same icon each, and no line. `reminders`: the person's own; None:
        none are offered."""
        super().__init__(parent)
        set_props(self, frame="surface")
        self._service = service
        self.room = self._room = room
        words = words or Unnamed()
        self._timeline = service.timeline(room)
        self.setAccessibleName(tr("Chat"))
        self.model = TimelineModel(self._timeline, service.people, self)
        reminding = MessageReminding(self, room, reminders) if reminders is not None else None
        things = Things(find=service.things.find, words=words)
        if reminding is not None:
            things = replace(things, reminded=reminding.reminded)
            self.model.reminded = reminding.reminded
            bind(self, reminding.reminders.changed, self._on_reminders)
        self.list = TimelineView(self.model, service.transfers, things)
        self._empty = EmptyState(
            "chat", tr("No messages yet"), tr("Only the room's members can read what is written here.")
        )
        placeholder = tr("Write to {room} …").format(room=service.room_title(room))
        self.composer = Composer(
            placeholder, lambda: service.members(room), current=self._as_it_is_now, presence=presence
        )
        self.hover = HoverBar(self.list.viewport(), self._on_action)
        self.message_actions = MessageActions(self, service, room, self.list, self.composer, self.hover, words)
        self.message_actions.reminding = self._reminding = reminding
        self.drafting = Drafting(self, service, room, self.composer)
        self._reading = Reading(self.list, self)
        self.jump = JumpButton(self._on_jump, self.list)
        self._unread = 0
        self._opened: ChangeId | None = None
        """The message that a link led to."""
        self._unread_left: int | None = 0
        """How many messages were unread when the person left the view; None while it is shown."""
        self._typing_line = TypingLine(self, service, room)
        self.typing = self._typing_line.label
        self._uploads = UploadRows(service)
        self.stranded = StrandedBar(service, room)
        self._build()
        self._marks = Recurring(self)
        self._connect()
        self.drops = FileDrops(self, tr("Drop the files to attach them"), self._can_attach, self.composer.add_files)
        self.drafting.restore()
        self._on_changed(room)

    def _build(self) -> None:
        self._stack = Pages()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        body = QWidget()
        pages = Pages()
        column(self).addWidget(pages)
        actions = self.message_actions
        self.files = FilePages(pages, body, self._service, self._room, actions, self._show_message)
        actions.open_file = self.files.open
        layout = column(body)
        layout.addWidget(self.files.bar)
        layout.addWidget(self.stranded)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.typing)
        layout.addWidget(self._uploads)
        foot = column(margins=(20, 4, 20, 14))
        foot.addWidget(self.composer)
        self._closed = label(tr("You can read here, but not write."), "muted")
        self._closed.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hold(self._closed, height=36)
        foot.addWidget(self._closed)
        layout.addLayout(foot)
        self.set_writable(self._service.may_write(self._room))

    def _connect(self) -> None:
        bind(self, self._service.changed, self._on_changed)
        bind(self, self._service.things.changed, self._on_room)
        bind(self, self._service.draft_changed, self._on_draft_elsewhere)
        if self._service.months is not None:
            bind(self, self._service.months.destroyed, lambda _room: forget_previews())
        bind(self, self.message_actions.marked_unread, self._reading.hold)
        bind(self, self._service.room_marked_unread, self._on_room_marked_unread)
        bind(self, self._service.transfers.changed, self._on_transfers)
        if self._service.opening is not None:
            bind(self, self._service.opening.copies.changed, self._on_copies)
            self._on_copies(self._room)
        self.stranded.discarded.connect(lambda: self.composer.drop_gone(self._is_missing))
        self.list.hit.connect(self.message_actions.hit)
        self.list.key_pressed.connect(self._on_action)
        self.list.menu_asked.connect(self.message_actions.open_menu)
        self.list.hovered.connect(self._on_hovered)
        self.list.at_end_changed.connect(self._on_at_end)
        self.list.left.connect(self.composer.setFocus)
        self.list.typed.connect(self._on_typed)
        self.list.left.connect(lambda: self.list.mark(None, ()))
        self._reading.seen.connect(self._on_seen)
        self.composer.submitted.connect(self._on_submitted)
        self.composer.written.connect(self._on_written)
        self.composer.edit_last_asked.connect(self._edit_last)

    def _on_reminders(self) -> None:
        if self._reminding is not None:
            reminded = self._reminding.reminded
            self.list.lay_out_where(lambda layout: layout.reminded != reminded(layout.message))

    # -- for the shell ----------------------------------------------------------------------------------------------

    def open_ref(self, obj: ObjId, ref: bytes) -> None:
        """Scrolls to the message whose id is `ref`, chooses it and gives the list the focus; `mark_words` then marks
        words in it. Does nothing if there is none; `mark_words` then marks nothing. `obj`, the chat, is not needed."""
        index = self._timeline.index_of(ChangeId(ref))
        if not self.files.shows_messages:
            self.files.back()
        self._opened = ChangeId(ref) if index is not None else None
        if index is not None:
            self._unread_left = None  # a view that is not shown yet stays here when it is
            self.list.jump_to(index)
            self.list.setFocus()

    def doable(self) -> Mapping[str, Callable[[], object]]:
        """The window's commands that are possible now, by name: "remind", about the current message, or about the
        latest if none is current. Empty if there is no message, or reminders are not offered."""
        message = self.list.current()
        if message is None and len(self._timeline):
            message = self._timeline.message(len(self._timeline) - 1)
        if self._reminding is None or message is None or message.deleted:
            return {}
        return {COMMAND: partial(self._reminding.open, message)}

    def answer(self, obj: ObjId, ref: bytes) -> None:
        """Begins an answer to the message whose id is `ref`, in the field, which gets the focus; only the field gets it
        if there is no such message. `obj` is not needed."""
        index = self._timeline.index_of(ChangeId(ref)) if ref else None
        if index is None:
            self.composer.setFocus()
        else:
            self.message_actions.act(self._timeline.message(index), "reply")

    def mark_words(self, words: Sequence[str]) -> None:
        """Marks the words of a search in the message that was opened."""
        self.list.mark(self._opened if words else None, words)

    def view_place(self) -> ViewPlace:
        """What is shown, to be restored later: the message at the top of the window, and what is selected in the field
        where messages are written."""
        top, cursor = self.list.top_row(), self.composer.field.textCursor()
        at, px = (self._timeline.message(top[0]).change_id, top[1]) if top is not None else (b"", 0)
        return ViewPlace(at=at, px=px, anchor=cursor.anchor(), caret=cursor.position())

    def restore_place(self, left: ViewPlace) -> None:
        """Shows what `view_place` returned. If the latest message was shown, or if the message is gone, the list stays
        where it is: a new view shows the latest message."""
        row = self._timeline.index_of(ChangeId(left.at)) if left.at else None
        if row is not None:
            self.list.scroll_to_row(row, left.px)
        select(self.composer.field, left.anchor, left.caret)

    def writing_area(self) -> QWidget:
        """The composer."""
        return self.composer

    def set_writable(self, writable: bool) -> None:
        """Sets whether the person may write here (`writable`): shows or hides the composer and the answers to messages.
        What was being written is kept."""
        self.message_actions.writable = writable
        self.composer.setVisible(writable)
        self._closed.setVisible(not writable)
        if not writable:
            self.hover.hide()

    def keep_draft(self) -> None:
        """Keeps what is being written, and the text of files that are being sent."""
        self.drafting.keep()

    # -- what happens -----------------------------------------------------------------------------------------------

    def _on_changed(self, room: RoomId) -> None:
        if room != self._room:
            return
        self._stack.setCurrentIndex(0 if len(self._timeline) else 1)
        self._unread, mentions = self._service.unread(room)
        self.jump.show_count(self._unread, mentions)
        self.stranded.refresh()
        self.files.refresh()
        self.files.close_gone()
        self.composer.drop_gone(self._is_gone)
        self.composer.refresh()

    def _on_room(self, room: RoomId) -> None:
        self.list.lay_out_where(lambda layout: "kansli:" in layout.message.text)
        if room == self._room:
            self.stranded.refresh()
            self.files.close_gone()  # at once, though a long month is deleted in parts

    def _can_attach(self) -> bool:
        """Whether dropped files would be attached now."""
        return self.message_actions.writable and self.composer.edits is None and self.files.shows_messages

    def _show_message(self, change_id: ChangeId) -> None:
        self.open_ref(NOWHERE, change_id)

    def _is_gone(self, message: Message) -> bool:
        """Whether the message was disposed of. False for an own message that was never sent: the person can send it in
        another month."""
        here = self._timeline.index_of(message.change_id) is not None
        return not here and not message.waiting and self._service.is_destroyed(self._room, message)

    def _is_missing(self, message: Message) -> bool:
        return self._timeline.index_of(message.change_id) is None

    def _as_it_is_now(self, message: Message) -> Message:
        return found(self._timeline, message.change_id) or message

    def _on_seen(self, seen: set[ChangeId]) -> None:
        self._marks.run_guarded(lambda: self._service.mark_read(self._room, seen))

    def _on_room_marked_unread(self, room: RoomId) -> None:
        if room == self._room and self.isVisible():
            self._reading.hold()
            self._timeline.mark_divider()

    def _on_at_end(self, at_end: bool) -> None:
        self.jump.setVisible(not at_end)
        self.jump.place()

    def _on_jump(self) -> None:
        self.list.jump_to_end()
        run_guarded(self, lambda: self._service.mark_all_read(self._room))
        self.composer.setFocus()

    def _open_at_unread(self) -> None:
        """Shows the first unread message if more is unread than when the view was left; when the view is shown for the
        first time, if anything is. Otherwise everything stays in place."""
        left, self._unread_left = self._unread_left, None
        first = self._timeline.first_unread
        if left is not None and first is not None and self._unread > left:
            self.list.open_at(first)

    def _on_hovered(self, message: Message | None, rect: object) -> None:
        editable = message is not None and self._service.can_edit(self._room, message)
        self.hover.show_for(message, rect, can_write=self.message_actions.writable, can_edit=editable)  # type: ignore[arg-type] # a QRect through Signal(object)

    def _on_transfers(self, room: RoomId) -> None:
        if room == self._room:
            self._uploads.show_transfers(self._service.transfers.of(room))
            self.list.viewport().update()

    def _on_copies(self, room: RoomId) -> None:
        if room == self._room:
            changed = {copy.of.key for copy in self.message_actions.copies.all()}
            self.list.painter.changed = self.model.changed_files = changed
            self.list.viewport().update()
            self.files.refresh()

    # -- writing ----------------------------------------------------------------------------------------------------

    def _on_written(self) -> None:
        if self.isVisible():  # not while a draft is put back
            self.drafting.keep_soon()
            if self.composer.text and self.composer.edits is None:
                run_guarded(self, lambda: self._service.typing.send(self._room))

    def _on_submitted(self, written: Written) -> None:
        if written.files:
            if run_guarded(self, lambda: check_count(written.files)):  # what is refused stays in the composer
                sending = self.drafting.begin(written)
                self._sent()  # before the loop turns: a second Enter that waits already would send the files twice
                run(self, self._send_files(written, sending))
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

    async def _send_files(self, written: Written, sending: DraftMessage) -> None:
        """Sends a message with files, which the field has no more. After an error or Cancel, which is raised, the
        message comes back before what is written by then. Until the message is sent, it is stored with the draft
        (`sending`), since Kansli may be locked meanwhile."""
        reply = written.reply_to.change_id if written.reply_to else None
        try:
            pictures: dict[Source, Picture] = {}
            for source in written.files:
                picture = await asyncio.to_thread(picture_of, source)
                if picture is not None:
                    pictures[source] = picture
            await self._service.send_file(self._room, written.files, written.text, reply_to=reply, pictures=pictures)
        except BaseException:  # a fault of our own code too: the message is in no other place
            self.drafting.end(sending)
            if isValid(self):  # otherwise the draft has it
                self.composer.put_back(sending)
                self.keep_draft()
            raise
        self.drafting.end(sending)
        self.keep_draft()

    def _on_draft_elsewhere(self, room: RoomId) -> None:
        """The draft was sent or changed on another device of this person, and nothing else was typed here."""
        if room == self._room:
            self.drafting.show_again()

    def _sent(self) -> None:
        self.composer.clear()
        self.keep_draft()
        self.drafting.leave()
        self.list.jump_to_end()

    def _on_typed(self, text: str) -> None:
        """Puts letters that were typed while the messages had the focus into the composer, which gets the focus.
        Nothing if the person may not write here."""
        if self.message_actions.writable:
            self.composer.setFocus()
            self.composer.field.insert(text)

    def _edit_last(self) -> None:
        message = self._timeline.last_own(self._service.me)
        if message is not None:
            self.composer.edit(message)

    def _on_action(self, shown: Message, action: str) -> None:
        self.message_actions.act(shown, action)

    # -- Qt's overrides ---------------------------------------------------------------------------------------------

    def focusInEvent(self, event: object) -> None:
        # no focus proxy: with one, Tab would begin again here and never reach the timeline
        if not self.files.shows_messages:
            self.files.take_focus()
        elif self.message_actions.writable:
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
        if self.drafting.is_due:
            self.keep_draft()
        self.drafting.leave()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate and self.isVisible():
            with suppress(StoreFault):  # the mark stays where it was; the next action shows the fault
                self._timeline.mark_divider()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.jump.place()
