# SPDX-License-Identifier: EUPL-1.2
"""The bar over everything while somebody asks for something with the recovery sheet: the person confirms that it is
them, or stops it."""

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QWidget

from app.recovery import AskedFor
from app.session import Session
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import IconLabel
from ui.kit.dialogs import confirm
from ui.kit.folding_row import FoldingRow
from ui.kit.style import column, label, line, set_props
from ui.kit.tasks import run
from ui.kit.toast import WORDS_PX
from ui.kit.translate import clock, day, short_day, tr
from ui.tool_views import toast


class AskedBar(QFrame):
    """The bar over everything when somebody asks, with the person's recovery sheet, to add or revoke a device: the
    person confirms that it is them, or stops it. Hidden while there is no such request, and for those that the person
    has confirmed. Call `refresh` once when the bar has its parent: shown before, it would be a window of its own for a
    moment."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._mine: set[tuple[str, bytes]] = set()
        self._shown: AskedFor | None = None
        words, answers = line(spacing=8), QWidget()
        words.addWidget(IconLabel("security", "danger", 16))
        self._text = label("", "small", wrap=True)
        words.addWidget(self._text, 1)
        self.me = TextButton(tr("It is me"), self._it_is_me, kind="link")
        self.stop = TextButton(tr("Stop it …"), lambda: run(self, self._stop()), kind="danger")
        row = line(answers, spacing=8)
        row.addWidget(self.me)
        row.addWidget(self.stop)
        column(self, margins=(20, 6, 12, 6)).addWidget(FoldingRow(words, answers, words_px=WORDS_PX))
        set_props(self, frame="bar-danger")
        self.hide()
        bind(self, session.status_changed, self.refresh)

    def text(self) -> str:
        """The sentence shown."""
        return self._text.text()

    def refresh(self) -> None:
        """Reads again what is requested with the recovery sheet, and shows or hides the bar."""
        asked = _waiting(self._session.recovery.asked(), self._mine)
        self._shown = asked[0] if asked else None
        if self._shown is not None:
            text = _format_request(self._shown)
            self._text.setText(text)
            self.setAccessibleName(text)
        self.setVisible(self._shown is not None)

    def _it_is_me(self) -> None:
        asked = self._shown
        if asked is None:
            return
        key = (asked.what, asked.dev)

        def undo() -> None:
            self._mine.discard(key)
            self.refresh()

        self._mine.add(key)
        self.refresh()
        text = tr("The device stays.") if asked.came else tr("Then it goes on by itself.")
        if asked.what == "add" and not asked.came:
            text += " " + tr("It is quicker to let the new device in yourself: Settings, Devices.")
        toast(self, text, undo)

    async def _stop(self) -> None:
        asked = self._shown
        text = tr(
            "Whoever asks has your recovery sheet and an activation code in your name. They are kept out. Tell IT "
            "security, and make another sheet if yours is in other hands."
        )
        if asked is not None and await confirm(self, tr("Stop it?"), text, accept=tr("Stop it"), danger=True):
            await self._session.recovery.veto(asked)
            self.refresh()
            toast(self, tr("Stopped. Nobody comes in by this attempt."))


def _waiting(asked: Sequence[AskedFor], mine: set[tuple[str, bytes]]) -> list[AskedFor]:
    return [a for a in asked if not a.vetoed and (a.what, a.dev) not in mine]


def _format_request(asked: AskedFor) -> str:
    when = f"{short_day(day(asked.ready))} {clock(asked.ready)}"
    if asked.came:
        return tr(
            "A device has come in with your recovery sheet, sooner than a day after this computer heard of it. If it "
            "was not you, stop it until {when}: the device is revoked."
        ).format(when=when)
    if asked.what == "add":
        return tr(
            "Somebody is trying to recover your account on a new device, with your recovery sheet. If nobody stops it, "
            "it happens {when}, and your other devices may be revoked."
        ).format(when=when)
    if asked.mine:
        return tr("Somebody wants to revoke this device with your recovery sheet. It happens {when}.").format(when=when)
    return tr("Somebody wants to revoke one of your devices with your recovery sheet. It happens {when}.").format(
        when=when
    )
