# SPDX-License-Identifier: EUPL-1.2
"""One's own devices in the settings: which there are, what they are called, and what can be done about each."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialogButtonBox, QWidget

from app.core.ids import RoomId
from app.devices.service import DeviceInfo, DeviceService, RevocationProgress
from app.devices.unsent import SUFFIX, UnsentCount, UnsentFile, UnsentWork
from ui.kit.bind import bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.dialogs import Dialog, ask, confirm, open_files, show
from ui.kit.flow_layout import FlowLayout
from ui.kit.keyed_rows import KeyedRows
from ui.kit.progress import ProgressRow
from ui.kit.style import column, label
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import day_or_time, tr, trn
from ui.shell.settings.device_row import DeviceRow, device_name
from ui.shell.settings.new_device_dialog import InviteDialog
from ui.tool_views import toast


class DevicesCard(Card):
    """The card in the settings with the person's own devices, one row each, the progress of a revocation, and buttons
    that let another device in and read a file with the unsent work of one. `server` returns the server's address,
    `room_title` a room's title ("" if it is not known)."""

    def __init__(
        self,
        devices: DeviceService,
        unsent: UnsentWork,
        server: Callable[[], str],
        room_title: Callable[[RoomId], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(margin=12, spacing=10, parent=parent)
        self._devices = devices
        self._unsent = unsent
        self._server = server
        self._room_title = room_title
        self._ended = self._stale = self._reading = False
        host = QWidget()
        column(host, spacing=10)
        self.content.addWidget(host)
        self._rows: KeyedRows[DeviceInfo, DeviceRow] = KeyedRows(
            host,
            lambda device: device.dev,
            lambda device: DeviceRow(device, self._rename, self._revoke),
            lambda row, device: row.show_device(device, ended=self._ended),
        )
        self.offline = label(
            tr("When the others were last seen is not known while you are offline."), "small", wrap=True
        )
        self.offline.hide()
        self.content.addWidget(self.offline)
        self.revocation = ProgressRow(tr("Your rooms get new keys"))
        self.content.addWidget(self.revocation)
        below = FlowLayout(gap=8)
        self.add = TextButton(tr("Add a device …"), self.invite, icon="add")
        self.take = TextButton(tr("Bring in unsent work …"), self.pick_unsent, kind="link")
        below.addWidget(self.add)
        below.addWidget(self.take)
        self.content.addLayout(below)
        bind(self, devices.changed, self.refresh)
        self.refresh()

    # -- the list -----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Reads the person's devices again and shows them. A device that is still there keeps its row."""
        self._stale = True
        if self._reading:  # reading stores new changes, which calls this again: the list just read is not complete
            return
        self._reading = True
        try:
            while self._stale:
                self._stale = False
                devices, progress, asked = self._devices.all(), self._devices.revocation_progress, self._devices.asked
        finally:
            self._reading = False
        self._ended = self._devices.ended is not None
        self._show(devices, progress, asked)

    def _show(self, devices: Sequence[DeviceInfo], progress: RevocationProgress | None, asked: bool) -> None:
        self._rows.show(devices)
        self.offline.setVisible(not asked)
        for button in (self.add, self.take):
            button.setVisible(not self._ended)
        self.revocation.setVisible(progress is not None)
        if progress is not None:
            text = tr("{n} of {all} rooms have got a new key").format(n=progress.rooms, all=progress.all)
            self.revocation.set_text(text)
            self.revocation.set_progress(progress.rooms, progress.all)

    def showEvent(self, event: QShowEvent) -> None:
        run_guarded(self, self._devices.look)
        super().showEvent(event)

    # -- actions -----------------------------------------------------------------------------------------------------

    def _rename(self, device: DeviceInfo) -> None:
        run(self, self._ask_name(device))

    async def _ask_name(self, device: DeviceInfo) -> None:
        name = await ask(
            self.window(), tr("Rename the device"), tr("Name"), value=device.name[:64], accept=tr("Rename")
        )
        if name:
            self._devices.rename(device.dev, name)

    def _revoke(self, device: DeviceInfo) -> None:
        run(self, self._ask_revoke(device))

    async def _ask_revoke(self, device: DeviceInfo) -> None:
        name = device_name(device)
        text = tr(
            "{name} gets no new content and can send nothing more. What is on it already stays readable there. Your"
            " rooms get new keys, and your other devices are told. It cannot be undone."
        )
        title = tr("Revoke {name}?").format(name=name)
        if await confirm(self.window(), title, text.format(name=name), accept=tr("Revoke"), danger=True):
            with_added = await self._ask_added(device)
            if with_added is None:
                return
            await self._devices.revoke(device.dev, with_added=with_added)
            toast(self, tr("{name} has been revoked").format(name=name))

    async def _ask_added(self, device: DeviceInfo) -> bool | None:
        """Asks whether the devices that `device` added are to be revoked with it. True: with it. False: only `device`;
        so also without asking if it added none. None if the person closes the question: nothing is revoked then."""
        added, name = self._devices.added_by(device.dev), device_name(device)
        if not added:
            return False
        text = trn(
            "{name} has added {n} device: {devices}. If somebody else had {name} by then, that device is theirs too.",
            "{name} has added {n} devices: {devices}. If somebody else had {name} by then, those devices are theirs"
            " too.",
            len(added),
        ).format(name=name, n=len(added), devices=", ".join(map(_when_added, added)))
        title = tr("Revoke also what {name} added?").format(name=name)
        dialog = Dialog(self.window(), title, accept=tr("Revoke all"), danger=True)
        dialog.add_text(text, "body")
        with_added = True

        def leave_added() -> None:
            nonlocal with_added
            with_added = False
            dialog.accept()

        only = TextButton(tr("Only {name}").format(name=name), leave_added)
        dialog.buttons.addButton(only, QDialogButtonBox.ButtonRole.ActionRole)
        return with_added if await show(dialog) else None

    def invite(self) -> None:
        """Opens the dialog that lets another device of the person in."""
        dialog = InviteDialog(self.window(), self._devices, self._server())
        run(self, dialog.show_until_closed(lambda name: toast(self, tr("{name} has been added").format(name=name))))

    def pick_unsent(self) -> None:
        """Asks for a file of unsent work of a revoked device."""
        run(self, self._pick_unsent())

    async def _pick_unsent(self) -> None:
        filters = f"{tr('Unsent work')} (*{SUFFIX})"
        for path in (await open_files(self.window(), tr("Bring in unsent work"), filters))[:1]:
            await self.take_file(path)

    async def take_file(self, path: Path) -> None:
        """Reads a file with unsent work of another device of this person, shows what is in it, and if the person
        agrees, stores it and has its changes sent in their name to the rooms in which they may write. Nothing is stored
        if the person does not agree. Raises FileUnreadable, Reject or Refused if the file cannot be read or is not this
        person's, DiskFull or StoreUnwritable if the disk refuses."""
        found = await self._unsent.read(path)
        if not await confirm(
            self.window(), tr("Bring in unsent work?"), self._format_unsent(found), accept=tr("Bring in")
        ):
            return
        toast(self, _format_taken(await self._unsent.take_in(found)))

    def _format_unsent(self, found: UnsentFile) -> str:
        writer = next((device_name(d) for d in self._devices.all() if d.dev == found.dev), "")
        rooms = ", ".join(title for room in found.rooms if (title := self._room_title(room)))
        sentences = []
        if found.fits or not found.drafts:
            text = trn("{n} change by {device}.", "{n} changes by {device}.", found.fits)
            sentences.append(text.format(n=found.fits, device=writer))
        if found.drafts:
            text = trn("{n} draft by {device}.", "{n} drafts by {device}.", found.drafts)
            sentences.append(text.format(n=found.drafts, device=writer))
        if rooms:
            sentences.append(tr("In: {rooms}.").format(rooms=rooms))
        if found.strange:
            text = trn(
                "{n} change is in a room where you cannot write, and is left out.",
                "{n} changes are in rooms where you cannot write, and are left out.",
                found.strange,
            )
            sentences.append(text.format(n=found.strange))
        sentences.append(tr("It is sent in your name: read it in only if you saved the file yourself."))
        return " ".join(sentences)


def _format_taken(n: UnsentCount) -> str:
    """The text about what was read in from a file of unsent work: `n` has how many changes and drafts were new. Says so
    if none were."""
    sentences = []
    if n.changes:
        text = trn(
            "{n} change has been read in and is being sent.",
            "{n} changes have been read in and are being sent.",
            n.changes,
        )
        sentences.append(text.format(n=n.changes))
    if n.drafts:
        text = trn("{n} draft has been read in.", "{n} drafts have been read in.", n.drafts)
        sentences.append(text.format(n=n.drafts))
    return " ".join(sentences) or tr("Everything in the file was here already.")


def _when_added(device: DeviceInfo) -> str:
    when = tr("added {when}").format(when=day_or_time(device.added))
    return f"{device_name(device)} ({when})"
