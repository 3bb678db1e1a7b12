# SPDX-License-Identifier: EUPL-1.2
"""A new passphrase, typed twice: what it still lacks, and how strong it is, below the two fields."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from app.passphrases import PassphraseRules, Strength, prepare, strength_of
from ui.kit.style import column, label
from ui.kit.translate import tr


class NewPassphrase(QObject):
    """Watches two fields and tells in `words`, a part of the view, what is lacking. `changed` after each character."""

    changed = Signal()

    def __init__(self, new: QLineEdit, again: QLineEdit, rules: PassphraseRules, parent: QWidget) -> None:
        super().__init__(parent)
        prepare()
        self._new, self._again, self._rules = new, again, rules
        self.words = QWidget()
        layout = column(self.words, spacing=4)
        self.meter = QProgressBar(textVisible=False)
        self.meter.setFixedHeight(4)
        self.meter.setRange(0, max(Strength))
        layout.addWidget(self.meter)
        self.hint = label("", "small", wrap=True)
        layout.addWidget(self.hint)
        self.ready = False
        """Whether it may be used, and both are the same."""
        for field in (new, again):
            field.textChanged.connect(self._judge)
        self._judge()

    def _judge(self) -> None:
        text, again = self._new.text(), self._again.text()
        strength = strength_of(text) if len(text) >= self._rules.length else Strength.WEAK
        allowed = len(text) >= self._rules.length and strength >= self._rules.strength
        self.ready = allowed and text == again
        self.meter.setValue(strength if len(text) >= self._rules.length else 0)
        self.meter.setAccessibleName(tr("Strength: {how}").format(how=_word(strength)))
        self.hint.setText(self._said(text, again, strength))
        self.changed.emit()

    def _said(self, text: str, again: str, strength: Strength) -> str:
        if len(text) < self._rules.length:
            return tr("At least {n} characters, for example four words.").format(n=self._rules.length)
        how = tr("Strength: {how}").format(how=_word(strength)) + ". "
        if strength < self._rules.strength:
            return how + tr("It is easy to guess. Take four words that have nothing to do with each other.")
        if text != again:
            return how + tr("The two are not the same yet.")
        return how + tr("Nobody can restore it for you, so keep it well.")


def _word(strength: Strength) -> str:
    words = {Strength.WEAK: tr("weak"), Strength.FAIR: tr("fair"), Strength.GOOD: tr("good")}
    return words.get(strength, tr("strong"))
