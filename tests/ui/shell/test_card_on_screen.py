# SPDX-License-Identifier: EUPL-1.2
"""A smart card on screen: unlocking, the curtain, the settings; each press gives the card its PIN once at most."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.card.errors import CardLocked, LastCardTry, NoCard
from app.lock_settings import CURTAIN, LOCK
from app.passphrases import PassphraseRules
from app.pin import Pin, PinState
from app.pins import PinRules
from app.unlocking import CardKey, CardPin, KeyChange, Proof, SlotKind, StoreKeys, Token, Unlocking
from tests.soft_card import LABEL, PIN, SoftCard, needs_softhsm
from tests.ui.desktop.curtains import curtain, office_with
from tests.ui.desktop.programs import running
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.unlock_methods import PASSPHRASE, UnlockMethods, unlock_methods
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.entry.card_field import CardMethod
from ui.shell.entry.card_part import CardPart
from ui.shell.entry.discarding import DiscardDialog
from ui.shell.entry.discarding import Proof as OwnersProof
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.entry.unlock import UnlockView, WithCard
from ui.shell.settings.add_card import AddCardDialog
from ui.shell.settings.keys_card import KeysCard
from ui.shell.settings.passphrase_dialog import PassphraseDialog
from ui.shell.settings.pin_row import PinDialog, PinRow

NEW = "fyra helt nya ord å"


@pytest.fixture
def soft_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftCard:
    return SoftCard(tmp_path / "reader", monkeypatch)


class Card:
    """Plays a card: what `look` returns or raises, and every PIN that it was given."""

    def __init__(self, found: Token | Exception) -> None:
        self.found = found
        self.pins: list[str | None] = []
        self.answer: Callable[[], Awaitable[object]] = self._keys

    async def look(self) -> Token:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def use(self, proof: CardPin) -> object:
        self.pins.append(proof.pin)
        return await self.answer()

    async def _keys(self) -> str:
        return "keys"


def token(*, pad: bool = False, few: bool = False, last: bool = False) -> Token:
    return Token(label=LABEL, serial="1", pin_pad=pad, few=few, last=last)


def shown_part(qtbot: QtBot, card: Card) -> tuple[UnlockView, CardPart, list[object]]:
    """A page that unlocks with the card; the sessions that it opens."""

    async def opening(keys: object) -> str:
        return f"session by {keys}"

    view = UnlockView(None, None, WithCard(CardMethod(card.look, card.use), opening))
    qtbot.addWidget(view)
    view.show()
    opened: list[object] = []
    view.unlocked.connect(opened.append)
    assert view.card_part is not None
    return view, view.card_part, opened


def offered(view: QWidget) -> list[str]:
    QApplication.processEvents()
    return [b.accessibleName() or b.text() for b in view.findChildren(QAbstractButton) if b.isVisible()]


async def test_the_card_is_named_and_its_pin_given_once(qtbot: QtBot) -> None:
    card = Card(token(few=True))
    view, part, opened = shown_part(qtbot, card)
    assert not part.card.isVisible()
    check(view)
    part.button.click()
    await until(part.card.field.isVisible)
    assert (part.card.state.text(), part.card.field.echoMode()) == (f"Kort: {LABEL}", QLineEdit.EchoMode.Password)
    assert "Få försök återstår" in part.card.note.text()
    check(view)
    check_tab(view)
    assert not part.use_button.isEnabled()
    part.card.field.setText(PIN)
    part.use_button.click()
    part.use()
    part.card.entered.emit()
    await until(lambda: opened == ["session by keys"])
    assert (card.pins, part.card.field.text()) == ([PIN], "")


async def test_the_pin_of_a_card_is_neither_shown_nor_learnt_nor_copied(qtbot: QtBot) -> None:
    _, part, _ = shown_part(qtbot, Card(token()))
    part.open()
    field = part.card.field
    await until(field.isVisible)
    QGuiApplication.clipboard().setText("från förut å")
    field.setText(PIN)
    field.selectAll()
    field.copy()
    field.cut()
    assert QGuiApplication.clipboard().text() == "från förut å"
    assert PIN not in field.displayText()
    hints, hint = field.inputMethodHints(), Qt.InputMethodHint
    assert hints & hint.ImhSensitiveData
    assert hints & hint.ImhHiddenText
    assert hints & hint.ImhNoPredictiveText
    assert not field.dragEnabled()


async def test_at_a_pin_pad_there_is_no_field(qtbot: QtBot) -> None:
    card = Card(token(pad=True))
    view, part, opened = shown_part(qtbot, card)
    part.open()
    await until(part.use_button.isEnabled)
    assert not part.card.field.isVisible()
    assert "kortläsaren" in part.card.note.text()
    check_tab(view)
    part.use_button.click()
    part.use()
    part.card.entered.emit()
    await until(lambda: bool(opened))
    assert card.pins == [None], "a card locks itself after a few wrong PINs"


async def test_without_a_card_the_page_says_so_and_looks_again(qtbot: QtBot) -> None:
    card = Card(NoCard())
    view, part, _ = shown_part(qtbot, card)
    part.open()
    await until(part.card.error.isVisible)
    assert "Det sitter inget kort i läsaren." in part.card.error.text()
    assert not part.use_button.isEnabled()
    check(view)
    card.found = token(last=True)
    part.card.again.click()
    await until(part.card.field.isVisible)
    assert "Ett försök återstår" in part.card.note.text()
    part.cancel()
    assert not part.card.isVisible()
    assert part.button.isVisible()


@pytest.mark.parametrize("fault", [LastCardTry(), CardLocked()])
async def test_a_refused_pin_is_said_in_place_and_not_tried_again(qtbot: QtBot, fault: Exception) -> None:
    card = Card(token())

    async def refuse() -> object:
        raise fault

    card.answer = refuse
    view, part, opened = shown_part(qtbot, card)
    part.open()
    await until(part.card.field.isVisible)
    part.card.field.setText("0000")
    part.use()
    await until(view.error.isVisible)
    assert str(getattr(fault, "code", "")) in view.error.text()
    assert "Ingen PIN-kod prövades" not in view.error.text()  # it may have been this one that locked the card
    part.use()
    assert (card.pins, opened, part.card.field.text()) == (["0000"], [], "")
    assert part.button.isEnabled()


async def test_what_takes_long_can_be_called_off(qtbot: QtBot) -> None:
    card, called_off = Card(token()), asyncio.Event()

    async def wait() -> object:
        try:
            return await asyncio.Future()
        finally:
            called_off.set()

    card.answer = wait
    view, part, opened = shown_part(qtbot, card)
    part.open()
    await until(part.card.field.isVisible)
    part.card.field.setText(PIN)
    part.use()
    await until(lambda: bool(card.pins))
    assert view.spinner.is_turning
    assert not part.use_button.isEnabled()
    part.cancel_button.click()
    await until(called_off.is_set)
    await until(lambda: not part.is_busy and not view.spinner.is_turning)
    assert (opened, part.card.isEnabled()) == ([], True)


# -- with a card in software ------------------------------------------------------------------------------------------


@needs_softhsm
async def test_a_card_lifts_the_curtain(qapp: QApplication, tmp_path: Path, soft_card: SoftCard) -> None:
    soft_card.make("p256")
    made = office_with(tmp_path, [])
    kinds = [SlotKind.KEYRING, SlotKind.CARD]
    made.unlocking = unlock_methods(tmp_path / "methods", kinds, card=soft_card.reader())
    await Pin(made.session.store.notes).set("704915", PinRules())
    async with running(qapp, made) as r:
        r.tray.lock_asked.emit()
        page = curtain(r)
        part = page.card_part
        assert part is not None
        assert page.field is not None
        assert (page.field.accessibleName(), page.keyring_button.isVisible()) == ("PIN-kod", False)
        part.open()
        await r.until(part.card.field.isVisible)
        part.card.field.setText("0000")
        part.use()
        await r.until(page.error.isVisible)
        assert "wrong-card-pin" in page.error.text()
        assert r.program.curtain.is_down
        part.card.field.setText(PIN)
        part.use()
        await r.until(lambda: not r.program.curtain.is_down)


def press(view: KeysCard, name: str) -> None:
    next(b for b in view.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name).click()


async def asked(view: KeysCard) -> PassphraseDialog:
    await until(lambda: any(d.isVisible() for d in view.findChildren(PassphraseDialog)))
    return next(d for d in view.findChildren(PassphraseDialog) if d.isVisible())


def settings(qtbot: QtBot, keys: Unlocking) -> KeysCard:
    view = KeysCard(keys)
    qtbot.addWidget(view)
    view.show()
    QApplication.processEvents()
    return view


@needs_softhsm
async def test_a_card_of_several_keys_is_added_in_the_settings(
    qtbot: QtBot, tmp_path: Path, soft_card: SoftCard
) -> None:
    soft_card.make("p256", "p384")
    keys = unlock_methods(tmp_path, [SlotKind.PASSPHRASE], card=soft_card.reader())
    view = settings(qtbot, keys)
    press(view, "Lägg till: Smartkort")
    dialog = await asked(view)
    assert isinstance(dialog, AddCardDialog)
    assert dialog.card is not None
    assert dialog.current is not None
    await until(dialog.card.field.isVisible)
    check(dialog)
    dialog.current.setText(PASSPHRASE)
    assert not dialog.accept_button.isEnabled()
    dialog.card.field.setText(PIN)
    dialog.accept_button.click()
    await until(dialog.card_keys.isVisible)
    assert dialog.card_keys.count() == 2
    check(dialog)
    check_tab(dialog)
    assert keys.kinds() == [SlotKind.PASSPHRASE]
    dialog.card_keys.setCurrentIndex(1)
    dialog.card.field.setText(PIN)
    dialog.accept_button.click()
    await until(lambda: "Ta bort: Smartkort" in offered(view))
    assert keys.kinds() == [SlotKind.PASSPHRASE, SlotKind.CARD]
    await keys.check_card(CardPin(PIN))


async def test_of_several_cards_one_is_chosen(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = unlock_methods(tmp_path, [SlotKind.KEYRING])
    there = [Token(label="YubiKey å", serial="1"), Token(label=LABEL, serial="2", pin_pad=True)]
    added: list[tuple[object, ...]] = []

    async def cards() -> list[Token]:
        if not there:
            raise NoCard
        return there

    async def add_card(*given: object) -> list[object]:
        added.append(given)
        return []

    monkeypatch.setattr(keys, "cards", cards)
    monkeypatch.setattr(keys, "add_card", add_card)
    dialog = AddCardDialog(None, keys, current=False)
    qtbot.addWidget(dialog)
    dialog.show()
    card = dialog.card
    assert card is not None
    await until(dialog.cards.isVisible)
    assert [dialog.cards.itemText(n) for n in range(2)] == ["YubiKey å", LABEL]
    assert card.field.isVisible()
    card.field.setText(PIN)
    dialog.cards.setCurrentIndex(1)
    assert (card.field.isVisible(), card.field.text(), dialog.accept_button.isEnabled()) == (False, "", True)
    check(dialog)
    dialog.accept_button.click()
    await until(lambda: bool(added))
    assert added == [(None, there[1], None, None)]


async def test_keys_of_one_name_are_told_apart_and_a_name_is_one_line(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = unlock_methods(tmp_path, [SlotKind.KEYRING])
    labels = {b"\x01": "Nyckel å", b"\x02": "Nyckel\nå", b"\x03": "Underskrift\u202e 🙂", b"\x04": "\n"}

    async def cards() -> list[Token]:
        return [token()]

    async def add_card(*_given: object) -> list[CardKey]:
        return [CardKey(id=key, label=label, public=b"", methods=(1,)) for key, label in labels.items()]

    monkeypatch.setattr(keys, "cards", cards)
    monkeypatch.setattr(keys, "add_card", add_card)
    dialog = AddCardDialog(None, keys, current=False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.card is not None
    await until(dialog.card.field.isVisible)
    dialog.card.field.setText(PIN)
    dialog.accept_button.click()
    await until(dialog.card_keys.isVisible)
    shown = [dialog.card_keys.itemText(n) for n in range(dialog.card_keys.count())]
    assert shown == ["Nyckel å (01)", "Nyckel å (02)", "Underskrift 🙂", "04"]


@needs_softhsm
async def test_the_card_proves_who_changes_the_unlock_methods(
    qtbot: QtBot, tmp_path: Path, soft_card: SoftCard
) -> None:
    soft_card.make("p256")
    methods = UnlockMethods(tmp_path, soft_card.reader(soft_card.shim("COUNT")))
    for kind in (SlotKind.KEYRING, SlotKind.CARD):
        methods.add(kind)
    soft_card.tries.unlink()
    view = settings(qtbot, methods.unlocking)
    changes: list[KeyChange] = []
    view.change_asked.connect(changes.append)
    press(view, "Ta bort: Datorns nyckelring")
    dialog = await asked(view)
    assert dialog.current is None
    card = dialog.asked_card
    assert card is not None
    await until(card.field.isVisible)
    card.field.setText(PIN)
    dialog.accept_button.click()
    await until(lambda: bool(changes))
    assert isinstance(changes[0].current, StoreKeys)
    assert changes[0].remove is SlotKind.KEYRING
    assert soft_card.tries.read_bytes() == b"x"


def test_where_there_is_no_library_or_policy_forbids_it_the_settings_say_so(qtbot: QtBot, tmp_path: Path) -> None:
    view = settings(qtbot, unlock_methods(tmp_path / "a", [SlotKind.PASSPHRASE]))
    assert "Lägg till: Smartkort" not in offered(view)
    assert "Inget bibliotek för smartkort på den här datorn" in _texts(view)
    view = settings(qtbot, unlock_methods(tmp_path / "b", [SlotKind.PASSPHRASE], forbidden=SlotKind.CARD))
    assert "Inget bibliotek för smartkort på den här datorn" not in _texts(view)
    assert "Hanteras av din organisation" in _texts(view)


def _texts(view: QWidget) -> list[str]:
    return [each.text() for each in view.findChildren(QLabel) if each.isVisible()]


@needs_softhsm
async def test_a_pin_of_kanslis_is_chosen_with_the_card(qtbot: QtBot, tmp_path: Path, soft_card: SoftCard) -> None:
    soft_card.make("p256")
    session = open_session(tmp_path / "office")
    keys = unlock_methods(tmp_path / "methods", [SlotKind.CARD], card=soft_card.reader())
    row = PinRow(Pin(session.store.notes), keys, PinRules, lambda: session.settings.get(LOCK) == CURTAIN)
    qtbot.addWidget(row)
    row.show()
    row.set_button.click()
    await until(lambda: any(each.isVisible() for each in row.findChildren(PinDialog)))
    (dialog,) = row.findChildren(PinDialog)
    card = dialog.asked_card
    assert card is not None
    await until(card.field.isVisible)
    assert dialog.pin is not None
    dialog.pin.setText("704915")
    dialog.pin_again.setText("704915")
    assert not dialog.accept_button.isEnabled()
    card.field.setText("0000")
    dialog.accept_button.click()
    await until(dialog.error.isVisible)
    assert Pin(session.store.notes).state(PinRules()) is PinState.NONE
    card.field.setText(PIN)
    dialog.accept_button.click()
    await until(lambda: not dialog.isVisible())
    assert Pin(session.store.notes).state(PinRules()) is PinState.SET


async def test_work_that_cannot_be_stored_is_discarded_only_with_the_card(qtbot: QtBot) -> None:
    card, parent = Card(token()), QWidget()
    qtbot.addWidget(parent)
    dialog = DiscardDialog(parent, OwnersProof(card=CardMethod(card.look, card.use)))
    dialog.show()
    assert dialog.card is not None
    assert not dialog.may_accept()
    await until(dialog.card.field.isVisible)
    check(dialog)
    dialog.card.field.setText(PIN)
    dialog.accept_button.click()
    await until(lambda: not dialog.isVisible())
    assert card.pins == [PIN]


@pytest.mark.parametrize("to_keyring", [False, True])
async def test_a_forbidden_card_is_used_once_more(qtbot: QtBot, to_keyring: bool) -> None:
    given: list[tuple[Proof, str | None]] = []

    async def replace(current: Proof, new: str | None) -> str:
        given.append((current, new))
        return "session"

    card = Card(token())
    view = NewUnlockMethodView(SlotKind.CARD, replace, PassphraseRules(), look=card.look, to_keyring=to_keyring)
    qtbot.addWidget(view)
    view.show()
    opened: list[object] = []
    view.unlocked.connect(opened.append)
    assert view.card is not None
    await until(view.card.field.isVisible)
    check(view)
    check_tab(view)
    if view.new is not None and view.again is not None:
        view.new.setText(NEW)
        view.again.setText(NEW)
    assert (view.new is None) is to_keyring
    assert not view.go_on.isEnabled()
    view.card.field.setText(PIN)
    view.go_on.click()
    await until(lambda: bool(opened))
    assert given == [(CardPin(PIN), None if to_keyring else NEW)]
