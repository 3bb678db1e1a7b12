# SPDX-License-Identifier: EUPL-1.2
"""A bar over a conversation while own messages reach nobody where they were written."""

from PySide6.QtWidgets import QWidget

from app.chat.service import ChatService
from app.chat.stranded import StrandedCount
from app.core.ids import RoomId
from ui.kit.tasks import run_guarded
from ui.kit.toast import InfoBar
from ui.kit.translate import tr, trn


class StrandedBar(InfoBar):
    """Shows that own messages reach nobody, such as those of a month that was disposed of before they were sent, and
    sends them in the present month when asked. Hidden while there are none, and while this person may not write in the
    room. Call `refresh` once at the beginning, and when the room has changed."""

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
        action = tr("Send now") if found.destroyed or found.apart else tr("OK")
        self.show_state("warning", "warning", " ".join(sentences), action, self._write)

    def _write(self) -> None:
        if run_guarded(self, lambda: self._service.write_stranded(self._room)):
            self.refresh()


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
