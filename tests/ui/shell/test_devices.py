# SPDX-License-Identifier: EUPL-1.2
"""One's own devices on screen: listed, renamed and revoked, and the unsent work of one that was revoked."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import DevId
from app.devices.service import DeviceInfo
from app.recovery import RecoverySheetState
from app.session import Session
from tests.journeys.desks import offices
from tests.ui.shell.devices import account, asked, let_in, press, texts, tower
from tests.ui.shell.kept_account import LAPTOP, TABLET, TOWER, account_session
from tests.ui.shell.served import Served
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit.dialogs import Dialog
from ui.kit.tasks import run
from ui.kit.translate import day_or_time
from ui.shell.settings.device_row import DeviceRow
from ui.shell.settings.devices_card import DevicesCard

__all__ = ["account", "tower"]  # fixtures

NO_NAME = "En enhet utan namn"
REVOKED_TEXT = "Spärrad: får inget nytt innehåll."
SEEN, DAY = 1_795_000_000_000, 86_400_000


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Of TOWER, on a computer without a network."""
    return account_session(tmp_path, RecoverySheetState.STANDS)


def card(qtbot: QtBot, session: Session) -> DevicesCard:
    made = DevicesCard(
        session.devices, session.unsent, lambda: "kansli.myndighet.example", lambda room: session.rooms.room(room).title
    )
    qtbot.addWidget(made)
    made.show()
    QApplication.processEvents()
    return made


def chain(first: QWidget) -> list[QWidget]:
    """Everything in the order of Tab."""
    found = [first]
    while (after := found[-1].nextInFocusChain()) is not first:
        assert after is not None
        found.append(after)
    return found


def buttons(view: QWidget) -> list[QAbstractButton]:
    return [b for b in view.findChildren(QAbstractButton) if b.isVisible()]


def answered(view: QWidget) -> bool:
    """Whether what asked in a dialog has gone on with the answer: then it has disposed of the dialog."""
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    return not view.findChildren(Dialog)


def rows(view: DevicesCard) -> list[DeviceRow]:
    """The devices' rows from the top."""
    return sorted(view.findChildren(DeviceRow), key=lambda row: row.y())


def named(session: Session, name: str) -> DeviceInfo:
    """The device with this name."""
    (found,) = [device for device in session.devices.all() if device.name == name]
    return found


async def test_the_list_says_which_is_which_and_offers_what_can_be_done(qtbot: QtBot, tmp_path: Path) -> None:
    view = card(qtbot, account_session(tmp_path, RecoverySheetState.ELSEWHERE))
    sentence = texts(view)
    assert f"{LAPTOP} (den här enheten)" in sentence
    assert sentence.count(REVOKED_TEXT) == 1
    assert any(text.endswith(f" av {TOWER}") for text in sentence)
    assert NO_NAME in sentence
    assert any(text.endswith("ldre än den här: spärras från en äldre enhet eller av myndigheten") for text in sentence)
    by_tab = [b for b in chain(buttons(view)[0]) if b in buttons(view)]
    at = next(i for i, b in enumerate(by_tab) if b.accessibleName() == f"Byt namn: {LAPTOP}")
    assert [b.accessibleName() for b in by_tab[at:] + by_tab[:at]] == [
        f"Byt namn: {LAPTOP}", f"Byt namn: {TOWER}", f"Byt namn: {NO_NAME}", f"Spärra: {NO_NAME}",
        "Lägg till en enhet …", "Hämta in osänt arbete …",
    ]  # fmt: skip
    check(view)
    check_tab(view)
    assert not view.offline.isVisible()


@pytest.mark.parametrize("button", [f"Byt namn: {TOWER}", f"Byt namn: {NO_NAME}", f"Spärra: {NO_NAME}"])
async def test_a_button_keeps_the_focus_when_another_device_changes(
    qtbot: QtBot, account: Served, tower: Session, button: str
) -> None:
    """A person with Tab or a screen reader is in a row while the list of devices is refreshed."""
    QAccessible.setActive(True)
    view, laptop = card(qtbot, tower), named(tower, LAPTOP).dev
    view.activateWindow()
    focused = next(b for b in buttons(view) if b.accessibleName() == button)
    focused.setFocus()
    face = QAccessible.queryAccessibleInterface(focused)

    async def kept(text: str) -> None:
        """The list has this text now, and the focus is where it was."""
        await until(lambda: any(text in each for each in texts(view)))
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
        assert QApplication.focusWidget() is focused
        assert face.isValid()
        assert focused.isVisible()

    await let_in(account.w, tower, "Gammal")
    await kept("Gammal")
    tower.devices.look()
    await until(lambda: named(tower, "Gammal").last_seen is not None)
    await kept("Senast sedd")
    tower.devices.rename(laptop, "Läsplatta")
    await kept("Läsplatta")
    await tower.devices.revoke(laptop)  # which comes after the others from now on
    await until(lambda: texts(view).count(REVOKED_TEXT) == 2)
    await kept(REVOKED_TEXT)
    assert [row.findChildren(QLabel)[1].text() for row in rows(view)] == [
        f"{TOWER} (den här enheten)", NO_NAME, "Gammal", "Läsplatta", TABLET
    ]  # fmt: skip


@pytest.mark.parametrize(("last_seen", "alive"), [(SEEN, SEEN - DAY), (SEEN - DAY, SEEN), (None, SEEN), (SEEN, None)])
def test_a_device_is_said_to_be_seen_once_at_the_later_time(
    qtbot: QtBot, last_seen: int | None, alive: int | None
) -> None:
    device = DeviceInfo(
        dev=DevId(bytes(16)), name="Bärbar", system="", version="", added=SEEN - 9 * DAY, last_seen=last_seen,
        alive=alive, mine=False, revoked=False, revocable=True, by="",
    )  # fmt: skip
    row = DeviceRow(device, lambda _: None, lambda _: None)
    qtbot.addWidget(row)
    row.show_device(device, ended=False)
    assert row.findChildren(QLabel)[-1].text() == f"Senast sedd {day_or_time(SEEN)}"


async def test_the_button_of_a_kept_row_is_about_the_device_as_it_is_called_now(qtbot: QtBot, session: Session) -> None:
    view = card(qtbot, session)
    session.devices.rename(named(session, LAPTOP).dev, "Resedator")
    press(view, "Spärra: Resedator")
    assert (await asked(view)).windowTitle() == "Spärra Resedator?"


async def test_offline_it_says_what_is_not_known(qtbot: QtBot, account: Served, tower: Session) -> None:
    await account.w.stop_server()
    await until(lambda: tower.status.state is LinkState.OFFLINE)
    view = card(qtbot, tower)
    await until(view.offline.isVisible)
    await account.restart_server()
    tower.devices.look()
    await until(lambda: not view.offline.isVisible())


async def test_a_device_is_renamed(qtbot: QtBot, session: Session) -> None:
    view = card(qtbot, session)
    press(view, f"Byt namn: {LAPTOP}")
    dialog = await asked(view)
    dialog.findChildren(type(dialog.add_field("x")))[0].setText("Resedator")
    dialog.accept()
    await until(lambda: "Resedator" in texts(view))
    assert LAPTOP not in texts(view)
    assert named(session, "Resedator").revocable


async def test_revoking_asks_names_the_device_and_shows_how_far_the_rooms_have_come(
    qtbot: QtBot, tower: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.devices.service.LOOK_S", 0.02)
    name = "Resedator"  # it has added no other
    tower.devices.rename(named(tower, "").dev, name)
    await tower.rooms.create("Tillsyn 2026-1184 åäö", RoomType.CASE)
    view = card(qtbot, tower)
    progress: list[list[str]] = []
    tower.devices.changed.connect(
        lambda: progress.append(texts(view.revocation)) if view.revocation.isVisible() else None
    )
    for answer in ("reject", "accept"):
        press(view, f"Spärra: {name}")
        dialog = await asked(view)
        assert dialog.windowTitle() == f"Spärra {name}?"
        assert not dialog.accept_button.isDefault()
        assert not named(tower, name).revoked
        getattr(dialog, answer)()
        await until(lambda: not any(d.isVisible() for d in view.findChildren(Dialog)))
    await until(lambda: named(tower, name).revoked)
    await until(lambda: bool(progress))
    assert progress[0] == ["0 av 2 rum har fått ny nyckel", "0 %"]
    await until(lambda: tower.devices.revocation_progress is None)
    await until(lambda: not view.revocation.isVisible())
    assert all(each in (progress[0], ["1 av 2 rum har fått ny nyckel", "50 %"]) for each in progress)


@pytest.mark.parametrize("answer", ["Spärra alla", f"Bara {LAPTOP}"])
async def test_attack_what_a_stolen_device_added_is_asked_about_when_it_is_revoked(
    qtbot: QtBot, tower: Session, answer: str
) -> None:
    new = "Ny dator å 🙂"
    tower.devices.rename(named(tower, "").dev, new)
    view = card(qtbot, tower)
    press(view, f"Spärra: {LAPTOP}")
    (await asked(view)).accept()
    dialog = await asked(view, f"Spärra även det som {LAPTOP} har lagt till?")
    assert not dialog.accept_button.isDefault()
    assert any(f"{new} (tillagd" in text for text in texts(dialog))
    assert texts(view).count(REVOKED_TEXT) == 1
    next(b for b in buttons(dialog) if b.text() == answer).click()
    await until(lambda: named(tower, LAPTOP).revoked)
    await until(lambda: named(tower, new).revoked is (answer == "Spärra alla"))
    await until(lambda: texts(view).count(REVOKED_TEXT) == (3 if answer == "Spärra alla" else 2))


async def test_escape_from_the_second_question_revokes_nothing(
    qtbot: QtBot, tower: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, asked_for = card(qtbot, tower), list[DevId]()

    async def revoke(dev: DevId, *, with_added: bool) -> None:
        asked_for.append(dev)

    monkeypatch.setattr(tower.devices, "revoke", revoke)
    press(view, f"Spärra: {LAPTOP}")
    (await asked(view)).accept()
    QTest.keyClick(await asked(view, f"Spärra även det som {LAPTOP} har lagt till?"), Qt.Key.Key_Escape)
    await until(lambda: answered(view))
    assert asked_for == []


async def test_a_revoked_device_offers_nothing_that_it_may_not_do(
    qtbot: QtBot, account: Served, tower: Session
) -> None:
    laptop = await account.open(LAPTOP)
    view = card(qtbot, laptop)
    assert len(buttons(view)) > 2
    await tower.devices.revoke(named(tower, LAPTOP).dev)
    await until(lambda: laptop.devices.ended == "revoked")
    await until(lambda: texts(view).count(REVOKED_TEXT) == 2)
    assert buttons(view) == []


async def test_what_reading_the_list_brings_is_shown_and_doubles_nothing(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store notifies of new changes while it is read (ARCHITECTURE.md)."""
    view, devices = card(qtbot, session), session.devices
    plain = devices.all

    def brings() -> list[DeviceInfo]:
        monkeypatch.setattr(devices, "all", plain)
        former = plain()
        devices.rename(named(session, LAPTOP).dev, "Resedator")
        return former

    monkeypatch.setattr(devices, "all", brings)
    devices.changed.emit()
    assert texts(view).count(f"{TOWER} (den här enheten)") == 1
    assert "Resedator" in texts(view)
    assert LAPTOP not in texts(view)


async def test_a_file_of_unsent_work_says_what_is_in_it_before_it_is_taken_in(qtbot: QtBot, tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        tower, colleague = await o.hire("Handläggare", "Registrator")
        ours, theirs = await o.room(tower), await o.room(colleague, tower)
        lost, file = await o.second(tower, TABLET), tmp_path / "x.kansli-unsent"
        await until(lambda: len(lost.session.rooms.rooms()) == 2 and lost.session.personal.ready)
        await until(lambda: lost.session.status.waiting == 0)
        await o.w.stop_server()
        await until(lambda: all(desk.session.status.state is LinkState.OFFLINE for desk in o.desks))
        for n in range(3):
            lost.session.service(CHAT).send(ours, f"Osänt å {n} 🙂")
        lost.session.service(CHAT).send(theirs, "Osänt i deras rum")
        await lost.session.unsent.save(file)
        o.desks.remove(lost)
        await lost.close()
        await o.w.start_server()
        for desk in (tower, colleague):
            desk.session.engine.retry_now()
            await desk.online()
        await colleague.session.rooms.set_role(theirs, tower.session.people.me.uid, Role.READER)
        await until(lambda: not tower.session.rooms.may_write(theirs))
        view = card(qtbot, tower.session)
        for answer in ("reject", "accept"):
            assert tower.texts(ours) == []
            task = run(view, view.take_file(file))
            dialog = await asked(view)
            sentence = " ".join(x.text() for x in dialog.findChildren(QLabel))
            assert f"3 ändringar från {TABLET}." in sentence
            assert "I: Tillsyn 2026-1184 åäö." in sentence
            assert "1 ändring hör till ett rum där du inte får skriva" in sentence
            getattr(dialog, answer)()
            await task
        assert tower.texts(ours) == [f"Osänt å {n} 🙂" for n in range(3)]
        assert tower.texts(theirs) == []
