# SPDX-License-Identifier: EUPL-1.2
"""What a person does with a message: its menu, answers, reactions, files and links, and jumps to other messages."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication, QWidget

from app.chat.markup import parse
from app.chat.model import Message
from app.chat.opening import harm_in, known_harm
from app.chat.service import ChatService
from app.core.ids import ChangeId, RoomId
from app.core.signal import Signal
from app.viewing.kinds import kind_of_name
from ui.chat.clipboard import mime_of
from ui.chat.composer import Composer
from ui.chat.copies import Copies
from ui.chat.emoji import EmojiPanel
from ui.chat.found_messages import found
from ui.chat.hover_bar import HoverBar
from ui.chat.item_model import naming
from ui.chat.keeping import keep_entries
from ui.chat.letters import edit_letter, reply_letter
from ui.chat.message_layout import Hit, Part, left_px
from ui.chat.reminders import MessageReminding
from ui.chat.timeline import TimelineView
from ui.errors import sentence_of
from ui.kit.dialogs import confirm, save_file
from ui.kit.menu import Entry, close_when, popup
from ui.kit.outside import outside_entries
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr, trn
from ui.kit.web import open_address
from ui.tool import LinkWords
from ui.tool_views import follow, toast

QUICK_EMOJI = "👍"


class MessageActions:
    """Does what a person asks for with a message in one conversation: answer, react, change, delete, copy, open.
    `writable`: the person may answer and react."""

    def __init__(
        self,
        view: QWidget,
        service: ChatService,
        room: RoomId,
        messages: TimelineView,
        composer: Composer,
        hover: HoverBar,
        words: LinkWords,
    ) -> None:
        """`view` is the parent of dialogs and menus, and shows errors. `words` says how things that a message links to
        are shown."""
        self.writable = True
        self.marked_unread: Signal[()] = Signal()
        """The person has marked a message as unread."""
        self.open_file: Callable[[ChangeId, int], object] | None = None
        """Shows a file of a message, by its number, in the viewer; None: files are only saved."""
        self.reminding: MessageReminding | None = None
        """Offers reminders of messages; None: none are offered."""
        self._view = view
        self._service = service
        self._room = room
        self._timeline = service.timeline(room)
        self._list, self._composer, self._hover = messages, composer, hover
        self._words = words
        self.copies = Copies(view, service, room, self.save)

    def act(self, shown: Message, action: str) -> None:
        """Does `action` ("reply", "edit", "delete", "copy", "react", "more": its menu) with a message, as the message
        is now: it may have changed since it was `shown`. Asks before it deletes. If the message was deleted, says so.
        Does nothing if the person may not do this with it."""
        message = self._find(shown.change_id)
        if message is None or message.deleted:
            toast(self._view, tr("The message was deleted"))
            return
        match action:
            case "reply" if self.writable:
                self._composer.reply(message, self._service.people.person(message.author).name)
            case "edit" if self._service.can_edit(self._room, message):
                self._composer.edit(message)
            case "delete" if self._service.can_delete(self._room, message):
                run(self._view, self._delete(message))
            case "copy":
                QApplication.clipboard().setMimeData(mime_of(message))
                names = trn("The file name is copied", "The file names are copied", len(message.attachments))
                toast(self._view, tr("The text is copied") if message.text else names)
            case "react" if self.writable:
                self._ask_reaction(message)
            case "more":
                self.open_menu(message, self._hover.below("more"))

    def _find(self, change_id: bytes | None) -> Message | None:
        return found(self._timeline, change_id)

    async def _delete(self, message: Message) -> None:
        text = tr(
            "It is deleted for everybody in the room. The sealed text stays until the conversation is disposed of."
            " That it was deleted, and by whom, stays visible."
        )
        about = naming(self._service.people, message)
        if await confirm(self._view, tr("Delete the message?"), text, about=about, accept=tr("Delete"), danger=True):
            self.delete_now(message.change_id)

    def delete_now(self, message: ChangeId) -> None:
        """Deletes the message with this id, without asking the person. An error is shown; if the disk refuses, with a
        button Try again."""
        again = partial(self.delete_now, message)
        if run_guarded(self._view, lambda: self._service.delete(self._room, message), again=again):
            text = tr("Deleted for everybody in the room. The sealed text stays until the conversation is disposed of.")
            toast(self._view, text)

    def mark_unread(self, message: ChangeId) -> None:
        """Marks the message with this id and everything behind it as unread. An error is shown; if the disk refuses,
        with a button Try again."""
        self.marked_unread.emit()
        again = partial(self.mark_unread, message)
        if run_guarded(self._view, lambda: self._service.mark_unread(self._room, message), again=again):
            self._timeline.mark_divider()

    def _ask_reaction(self, message: Message) -> None:
        index = self._timeline.index_of(message.change_id)
        rect = self._list.row_rect(index or 0)
        at = self._list.viewport().mapToGlobal(QPoint(left_px(), max(0, rect.top()) + 30))
        panel = EmojiPanel(self._view, lambda emoji: self.react(message, emoji))
        panel.open_at(self._hover.below("react") if self._hover.stands_on(message) else at)

    def react(self, message: Message, emoji: str) -> None:
        """Adds the person's reaction `emoji` to a message, or removes it if it is there. An error is shown; if the disk
        refuses, with a button Try again."""
        again = partial(self.react, message, emoji)
        run_guarded(self._view, lambda: self._service.react(self._room, message.change_id, emoji), again=again)

    def open_menu(self, message: Message, at: QPoint) -> None:
        """Opens the menu of a message at the global point `at`; there is none for a deleted message. It closes if the
        message is deleted meanwhile."""
        if message.deleted:
            return
        entries: list[Entry | None] = [
            *self._link_entries(message),
            *(self._answer_entries(message) if self.writable else ()),
            Entry(text=tr("Copy text"), icon="copy", shortcut="Ctrl+C", run=partial(self.act, message, "copy")),
        ]
        if self._service.can_edit(self._room, message):
            entries.append(
                Entry(text=tr("Edit"), icon="edit", shortcut=edit_letter(), run=partial(self.act, message, "edit"))
            )
        entries += [
            Entry(
                text=tr("Show {name}").format(name=attachment.name),
                icon="eye",
                run=lambda n=number: self.open_file and self.open_file(message.change_id, n),  # type: ignore[misc] # bound per file
            )
            for number, attachment in enumerate(message.attachments)
            if self._is_shown(attachment.name)
        ]
        entries += self._outside_entries(message)
        entries += keep_entries(self._view, self._service, self._room, message)
        entries += self._changed_entries(message)
        if message.quote is not None:
            entries.append(Entry(text=tr("Show what it answers"), icon="up", run=lambda: self._jump_to_quote(message)))
        if self._service.can_mark_unread(message):
            entries.append(
                Entry(text=tr("Mark as unread"), icon="notifications", run=lambda: self.mark_unread(message.change_id))
            )
        if self.reminding is not None:
            entries.append(self.reminding.entry(message, at))
        if self._service.can_delete(self._room, message):
            delete = partial(self.act, message, "delete")
            entries += [None, Entry(text=tr("Delete"), icon="delete", shortcut="Del", danger=True, run=delete)]
        menu = popup(self._view, tr("Message menu"), entries, at)
        close_when(menu, self._service.changed, lambda: self._is_gone(message))

    def _is_gone(self, message: Message) -> bool:
        now = self._find(message.change_id)
        return now is None or now.deleted

    def _outside_entries(self, message: Message) -> list[Entry]:
        """Menu entries that open the message's files in another program, and that save them."""
        files, check = list(enumerate(message.attachments)), self._service.check_export
        opens = [
            Entry(
                text=tr("Open {name} in another program").format(name=attachment.name),
                icon="open",
                run=partial(self.copies.open, message, number),
            )
            for number, attachment in files
            if self.copies.can_open and not self._is_shown(attachment.name)
        ]
        saves = [
            Entry(
                text=tr("Save {name} …").format(name=attachment.name),
                icon="download",
                run=partial(self.save, message, number),
            )
            for number, attachment in files
        ]
        return outside_entries(*((entry, check) for entry in (*opens, *saves)))

    def _changed_entries(self, message: Message) -> list[Entry | None]:
        """Menu entries for the changed copies of the message's files."""
        keys = [(message.change_id, number) for number in range(len(message.attachments))]
        changed = [copy for copy in self.copies.all() if copy.of.key in keys] if keys else []
        entries = [self.copies.entries(copy, may_write=self.writable) for copy in changed]
        return [None, *(entry for each in entries for entry in each), None] if entries else []

    def _answer_entries(self, message: Message) -> list[Entry]:
        react = tr("React with {emoji}").format(emoji=QUICK_EMOJI)
        return [
            Entry(text=tr("Reply"), icon="reply", shortcut=reply_letter(), run=partial(self.act, message, "reply")),
            Entry(text=react, run=lambda: self.react(message, QUICK_EMOJI)),
            Entry(text=tr("Other reaction …"), icon="emoji", shortcut="+", run=partial(self.act, message, "react")),
        ]

    def _link_entries(self, message: Message) -> list[Entry]:
        """Menu entries that open the things in rooms that the message links to (not web addresses), so that this is
        possible without a mouse. [] if there are none."""
        links = [(run.text, run.link) for run in parse(message.text, message.mentions) if run.link is not None]
        return [
            Entry(
                text=tr("Open “{title}”").format(title=title),
                icon=self._words.icon_of(link),
                run=lambda to=link: follow(self._view, to),  # type: ignore[misc] # bound per link
            )
            for title, link in links
        ]

    def hit(self, message: Message, hit: Hit) -> None:
        """Does what a click on `hit`, a part of the message, is for: goes to the quoted message or to the latest
        answer, sets or removes a reaction (if the person may answer here), shows a file, opens it in another program or
        saves it, stops its fetching, follows a link."""
        match hit.part:
            case Part.QUOTE:
                self._jump_to_quote(message)
            case Part.REPLIES if message.last_reply is not None:
                self._jump_to_id(message.last_reply[0])
            case Part.REACTION if self.writable:
                self.react(message, message.reactions[hit.number].emoji)
            case Part.DOWNLOAD:
                self.hit_file(message, hit.number)
            case Part.FILE | Part.IMAGE:
                self._show_or_save(message, hit.number)
            case Part.LINK if hit.run is not None:
                self._follow(hit.run.href, hit)
            case _:
                pass

    def _is_shown(self, name: str) -> bool:
        """Whether a click on a file with this name shows it."""
        return self.open_file is not None and kind_of_name(name) is not None

    def _show_or_save(self, message: Message, number: int) -> None:
        fetched = self._service.transfers.get((message.change_id, number)) is not None
        name = message.attachments[number].name
        if self.open_file is not None and self._is_shown(name) and not fetched:
            self.open_file(message.change_id, number)
        elif self._service.opening is not None and not self._is_shown(name) and not fetched:
            self.copies.open(message, number)
        else:
            self.hit_file(message, number)

    def save(self, message: Message, number: int) -> None:
        """Asks where to save the message's file with this index (from 0) and saves it. An error is shown, also if the
        policy lets no file be saved."""
        run(self._view, self._fetch(message, number))

    def hit_file(self, message: Message, number: int) -> None:
        """Asks where to save the message's file with this index (from 0) and fetches it; if it is being fetched, stops
        that. An error is shown, also if the policy lets no file be saved."""
        key = (message.change_id, number)
        if self._service.transfers.get(key) is not None:
            self._cancel(key)
        else:
            run(self._view, self._fetch(message, number))

    async def _fetch(self, message: Message, number: int) -> None:
        self._service.check_export()
        name = message.attachments[number].name
        harm = known_harm(name)
        if harm is not None and not await self.copies.warned(harm, name):
            return
        target = await save_file(self._view, tr("Save file"), name)
        if target is not None:
            with suppress(asyncio.CancelledError):
                path = await self._service.fetch_file(self._room, message, number, target)
                toast(self._view, await self._saved_text(path, warned=harm is not None))

    async def _saved_text(self, path: Path, *, warned: bool) -> str:
        """What is said of a file that was saved at `path`: also that its content could run something, unless the person
        was `warned` before."""
        text = tr("{name} is saved").format(name=path.name)
        harm = None if warned else await harm_in(path)
        return text if harm is None else f"{text}. {sentence_of(harm).title} {sentence_of(harm).action}"

    def _follow(self, href: str, hit: Hit) -> None:
        link = hit.run.link if hit.run else None
        if link is not None:
            follow(self._view, link)
        elif href:
            run(self._view, open_address(self._view, href))

    def _jump_to_quote(self, message: Message) -> None:
        if message.quote is not None:
            self._jump_to_id(message.quote.change_id)

    def _jump_to_id(self, change_id: ChangeId) -> None:
        index = self._timeline.index_of(change_id)
        if index is not None:
            self._list.jump_to(index)
            self._list.setFocus()

    def _cancel(self, key: tuple[bytes, int]) -> None:
        run_guarded(self._view, lambda: self._service.transfers.cancel(key))
