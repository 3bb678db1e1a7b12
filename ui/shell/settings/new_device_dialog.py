# SPDX-License-Identifier: EUPL-1.2
"""Lets another device of the same person in: a code in large letters and as a QR code, or six digits to compare.

Nothing is added before the person here has seen which device asks, and has accepted it.
"""

import asyncio
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from app.devices.inviting import Invitation, Newcomer, Offer, Pointer, write_pointer
from app.devices.service import DeviceService
from ui.errors import code_of, format_error
from ui.kit.buttons import TextButton
from ui.kit.dialogs import Dialog, show
from ui.kit.qr import QrCode
from ui.kit.style import column, label, set_props
from ui.kit.tasks import run
from ui.kit.translate import clock, local_now, tr
from ui.shell.entry.second_device import spaced

QR_PX = 200
_EACH_MS = 500
_MIDDLE = Qt.AlignmentFlag.AlignHCenter


class InviteDialog(Dialog):
    """A dialog that lets another device of the person in, by a code or by digits to compare. Open it with
    `show_until_closed`. There is one attempt at a time; the button Again begins another. `server` is the server's
    address."""

    def __init__(self, parent: QWidget | None, devices: DeviceService, server: str) -> None:
        super().__init__(parent, tr("Add a device"), accept=tr("Yes, add it"), cancel=tr("Close"), width=520)
        self._devices = devices
        self._server = server
        self._by_code = True
        self._invitation: Invitation | None = None
        self._expires_ms = 0
        self._new: Newcomer | None = None
        self._added: Callable[[str], object] = lambda name: None
        self._admitting = False
        self.text = self.add_text("", "body")
        self._make_parts()
        self.left = label("", "small")
        self.left.setAlignment(_MIDDLE)
        self.body.addWidget(self.left)
        self._spinner = self.add_spinner()
        self.error = self.add_error()
        self.other = TextButton("", self._switch_method, kind="link")
        self.again = TextButton(tr("Show a new one"), self.begin, icon="retry")
        self.body.addWidget(self.other, 0, _MIDDLE)
        self.body.addWidget(self.again, 0, Qt.AlignmentFlag.AlignLeft)
        (self._close,) = (b for b in self.buttons.buttons() if b is not self.accept_button)
        self.no = TextButton(tr("No"), self.refuse)
        self.buttons.addButton(self.no, QDialogButtonBox.ButtonRole.ActionRole)
        self._timer = QTimer(self, interval=_EACH_MS)
        self._timer.timeout.connect(self._count_down)
        self.finished.connect(self._on_finished)
        self._task: asyncio.Task[None] | None = None
        self._wait_for_offer()

    def _make_parts(self) -> None:
        """Makes the widgets that show the code or number, and those that ask about a device that wants to be let in."""
        self._qr = QrCode("", tr("The code as a QR code"), QR_PX)
        self.large = label("", "title", wrap=True, heading=False)
        self.large.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._where = label(tr("Server: {server}").format(server=self._server), "muted")
        self._name, self._system = label("", "heading", wrap=True), label("", "muted", wrap=True)
        self._digits = label("", "home", heading=False)
        same = tr("Are these the same six digits as on the new computer? If not, somebody is between the two.")
        self._same = label(same, "body", wrap=True)
        for part in (self.large, self._name, self._system, self._digits):
            part.setAlignment(_MIDDLE)
        shown = column(spacing=10)
        self.body.addLayout(shown)
        self._parts = (self._qr, self.large, self._where, self._name, self._system, self._digits, self._same)
        for each in self._parts:
            alone = each in (self._qr, self._where)
            shown.addWidget(each, 0, _MIDDLE) if alone else shown.addWidget(each)

    async def show_until_closed(self, added: Callable[[str], object]) -> None:
        """Opens the dialog and begins an attempt. Returns when it is closed. `added` is called with the name of a
        device that was let in."""
        self._added = added
        self.begin()
        if not await show(self) and self._invitation is not None:
            await self._invitation.close()

    # -- an attempt ---------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Ends the present attempt, if there is one, and begins another, by code or by number as the person has
        chosen."""
        if self._task is not None:
            self._task.cancel()
        former, self._invitation = self._invitation, self._devices.invite()
        self._wait_for_offer()
        self._task = run(self, self._attempt(former, self._invitation), on_error=self._failed)

    async def _attempt(self, former: Invitation | None, invitation: Invitation) -> None:
        if former is not None:
            await former.close()
        offer = await invitation.open(by_code=self._by_code)
        self._show_offer(offer)
        self._show_newcomer(await invitation.arrived())

    def _wait_for_offer(self) -> None:
        self._new = None
        self._show_only()
        self.error.hide()
        self.text.setText(tr("Asking the server …"))
        self._spinner.start()
        self._buttons(yes=False, other=False, again=False)

    def _show_offer(self, offer: Offer) -> None:
        self._expires_ms = offer.expires_ms
        if offer.code:
            self.text.setText(
                tr("On the new computer: start Kansli, choose “I already have Kansli on another computer”, and type in"
                   " the server and the code, or show it the QR code.")
            )  # fmt: skip
            self._qr.set_text(write_pointer(Pointer(server=self._server, code=offer.code)))
        else:
            self.text.setText(
                tr("On the new computer: start Kansli, choose “I already have Kansli on another computer”, and type in"
                   " the server and the number. Then both show six digits, which you compare.")
            )  # fmt: skip
        set_props(self.large, look="title" if offer.code else "home")
        self.large.setText(offer.code or spaced(offer.number))
        self.large.setAccessibleName(tr("Code") if offer.code else tr("Number"))
        self.large.setAccessibleDescription(self.large.text())
        self._show_only(self.large, self._where, *([self._qr] if offer.code else []))
        self._buttons(yes=False, other=True, again=False)
        self._count_down()
        self._timer.start()

    def _show_newcomer(self, new: Newcomer) -> None:
        self._new = new
        self._spinner.stop()
        self.text.setText(tr("This device wants to come in. It will read everything that you may read."))
        self._name.setText(new.name)
        self._system.setText(new.system)
        self._digits.setText(spaced(new.digits) if new.digits else "")
        self._show_only(self._name, self._system, *([self._digits, self._same] if new.digits else []))
        self._buttons(yes=True, other=False, again=False)
        self.no.setFocus()

    # -- answers ------------------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Adds the device that asks to be let in, in the background; the dialog closes when that is done. If it fails,
        the dialog shows the error, and the person can begin another attempt. Does nothing while no device asks or one
        is being added."""
        if self._new is not None and self._invitation is not None and not self._admitting:
            self._buttons(yes=False, other=False, again=False)
            self._close.setEnabled(False)
            self._admitting = True
            self._spinner.start()
            run(self, self._admit(self._invitation, self._new), on_error=self._failed)

    async def _admit(self, invitation: Invitation, new: Newcomer) -> None:
        await invitation.admit()
        self._admitting = False
        self._added(new.name)
        super().accept()

    def reject(self) -> None:
        """Closes the dialog. ▲ Not while the device is being added: otherwise the device would be in the person's log
        and never be notified."""
        if not self._admitting:
            super().reject()

    def refuse(self) -> None:
        """Refuses the device that asks to be let in: it is not added, and the attempt is over. With digits this counts
        as a failed comparison. The person can then begin another attempt."""
        if self._invitation is not None:
            run(self, self._invitation.close())
            self._invitation = None
        self._new = None
        self._show_only()
        self.text.setText(tr("The device was not added."))
        self._buttons(yes=False, other=False, again=True)
        self.again.setFocus()

    def _switch_method(self) -> None:
        self._by_code = not self._by_code
        self.begin()

    def _failed(self, error: Exception) -> None:
        self._admitting = False
        self._close.setEnabled(True)
        self._new = None
        self._show_only()
        self._spinner.stop()
        self.text.setText("")
        until, more = self._devices.digits_from, ""
        if code_of(error) == "too-many-tries" and until is not None:
            more = tr("From {time} it is possible again.").format(time=clock(until))
            self._by_code = True
        self.error.show_text(*format_error(error, "join-", more))
        self._buttons(yes=False, other=False, again=True)
        self.again.setFocus()

    # -- the look -----------------------------------------------------------------------------------------------------

    def _buttons(self, *, yes: bool, other: bool, again: bool) -> None:
        self.accept_button.setVisible(yes)
        self.no.setVisible(yes)
        self._close.setVisible(not yes)
        self.other.setText(tr("Compare digits instead") if self._by_code else tr("Use a code instead"))
        self.other.setVisible(other)
        self.again.setVisible(again)

    def _show_only(self, *parts: QWidget) -> None:
        self._timer.stop()
        self.left.clear()
        self.left.hide()
        for part in self._parts:
            part.setVisible(part in parts)

    def _count_down(self) -> None:
        left_s = max(0, self._expires_ms - int(local_now().timestamp() * 1000)) // 1000
        text = tr("Waiting for the new computer. Valid for another {m}:{s}.")
        self.left.setText(text.format(m=left_s // 60, s=f"{left_s % 60:02}"))
        self.left.show()

    def _on_finished(self) -> None:
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
