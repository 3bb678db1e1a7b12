# SPDX-License-Identifier: EUPL-1.2
"""The unlock methods on screen: what is offered, what is asked, and errors shown in place."""

import asyncio
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from app.unlocking import KeyChange, SlotKind, Unlocking
from tests.ui.shell.unlock_methods import PASSPHRASE, has_key_store, unlock_methods
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.settings.keys_card import KeysCard
from ui.shell.settings.passphrase_dialog import PassphraseDialog

NEW = "fyra helt nya ord å"
BOTH = [SlotKind.PASSPHRASE, SlotKind.KEYRING]


@pytest.fixture(autouse=True)
def key_store(monkeypatch: pytest.MonkeyPatch) -> None:
    has_key_store(monkeypatch)


def card(qtbot: QtBot, keys: Unlocking) -> KeysCard:
    made = KeysCard(keys)
    qtbot.addWidget(made)
    made.show()
    QApplication.processEvents()  # its rows come when it is shown
    return made


def offered(view: KeysCard) -> list[str]:
    QApplication.processEvents()  # a row that was just added is shown by an event
    return [b.accessibleName() for b in view.findChildren(QAbstractButton) if b.isVisible()]


def press(view: KeysCard, name: str) -> None:
    next(b for b in view.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name).click()


async def asked(view: KeysCard) -> PassphraseDialog:
    await until(lambda: any(d.isVisible() for d in view.findChildren(PassphraseDialog)))
    return next(d for d in view.findChildren(PassphraseDialog) if d.isVisible())


@pytest.mark.parametrize(
    ("there", "offers"),
    [
        ([SlotKind.PASSPHRASE], ["Byt lösenfras", "Lägg till: Datorns nyckelring"]),
        ([SlotKind.KEYRING], ["Lägg till: Lösenfras"]),
        (BOTH, ["Byt lösenfras", "Ta bort: Lösenfras", "Ta bort: Datorns nyckelring"]),
    ],
)
def test_the_last_way_cannot_be_removed(qtbot: QtBot, tmp_path: Path, there: list[SlotKind], offers: list[str]) -> None:
    assert offered(card(qtbot, unlock_methods(tmp_path, there))) == offers


def test_what_policy_forbids_says_so_and_offers_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    view = card(qtbot, unlock_methods(tmp_path, [SlotKind.PASSPHRASE], forbidden=SlotKind.KEYRING))
    assert offered(view) == ["Byt lösenfras"]
    assert "Hanteras av din organisation" in [x.text() for x in view.findChildren(QLabel)]


async def test_another_passphrase_is_asked_twice_and_the_present_one_is_checked_in_place(
    qtbot: QtBot, tmp_path: Path
) -> None:
    view = card(qtbot, unlock_methods(tmp_path))
    changes: list[KeyChange] = []
    view.change_asked.connect(changes.append)
    press(view, "Byt lösenfras")
    dialog = await asked(view)
    check(dialog)
    check_tab(dialog)
    fields = dialog.findChildren(QLineEdit)
    assert [f.echoMode() for f in fields] == [QLineEdit.EchoMode.Password] * 3
    for field, text in zip(fields, ("fel lösenfras", NEW, NEW + "x"), strict=True):
        field.setText(text)
    assert not dialog.accept_button.isEnabled()
    fields[2].setText(NEW)
    dialog.accept_button.click()
    await until(dialog.error.isVisible)
    assert "Lösenfrasen stämmer inte." in dialog.error.text()
    assert "wrong-passphrase" in dialog.error.text()
    fields[0].setText(PASSPHRASE)
    dialog.accept_button.click()
    await until(lambda: bool(changes))
    assert changes == [KeyChange(current=PASSPHRASE, new=NEW)]


@pytest.mark.parametrize(("name", "kind"), [("Lösenfras", BOTH[0]), ("Datorns nyckelring", BOTH[1])])
async def test_a_way_is_removed_by_the_passphrase(qtbot: QtBot, tmp_path: Path, name: str, kind: SlotKind) -> None:
    view = card(qtbot, unlock_methods(tmp_path))
    changes: list[KeyChange] = []
    view.change_asked.connect(changes.append)
    press(view, f"Ta bort: {name}")
    dialog = await asked(view)
    assert not dialog.accept_button.isDefault()
    assert dialog.current is not None
    dialog.current.setText(PASSPHRASE)
    dialog.accept_button.click()
    await until(lambda: bool(changes))
    assert changes == [KeyChange(current=PASSPHRASE, remove=kind)]


async def test_a_way_is_added_at_once(qtbot: QtBot, tmp_path: Path) -> None:
    keys = unlock_methods(tmp_path, [SlotKind.PASSPHRASE])
    view = card(qtbot, keys)
    press(view, "Lägg till: Datorns nyckelring")
    dialog = await asked(view)
    assert dialog.current is not None
    dialog.current.setText(PASSPHRASE)
    dialog.accept_button.click()
    await until(lambda: "Ta bort: Datorns nyckelring" in offered(view))
    assert set(keys.kinds()) == set(BOTH)


async def test_a_way_that_is_being_added_cannot_be_called_off(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing the dialog would not stop the adding."""
    keys = unlock_methods(tmp_path, [SlotKind.PASSPHRASE])
    view, going_on, add = card(qtbot, keys), asyncio.Event(), keys.add_keyring

    async def late(passphrase: str) -> None:
        await going_on.wait()
        await add(passphrase)

    monkeypatch.setattr(keys, "add_keyring", late)
    press(view, "Lägg till: Datorns nyckelring")
    dialog = await asked(view)
    assert dialog.current is not None
    dialog.current.setText(PASSPHRASE)
    dialog.accept_button.click()
    dialog.reject()
    dialog.close()
    assert dialog.isVisible()
    assert not any(button.isEnabled() for button in dialog.buttons.buttons())
    going_on.set()
    await until(lambda: "Ta bort: Datorns nyckelring" in offered(view))
    assert set(keys.kinds()) == set(BOTH)
