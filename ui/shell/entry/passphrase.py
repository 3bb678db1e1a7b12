# SPDX-License-Identifier: EUPL-1.2
"""A new passphrase, typed twice. Below the two fields: what it still lacks, and how strong it is."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QWidget

from app.passphrases import PassphraseRules, Strength, prepare
from ui.kit.style import column, label
from ui.kit.translate import tr


class NewPassphrase(QObject):
    """Checks a new passphrase while it is typed in the field `new`, and once more in `again`. `ready`: both are the
    same, and the `rules` allow it. The widget `words` shows what it still lacks, and how strong it is. `changed` is
    emitted after each character."""

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
        """Whether the passphrase may be used, and both fields have the same text."""
        for field in (new, again):
            field.textChanged.connect(self._judge)
        self._judge()

    def _judge(self) -> None:
        text, again = self._new.text(), self._again.text()
        strength = self._rules.judge(text)
        self.ready = self._rules.permit(strength) and text == again
        self.meter.setValue(strength or 0)
        self.meter.setAccessibleName(tr("Strength: {how}").format(how=_word(strength or Strength.WEAK)))
        self.hint.setText(self._format_strength(strength, same=text == again))
        self.changed.emit()

    def _format_strength(self, strength: Strength | None, *, same: bool) -> str:
        if strength is None:
            return tr("At least {n} characters, for example four words.").format(n=self._rules.length)
        how = tr("Strength: {how}").format(how=_word(strength)) + ". "
        if not self._rules.permit(strength):
            return how + tr("It is easy to guess. Take four words that have nothing to do with each other.")
        if not same:
            return how + tr("The two are not the same yet.")
        return how + tr("Nobody can restore it for you, so keep it well.")


def _word(strength: Strength) -> str:
    words = {Strength.WEAK: tr("weak"), Strength.FAIR: tr("fair"), Strength.GOOD: tr("good")}
    return words.get(strength, tr("strong"))
