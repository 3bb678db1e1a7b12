# SPDX-License-Identifier: EUPL-1.2
"""The dialog on a device that its person has revoked. It offers to keep unsent work before anything is removed.

▲ Nothing is removed by itself, and only a revocation in the person's own log opens this dialog.
"""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.devices.unsent import SUFFIX, UnsentWork
from app.session import Session
from app.settings import ALLOW_EXPORT
from ui.errors import format_error
from ui.kit.buttons import TextButton
from ui.kit.dialogs import Dialog, save_file
from ui.kit.tasks import run
from ui.kit.translate import tr, trn


class Rescue(Enum):
    """How a person can keep a changed copy from a revoked device: save it outside Kansli; or, where policy forbids
    that, send it to its room, which makes it unsent work; or not at all, since nothing is shown any more."""

    SAVE, SEND, NONE = range(3)


def rescue_of(session: Session) -> Rescue:
    """How changed copies can be kept while this session is shown."""
    return Rescue.SAVE if session.settings.get(ALLOW_EXPORT) else Rescue.SEND


class RevokedDialog(Dialog):
    """A dialog on a device that was revoked: it offers to keep the unsent work. It is accepted when the person asks for
    everything to be removed from this computer."""

    def __init__(
        self,
        parent: QWidget | None,
        unsent: UnsentWork,
        changed: Sequence[str] = (),
        rescue: Rescue = Rescue.SAVE,
    ) -> None:
        """`changed`: the names of files of which changed copies are kept here. The dialog says that they are lost, and
        how the person can keep them (`rescue`)."""
        super().__init__(
            parent, tr("This device has been revoked"), accept=tr("Remove everything"), cancel=tr("Not now"),
            danger=True, width=520,
        )  # fmt: skip
        self._unsent = unsent
        self._writing = False
        self.add_text(
            tr("One of your other devices, or your agency, has revoked it. It gets no new content and can send nothing"
               " more. What is here is still readable, and nothing is removed unless you ask for it."),
            "body",
        )  # fmt: skip
        count = unsent.count
        self.kept = self.add_text("", "body")
        self.save = TextButton(tr("Keep the unsent work …"), self.keep, icon="export")
        self.body.addWidget(self.save)
        self._spinner = self.add_spinner()
        self.error = self.add_error()
        if count:
            text = trn(
                "{n} thing that you wrote here has not been sent. Keep it in a sealed file, and read that in on another"
                " of your devices: Settings, Devices.",
                "{n} things that you wrote here have not been sent. Keep them in a sealed file, and read that in on"
                " another of your devices: Settings, Devices.",
                count,
            )
            self.kept.setText(text.format(n=count))
        else:
            self.kept.setText(tr("Everything that you wrote here has been sent."))
            self.save.hide()
        if changed:
            self.add_text(_of_copies(rescue, len(changed)).format(names=", ".join(changed)), "body")
        self.add_text(
            tr("Remove everything: the account, all rooms and all files of Kansli go from this computer. Your other"
               " devices and your colleagues keep theirs."),
        )  # fmt: skip

    def keep(self) -> None:
        """Asks for a file and writes the unsent work to it, in the background. Does nothing more if no file is chosen;
        shows the error if it cannot be written."""
        self.error.hide()
        run(self, self._keep(), on_error=self._failed)

    async def _keep(self) -> None:
        path = await save_file(self, tr("Keep the unsent work"), f"kansli{SUFFIX}", f"{tr('Unsent work')} (*{SUFFIX})")
        if path is not None:
            await self.keep_in(path)

    async def keep_in(self, path: Path) -> None:
        """Writes the unsent work to the file `path`, to whose name the usual suffix is added if it lacks it, and shows
        how much was kept. StoreUnwritable if the disk refuses."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        self._busy(True)
        n = await self._unsent.save(path)
        self._busy(False)
        self.kept.setText(
            trn("{n} thing is kept in {file}.", "{n} things are kept in {file}.", n).format(n=n, file=path.name)
        )

    def reject(self) -> None:
        """Closes the dialog; not while the file is being written."""
        if not self._writing:
            super().reject()

    def _busy(self, busy: bool) -> None:
        """Shows whether the file is being written (`busy`). ▲ Meanwhile the buttons that remove everything and that
        write the file are disabled, and the dialog stays: closing it would not stop the writing. Otherwise the person
        could remove everything before the file is complete, here or in the dialog opened again, or write it twice."""
        self._writing = busy
        (self._spinner.start if busy else self._spinner.stop)()
        for button in (*self.buttons.buttons(), self.save):
            button.setEnabled(not busy)

    def _failed(self, error: Exception) -> None:
        self._busy(False)
        self.error.show_text(*format_error(error))


def _of_copies(rescue: Rescue, count: int) -> str:
    """The text about `count` changed copies, with the placeholder {names}."""
    if rescue is Rescue.SAVE:
        return trn(
            "The changed copy of {names} is lost too. If you need it, save it outside Kansli first.",
            "The changed copies of {names} are lost too. If you need them, save them outside Kansli first.",
            count,
        )
    if rescue is Rescue.SEND:
        return trn(
            "The changed copy of {names} is lost too. Your organisation does not let it be saved outside Kansli. If you"
            " need it and may write in its room, send it there first, under Files: it then counts as unsent work, and"
            " you can keep it here.",
            "The changed copies of {names} are lost too. Your organisation does not let them be saved outside Kansli."
            " If you need them and may write in their rooms, send them there first, under Files: they then count as"
            " unsent work, and you can keep them here.",
            count,
        )
    return trn(
        "The changed copy of {names} is lost too. It cannot be kept, since nothing on this computer is shown any more.",
        "The changed copies of {names} are lost too. They cannot be kept, since nothing on this computer is shown any"
        " more.",
        count,
    )
