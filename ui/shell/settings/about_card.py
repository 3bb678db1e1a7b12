# SPDX-License-Identifier: EUPL-1.2
"""About Kansli in the settings: which version runs, under which licence, and what it is made of."""

import platform

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QWidget

from app.diagnosis import write
from app.licences import PROGRAM, load
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.dialogs import show
from ui.kit.style import label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.settings.diagnosis_dialog import Make, show_diagnosis
from ui.shell.settings.licences_dialog import LicencesDialog
from ui.tool_views import toast


class AboutCard(Card):
    """The card in the settings about Kansli: its version and licence, and buttons for the licences of its parts and for
    the report to IT. `report` returns that report's files by name; it is called in a thread. The licences are read only
    when the person opens them."""

    def __init__(self, report: Make, parent: QWidget | None = None) -> None:
        super().__init__(parent, spacing=6)
        what = tr("Kansli: an end-to-end encrypted office for public authorities.")
        self.content.addWidget(label(what, "body", wrap=True))
        versions = f"Kansli {PROGRAM} · Qt {qVersion()} · Python {platform.python_version()}"
        self.content.addWidget(
            label(tr("Licence: EUPL-1.2 · {versions}").format(versions=versions), "small", wrap=True)
        )
        self._report = report
        self.licences_button = TextButton(tr("Parts and licences …"), self._open, kind="link")
        buttons = line(spacing=8)
        self.report_button = TextButton(tr("Report to IT…"), self._diagnose, kind="link")
        buttons.addWidget(self.licences_button)
        buttons.addWidget(self.report_button)
        buttons.addStretch(1)
        self.content.addLayout(buttons)

    def _open(self) -> None:
        run(self, show(LicencesDialog(self.window(), load)))

    def _diagnose(self) -> None:
        async def save() -> None:
            if await show_diagnosis(self.window(), self._report, write) is not None:
                toast(self, tr("The report is saved"))

        run(self, save())
