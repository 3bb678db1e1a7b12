# SPDX-License-Identifier: EUPL-1.2
"""The PIN in the settings: choosing, changing and removing one, and what policy and a silent key store allow."""

from pathlib import Path
from typing import NoReturn

import pytest
from keyring.errors import KeyringLocked
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.lock_settings import CLOSE, CURTAIN, LOCK
from app.pin import Pin, PinState
from app.pins import PinRules
from app.session import Session
from app.unlocking import SlotKind
from tests.memory_keyring import MemoryKeyring
from tests.ui.shell.in_window import texts
from tests.ui.shell.unlock_methods import PASSPHRASE, UnlockMethods
from tests.world import until
from ui.shell.settings.pin_row import PinDialog, PinRow
from ui.shell.settings.settings_view import SettingsView

GOOD, OTHER = "704915", "8253609"


class Rules:
    """Those of policy, which a test changes."""

    def __init__(self) -> None:
        self.now = PinRules()

    def __call__(self) -> PinRules:
        return self.now


@pytest.fixture
def methods(tmp_path: Path) -> UnlockMethods:
    made = UnlockMethods(tmp_path)
    made.add(SlotKind.PASSPHRASE)
    return made


def shown(qtbot: QtBot, session: Session, methods: UnlockMethods, rules: Rules | None = None) -> PinRow:
    made = PinRow(Pin(session.store.notes), methods.unlocking, rules or Rules())
    qtbot.addWidget(made)
    made.show()
    return made


def refuse(_: MemoryKeyring) -> NoReturn:
    raise KeyringLocked("refused")


async def dialog_of(row: PinRow) -> PinDialog:
    await until(lambda: is_open(row))
    return next(each for each in row.findChildren(PinDialog) if each.isVisible())


def is_open(row: PinRow) -> bool:
    return any(each.isVisible() for each in row.findChildren(PinDialog))


def offered(row: PinRow) -> list[str]:
    buttons = (row.set_button, row.change_button, row.remove_button)
    return [button.accessibleName() for button in buttons if button.isVisible()]


async def test_a_pin_is_chosen_changed_and_removed(qtbot: QtBot, session: Session, methods: UnlockMethods) -> None:
    row, pin = shown(qtbot, session, methods), Pin(session.store.notes)
    assert "Används inte" in texts(row)
    assert offered(row) == ["Välj en PIN-kod"]
    row.set_button.click()
    for typed in (GOOD, OTHER):
        dialog = await dialog_of(row)
        assert dialog.current is not None
        assert dialog.pin is not None
        dialog.current.setText(PASSPHRASE)
        dialog.pin.setText(typed)
        assert not dialog.accept_button.isEnabled(), "it is typed twice"
        dialog.pin_again.setText(typed)
        dialog.accept()
        await until(lambda: "Används" in texts(row) and not is_open(row))
        found = pin.verifier(PinRules())
        assert found is not None
        assert found.fits(typed)
        assert offered(row) == ["Ändra PIN-koden", "Ta bort PIN-koden"]
        if typed == GOOD:
            row.change_button.click()
    row.remove_button.click()
    assert pin.state(PinRules()) is PinState.NONE
    assert offered(row) == ["Välj en PIN-kod"]


async def test_a_pin_is_set_only_with_the_passphrase(qtbot: QtBot, session: Session, methods: UnlockMethods) -> None:
    row = shown(qtbot, session, methods)
    row.set_button.click()
    dialog = await dialog_of(row)
    assert dialog.current is not None
    assert dialog.pin is not None
    dialog.current.setText("fel lösenfras å")
    dialog.pin.setText(GOOD)
    dialog.pin_again.setText(GOOD)
    dialog.accept()
    await until(lambda: not dialog.error.isHidden())
    assert "wrong-passphrase" in dialog.error.text()
    assert Pin(session.store.notes).state(PinRules()) is PinState.NONE
    dialog.reject()


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("", "Minst 6 siffror, högst 11."),
        ("70491", "Minst 6 siffror, högst 11."),
        ("7049å1", "Bara siffrorna 0 till 9."),
        ("123456", "Siffror i följd gissas först."),
        ("000000", "Siffror som upprepas gissas först."),
        ("850312", "Ett datum gissas först."),
        (GOOD, "De två är inte lika än."),
    ],
)
async def test_what_a_pin_lacks_is_shown_while_it_is_typed(
    qtbot: QtBot, session: Session, methods: UnlockMethods, typed: str, hint: str
) -> None:
    row = shown(qtbot, session, methods)
    row.set_button.click()
    dialog = await dialog_of(row)
    assert dialog.pin is not None
    dialog.pin.setText(typed)
    assert dialog.hint.text() == hint
    assert not dialog.accept_button.isEnabled()
    dialog.reject()


async def test_where_the_only_method_is_a_silent_key_store_there_is_no_pin(
    qtbot: QtBot, session: Session, methods: UnlockMethods, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods.remove(SlotKind.PASSPHRASE)
    methods.add(SlotKind.KEYRING)
    row = shown(qtbot, session, methods)
    assert offered(row) == []
    assert any("Lägg först till en lösenfras" in text for text in texts(row))
    monkeypatch.setattr(MemoryKeyring, "asks_person", True, raising=False)
    row.refresh()
    row.set_button.click()
    dialog = await dialog_of(row)
    assert dialog.current is None, "the key store asks"
    assert dialog.pin is not None
    dialog.pin.setText(GOOD)
    dialog.pin_again.setText(GOOD)
    with monkeypatch.context() as refusing:
        refusing.setattr(MemoryKeyring, "_check", refuse)
        dialog.accept()
        await until(lambda: bool(dialog.error.text()))
    assert Pin(session.store.notes).state(PinRules()) is PinState.NONE, "somebody else sits there"
    dialog.accept()
    await until(lambda: Pin(session.store.notes).state(PinRules()) is PinState.SET)
    await until(lambda: not is_open(row))


async def test_policy_forbids_pins_or_wants_more_digits(qtbot: QtBot, session: Session, methods: UnlockMethods) -> None:
    await Pin(session.store.notes).set(GOOD, PinRules())
    rules = Rules()
    row = shown(qtbot, session, methods, rules)
    rules.now = PinRules(8)
    row.refresh()
    assert any("inte att använda längre" in text for text in texts(row))
    assert offered(row) == ["Ändra PIN-koden", "Ta bort PIN-koden"]
    rules.now = PinRules(6, allowed=False)
    row.refresh()
    assert "Hanteras av din organisation" in [label.text() for label in row.findChildren(QLabel)]
    assert offered(row) == ["Ta bort PIN-koden"]


async def test_where_a_lock_closes_kansli_no_pin_is_offered_and_the_row_says_why(
    qtbot: QtBot, session: Session, methods: UnlockMethods
) -> None:
    view = SettingsView(session, methods.unlocking)
    qtbot.addWidget(view)
    view.show()
    row = view.pin
    assert offered(row) == ["Välj en PIN-kod"]
    session.settings.set(LOCK, CLOSE)
    assert offered(row) == []
    assert "Den låser inte upp något nu: Kansli stängs när det låses." in texts(row)
    await Pin(session.store.notes).set(GOOD, PinRules())
    row.refresh()
    assert offered(row) == ["Ta bort PIN-koden"], "one that was chosen before"
    session.settings.set(LOCK, CURTAIN)
    assert offered(row) == ["Ändra PIN-koden", "Ta bort PIN-koden"]


async def test_a_damaged_pin_is_shown_and_can_be_replaced(
    qtbot: QtBot, session: Session, methods: UnlockMethods
) -> None:
    session.store.notes.set("pin", "å")
    row = shown(qtbot, session, methods)
    assert any("inte att använda längre" in text for text in texts(row))
    assert offered(row) == ["Ändra PIN-koden", "Ta bort PIN-koden"]
