# SPDX-License-Identifier: EUPL-1.2
"""One's own devices on screen: listed, renamed, revoked and let in, with every error shown in place."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.core.ids import DevId
from app.devices.inviting import Pointer, read_pointer
from app.devices.service import DeviceInfo, RevocationProgress
from app.errors import StoreUnwritable
from app.session import Session
from sync.errors import Refused, Reject
from tests.ui.shell.fake_devices import LAPTOP, NOW_MS, TABLET, FakeDevices, FakeUnsent, device
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.sample import CASE
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit import qr
from ui.kit.dialogs import Dialog
from ui.kit.qr import QrCode
from ui.kit.tasks import run
from ui.shell.settings.devices_card import DevicesCard
from ui.shell.settings.new_device_dialog import InviteDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.window.revoked import RevokedDialog


class DeviceSession(Session):
    """Its devices, and what was not sent, are in memory."""

    devices: FakeDevices
    unsent: FakeUnsent


@pytest.fixture
def session(tmp_path: Path) -> DeviceSession:
    made = open_session(tmp_path, kind=DeviceSession)
    assert isinstance(made, DeviceSession)
    made.devices, made.unsent = FakeDevices(), FakeUnsent(CASE)
    return made


OLDEST = DevId(b"\x04" * 16)


@pytest.fixture
def devices() -> FakeDevices:
    return FakeDevices()


@pytest.fixture
def unsent() -> FakeUnsent:
    return FakeUnsent(CASE)


def card(qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent) -> DevicesCard:
    made = DevicesCard(devices, unsent, lambda: "kansli.myndighet.example", lambda room: "Tillsyn 2026-1184")
    qtbot.addWidget(made)
    made.show()
    QApplication.processEvents()
    return made


def texts(view: DevicesCard | Dialog | RevokedDialog) -> list[str]:
    QApplication.processEvents()
    return [x.text() for x in view.findChildren(QLabel) if x.isVisible() and x.text()]


def chain(first: QWidget) -> list[QWidget]:
    """Everything in the order of Tab."""
    found = [first]
    while (after := found[-1].nextInFocusChain()) is not first:
        assert after is not None
        found.append(after)
    return found


def press(view: object, name: str) -> None:
    assert isinstance(view, DevicesCard | Dialog | MainWindow)
    QApplication.processEvents()
    next(b for b in view.findChildren(QAbstractButton) if b.isVisible() and b.accessibleName() == name).click()


async def asked(view: DevicesCard) -> Dialog:
    await until(lambda: any(d.isVisible() for d in view.findChildren(Dialog)))
    return next(d for d in view.findChildren(Dialog) if d.isVisible())


async def test_the_list_says_which_is_which_and_offers_what_can_be_done(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent
) -> None:
    devices.rows.append(device(OLDEST, "", revocable=False, last_seen=None, alive=None, by=""))
    view = card(qtbot, devices, unsent)
    sentence = texts(view)
    assert "Tornet (den här enheten)" in sentence
    assert "Spärrad: får inget nytt innehåll." in sentence
    assert "En enhet utan namn" in sentence
    assert "Äldre än den här: spärras från en äldre enhet eller av myndigheten" in sentence
    buttons = [b for b in view.findChildren(QAbstractButton) if b.isVisible()]
    by_tab = [b for b in chain(buttons[0]) if b in buttons]
    at = next(i for i, b in enumerate(by_tab) if b.accessibleName() == "Byt namn: Tornet")
    assert [b.accessibleName() for b in by_tab[at:] + by_tab[:at]] == [
        "Byt namn: Tornet", "Byt namn: Bärbar dator", "Spärra: Bärbar dator", "Byt namn: En enhet utan namn",
        "Lägg till en enhet …", "Hämta in osänt arbete …",
    ]  # fmt: skip
    check(view)
    check_tab(view)
    assert not view.offline.isVisible()


@pytest.mark.parametrize("button", ["Byt namn: Tornet", "Byt namn: Bärbar dator", "Spärra: Bärbar dator"])
async def test_a_button_keeps_the_focus_when_another_device_changes(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent, button: str
) -> None:
    """A person with Tab or a screen reader is in a row while the list of devices is refreshed."""
    QAccessible.setActive(True)
    view = card(qtbot, devices, unsent)
    view.activateWindow()
    focused = next(b for b in view.findChildren(QAbstractButton) if b.accessibleName() == button)
    focused.setFocus()
    face = QAccessible.queryAccessibleInterface(focused)
    seen = replace(devices.rows[1], last_seen=NOW_MS)
    for rows in (
        [*devices.rows, device(OLDEST, "Gammal")],
        [devices.rows[0], seen, replace(devices.rows[2], name="Läsplatta")],
        [devices.rows[2], devices.rows[1], devices.rows[0]],
        [devices.rows[0], seen],
    ):
        devices.rows = rows
        devices.changed.emit()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
        assert QApplication.focusWidget() is focused
        assert face.isValid()
        assert focused.isVisible()
    assert sorted(texts(view)) == sorted(set(texts(view)))


async def test_the_button_of_a_kept_row_is_about_the_device_as_it_is_called_now(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent
) -> None:
    view = card(qtbot, devices, unsent)
    devices.rename(LAPTOP, "Resedator")
    press(view, "Spärra: Resedator")
    assert (await asked(view)).windowTitle() == "Spärra Resedator?"


async def test_offline_it_says_what_is_not_known(qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent) -> None:
    devices.offline = True
    view = card(qtbot, devices, unsent)
    devices.changed.emit()
    assert view.offline.isVisible()
    devices.asked = True
    devices.changed.emit()
    assert not view.offline.isVisible()


async def test_a_device_is_renamed(qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent) -> None:
    view = card(qtbot, devices, unsent)
    press(view, "Byt namn: Bärbar dator")
    dialog = await asked(view)
    dialog.findChildren(type(dialog.add_field("x")))[0].setText("Resedator")
    dialog.accept()
    await until(lambda: devices.rows[1].name == "Resedator")
    assert "Resedator" in texts(view)


async def test_revoking_asks_names_the_device_and_shows_how_far_the_rooms_have_come(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent
) -> None:
    view = card(qtbot, devices, unsent)
    for answer in ("reject", "accept"):
        press(view, "Spärra: Bärbar dator")
        dialog = await asked(view)
        assert dialog.windowTitle() == "Spärra Bärbar dator?"
        assert not dialog.accept_button.isDefault()
        getattr(dialog, answer)()
        await until(lambda: not view.findChildren(Dialog) or not any(d.isVisible() for d in view.findChildren(Dialog)))
        assert devices.rows[1].revoked is False or answer == "accept"
    await until(lambda: devices.rows[1].revoked)
    assert view.revocation.isVisible()
    assert "12 av 20 rum har fått ny nyckel" in texts(view)
    devices.revocation_progress = RevocationProgress(rooms=20, all=20)
    devices.revocation_progress = None
    devices.changed.emit()
    assert not view.revocation.isVisible()


@pytest.mark.parametrize("answer", ["accept", "reject"])
async def test_attack_what_a_stolen_device_added_is_asked_about_when_it_is_revoked(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent, answer: str
) -> None:
    devices.rows.append(device(OLDEST, "Ny dator å 🙂", by="Bärbar dator"))
    devices.added = (OLDEST,)
    view = card(qtbot, devices, unsent)
    press(view, "Spärra: Bärbar dator")
    (await asked(view)).accept()
    title = "Spärra även det som Bärbar dator har lagt till?"
    await until(lambda: any(d.windowTitle() == title and d.isVisible() for d in view.findChildren(Dialog)))
    dialog = next(d for d in view.findChildren(Dialog) if d.windowTitle() == title)
    assert not dialog.accept_button.isDefault()
    assert any("Ny dator å 🙂 (tillagd" in text for text in texts(dialog))
    getattr(dialog, answer)()
    await until(lambda: devices.rows[1].revoked)
    assert devices.rows[3].revoked is (answer == "accept")


async def test_a_revoked_device_offers_nothing_that_it_may_not_do(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent
) -> None:
    view = card(qtbot, devices, unsent)
    devices.ended = "revoked"
    devices.rows[0] = device(devices.rows[0].dev, "Tornet", mine=True, revoked=True, revocable=False)
    devices.changed.emit()
    QApplication.processEvents()
    assert [b for b in view.findChildren(QAbstractButton) if b.isVisible()] == []
    assert texts(view).count("Spärrad: får inget nytt innehåll.") == 2


async def test_what_reading_the_list_brings_is_shown_and_doubles_nothing(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store notifies of new changes while it is read (ARCHITECTURE.md)."""
    view = card(qtbot, devices, unsent)
    plain = devices.all

    def brings() -> list[DeviceInfo]:
        monkeypatch.setattr(devices, "all", plain)
        former = plain()
        devices.rename(LAPTOP, "Resedator")
        return former

    monkeypatch.setattr(devices, "all", brings)
    devices.changed.emit()
    assert texts(view).count("Tornet (den här enheten)") == 1
    assert "Resedator" in texts(view)
    assert "Bärbar dator" not in texts(view)


# -- letting one in ---------------------------------------------------------------------------------------------------


async def opened(qtbot: QtBot, devices: FakeDevices) -> tuple[InviteDialog, list[str]]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = InviteDialog(parent, devices, "kansli.myndighet.example")
    added: list[str] = []
    run(parent, dialog.show_until_closed(added.append))
    await until(lambda: bool(dialog.left.text()))
    return dialog, added


async def test_a_code_is_shown_in_letters_and_as_a_qr_code_until_it_is_too_old(
    qtbot: QtBot, devices: FakeDevices
) -> None:
    dialog, added = await opened(qtbot, devices)
    assert dialog.large.text() == "ABCD-EFGH-JKMN-PQRS-TVWX-YZ23-45"
    (shown,) = dialog.findChildren(QrCode)
    (text,) = qr.read(shown.grab().toImage())
    assert read_pointer(text) == Pointer(server="kansli.myndighet.example", code=dialog.large.text())
    assert dialog.left.text().startswith("Väntar på den nya datorn. Gäller i 4:5")
    assert not dialog.accept_button.isVisible()
    dialog.accept()  # Enter before anybody came adds nobody
    check(dialog)
    check_tab(dialog)
    devices.invitations[-1].come.set()
    await until(dialog.accept_button.isVisible)
    assert {"Resedator", "Windows 11"} <= set(texts(dialog))
    assert dialog.focusWidget() is dialog.no
    check(dialog)
    dialog.accept_button.click()
    await until(lambda: added == ["Resedator"])
    assert devices.invitations[-1].answer == "yes"
    assert devices.invitations[-1].answer == "yes"


async def test_a_device_that_is_being_added_is_not_left_alone(qtbot: QtBot, devices: FakeDevices) -> None:
    """Otherwise it would be in the person's log and never receive that."""
    dialog, added = await opened(qtbot, devices)
    invitation = devices.invitations[-1]
    invitation.going_on = asyncio.Event()
    invitation.come.set()
    await until(dialog.accept_button.isVisible)
    dialog.accept_button.click()
    dialog.reject()
    dialog.close()
    assert dialog.isVisible()
    assert invitation.answer == ""
    invitation.going_on.set()
    await until(lambda: added == ["Resedator"])


async def test_digits_are_compared_and_a_no_adds_nothing(qtbot: QtBot, devices: FakeDevices) -> None:
    dialog, added = await opened(qtbot, devices)
    dialog.other.click()
    await until(lambda: dialog.large.text() == "123 456 789")
    assert len(devices.invitations) == 2
    await until(lambda: devices.invitations[0].answer == "closed")
    devices.invitations[-1].come.set()
    await until(dialog.no.isVisible)
    assert "042 117" in texts(dialog)
    dialog.no.click()
    await until(lambda: devices.invitations[-1].answer == "no")
    assert "Enheten lades inte till." in texts(dialog)
    assert dialog.again.isVisible()
    assert not dialog.accept_button.isVisible()
    dialog.again.click()
    await until(lambda: len(devices.invitations) == 3)
    assert added == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Refused("pairing"), "Den andra enheten är inte kvar."),
        (Reject("enrol"), "De två enheterna har inte samma kod."),
        (Refused("conflict"), "Dina enheter ändrades i samma ögonblick."),
    ],
)
async def test_what_goes_wrong_is_shown_in_place_and_one_begins_again(
    qtbot: QtBot, devices: FakeDevices, error: Exception, sentence: str
) -> None:
    dialog, _ = await opened(qtbot, devices)
    devices.invitations[-1].error = error
    devices.invitations[-1].come.set()
    await until(dialog.error.isVisible)
    assert dialog.error.text().startswith(sentence)
    assert dialog.again.isVisible()
    dialog.again.click()
    await until(lambda: bool(dialog.left.text()))
    assert not dialog.error.isVisible()
    dialog.reject()
    await until(lambda: devices.invitations[-1].answer == "closed")


# -- unsent work ------------------------------------------------------------------------------------------------------


async def test_a_file_of_unsent_work_says_what_is_in_it_before_it_is_taken_in(
    qtbot: QtBot, devices: FakeDevices, unsent: FakeUnsent, tmp_path: Path
) -> None:
    view = card(qtbot, devices, unsent)
    for answer in ("reject", "accept"):
        task = run(view, view.take_file(tmp_path / "x"))
        dialog = await asked(view)
        sentence = " ".join(x.text() for x in dialog.findChildren(QLabel))
        assert "3 ändringar från Surfplatta." in sentence
        assert "I: Tillsyn 2026-1184." in sentence
        assert "1 ändring hör till ett rum där du inte får skriva" in sentence
        getattr(dialog, answer)()
        await task
        assert len(unsent.taken) == (answer == "accept")
    assert unsent.taken[0].dev == TABLET


async def test_a_revoked_device_says_so_and_removes_nothing_by_itself(
    window: MainWindow, session: DeviceSession, tmp_path: Path
) -> None:
    erased: list[bool] = []
    window.erase_requested.connect(lambda: erased.append(True))
    session.devices.ended = "reset"
    session.status_changed.emit()
    assert not window.content.bar.isVisible()
    session.devices.ended = "revoked"
    session.status_changed.emit()
    assert "har spärrats" in window.content.bar.text()
    press(window, "Vad kan jag göra?")
    await until(lambda: bool(window.findChildren(RevokedDialog)))
    dialog = window.findChildren(RevokedDialog)[0]
    assert any("3 saker som du har skrivit här har inte skickats" in text for text in texts(dialog))
    assert not dialog.accept_button.isDefault()
    check(dialog)
    check_tab(dialog)
    await dialog.keep_in(tmp_path / "kvar")
    assert session.unsent.saved == [tmp_path / "kvar.kansli-unsent"]
    assert "3 saker har sparats i kvar.kansli-unsent." in texts(dialog)
    assert erased == []
    dialog.accept()
    await until(lambda: any(d.isVisible() and d.windowTitle() == "Ta bort allt?" for d in window.findChildren(Dialog)))
    last = next(d for d in window.findChildren(Dialog) if d.isVisible() and d.windowTitle() == "Ta bort allt?")
    assert erased == []
    last.accept()
    await until(lambda: erased == [True])


async def test_nothing_is_removed_while_the_unsent_work_is_being_kept(
    qtbot: QtBot, unsent: FakeUnsent, tmp_path: Path
) -> None:
    dialog = RevokedDialog(None, unsent)
    qtbot.addWidget(dialog)
    dialog.show()
    for fault in (None, StoreUnwritable()):
        unsent.error, unsent.going_on = fault, asyncio.Event()
        run(dialog, dialog.keep_in(tmp_path / "kvar"), on_error=dialog._failed)
        await until(lambda: not dialog.accept_button.isEnabled() and not dialog.save.isEnabled())
        unsent.going_on.set()
        await until(lambda: dialog.accept_button.isEnabled() and dialog.save.isEnabled())
    assert len(unsent.saved) == 1
    assert dialog.error.isVisible()


async def test_with_nothing_unsent_there_is_nothing_to_keep(qtbot: QtBot, unsent: FakeUnsent) -> None:
    unsent.count = 0
    dialog = RevokedDialog(None, unsent)
    qtbot.addWidget(dialog)
    dialog.show()
    assert "Allt du har skrivit här har skickats." in texts(dialog)
    assert not dialog.save.isVisible()
