# SPDX-License-Identifier: EUPL-1.2
"""The return to an account by the recovery sheet: activation code and recovery sheet, whose account it is, how it is
unlocked, and perhaps a day to wait."""

from collections.abc import Sequence
from typing import Any, Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from app.arrival.enrolling import CODE_GROUPS, SHARE_GROUPS
from app.errors import ReturnWaits
from ui.kit.buttons import TextButton
from ui.kit.style import label
from ui.kit.tasks import run
from ui.kit.translate import clock, day, long_day, tr, trn
from ui.shell.entry.gate import GatePage
from ui.shell.entry.key_choice import KeyStore
from ui.shell.entry.key_page import Progress
from ui.shell.entry.recovery_sheet_field import RecoverySheetField
from ui.shell.entry.welcome import CodeLookup, CodeView


class ReturningAccount(CodeLookup, Protocol):
    """The account that a recovery sheet belongs to: its person, agency and server. `others` is the number of its
    devices that are still active."""

    @property
    def others(self) -> int: ...


class Returns(KeyStore, Protocol):
    """What the pages need from the program when a person comes back to their account with a recovery sheet: look the
    account up, recover it, and ask the server again, since the person's other devices have a day to refuse."""

    async def look_up_account(self, server: str, code: str, recovery_sheet: str, /) -> ReturningAccount: ...
    async def recover(self, found: Any, passphrase: str | None, progress: Progress, /, *, revoke: bool) -> object: ...
    async def ask_again(self) -> object: ...


def when(ready_ms: int) -> str:
    """torsdag 26 november 14:03."""
    return f"{long_day(day(ready_ms))} {clock(ready_ms)}"


class _RecoveryEnrolment:
    """Replaces the enrolment of a first start, so that the same pages recover an account: looks the account up with the
    recovery sheet's code that is typed in `view`, and recovers it by `returns`."""

    def __init__(self, returns: Returns, view: "ReturnView") -> None:
        self._returns, self._view = returns, view
        self.keyring_available = returns.keyring_available
        self.allowed = returns.allowed
        self.passphrase_rules = returns.passphrase_rules
        self.others = 0
        """The number of other active devices of the account that was looked up last."""

    async def look_up(self, server: str, code: str) -> ReturningAccount:
        found = await self._returns.look_up_account(server, code, self._view.recovery_sheet.text())
        self.others = found.others
        return found

    async def enrol(self, found: ReturningAccount, passphrase: str | None, progress: Progress) -> object:
        revoke = bool(found.others) and self._view.revoke.isChecked()
        return await self._returns.recover(found, passphrase, progress, revoke=revoke)


class ReturnView(CodeView):
    """The pages for a person who comes back to their account with a recovery sheet: those of a first start, with a
    field for the recovery sheet's code, and a page that shows from when on the account can be recovered. `left` is
    emitted by the button back to first start."""

    left = Signal()

    def __init__(
        self,
        returns: Returns,
        *,
        server: str = "",
        code: str = "",
        servers: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        """`returns` looks up the account and recovers it. `server` and `code` (the activation code) fill the fields, if
        the person has typed them already. `servers` are those that policy allows; empty for any."""
        self._returns, self._recovery = returns, _RecoveryEnrolment(returns, self)
        super().__init__(self._recovery, server=server, servers=servers, parent=parent)
        self.code.setText(code)
        self.setAccessibleName(tr("Back after losing a computer"))
        self.key_page.failed.connect(self._on_failed)
        self._make_waiting_page()

    def _make_code_page(self, server: str) -> None:
        self.recovery_sheet = RecoverySheetField(tr("Code of the recovery sheet"))
        super()._make_code_page(server)
        page = self.code_page
        page.heading.setText(tr("Back after losing a computer"))
        page.setAccessibleName(page.heading.text())
        page.text.setText(
            tr("You need your recovery sheet and a new activation code of two lines. IT support gives you the code and "
               "revokes what is lost.")
        )  # fmt: skip
        self.recovery_sheet.changed.connect(self._on_text)
        self.recovery_sheet.field.returnPressed.connect(self.look_up)
        self._on_text()

    def _hint(self) -> str:
        return tr("{n} groups of four, then {m}: XXXX-XXXX- …").format(n=CODE_GROUPS, m=SHARE_GROUPS)

    def _add_entries(self, page: GatePage) -> None:
        page.body.addSpacing(6)
        page.body.addWidget(self.recovery_sheet)
        page.add_button(TextButton(tr("Back"), self.left.emit, kind="quiet"))

    def _make_waiting_page(self) -> None:
        page = self.waiting_page = GatePage(tr("Your other devices have a day to say no"), "")
        self.ask_button = page.add_button(TextButton(tr("Ask again"), self._ask, kind="primary"))
        self.addWidget(page)

    def _on_text(self) -> None:
        super()._on_text()
        self.next.setEnabled(self.next.isEnabled() and bool(self.recovery_sheet.text()))

    def _about(self, found: CodeLookup) -> list[QWidget]:
        about, others = super()._about(found), self._recovery.others
        if others:
            text = trn("{n} other device of yours is active. It is told, and can say no for a day.",
                       "{n} other devices of yours are active. They are told, and can say no for a day.",
                       others).format(n=others)  # fmt: skip
            self.revoke = QCheckBox(tr("Revoke my other devices"))
            self.revoke.setChecked(True)
            about += [label(text, "small", wrap=True), self.revoke]
        return about

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, ReturnWaits):
            self._show_waiting(error)

    def _show_waiting(self, waits: ReturnWaits) -> None:
        self.waiting_page.text.setText(
            tr(
                "Nobody has said no yet. You can come back from {when}. You may close Kansli; when you open it again, "
                "it asks again."
            ).format(when=when(waits.ready_ms))
        )
        self.setCurrentWidget(self.waiting_page)
        self.ask_button.setFocus()

    def _ask(self) -> None:
        self.waiting_page.clear_error()
        self.waiting_page.spinner.start()
        self.ask_button.setEnabled(False)
        run(self, self._ask_again(), on_error=self._ask_failed)

    async def _ask_again(self) -> None:
        self.done.emit(await self._returns.ask_again())

    def _ask_failed(self, error: Exception) -> None:
        self.waiting_page.spinner.stop()
        self.ask_button.setEnabled(True)
        if isinstance(error, ReturnWaits):
            self._show_waiting(error)
        else:
            self.waiting_page.show_error(error)
