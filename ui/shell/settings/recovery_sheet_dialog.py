# SPDX-License-Identifier: EUPL-1.2
"""Making a recovery sheet: the former one's code is typed if there is one, the new one is shown once, and a part of it
is typed back."""

import secrets
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from app.recovery import Recovery, RecoverySheetPaper
from ui.errors import format_error, sentence
from ui.kit import qr
from ui.kit.buttons import TextButton
from ui.kit.dialogs import Dialog, save_file, show
from ui.kit.scale import hold
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.entry.recovery_sheet_field import RecoverySheetField
from ui.shell.settings import recovery_sheet_paper

ASKED_GROUPS = 2
_GROUP_PX = 72
"""As wide as four of the widest letters, so that the groups of two lines are under each other."""


def chosen_groups(count: int) -> list[int]:
    """Which groups are to be typed back, in their order."""
    return sorted(secrets.SystemRandom().sample(range(count), ASKED_GROUPS))


class RecoverySheetDialog(Dialog):
    """A dialog of three pages that makes a recovery sheet: the code of the former one, if there is one, is typed, the
    new one is shown, and a part of it is typed back. It is accepted once the new recovery sheet is in force. ▲ Nothing
    is changed before a part of it was typed back."""

    def __init__(
        self,
        parent: QWidget | None,
        recovery: Recovery,
        asked: Sequence[int] | None = None,
        *,
        printing: bool = True,
    ) -> None:
        """`asked` are the indexes of the groups of letters that are to be typed back; drawn at random if None.
        `printing`: whether policy lets the recovery sheet be printed or saved; if not, the code is copied by hand."""
        super().__init__(parent, tr("Recovery sheet"), accept=tr("Continue"), width=560)
        self._recovery, self._printing = recovery, printing
        self.paper: RecoverySheetPaper = recovery.draw()
        self._asked = list(asked) if asked is not None else chosen_groups(len(self.paper.groups))
        self.old = RecoverySheetField(tr("Code of the sheet before"))
        self.old.changed.connect(self._refresh)
        self.typed: list[QLineEdit] = []
        self.page = 0
        self._publishing = False
        self._pages = (self._old_page(), self._paper_page(), self._typing_page())
        for page in self._pages:
            self.body.addWidget(page)
        self.error = self.add_error()
        self.spinner = self.add_spinner()
        self._go(0 if recovery.needs_old else 1)

    # -- pages ------------------------------------------------------------------------------------------------------

    def _old_page(self) -> QWidget:
        page, body = _page()
        body.addWidget(
            label(
                tr("You have a sheet already. To make another, enter its code; after that it does not work any more."),
                "muted",
                wrap=True,
            )
        )
        body.addWidget(self.old)
        return page

    def _paper_page(self) -> QWidget:
        page, body = _page()
        body.addWidget(
            label(
                tr(
                    "With this sheet you get back into Kansli, content and all, when you have lost every device. "
                    "It is shown this once. Print it, or save it on a medium that you put away."
                )
                if self._printing
                else tr(
                    "With this sheet you get back into Kansli, content and all, when you have lost every device. "
                    "It is shown this once. Your organisation has turned printing off: write the code down by hand."
                ),
                "muted",
                wrap=True,
            )
        )
        shown = line(spacing=18)
        code = self._code_grid()
        shown.addLayout(code)
        shown.setAlignment(code, Qt.AlignmentFlag.AlignVCenter)
        shown.addStretch(1)
        shown.addWidget(qr.QrCode(self.paper.code, tr("The code of the sheet as a QR code"), 180))
        body.addLayout(shown)
        buttons = line(spacing=8)
        self.print_button = TextButton(tr("Print …"), lambda: run(self, self._print()), icon="print")
        self.save_button = TextButton(tr("Save as PDF …"), lambda: run(self, self._save()), icon="download")
        for button in (self.print_button, self.save_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        body.addLayout(buttons)
        for button in (self.print_button, self.save_button):  # not before: alone it would be a window for a moment
            button.setVisible(self._printing)
        self.kept = label("", "small", wrap=True)
        body.addWidget(self.kept)
        return page

    def _code_grid(self) -> QGridLayout:
        code = QGridLayout()
        code.setHorizontalSpacing(8)
        code.setVerticalSpacing(8)
        for at, group in enumerate(self.paper.groups):
            cell = label(group, "title", heading=False)
            hold(cell, least_width=_GROUP_PX)
            cell.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            code.addWidget(cell, at // 4, at % 4)
        return code

    def _typing_page(self) -> QWidget:
        page, body = _page()
        body.addWidget(
            label(
                tr("Take the sheet in your hand and enter two of its groups. Then it is in force."), "muted", wrap=True
            )
        )
        for at in self._asked:
            name = tr("Group {n}").format(n=at + 1)
            caption, field = label(name, "label"), QLineEdit()
            field.setAccessibleName(name)
            field.setMaxLength(8)
            field.textChanged.connect(self._refresh)
            caption.setBuddy(field)
            body.addWidget(caption)
            body.addWidget(field)
            self.typed.append(field)
        return page

    # -- steps ------------------------------------------------------------------------------------------------------

    def _go(self, page: int) -> None:
        self.page = page
        for at, shown in enumerate(self._pages):
            shown.setVisible(at == page)
        self.error.hide()
        self.accept_button.setText(tr("Make it my sheet") if page == 2 else tr("Continue"))
        shown = self.print_button if self._printing else self.accept_button
        first: list[QWidget] = [self.old.field, shown, *self.typed[:1]]
        first[page].setFocus()
        self._refresh()

    def _refresh(self) -> None:
        filled = all(field.text().strip() for field in self.typed)
        self.accept_button.setEnabled((bool(self.old.text()), True, filled)[self.page])

    def accept(self) -> None:
        """Goes to the next page of the dialog. The code of the former recovery sheet, and on the last page the groups
        that are typed back, must be right; otherwise the dialog shows what is wrong and stays on its page. From the
        last page it puts the recovery sheet in force, in the background, and then closes."""
        if not self.accept_button.isEnabled():
            return
        if self.page == 0:
            self._check_old()
        elif self.page == 1:
            self._go(2)
        elif self._right():
            self.error.hide()
            self._busy(True)
            run(self, self._publish(), on_error=self._failed)
        else:
            self.error.show_text(tr("That is not what the sheet says. Look at the groups again."))
            self.typed[0].setFocus()

    def _check_old(self) -> None:
        try:
            self._recovery.check_old(self.old.text())
        except Exception as e:
            self._failed(e)
        else:
            self._go(1)

    def _right(self) -> bool:
        typed = [_plain(field.text()) for field in self.typed]
        return typed == [self.paper.groups[at] for at in self._asked]

    async def _publish(self) -> None:
        await self._recovery.publish(self.paper, self.old.text())
        self._busy(False)
        super().accept()

    def _busy(self, busy: bool) -> None:
        self._publishing = busy
        (self.spinner.start if busy else self.spinner.stop)()
        for button in self.buttons.buttons():
            button.setEnabled(not busy)

    def reject(self) -> None:
        """Closes the dialog. ▲ Not while the recovery sheet is put in force: otherwise one that the person has called
        off would be in force all the same."""
        if not self._publishing:
            super().reject()

    def _failed(self, error: Exception) -> None:
        self._busy(False)
        more = tr("Keep the sheet: it comes into force by itself.") if self._recovery.waits(self.paper) else ""
        self.error.show_text(*format_error(error, more=more))
        self._refresh()

    # -- on paper ---------------------------------------------------------------------------------------------------

    async def _save(self) -> None:
        path = await save_file(self, tr("Save as PDF"), f"{tr('Recovery sheet')}.pdf", "PDF (*.pdf)")
        if path is not None:
            try:
                await self._recovery.save(path, recovery_sheet_paper.pdf(self.paper))
            except Exception as e:
                self._failed(e)
                return
            self.kept.setText(tr("Saved. Whoever can read the file has your sheet: remove it when it is printed."))

    async def _print(self) -> None:
        from ui.kit.printing import new_printer, print_dialog  # here: 1 MB that few need

        printer = new_printer()
        recovery_sheet_paper.lay_out(printer)
        if not await show(print_dialog(printer, self, may_export=self._printing)):
            return
        if recovery_sheet_paper.draw(self.paper, printer):
            self.kept.setText(tr("Sent to the printer. Fetch it before somebody else does."))
        else:
            self.error.show_text(sentence("printer-refused").text, "printer-refused")


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    return page, column(page, spacing=10)


def _plain(text: str) -> str:
    """The text as the recovery sheet has it: in capitals, with 0 and 1 for letters that look like them."""
    return text.strip().upper().translate(str.maketrans("OIL", "011"))
