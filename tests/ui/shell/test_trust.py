# SPDX-License-Identifier: EUPL-1.2
"""Keys in the window: compared by number or picture, what happened to them, and a room's security status."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.people.codes import Verdict
from app.people.notices import KeyNotice
from app.people.person import Verified
from tests.ui.finding import toast_of
from tests.ui.shell.fake_rooms import SEAL
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, HEAD, LAWYER, ORDINARY, PERMIT, REGISTRAR, at
from tests.ui.shell.test_people import choose, dialog, member_menu, panel_of
from tests.ui.shell.test_succession import STOPPED
from tests.ui.soon import caught_up
from ui.kit import qr
from ui.kit.chip import Chip
from ui.shell.room.key_notices import NoticeCard
from ui.shell.room.room_view import RoomView
from ui.shell.room.security_dialog import SecurityDialog, key_text, reader_row
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.words import security_chip


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


LEVELS = (
    "sealed", "verified", "warned", "origin", "time", "waiting", "owes-rotation", "update-needed", "restored",
    "withheld", "rollback", "fork", "old-format",
)  # fmt: skip


def room_of(window: MainWindow) -> RoomView:
    window.open_room(CASE)
    view = window.current_room()
    assert view is not None
    return view


def texts(widget: QWidget) -> str:
    return " ".join(x.text() for x in widget.findChildren(QLabel) if not x.isHidden())


def show_notices(session: FakeSession, *notices: KeyNotice) -> None:
    session.people.notified = list(notices)
    session.people.changed.emit()


THEIRS = f"kansli:verify?uid={REGISTRAR.uid.hex()}&genesis={'5a' * 32}"
ADDED = KeyNotice(uid=HEAD.uid, kind="device-added", t=at(13, 0), more=1, ids=(2, 3))
DUPLICATE = KeyNotice(uid=REGISTRAR.uid, kind="duplicate", other=LAWYER.uid, t=at(9, 30), ids=(1,))


def test_both_levels_are_distinguished_where_members_are_listed(window: MainWindow) -> None:
    panel = panel_of(window)
    assert [c.text() for c in panel.findChildren(Chip)] == ["av myndigheten", "personligen", "ej verifierad"]


async def test_a_picture_of_the_others_code_verifies(window: MainWindow, session: FakeSession) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.reader.read(qr.image(THEIRS))
    await asyncio.sleep(0.01)
    assert session.people.marks == {REGISTRAR.uid: True}
    assert not opened.isVisible()
    assert toast_of(window).text() == "Registrator är verifierad personligen."


async def test_attack_a_picture_with_other_keys_says_so_and_nothing_is_accepted(
    window: MainWindow, session: FakeSession
) -> None:
    session.people.verdict = Verdict.DIFFERENT
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.reader.read(qr.image(THEIRS))
    assert "Nycklarna är INTE de som du har fått." in opened.outcome.text()
    assert not opened.accept_button.isEnabled()
    opened.reject()
    await asyncio.sleep(0.01)
    assert session.people.marks == {}


def test_a_mark_can_still_be_taken_back_when_the_keys_are_others(window: MainWindow, session: FakeSession) -> None:
    opened = VerifyDialog(window, HEAD, "1" * 60, session.people.my_code, lambda texts: Verdict.DIFFERENT)
    opened.show()
    opened.reader.read(qr.image(THEIRS))
    assert opened.accept_button.isEnabled()
    opened.close()


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [(Verdict.NO_CODE, "Ingen sådan QR-kod hittades. Visa hela koden, större eller skarpare."),
     (Verdict.OTHER_PERSON, "Koden är inte från Enhetschef.")],
)  # fmt: skip
def test_a_picture_without_the_persons_code_is_shown(window: MainWindow, verdict: Verdict, sentence: str) -> None:
    opened = VerifyDialog(window, HEAD, "1" * 60, "kansli:verify", lambda texts: verdict)
    opened.show()
    opened.reader.read(QImage(8, 8, QImage.Format.Format_RGB32))
    assert opened.outcome.text() == sentence
    assert opened.accept_button.isEnabled()
    opened.close()


async def test_the_others_code_is_read_off_the_screen_where_ones_own_stands_too(
    window: MainWindow, session: FakeSession
) -> None:
    asked: list[Sequence[str]] = []

    def compare(texts: Sequence[str]) -> Verdict:
        asked.append(texts)
        return Verdict.SAME if texts else Verdict.NO_CODE

    mine = session.people.my_code
    opened = VerifyDialog(window, HEAD, "1" * 60, mine, compare)
    opened.show()
    opened.reader.found.emit([mine])
    assert opened.outcome.isVisible()
    opened.reader.found.emit([mine, THEIRS])
    assert asked == [[], [THEIRS]]
    assert opened.same_by_code
    assert not opened.isVisible()


def test_ones_own_code_can_be_read_from_the_dialog(window: MainWindow, session: FakeSession) -> None:
    opened = VerifyDialog(window, HEAD, "1" * 60, session.people.my_code, lambda texts: Verdict.SAME)
    opened.show()
    QApplication.processEvents()
    assert session.people.my_code in qr.read(opened.grab().toImage().scaledToWidth(opened.width() * 3))
    opened.close()


async def test_a_new_device_is_shown_in_the_room_and_goes_when_it_has_been_seen(
    window: MainWindow, session: FakeSession
) -> None:
    view = room_of(window)
    assert view.key_notices.isHidden()
    show_notices(session, ADDED)
    assert view.key_notices.isVisible()
    assert view.key_notices.text().startswith("Enhetschef har lagt till en enhet. Dessförinnan 1 ändring till (")
    view.key_notices._button.click()
    await asyncio.sleep(0.01)
    assert session.people.notified == []
    assert view.key_notices.isHidden()
    session.rooms.people[PERMIT] = [m for m in session.rooms.people[PERMIT] if m.person.uid != HEAD.uid]
    show_notices(session, ADDED)
    window.open_room(PERMIT)
    other = window.current_room()
    assert other is not None
    assert other.key_notices.isHidden()  # they are not in that room


async def test_a_warning_comes_first_and_stands_until_a_yes(window: MainWindow, session: FakeSession) -> None:
    view = room_of(window)
    show_notices(session, DUPLICATE, ADDED)
    assert "Det finns två konton för Registrator" in view.key_notices.text()
    view.key_notices._button.click()
    (await dialog()).reject()
    await asyncio.sleep(0.01)
    assert session.people.notified == [DUPLICATE, ADDED]
    view.key_notices._button.click()
    (await dialog()).accept()
    await asyncio.sleep(0.01)
    assert session.people.notified == [ADDED]
    assert "Enhetschef" in view.key_notices.text()


async def test_home_shows_it_too(window: MainWindow, session: FakeSession) -> None:
    window.go_section("home")
    show_notices(session, DUPLICATE, ADDED)
    caught_up(window)
    shown = window.findChildren(NoticeCard)
    assert [card.button.text().strip() for card in shown] == ["Det är utrett …", "Jag har sett det"]
    shown[1].button.click()
    await asyncio.sleep(0.01)
    assert session.people.notified == [DUPLICATE]
    caught_up(window)
    QApplication.processEvents()
    assert len([card for card in window.findChildren(NoticeCard) if card.isVisible()]) == 1


def test_the_seal_of_many_fits_into_a_low_window_and_is_read_to_its_end_by_keys(window: MainWindow) -> None:
    window.resize(1000, 650)
    opened = SecurityDialog(window, "warned", replace(SEAL, readers=SEAL.readers * 3), ORDINARY, lambda: None)
    opened.show()
    QApplication.processEvents()
    assert opened.height() <= 650
    assert opened.accept_button.hasFocus()
    last = opened.findChildren(QLabel)[-1]
    assert last.text().startswith("Den kontrollerar underskrifter")
    assert last.visibleRegion().isEmpty()
    QTest.keyClick(opened.accept_button, Qt.Key.Key_End)
    assert last.visibleRegion().boundingRect() == last.rect()
    QTest.keyClick(opened.accept_button, Qt.Key.Key_Home)
    assert last.visibleRegion().isEmpty()
    opened.close()


@pytest.mark.parametrize(
    ("doubt", "sentence"), [("unknown", "inte har någon kopia"), ("not-owner", "äger inte det rummet")]
)
def test_the_seal_says_why_it_is_not_certain_what_the_room_continues(
    window: MainWindow, doubt: str, sentence: str
) -> None:
    opened = SecurityDialog(window, "origin", replace(SEAL, origin_doubt=doubt), ORDINARY, lambda: None)
    assert sentence in texts(opened)
    assert "visas som citat" in texts(opened)


def test_the_seal_says_how_many_changes_and_items_are_void_and_whose(window: MainWindow) -> None:
    report = replace(SEAL, void_changes=((HEAD, 3), (REGISTRAR, 1)), void_items=((REGISTRAR, 2),))
    opened = SecurityDialog(window, "sealed", report, ORDINARY, lambda: None)
    sentence = texts(opened)
    assert "4 ändringar bryter mot formatets regler" in sentence
    assert "Enhetschef (3), Registrator (1)" in sentence
    assert "Servern har lagt in 2 poster" in sentence
    assert "Registrator (2)" in sentence
    sound = SecurityDialog(window, "sealed", SEAL, ORDINARY, lambda: None)
    assert "Mot rummets regler" not in texts(sound)


def test_the_seal_says_how_far_the_servers_time_is_ahead(window: MainWindow) -> None:
    opened = SecurityDialog(window, "time", replace(SEAL, ahead_ms=8 * 86_400_000), ORDINARY, lambda: None)
    assert "192 timmar före" in texts(opened)


@pytest.mark.parametrize("level", LEVELS)
def test_the_seal_in_the_header_shows_each_level(window: MainWindow, session: FakeSession, level: str) -> None:
    view = room_of(window)
    session.seals.levels[CASE] = level
    session.rooms.notify(CASE)
    caught_up(window)
    word, _, _, meaning = security_chip(level)
    assert view.security.word() == word
    assert view.security.accessibleName() == f"Försegling: {word}"
    assert view.security.accessibleDescription() == meaning
    assert (word == "Förseglat · personligen") == (level == "verified")


async def test_the_seal_is_pressed_by_keyboard_and_explains_itself(window: MainWindow, session: FakeSession) -> None:
    view = room_of(window)
    view.security.setFocus()
    QTest.keyClick(view.security, Qt.Key.Key_Space)
    opened = await dialog()
    assert isinstance(opened, SecurityDialog)
    sentence = texts(opened)
    for part in (
        "3 personer kan avkryptera rummet",
        "Rummets nyckel nummer 7, gjord 2 nov 14:03 av Enhetschef.",
        "Den förnyas senast 25 nov",
        "Ingen utanför rummet har någon nyckel till det, inte heller myndigheten.",
        "namnen i personalkatalogen",
        "vem som har något öppet",
        "vilken version av Kansli",
        "Vad den inte ser: rummens titlar",
    ):
        assert part in sentence
    assert [row.title for row in opened.readers.rows.rows] == ["Handläggare (du)", "Enhetschef", "Registrator"]
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    await asyncio.sleep(0.01)
    assert not isinstance(QApplication.activeModalWidget(), QDialog)


def test_the_seals_panel_shows_recovery_recipients_silent_devices_and_evidence(window: MainWindow) -> None:
    asked: list[bool] = []
    report = replace(SEAL, recovery=(b"r" * 16,), due_ms=0)
    opened = SecurityDialog(window, "fork", report, STOPPED, lambda: asked.append(True))
    assert "Myndighetens återställningsmottagare (1) får också varje nyckel" in texts(opened)
    assert "Den förnyas så snart någon som får skriva är här." in texts(opened)
    next(b for b in opened.findChildren(QWidget) if b.accessibleName() == "Visa bevis").click()  # type: ignore[attr-defined]
    assert asked == [True]
    silent, keyless = (reader_row(r) for r in SEAL.readers[1:])
    assert "1 enhet har inte skrivit något här sedan 1 nov" in silent.detail
    assert silent.right == "personligen"
    assert "har inte fått den nyckel som gäller" in keyless.detail
    assert keyless.faded
    assert key_text(replace(SEAL, made_ms=None, due_ms=None)) == "Rummets nyckel nummer 7."


def test_a_room_whose_key_is_not_known_yet_still_says_what_the_server_sees(window: MainWindow) -> None:
    opened = SecurityDialog(window, "waiting", None, ORDINARY, lambda: None)
    assert "Vad servern ser" in texts(opened)
    assert "avkryptera rummet" not in texts(opened)


@pytest.mark.parametrize(("warning", "word"), [("reset", "återställd"), ("duplicate", "två konton")])
def test_a_warning_stands_where_the_verification_would(
    window: MainWindow, session: FakeSession, warning: str, word: str
) -> None:
    sure = Verified.NONE if warning == "reset" else Verified.IN_PERSON
    head = replace(HEAD, verified=sure, warning=warning)
    session.rooms.people[CASE] = [
        replace(m, person=head) if m.person == HEAD else m for m in session.rooms.people[CASE]
    ]
    chips = [c.text() for c in panel_of(window).findChildren(Chip)]
    assert chips[1] == word
