# SPDX-License-Identifier: EUPL-1.2
"""A new passphrase in a view: what it lacks is shown, and how strong it is."""

import pytest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.passphrases import PassphraseRules, Strength
from ui.shell.entry.passphrase import NewPassphrase


@pytest.mark.parametrize(
    ("new", "again", "shown", "meter", "ready"),
    [
        ("kort", "", "Minst 12 tecken", 0, False),
        ("qwertyuiop12", "qwertyuiop12", "Styrka: svag. Den är lätt att gissa", 1, False),
        ("blå häst går hem", "blå häst", "Styrka: stark. De två är inte", 4, False),
        ("blå häst går hem", "blå häst går hem", "Styrka: stark. Ingen kan", 4, True),
    ],
)
def test_it_says_what_is_lacking_and_how_strong_it_is(
    qtbot: QtBot, new: str, again: str, shown: str, meter: int, ready: bool
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    fields = QLineEdit(parent), QLineEdit(parent)
    typed = NewPassphrase(*fields, PassphraseRules(12, Strength.FAIR), parent)
    fields[0].setText(new)
    fields[1].setText(again)
    assert typed.hint.text().startswith(shown)
    assert typed.meter.value() == meter
    assert typed.ready is ready
