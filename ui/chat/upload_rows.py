# SPDX-License-Identifier: EUPL-1.2
"""The files that are being sent from a conversation, a row for each."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from app.chat.service import ChatService
from app.chat.transfers import Transfer
from ui.kit.keyed_rows import KeyedRows
from ui.kit.progress import ProgressRow
from ui.kit.sizes import size_text
from ui.kit.style import column
from ui.kit.tasks import run_guarded
from ui.kit.translate import tr


class UploadRows(QWidget):
    """A widget with a row for each file that is being sent. Hidden if there is none. (Files that are being fetched are
    shown in their messages.)"""

    def __init__(self, service: ChatService) -> None:
        super().__init__()
        self._service = service
        column(self, margins=(24, 0, 24, 0), spacing=4)
        self.hide()
        self._rows: KeyedRows[Transfer, ProgressRow] = KeyedRows(
            self, lambda transfer: transfer.key, self._row, _show_upload
        )

    def show_transfers(self, transfers: Sequence[Transfer]) -> None:
        """Shows a row for each of these transfers that sends a file, and no others. Hides itself if there is none."""
        uploads = [transfer for transfer in transfers if transfer.upload]
        self.setVisible(bool(uploads))
        self._rows.show(uploads)

    def _row(self, transfer: Transfer) -> ProgressRow:
        text = tr("Sending {name}").format(name=transfer.name)
        return ProgressRow(text, lambda: self._cancel(transfer.key))

    def _cancel(self, key: tuple[bytes, int]) -> None:
        run_guarded(self, lambda: self._service.transfers.cancel(key))


def _show_upload(row: ProgressRow, transfer: Transfer) -> None:
    row.set_progress(transfer.percent, 100, f"{size_text(transfer.done)} / {size_text(transfer.total)}")
