# SPDX-License-Identifier: EUPL-1.2
"""The unlock methods in the settings, each with its actions. The program changes the keys, not this card."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from app.unlocking import CardPin, KeyChange, SlotKind, Unlocking
from ui.kit.buttons import TextButton
from ui.kit.card import Card
from ui.kit.dialogs import show
from ui.kit.keyed_rows import KeyedRows
from ui.kit.style import column, label, line
from ui.kit.tasks import run
from ui.kit.translate import tr
from ui.shell.settings.add_card import AddCardDialog
from ui.shell.settings.passphrase_dialog import PassphraseDialog, text_of
from ui.tool_views import toast


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
        self._there = set[SlotKind]()
        """The unlock methods that the store had when they were read last."""
        self._rows: KeyedRows[_UnlockMethod, KeyRow] = KeyedRows(
            self, lambda method: method.kind, self._row, lambda row, method: row.show_method(method)
        )

    def refresh(self) -> None:
        """Reads again which unlock methods the store has, and shows a row for each method that there can be, also one
        that is not in use."""
        there = self._there = set(self._keys.kinds())
        words = {
            SlotKind.PASSPHRASE: tr("Passphrase"),
            SlotKind.KEYRING: tr("The computer's key store"),
            SlotKind.CARD: tr("Smart card"),
        }
        self._rows.show([self._method(kind, word, there) for kind, word in words.items()])

    def _row(self, method: _UnlockMethod) -> KeyRow:
        adding = {
            SlotKind.PASSPHRASE: self._add_passphrase,
            SlotKind.KEYRING: self._add_keyring,
            SlotKind.CARD: self._add_card,
        }
        return KeyRow(method, self._change, self._remove, adding[method.kind])

    def _state(self, kind: SlotKind, there: set[SlotKind]) -> str:
        if not self._keys.allowed(kind):
            return tr("Managed by your organisation")
        if kind in there:
            return tr("In use")
        if kind == SlotKind.KEYRING and not self._keys.keyring_available():
            return tr("This computer has no key store")
        if kind == SlotKind.CARD and not self._keys.card_available():
            return tr("No library for smart cards on this computer")
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
            may_add=kind not in there and self._is_there(kind),
        )

    def _is_there(self, kind: SlotKind) -> bool:
        """Whether this computer has what the method needs."""
        match kind:
            case SlotKind.KEYRING:
                return self._keys.keyring_available()
            case SlotKind.CARD:
                return self._keys.card_available()
        return True

    def _asks_card(self) -> bool:
        """Whether the person proves who they are by the smart card: there is no passphrase to ask for."""
        return SlotKind.PASSPHRASE not in self._there and SlotKind.CARD in self._there

    # -- actions ---------------------------------------------------------------------------------------------------

    async def _check_current(self, dialog: PassphraseDialog) -> None:
        if dialog.asked_card is not None:  # ▲ asked once: the keys that it gives are used for the change
            dialog.keys = await self._keys.unlock_card(dialog.asked_card.proof)
        else:
            await self._keys.check(text_of(dialog.current))

    def _change(self) -> None:
        text = tr("Kansli closes for a moment while your content gets a new key.")
        dialog = PassphraseDialog(
            self.window(), tr("Change the passphrase"), text, accept=tr("Change"), verify=self._check_current,
            current=True, new=self._keys.passphrase_rules(),
        )  # fmt: skip
        run(self, self._ask_change(dialog, None))

    def _remove(self, kind: SlotKind, word: str) -> None:
        by_card = self._asks_card()
        text = tr("It does not open Kansli any more. Kansli closes for a moment while your content gets a new key.")
        dialog = PassphraseDialog(
            self.window(), tr("Remove: {way}").format(way=word), text, accept=tr("Remove"),
            verify=self._check_current, current=not by_card, look=self._keys.card if by_card else None, danger=True,
        )  # fmt: skip
        run(self, self._ask_change(dialog, kind))

    async def _ask_change(self, dialog: PassphraseDialog, remove: SlotKind | None) -> None:
        asked: list[KeyChange] = []
        dialog.accepted.connect(lambda: asked.append(dialog.change(remove=remove)))
        if await show(dialog) and asked:
            self.change_asked.emit(asked[0])

    def _add_keyring(self) -> None:
        by_card = self._asks_card()
        text = tr("Whoever is signed in to this computer as you can then open Kansli without a passphrase.")
        dialog = PassphraseDialog(
            self.window(), tr("Add the computer's key store"), text, accept=tr("Add"),
            verify=lambda d: self._keys.add_keyring(_card_pin(d) or text_of(d.current)), current=not by_card,
            look=self._keys.card if by_card else None,
        )  # fmt: skip
        run(self, self._ask_add(dialog))

    def _add_card(self) -> None:
        run(self, self._ask_add(AddCardDialog(self.window(), self._keys, SlotKind.PASSPHRASE in self._there)))

    def _add_passphrase(self) -> None:
        by_card = SlotKind.KEYRING not in self._there
        text = tr("It opens Kansli also when the computer's key store does not.")
        dialog = PassphraseDialog(
            self.window(), tr("Add a passphrase"), text, accept=tr("Add"),
            verify=lambda d: self._keys.add_passphrase(text_of(d.new), _card_pin(d)), current=False,
            look=self._keys.card if by_card else None, new=self._keys.passphrase_rules(),
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


def _card_pin(dialog: PassphraseDialog) -> CardPin | None:
    """The PIN of the card, if the dialog asked for it."""
    return dialog.asked_card.proof if dialog.asked_card is not None else None
