# SPDX-License-Identifier: EUPL-1.2
"""The PIN in the settings: setting, changing and removing it. It lifts the curtain and opens no store."""

from collections.abc import Awaitable, Callable

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.pin import Pin, PinState
from app.pins import MOST, PinFault, PinRules
from app.unlocking import SlotKind, Unlocking
from ui.kit.buttons import TextButton
from ui.kit.dialogs import show
from ui.kit.style import column, label, line
from ui.kit.tasks import run, run_guarded
from ui.kit.translate import tr
from ui.shell.entry.card_field import Look
from ui.shell.settings.passphrase_dialog import PassphraseDialog
from ui.tool_views import toast


class PinDialog(PassphraseDialog):
    """A dialog that asks for a new PIN of Kansli's twice, and for the present passphrase if `current`, or for the smart
    card and its PIN if `look` is given. `verify` gets the dialog and sets the PIN. If it raises, the dialog stays open
    with the error."""

    def __init__(
        self,
        parent: QWidget | None,
        rules: PinRules,
        verify: Callable[["PinDialog"], Awaitable[object]],
        current: bool,
        look: Look | None = None,
    ) -> None:
        self._rules = rules
        self.pin: QLineEdit | None = None
        text = tr(
            "It unlocks Kansli while it runs and is covered. After a new start, or ten wrong tries, it unlocks nothing."
        )
        super().__init__(
            parent, tr("PIN"), text, accept=tr("Use this PIN"), verify=lambda _dialog: verify(self), current=current,
            look=look,
        )  # fmt: skip
        self.pin = self._add(tr("New PIN"))
        self.pin_again = self._add(tr("The PIN once more"))
        self.hint = label("", "small", wrap=True)
        self.body.addWidget(self.hint)
        if self.current is None:
            self.pin.setFocus()
        self._on_text()

    def _add(self, name: str) -> QLineEdit:
        field = self.add_field(name, secret=True)
        field.setMaxLength(MOST)
        field.textChanged.connect(self._on_text)
        return field

    def _on_text(self) -> None:
        if self.pin is None:
            return
        typed, again = self.pin.text(), self.pin_again.text()
        self.hint.setText(_hint(self._rules.fault(typed), self._rules, same=typed == again))
        self.refresh_button()

    def may_accept(self) -> bool:
        if self.pin is None:
            return False
        typed = self.pin.text()
        is_good = self._rules.fault(typed) is None and typed == self.pin_again.text()
        return super().may_accept() and is_good


class PinRow(QWidget):
    """The row of the settings for the PIN: whether there is one, and what can be done. It reads that when it is
    shown."""

    def __init__(
        self, pin: Pin, keys: Unlocking, rules: Callable[[], PinRules], covers: Callable[[], bool] = lambda: True
    ) -> None:
        """`rules` returns what policy requires now. `covers` returns whether a lock, as it is set now, covers Kansli
        and does not close it: a PIN unlocks nothing else."""
        super().__init__()
        self._pin, self._keys, self._rules, self._covers = pin, keys, rules, covers
        layout = line(self, spacing=8)
        words = column(spacing=1)
        words.addWidget(label(tr("PIN for the locked Kansli"), "body"))
        self._state = label("", "small", wrap=True)
        words.addWidget(self._state)
        layout.addLayout(words, 1)
        self.set_button = _button(tr("Choose PIN …"), tr("Choose a PIN"), self._choose)
        self.change_button = _button(tr("Change …"), tr("Change the PIN"), self._choose)
        self.remove_button = _button(tr("Remove"), tr("Remove the PIN"), self._remove)
        for button in (self.set_button, self.change_button, self.remove_button):
            layout.addWidget(button)

    def refresh(self) -> None:
        """Shows the state of the PIN, and the buttons for what can be done."""
        rules, covers = self._rules(), self._covers()
        state, is_possible = self._pin.state(rules), bool(self._keys.lifting())
        may_set = rules.allowed and is_possible and covers
        self._state.setText(_state_text(state, rules, is_possible=is_possible, covers=covers))
        self.set_button.setVisible(may_set and state is PinState.NONE)
        self.change_button.setVisible(may_set and state is not PinState.NONE)
        self.remove_button.setVisible(state is not PinState.NONE)

    def on_lock_changed(self) -> None:
        """Shows the row again after the setting for what a lock does has changed. A hidden row is refreshed when it is
        shown next."""
        if self.isVisible():
            run_guarded(self, self.refresh)

    def showEvent(self, event: QShowEvent) -> None:
        run_guarded(self, self.refresh)
        super().showEvent(event)

    def _choose(self) -> None:
        run(self, self._ask())

    async def _ask(self) -> None:
        with_passphrase = SlotKind.PASSPHRASE in self._keys.lifting()
        with_card = not with_passphrase and SlotKind.CARD in self._keys.lifting()
        look = self._keys.card if with_card else None
        if await show(PinDialog(self.window(), self._rules(), self._set, with_passphrase, look)):
            self.refresh()
            toast(self, tr("The PIN is in use"))

    async def _set(self, dialog: PinDialog) -> None:
        """▲ Only the person who can unlock sets a PIN: otherwise somebody at an unlocked Kansli could give it one."""
        if dialog.current is not None:
            await self._keys.check(dialog.current.text())
        elif dialog.asked_card is not None:
            await self._keys.check_card(dialog.asked_card.proof)
        else:
            await self._keys.check_keyring()
        if dialog.pin is not None:
            await self._pin.set(dialog.pin.text(), self._rules())

    def _remove(self) -> None:
        if run_guarded(self, self._pin.remove, again=self._remove):
            self.refresh()
            self.set_button.setFocus()
            toast(self, tr("The PIN is removed"))


def _state_text(state: PinState, rules: PinRules, *, is_possible: bool, covers: bool) -> str:
    if not rules.allowed:
        return tr("Managed by your organisation")
    if not covers:
        return tr("It unlocks nothing now: Kansli closes when it locks.")
    if not is_possible:
        return tr("Add a passphrase first: the computer's key store does not ask who sits there.")
    if state is PinState.UNUSABLE:
        return tr("It cannot be used any more. Choose another.")
    return tr("In use") if state is PinState.SET else tr("Not in use")


def _hint(fault: PinFault | None, rules: PinRules, *, same: bool) -> str:
    if fault is PinFault.DIGITS:
        return tr("Only the digits 0 to 9.")
    if fault is PinFault.LENGTH:
        return tr("At least {n} digits, at most {most}.").format(n=rules.length, most=MOST)
    if fault is PinFault.ROW:
        return tr("Digits in a row are guessed first.")
    if fault is PinFault.REPEATS:
        return tr("Digits that repeat are guessed first.")
    if fault is PinFault.DATE:
        return tr("A date is guessed first.")
    return tr("It can be used.") if same else tr("The two are not the same yet.")


def _button(text: str, name: str, action: Callable[[], object]) -> TextButton:
    button = TextButton(text, action)
    button.setAccessibleName(name)
    return button
