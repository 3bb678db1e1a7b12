# SPDX-License-Identifier: EUPL-1.2
"""The unlock methods in the settings, each with its actions. The program changes the keys, not this card."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from app.passphrases import PassphraseRules
from app.unlocking import KeyChange, SlotKind, Unlocking
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.dialogs import show
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.kit.working_dialog import WorkingDialog
from ui.shell.entry.passphrase import NewPassphrase
from ui.tool_views import toast


class PassphraseDialog(WorkingDialog):
    """A dialog that asks for the present passphrase (if `current`), for a new one twice (by the rules `new`, if they
    are given), or both. When the person accepts, `verify` is awaited with this dialog, whose fields it reads: it checks
    what was typed, or does what the dialog is for."""

    def __init__(
        self,
        parent: QWidget | None,
        title: str,
        text: str,
        *,
        accept: str,
        verify: Callable[["PassphraseDialog"], Awaitable[object]],
        current: bool,
        new: PassphraseRules | None = None,
        danger: bool = False,
    ) -> None:
        super().__init__(parent, title, accept=accept, work=lambda: verify(self), danger=danger)
        self.add_text(text)
        self.current = self.add_field(tr("Passphrase now"), secret=True) if current else None
        self.new = self.add_field(tr("New passphrase"), secret=True) if new else None
        self.again = self.add_field(tr("The passphrase once more"), secret=True) if new else None
        self._typed: NewPassphrase | None = None
        if self.new is not None and self.again is not None and new is not None:
            self._typed = NewPassphrase(self.new, self.again, new, self)
            self.body.addWidget(self._typed.words)
            self._typed.changed.connect(self.refresh_button)
        if self.current is not None:
            self.current.textChanged.connect(self.refresh_button)
        first = self.current or self.new
        if first is not None:
            first.setFocus()
        self.refresh_button()

    def change(self, *, remove: SlotKind | None = None) -> KeyChange:
        """The change that was asked for. The program carries it out."""
        return KeyChange(current=_text(self.current), new=_text(self.new) if self.new else None, remove=remove)

    def may_accept(self) -> bool:
        good = self.current is None or bool(self.current.text())
        return good and (self._typed is None or self._typed.ready)

    def on_failed(self) -> None:
        if self.current is not None:
            self.current.selectAll()
            self.current.setFocus()


@dataclass(frozen=True, slots=True, kw_only=True)
class _UnlockMethod:
    """One row of the settings about unlock methods: which method, its name (`word`), its state as a text, and which
    actions are offered."""

    kind: SlotKind
    word: str
    state: str
    may_change: bool = False
    may_remove: bool = False
    may_add: bool = False


class KeyRow(QWidget):
    """A row of the settings for one unlock method. Its buttons are made once; those are shown whose action is offered.
    They call `change` and `add` without arguments, and `remove` with the method and its name."""

    def __init__(
        self,
        method: _UnlockMethod,
        change: Callable[[], object],
        remove: Callable[[SlotKind, str], object],
        add: Callable[[], object],
    ) -> None:
        super().__init__()
        layout = line(self, spacing=8)
        words = column(spacing=1)
        words.addWidget(label(tr("Unlock: {way}").format(way=method.word), "body"))
        self._state = label("", "small")
        words.addWidget(self._state)
        layout.addLayout(words, 1)
        removed, added = tr("Remove: {way}").format(way=method.word), tr("Add: {way}").format(way=method.word)
        self._change = _button(tr("Change …"), tr("Change the passphrase"), change)
        self._remove = _button(tr("Remove …"), removed, lambda: remove(method.kind, method.word))
        self._add = _button(tr("Add …"), added, add)
        for button in (self._change, self._remove, self._add):
            layout.addWidget(button)

    def show_method(self, method: _UnlockMethod) -> None:
        """Shows the state of `method`, and the buttons whose action is offered."""
        self._state.setText(method.state)
        self._change.setVisible(method.may_change)
        self._remove.setVisible(method.may_remove)
        self._add.setVisible(method.may_add)


class KeysCard(Card):
    """The card in the settings with the unlock methods of the store, one row each. `change_asked` is emitted with a
    KeyChange: the database is to get a new key, which the program does, not this card."""

    change_asked = Signal(object)

    def __init__(self, keys: Unlocking, parent: QWidget | None = None) -> None:
        super().__init__(margin=12, spacing=10, parent=parent)
        self._keys = keys
        self._rows: KeyedRows[_UnlockMethod, KeyRow] = KeyedRows(
            self, lambda method: method.kind, self._row, lambda row, method: row.show_method(method)
        )

    def refresh(self) -> None:
        """Reads again which unlock methods the store has, and shows a row for each method that there can be, also one
        that is not in use."""
        there = set(self._keys.kinds())
        words = {SlotKind.PASSPHRASE: tr("Passphrase"), SlotKind.KEYRING: tr("The computer's key store")}
        self._rows.show([self._method(kind, word, there) for kind, word in words.items()])

    def _row(self, method: _UnlockMethod) -> KeyRow:
        add = self._add_keyring if method.kind == SlotKind.KEYRING else self._add_passphrase
        return KeyRow(method, self._change, self._remove, add)

    def _state(self, kind: SlotKind, there: set[SlotKind]) -> str:
        if not self._keys.allowed(kind):
            return tr("Managed by your organisation")
        if kind in there:
            return tr("In use")
        if kind == SlotKind.KEYRING and not self._keys.keyring_available():
            return tr("This computer has no key store")
        return tr("Not in use")

    def _method(self, kind: SlotKind, word: str, there: set[SlotKind]) -> _UnlockMethod:
        state = self._state(kind, there)
        if not self._keys.allowed(kind):
            return _UnlockMethod(kind=kind, word=word, state=state)
        return _UnlockMethod(
            kind=kind,
            word=word,
            state=state,
            may_change=kind in there and kind == SlotKind.PASSPHRASE,
            may_remove=kind in there and len(there) > 1,  # never the last one
            may_add=kind not in there and (kind == SlotKind.PASSPHRASE or self._keys.keyring_available()),
        )

    # -- actions ---------------------------------------------------------------------------------------------------

    async def _check_current(self, dialog: PassphraseDialog) -> None:
        await self._keys.check(_text(dialog.current))

    def _change(self) -> None:
        text = tr("Kansli closes for a moment while your content gets a new key.")
        dialog = PassphraseDialog(
            self.window(), tr("Change the passphrase"), text, accept=tr("Change"), verify=self._check_current,
            current=True, new=self._keys.passphrase_rules(),
        )  # fmt: skip
        run(self, self._ask_change(dialog, None))

    def _remove(self, kind: SlotKind, word: str) -> None:
        text = tr("It does not open Kansli any more. Kansli closes for a moment while your content gets a new key.")
        dialog = PassphraseDialog(
            self.window(), tr("Remove: {way}").format(way=word), text, accept=tr("Remove"),
            verify=self._check_current, current=True, danger=True,
        )  # fmt: skip
        run(self, self._ask_change(dialog, kind))

    async def _ask_change(self, dialog: PassphraseDialog, remove: SlotKind | None) -> None:
        asked: list[KeyChange] = []
        dialog.accepted.connect(lambda: asked.append(dialog.change(remove=remove)))
        if await show(dialog) and asked:
            self.change_asked.emit(asked[0])

    def _add_keyring(self) -> None:
        text = tr("Whoever is signed in to this computer as you can then open Kansli without a passphrase.")
        dialog = PassphraseDialog(
            self.window(), tr("Add the computer's key store"), text, accept=tr("Add"),
            verify=lambda d: self._keys.add_keyring(_text(d.current)), current=True,
        )  # fmt: skip
        run(self, self._ask_add(dialog))

    def _add_passphrase(self) -> None:
        text = tr("It opens Kansli also when the computer's key store does not.")
        dialog = PassphraseDialog(
            self.window(), tr("Add a passphrase"), text, accept=tr("Add"),
            verify=lambda d: self._keys.add_passphrase(_text(d.new)), current=False,
            new=self._keys.passphrase_rules(),
        )  # fmt: skip
        run(self, self._ask_add(dialog))

    async def _ask_add(self, dialog: PassphraseDialog) -> None:
        if await show(dialog):
            self.refresh()
            toast(self, tr("Another way of unlocking is added"))

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()  # each time: the computer's key store is asked whether it is there, which no start waits for
        super().showEvent(event)


def _button(text: str, name: str, action: Callable[[], object]) -> TextButton:
    button = TextButton(text, action)
    button.setAccessibleName(name)
    return button


def _text(field: QLineEdit | None) -> str:
    return field.text() if field is not None else ""
