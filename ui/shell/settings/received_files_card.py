# SPDX-License-Identifier: EUPL-1.2
"""Received files in the settings: how much of them is on this computer, the limit, and buttons that remove them; and
whether the disk is encrypted to which they are written while another program has them."""

from collections.abc import Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.copies.service import WorkingCopies
from app.core.at_rest import AtRest
from app.objects.files import SealedFiles
from app.settings import RECEIVED_FILES_MB
from app.store.cache_upkeep import CacheUsage
from ui.kit.bind import Soon, bind
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.dialogs import confirm
from ui.kit.flow_layout import FlowLayout
from ui.kit.sizes import size_text
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.settings.setting_rows import SettingRows
from ui.tool_views import toast


class ReceivedFilesCard(Card):
    """The card in the settings about the received files on this computer. `rows`: makes the row for the limit. `copies`
    and `may_export`: the working copies, and whether policy lets files be opened in other programs."""

    def __init__(
        self,
        files: SealedFiles,
        rows: SettingRows,
        copies: WorkingCopies,
        may_export: Callable[[], bool],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(margin=12, spacing=10, parent=parent)
        self._files, self._copies, self._may_export = files, copies, may_export
        self._used = label("", "body", wrap=True)
        self._kept = label("", "small", wrap=True)
        self._full = label("", "small", wrap=True)
        for text in (self._used, self._kept, self._full):
            self.content.addWidget(text)
        self.content.addWidget(rows.row(RECEIVED_FILES_MB, about=True))
        self.empty = TextButton(tr("Remove received files"), lambda: run(self, self._empty()))
        self.empty_all = TextButton(tr("Also those kept on the computer …"), lambda: run(self, self._empty_all()))
        self.empty_all.setAccessibleName(tr("Remove also the received files that are kept on the computer"))
        tools = QWidget()
        flow = FlowLayout(tools, gap=8)
        for button in (self.empty, self.empty_all):
            flow.addWidget(button)
        self.content.addWidget(tools)
        self.opened = label("", "small", wrap=True)
        """Whether what other programs open is written to an encrypted disk."""
        self.content.addWidget(self.opened)
        bind(self, files.cache_changed, Soon(self, self.refresh).due)
        self.refresh()
        self._show_opened()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_opened()

    def _show_opened(self) -> None:
        self.opened.setText(_opened(self._copies.at_rest()))
        self.opened.setVisible(self._may_export())

    def refresh(self) -> None:
        """Reads the size of the cache again, and shows it."""
        usage = self._files.cached_bytes()
        used = size_text(usage.used)
        if usage.limit:
            text = tr("Received files: {used} of {limit}").format(used=used, limit=size_text(usage.limit))
        else:
            text = tr("Received files: {used}").format(used=used)
        self._used.setText(text)
        self._kept.setText(_kept(usage))
        self._full.setText(
            tr("The disk is full. To make room, remove files that are kept on the computer, or other files.")
        )
        self._full.setVisible(usage.is_disk_full)
        self.empty.setEnabled(usage.used > usage.pinned)
        self.empty_all.setVisible(usage.pinned > 0)

    async def _empty(self) -> None:
        await self._files.empty()
        kept = self._files.cached_bytes().pinned
        if kept:
            text = tr("Received files were removed. {size} kept on the computer stay.").format(size=size_text(kept))
        else:
            text = tr("Received files were removed.")
        toast(self, text)

    async def _empty_all(self) -> None:
        if await confirm(
            self.window(),
            tr("Remove also what is kept on the computer?"),
            tr("The files stay in their rooms. To open one you need a connection to the server."),
            accept=tr("Remove"),
        ):
            await self._files.empty(pinned=True)
            toast(self, tr("Received files were removed."))


def _opened(at_rest: AtRest) -> str:
    match at_rest:
        case AtRest.MEMORY:
            return tr(
                "Until Kansli closes, files that you open in other programs are in memory, and on no disk in clear."
            )
        case AtRest.SWAPPED:
            return tr(
                "Until Kansli closes, files that you open in other programs are in memory, which the system may write "
                "to a disk that is perhaps not encrypted."
            )
        case AtRest.ENCRYPTED:
            return tr("Until Kansli closes, files that you open in other programs are on an encrypted disk.")
        case AtRest.CLEAR:
            return tr(
                "Until Kansli closes, files that you open in other programs are on a disk that the system does not "
                "encrypt."
            )
        case AtRest.UNKNOWN:
            return tr(
                "Until Kansli closes, files that you open in other programs are on a disk, and Kansli cannot see "
                "whether it is encrypted."
            )


def _kept(usage: CacheUsage) -> str:
    if usage.pinned:
        kept = tr("{size} of them are kept on the computer and leave only if you say so.")
        return kept.format(size=size_text(usage.pinned))
    return tr("They are encrypted as they came. The oldest leave first, and are fetched again when they are opened.")
