# SPDX-License-Identifier: EUPL-1.2
"""What is being written in a conversation and not sent: stored while the person writes, and put back later."""

from pathlib import Path

from msgspec import structs
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from app.chat.drafts import Draft
from app.chat.model import Message
from app.chat.service import ChatService
from app.core.ids import RoomId
from app.objects.files import Source
from ui.chat.composer import Composer, DraftMessage, Written
from ui.chat.found_messages import found
from ui.kit.tasks import Recurring
from ui.kit.translate import trn

DRAFT_MS = 600


class Drafting:
    """Stores what is being written in one conversation and is not sent, and restores it later."""

    def __init__(self, view: QWidget, service: ChatService, room: RoomId, composer: Composer) -> None:
        """Begins with nothing stored or shown: the caller calls `restore`. `view` owns the timer and shows errors;
        `composer` is where the person writes."""
        self.sending: list[DraftMessage] = []
        """Drafts with files that are not sent yet."""
        self._service = service
        self._room = room
        self._composer = composer
        self._timeline = service.timeline(room)
        self._storing = Recurring(view)
        self._timer = QTimer(view, singleShot=True, interval=DRAFT_MS)
        self._timer.timeout.connect(self.keep)

    def keep_soon(self) -> None:
        """Keeps the draft in a pause."""
        self._timer.start()

    @property
    def is_due(self) -> bool:
        """Whether the draft has changed since it was kept."""
        return self._timer.isActive()

    def keep(self) -> None:
        """Stores what is being written, and the messages whose files are being sent, as one draft. Of pasted pictures
        only their number is stored. An error is shown."""
        self._timer.stop()
        composer, edit = self._composer, self._composer.edits
        aside = composer.aside if edit is not None else composer.begun
        begun = [*self.sending, aside]
        text = "\n".join(part.text for part in begun if part.text.strip())
        replies = [part.reply_to.change_id for part in reversed(begun) if part.reply_to is not None]
        reply = replies[0] if replies else None
        files = list(dict.fromkeys(file for part in begun for file in part.files))  # each once, as in the composer
        paths = tuple(str(file) for file in files if isinstance(file, Path))
        attached = Draft(files=paths, pictures=len(files) - len(paths))
        if edit is None:
            draft = structs.replace(attached, text=text, reply_to=reply)
        else:
            changed = {"text": composer.text, "edits": edit.change_id}
            draft = structs.replace(attached, **changed, aside=text, aside_reply_to=reply)
        self._storing.run_guarded(lambda: self._service.keep_draft(self._room, draft))

    def leave(self) -> None:
        """Shares what is stored with the person's other devices: they have left the field, or sent what was in it. Does
        nothing after the session is closed. An error is shown."""
        self._storing.run_guarded(lambda: self._service.leave_draft(self._room))

    def show_again(self) -> None:
        """Shows the stored draft in place of what another device has sent or changed since. ▲ Not while something is
        typed here that is not stored: it would be lost."""
        if self.is_due or self._composer.edits is not None:
            return
        self._composer.clear()
        self._timer.stop()
        self.restore()

    def restore(self) -> None:
        """Shows the stored draft in the composer again, and how many pasted pictures of it were not kept. Does nothing
        without a draft. If the message that was being changed is gone, its changed text is added to the draft's."""
        draft = self._service.draft(self._room)
        edit = found(self._timeline, draft.edits)
        reply = found(self._timeline, draft.reply_to if draft.edits is None else draft.aside_reply_to)
        text = draft.text if draft.edits is None else draft.aside
        if edit is not None and edit.deleted:
            edit = None
        if draft.edits is not None and edit is None:  # the message is gone: its new text is there beside the draft
            text = "\n".join(part for part in (text, draft.text) if part)
        files = tuple(dict.fromkeys(Path(path) for path in draft.files))
        if text or reply or edit or files:
            self._composer.restore(self._begun(text, reply, files), edit, draft.text)
        if draft.pictures:
            self._composer.show_left_out(
                trn(
                    "{n} pasted picture was not kept. Paste it again.",
                    "{n} pasted pictures were not kept. Paste them again.",
                    draft.pictures,
                ).format(n=draft.pictures)
            )

    def begin(self, written: Written) -> DraftMessage:
        """Notes that a message with files is being sent. Until `end` is called, `keep` stores it with the draft, since
        Kansli may be locked before it is sent. Returns the message, for `end`. Stores nothing itself."""
        sending = self._begun(written.text, written.reply_to, written.files)
        self.sending.append(sending)
        return sending

    def end(self, sending: DraftMessage) -> None:
        """The message was sent, or is back in the composer."""
        self.sending.remove(sending)

    def _begun(self, text: str, reply: Message | None, files: tuple[Source, ...]) -> DraftMessage:
        name = self._service.people.person(reply.author).name if reply else ""
        return DraftMessage(text=text, reply_to=reply, name=name, files=files)
