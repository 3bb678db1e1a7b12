# SPDX-License-Identifier: EUPL-1.2
"""The bar over a room that stopped, was continued or continues another, and its two dialogs."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from app.core.enums import RoomState
from app.rooms.evidence import Exhibit, Word
from app.rooms.offers import HeldOffer
from app.rooms.succession import Standing, Successor
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, DOCUMENT, HEAD, ME, ORDINARY, PERMIT, at, room_id
from tests.ui.soon import caught_up
from ui.kit.buttons import TextButton
from ui.shell.room.room_view import RoomView
from ui.shell.room.succession_bar import SuccessionBar
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.window.main_window import MainWindow


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


OURS = Word(n=41, rh=b"\x01" * 32, t=at(13, 58), proof=b"our proof")
THEIRS = Word(n=41, rh=b"\x02" * 32, t=at(13, 59), proof=b"their proof")
FORK = Exhibit(code="fork", t=at(14, 0), ours=OURS, theirs=THEIRS, claim=None)
STOPPED = replace(ORDINARY, refusal=None, evidence=(FORK,), head=(41, b"\x01" * 32))


def view_of(
    window: MainWindow, session: FakeSession, standing: Standing, state: RoomState = RoomState.FORK
) -> RoomView:
    """The view of the case room in this state."""
    session.succession.standings[CASE] = standing
    session.rooms.set_state(CASE, state)
    window.open_room(CASE)
    view = window.current_room()
    assert view is not None
    view.refresh()
    return view


def buttons(bar: SuccessionBar) -> dict[str, TextButton]:
    return {b.accessibleName(): b for b in bar._buttons.rows}


async def opened(kind: type[SuccessorDialog] | type[EvidenceDialog]) -> SuccessorDialog | EvidenceDialog:
    await asyncio.sleep(0.01)
    found = QApplication.activeModalWidget()
    assert isinstance(found, kind)
    return found


def test_an_ordinary_room_has_no_bar(window: MainWindow, session: FakeSession) -> None:
    assert view_of(window, session, ORDINARY, RoomState.SEALED).succession.isHidden()


async def test_an_owner_opens_a_successor_from_the_bar(window: MainWindow, session: FakeSession) -> None:
    view = view_of(window, session, STOPPED)
    assert not view.succession.isHidden()
    buttons(view.succession)["Öppna efterföljande rum …"].click()
    dialog = await opened(SuccessorDialog)
    sentence = " ".join(label.text() for label in dialog.findChildren(QLabel))
    assert "olika historik" in sentence
    assert "läge 41 (tisdag 24 november 13:58)" in sentence
    assert "2 ändringar som du har gjort är inte skickade" in sentence
    assert "Enhetschef" in sentence
    assert "Administratör" in sentence
    dialog.accept()
    await asyncio.sleep(0.01)
    assert session.succession.opened == [CASE]
    shown = window.current_room()
    assert shown is not None
    assert shown.room not in (CASE, PERMIT)
    assert shown.summary().title == "Tillsyn 2026-1184"  # type: ignore[union-attr] # it is there


async def test_the_dialog_says_what_a_rollback_is(window: MainWindow, session: FakeSession) -> None:
    view = view_of(window, session, STOPPED, RoomState.ROLLBACK)
    buttons(view.succession)["Öppna efterföljande rum …"].click()
    dialog = await opened(SuccessorDialog)
    assert "förlorat" in " ".join(label.text() for label in dialog.findChildren(QLabel))
    dialog.reject()
    await asyncio.sleep(0.01)
    assert session.succession.opened == []


async def test_a_restored_server_is_shown_calmly_with_its_statement(window: MainWindow, session: FakeSession) -> None:
    exhibit = Exhibit(code="restored", t=1_795_500_000_000, ours=None, theirs=None, claim=b"\xab" * 4)
    standing = replace(STOPPED, refusal="not-stopped", restored=True, evidence=(exhibit,))
    view = view_of(window, session, standing, RoomState.RESTORED)
    assert "återställts från en säkerhetskopia" in view.succession.text()
    assert list(buttons(view.succession)) == ["Visa bevis"]
    buttons(view.succession)["Visa bevis"].click()
    dialog = await opened(EvidenceDialog)
    assert isinstance(dialog, EvidenceDialog)
    assert "Serverns signerade intyg" in dialog.shown.toPlainText()
    assert "abababab" in dialog.shown.toPlainText()
    dialog.reject()
    await asyncio.sleep(0.01)


def test_what_offers_evidence_keeps_the_focus_when_the_room_stands_otherwise(
    window: MainWindow, session: FakeSession
) -> None:
    view = view_of(window, session, STOPPED)
    QApplication.processEvents()
    evidence = buttons(view.succession)["Visa bevis"]
    evidence.setFocus()
    by = (Successor(room=PERMIT, by=ME.uid), Successor(room=room_id(9, 9), by=ME.uid))
    for standing in (replace(STOPPED, refusal="not-owner"), replace(STOPPED, refusal="replaced", successors=by)):
        session.succession.standings[CASE] = standing
        view.refresh()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert window.focusWidget() is evidence
    assert len(view.succession._buttons.rows) == 3


def test_others_see_why_they_may_not(window: MainWindow, session: FakeSession) -> None:
    view = view_of(window, session, replace(STOPPED, refusal="not-owner"))
    button = buttons(view.succession)["Öppna efterföljande rum …"]
    assert not button.isEnabled()
    assert button.toolTip() == button.accessibleDescription() == "Bara en ägare kan öppna ett efterföljande rum."
    assert "En ägare kan öppna" in view.succession.text()


def test_a_room_that_was_continued_leads_to_the_new_one(window: MainWindow, session: FakeSession) -> None:
    standing = replace(STOPPED, refusal="replaced", successors=(Successor(room=PERMIT, by=ME.uid),))
    view = view_of(window, session, standing)
    assert set(buttons(view.succession)) == {"Öppna det nya rummet", "Visa bevis"}
    buttons(view.succession)["Öppna det nya rummet"].click()
    shown = window.current_room()
    assert shown is not None
    assert shown.room == PERMIT


def test_two_successors_are_distinguished_by_who_opened_them(window: MainWindow, session: FakeSession) -> None:
    both = (Successor(room=PERMIT, by=ME.uid), Successor(room=CASE, by=HEAD.uid))
    view = view_of(window, session, replace(STOPPED, refusal="replaced", successors=both))
    assert {"Det som Handläggare öppnade", "Det som Enhetschef öppnade"} <= set(buttons(view.succession))


@pytest.mark.parametrize(("believed", "sentence"), [(True, "fortsätter ett tidigare"), (False, "säger sig fortsätta")])
def test_a_successor_shows_its_origin(window: MainWindow, session: FakeSession, believed: bool, sentence: str) -> None:
    view = view_of(window, session, replace(ORDINARY, origin=PERMIT, believed=believed), RoomState.SEALED)
    assert sentence in view.succession.text()
    buttons(view.succession)["Öppna det tidigare rummet"].click()
    shown = window.current_room()
    assert shown is not None
    assert shown.room == PERMIT


async def test_the_evidence_is_shown_and_copied(window: MainWindow, session: FakeSession) -> None:
    view = view_of(window, session, STOPPED)
    buttons(view.succession)["Visa bevis"].click()
    dialog = await opened(EvidenceDialog)
    assert isinstance(dialog, EvidenceDialog)
    text = dialog.shown.toPlainText()
    for part in ("läge 41", OURS.rh.hex(), THEIRS.rh.hex(), OURS.proof.hex(), THEIRS.proof.hex()):
        assert part in text
    dialog.accept()
    assert QGuiApplication.clipboard().text() == text


def test_the_list_shows_that_a_room_goes_on_elsewhere(window: MainWindow, session: FakeSession) -> None:
    session.rooms.change(CASE, replaced=True)
    caught_up(window)
    rows = window.room_list.list.rows
    row = next(r for r in (rows.row(rows.index(i, 0)) for i in range(rows.rowCount())) if r and r.key == CASE)
    assert (row.detail, row.faded) == ("Fortsätter i ett nytt rum", True)


def test_what_waits_to_be_offered_is_shown_and_asked_about_by_keyboard(
    window: MainWindow, session: FakeSession
) -> None:
    waits = HeldOffer(obj=DOCUMENT, kind="document", title="Utkast å 🙂", count=2, since=at(8, 0), asks=False)
    believed = replace(ORDINARY, origin=PERMIT, believed=True, held=(waits,))
    view = view_of(window, session, believed, RoomState.SEALED)
    assert view.succession.text().startswith("2 ändringar som du har gjort i ”Utkast å 🙂” är inte här än.")
    assert list(buttons(view.succession)) == ["Öppna det tidigare rummet"]
    session.succession.standings[CASE] = replace(believed, held=(replace(waits, taken=True),))
    view.refresh()
    assert "går inte att föra över hit: någon annan har tagit deras plats" in view.succession.text()
    for answer, pressed in (("copy", "Lägg en kopia här"), ("later", "Fråga senare"), ("no", "Ingen kopia")):
        asked = replace(waits, asks=True)
        session.succession.standings[CASE] = replace(believed, held=(asked,))
        view.refresh()
        assert "Vill du lägga en kopia av din text här" in view.succession.text()
        button = buttons(view.succession)[pressed]
        assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
        button.setFocus()
        QTest.keyClick(button, Qt.Key.Key_Space)
        assert session.succession.answers[-1] == (answer, CASE, asked)
        assert "Vill du" not in view.succession.text()
