# SPDX-License-Identifier: EUPL-1.2
"""The choice of how a new store is unlocked: by the computer's key store, or by a passphrase typed twice."""

from typing import Protocol

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QRadioButton, QWidget

from app.passphrases import PassphraseRules
from ui.errors import sentence
from ui.kit.scale import hold
from ui.kit.style import column, label
from ui.kit.translate import tr
from ui.shell.entry.passphrase import NewPassphrase


class KeyStore(Protocol):
    """What the page needs to offer the unlock methods of a new store: whether policy allows a method ("keyring" or
    "passphrase"), whether the computer has a key store that may be used, and the rules for a new passphrase."""

    def allowed(self, kind: str, /) -> bool: ...
    def keyring_available(self) -> bool: ...
    def passphrase_rules(self) -> PassphraseRules: ...


class KeyChoice(QWidget):
    """A widget in which the person chooses how a new store is unlocked: by the computer's key store, or by a passphrase
    that is typed twice. `changed` is emitted when `ready` may have changed, `entered` when Enter was pressed in a
    field."""

    changed = Signal()
    entered = Signal()

    def __init__(self, store: KeyStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, spacing=6)
        layout.addWidget(label(tr("How do you want to unlock Kansli?"), "section"))
        self.by_keyring = QRadioButton(tr("With the computer's sign-in (key store)"))
        self.by_passphrase = QRadioButton(tr("With a passphrase"))
        layout.addWidget(self.by_keyring)
        available = store.keyring_available()
        self.by_keyring.setEnabled(available)
        managed = tr("Managed by your organisation")
        if not available:
            reason = sentence("no-keyring").title if store.allowed("keyring") else managed
            layout.addWidget(label(reason, "small", wrap=True))
        layout.addWidget(self.by_passphrase)
        typed = store.allowed("passphrase")
        self.by_passphrase.setEnabled(typed)
        if not typed:
            layout.addWidget(label(managed, "small"))
        layout.addSpacing(6)
        self._fields = QWidget()
        fields = column(self._fields, spacing=6)
        self.passphrase = self._field(tr("Passphrase"))
        self.again = self._field(tr("The passphrase once more"))
        for field in (self.passphrase, self.again):
            caption = label(field.accessibleName(), "label")
            caption.setBuddy(field)
            fields.addWidget(caption)
            fields.addWidget(field)
        self._new = NewPassphrase(self.passphrase, self.again, store.passphrase_rules(), self)
        fields.addWidget(self._new.words)
        layout.addWidget(self._fields)
        self._new.changed.connect(self._on_choice)
        self.by_passphrase.toggled.connect(self._on_choice)
        self.by_keyring.toggled.connect(self._on_choice)
        (self.by_passphrase if typed and not available else self.by_keyring).setChecked(True)
        self._on_choice()

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        hold(field, least_height=34)
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.returnPressed.connect(self.entered)
        return field

    @property
    def ready(self) -> bool:
        """Whether what is chosen can be used."""
        return self.by_keyring.isEnabled() if self.by_keyring.isChecked() else self._new.ready

    @property
    def chosen(self) -> str | None:
        """The passphrase, or None for the computer's key store."""
        return self.passphrase.text() if self.by_passphrase.isChecked() else None

    def forget(self) -> None:
        """Clears the passphrase that was typed, in both fields."""
        self.passphrase.clear()
        self.again.clear()

    def take_focus(self) -> None:
        """Focuses the part in which the person has to do something next."""
        (self.by_keyring if self.by_keyring.isChecked() else self.passphrase).setFocus()

    def _on_choice(self) -> None:
        self._fields.setVisible(self.by_passphrase.isChecked())
        self.changed.emit()
