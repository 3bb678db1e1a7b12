# SPDX-License-Identifier: EUPL-1.2
"""A bar over a conversation while own messages reach nobody where they were written."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.chat.service import ChatService
from app.chat.stranded import StrandedCount
from app.core.ids import RoomId
from ui.kit.announcing import announce
from ui.kit.dialogs import confirm
from ui.kit.tasks import run, run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn


class StrandedBar(InfoBar):
    """Shows that own messages reach nobody, such as those of a month that was disposed of before they were sent, and
    sends them in the present month or discards them when asked. Hidden while there are none, and while this person may
    not write in the room. Call `refresh` once at the beginning, and when the room has changed. `discarded` is emitted
    when the person has discarded them."""

    discarded = Signal()

    def __init__(self, service: ChatService, room: RoomId, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self._room = room

    def refresh(self) -> None:
        """Shows what is stranded now; hides the bar if nothing is, or this person may not write in the room."""
        found = self._service.stranded(self._room)
        sentences = _sentences(found) if self._service.may_write(self._room) else []
        if not sentences:
            self.hide()
            return
        has_messages = bool(found.destroyed or found.apart)
        action = tr("Send now") if has_messages else tr("OK")
        other = (tr("Discard …"), lambda: run(self, self._ask())) if has_messages else None
        self.show_state("warning", "warning", " ".join(sentences), action, self._write, other=other)

    def _write(self) -> None:
        if run_guarded(self, lambda: self._service.write_stranded(self._room)):
            self.refresh()

    async def _ask(self) -> None:
        """Discards what is stranded, once the person has agreed to so much."""
        asked = None
        while (found := self._service.stranded(self._room)) != asked:
            asked = found
            if not await self._agrees(found):
                return
        if run_guarded(self, lambda: self._service.discard_stranded(self._room)):
            self.discarded.emit()
            announce(self, tr("The messages are discarded"))
            self.refresh()

    async def _agrees(self, found: StrandedCount) -> bool:
        count = found.destroyed + found.apart
        title = trn("Discard {n} message of yours?", "Discard {n} messages of yours?", count).format(n=count)
        text = tr("They are removed from this computer, with their files. It cannot be undone.")
        if found.apart:
            text += " " + tr("What the server has of them stays there, sealed, until its month is disposed of.")
        return await confirm(self, title, text, accept=tr("Discard"), danger=True)


def _sentences(found: StrandedCount) -> list[str]:
    sentences = []
    if found.destroyed:
        sentences.append(
            trn(
                "{n} message of yours was not sent: its month has been disposed of.",
                "{n} messages of yours were not sent: their month has been disposed of.",
                found.destroyed,
            ).format(n=found.destroyed)
        )
    if found.apart:
        sentences.append(
            trn(
                "{n} message of yours reached nobody: this computer's clock was wrong, or the month was full.",
                "{n} messages of yours reached nobody: this computer's clock was wrong, or the month was full.",
                found.apart,
            ).format(n=found.apart)
        )
    if found.notes:
        sentences.append(tr("Edits and reactions to messages that are gone are dropped."))
    return sentences
