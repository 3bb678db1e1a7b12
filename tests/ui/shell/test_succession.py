# SPDX-License-Identifier: EUPL-1.2
"""The bar over a room that stopped, was continued or continues another, and its two dialogs."""

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
import pytest_asyncio
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.core import clock
from app.core.enums import Role, RoomState
from app.core.ids import ObjId, RoomId
from app.rooms.evidence import Exhibit, Word
from app.session import Session
from app.store.long_writes import Progress
from sync.protocol.messages import Receipt, Signed
from sync.trust.room.signed_receipts import Proof
from sync.trust.room.successor_claim import object_in
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of, continue_room, set_role, stop
from tests.ui.shell.sample import ORDINARY, at
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.buttons import TextButton
from ui.shell.room.room_view import RoomView
from ui.shell.room.succession_bar import SuccessionBar
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.window.main_window import MainWindow

D = TypeVar("D", bound=QDialog)
OURS = Word(n=41, rh=b"\x01" * 32, t=at(13, 58), proof=b"our proof")
THEIRS = Word(n=41, rh=b"\x02" * 32, t=at(13, 59), proof=b"their proof")
FORK = Exhibit(code="fork", t=at(14, 0), ours=OURS, theirs=THEIRS, claim=None)
STOPPED = replace(ORDINARY, refusal=None, evidence=(FORK,), head=(41, b"\x01" * 32))
"""A divided room, for dialogs that are shown by themselves."""


def proof_of(word: Word) -> bytes:
    """What the server signed: a receipt, with the certificate of its key."""
    receipt = Receipt(office().case, word.n, word.rh, word.t, bytes(64))
    return Proof(receipt, Signed(body=bytes(8), sig=bytes(64))).encode()


def stopped(session: Session, state: RoomState = RoomState.FORK) -> None:
    """The case room stops, and there is evidence."""
    evidence = session.store.receipts_kept
    if state is RoomState.RESTORED:
        evidence.put_evidence(office().case, "restored", None, None, b"\xab" * 4)
    else:
        evidence.put_evidence(office().case, state.value, proof_of(OURS), proof_of(THEIRS), None)
    stop(session, office().case, state)


def view_of(window: MainWindow, room: RoomId | None = None) -> RoomView:
    """The view of a room, by itself the case room."""
    window.open_room(room or office().case)
    view = window.current_room()
    assert view is not None
    view.refresh()
    return view


def buttons(bar: SuccessionBar) -> dict[str, TextButton]:
    return {b.accessibleName(): b for b in bar._buttons.rows}


async def opened(kind: type[D]) -> D:
    await until(lambda: isinstance(QApplication.activeModalWidget(), kind))
    found = QApplication.activeModalWidget()
    assert isinstance(found, kind)
    return found


def words(of: QWidget) -> str:
    return " ".join(label.text() for label in of.findChildren(QLabel))


def test_an_ordinary_room_has_no_bar(window: MainWindow) -> None:
    assert view_of(window).succession.isHidden()


@pytest.mark.usefixtures("connected")
async def test_an_owner_opens_a_successor_from_the_bar(window: MainWindow, session: Session) -> None:
    stopped(session)
    for text in ("Ett å", "Två 🙂"):
        chat_of(session).send(office().case, text)
    view = view_of(window)
    assert not view.succession.isHidden()
    buttons(view.succession)["Öppna efterföljande rum …"].click()
    dialog = await opened(SuccessorDialog)
    sentence = words(dialog)
    assert "olika historik" in sentence
    assert f"läge {session.engine.position(office().case)} (tisdag 24 november 13:52)" in sentence
    assert "2 ändringar som du har gjort är inte skickade" in sentence
    assert "Enhetschef" in sentence
    assert "Administratör" in sentence
    dialog.accept()
    await until(lambda: session.rooms.room(office().case).replaced)
    (made,) = session.succession.standing(office().case).successors
    assert made.by == office().me.uid
    await until(lambda: view_is(window, made.room))
    assert session.rooms.room(made.room).title == "Tillsyn 2026-1184"


def view_is(window: MainWindow, room: RoomId) -> bool:
    shown = window.current_room()
    return shown is not None and shown.room == room


async def test_the_dialog_says_what_a_rollback_is(window: MainWindow, session: Session) -> None:
    stopped(session, RoomState.ROLLBACK)
    buttons(view_of(window).succession)["Öppna efterföljande rum …"].click()
    dialog = await opened(SuccessorDialog)
    assert "förlorat" in words(dialog)
    before = len(session.rooms.rooms())
    dialog.reject()
    await until(lambda: not dialog.isVisible())
    assert len(session.rooms.rooms()) == before


async def test_a_restored_server_is_shown_calmly_with_its_statement(window: MainWindow, session: Session) -> None:
    stopped(session, RoomState.RESTORED)
    view = view_of(window)
    assert "återställts från en säkerhetskopia" in view.succession.text()
    assert list(buttons(view.succession)) == ["Visa bevis"]
    buttons(view.succession)["Visa bevis"].click()
    dialog = await opened(EvidenceDialog)
    assert "Serverns signerade intyg" in dialog.shown.toPlainText()
    assert "abababab" in dialog.shown.toPlainText()
    dialog.reject()
    await until(lambda: not dialog.isVisible())


async def test_what_offers_evidence_keeps_the_focus_when_the_room_stands_otherwise(
    window: MainWindow, session: Session
) -> None:
    stopped(session)
    view = view_of(window)
    QApplication.processEvents()
    evidence = buttons(view.succession)["Visa bevis"]
    evidence.setFocus()

    def not_owner() -> None:
        set_role(session, office().case, (office().me, Role.WRITER))

    def two_successors() -> None:
        for _ in range(2):
            continue_room(session, office().case, office().me)

    for changes in (not_owner, two_successors):
        changes()
        view.refresh()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        assert window.focusWidget() is evidence
    assert len(view.succession._buttons.rows) == 3


def test_others_see_why_they_may_not(window: MainWindow, session: Session) -> None:
    stopped(session)
    set_role(session, office().case, (office().me, Role.WRITER))
    view = view_of(window)
    button = buttons(view.succession)["Öppna efterföljande rum …"]
    assert not button.isEnabled()
    assert button.toolTip() == button.accessibleDescription() == "Bara en ägare kan öppna ett efterföljande rum."
    assert "En ägare kan öppna" in view.succession.text()


async def test_a_room_that_was_continued_leads_to_the_new_one(window: MainWindow, session: Session) -> None:
    stopped(session)
    new = continue_room(session, office().case, office().me)
    view = view_of(window)
    assert set(buttons(view.succession)) == {"Öppna det nya rummet", "Visa bevis"}
    buttons(view.succession)["Öppna det nya rummet"].click()
    assert view_is(window, new)


@pytest.mark.usefixtures("connected")
async def test_two_successors_are_distinguished_by_who_opened_them(window: MainWindow, session: Session) -> None:
    await session.rooms.set_role(office().case, office().head.uid, Role.OWNER)
    await until(lambda: session.engine.owns(office().case, office().head.uid) is True)
    stopped(session)
    for by in (office().me, office().head):
        continue_room(session, office().case, by)
    view = view_of(window)
    assert {"Det som Handläggare öppnade", "Det som Enhetschef öppnade"} <= set(buttons(view.succession))


@pytest.mark.parametrize(("believed", "sentence"), [(True, "fortsätter ett tidigare"), (False, "säger sig fortsätta")])
async def test_a_successor_shows_its_origin(
    window: MainWindow, session: Session, believed: bool, sentence: str
) -> None:
    stopped(session)
    by = office().me if believed else office().registrar  # who owns the case room, and who does not
    view = view_of(window, continue_room(session, office().case, by))
    assert sentence in view.succession.text()
    buttons(view.succession)["Öppna det tidigare rummet"].click()
    assert view_is(window, office().case)


async def test_the_evidence_is_shown_and_copied(window: MainWindow, session: Session) -> None:
    stopped(session)
    buttons(view_of(window).succession)["Visa bevis"].click()
    dialog = await opened(EvidenceDialog)
    text = dialog.shown.toPlainText()
    for part in ("läge 41", OURS.rh.hex(), THEIRS.rh.hex(), proof_of(OURS).hex(), proof_of(THEIRS).hex()):
        assert part in text
    dialog.accept()
    assert QGuiApplication.clipboard().text() == text


async def test_the_list_shows_that_a_room_goes_on_elsewhere(window: MainWindow, session: Session) -> None:
    stopped(session)
    continue_room(session, office().case, office().me)
    caught_up(window)
    rows = window.room_list.list.rows
    found = (rows.row(rows.index(i, 0)) for i in range(rows.rowCount()))
    row = next(r for r in found if r and r.key == office().case)
    assert (row.detail, row.faded) == ("Fortsätter i ett nytt rum", True)


@dataclass
class Waiting:
    """A successor of the case room in which two changes of the person's wait before they are offered."""

    session: Session
    room: RoomId

    @property
    def obj(self) -> ObjId:
        """The document in the successor."""
        return object_in(self.room, office().case, office().document)

    def keep(self, *, ask: int, taken: bool = False) -> None:
        """Notes (store/FORMAT.md, `note-offers`) when the person is to be asked."""
        kept = {"old": office().document.hex(), "since": at(8, 0), "ask": ask, "count": 2, "taken": taken}
        self.session.store.notes.set(f"offers-{self.room.hex()}", json.dumps({self.obj.hex(): kept}))

    def held(self) -> list[bool]:
        """Of what waits: whether the person is asked about it now."""
        return [held.asks for held in self.session.succession.standing(self.room).held]


@pytest_asyncio.fixture
async def waiting(session: Session) -> Waiting:
    stopped(session)
    return Waiting(session, continue_room(session, office().case, office().me))


async def test_what_waits_to_be_offered_is_shown(window: MainWindow, waiting: Waiting) -> None:
    never = clock.MAX_MS
    waiting.keep(ask=never)
    view = view_of(window, waiting.room)
    assert view.succession.text().startswith("2 ändringar som du har gjort i ”Utkast till beslut” är inte här än.")
    assert list(buttons(view.succession)) == ["Öppna det tidigare rummet"]
    waiting.keep(ask=never, taken=True)
    view.refresh()
    assert "går inte att föra över hit: någon annan har tagit deras plats" in view.succession.text()


@pytest.mark.parametrize(
    ("answer", "pressed"), [("copy", "Lägg en kopia här"), ("later", "Fråga senare"), ("no", "Ingen kopia")]
)
async def test_what_waits_long_is_asked_about_by_keyboard(
    window: MainWindow, session: Session, waiting: Waiting, answer: str, pressed: str
) -> None:
    waiting.keep(ask=0)
    view = view_of(window, waiting.room)
    assert "Vill du lägga en kopia av din text här" in view.succession.text()
    button = buttons(view.succession)[pressed]
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    await until(lambda: waiting.held() == ([] if answer == "copy" else [False]))
    caught_up(window)
    assert "Vill du" not in view.succession.text()
    copies = [found for found in session.rooms.objects(waiting.room) if found.kind == "document"]
    assert len(copies) == (answer == "copy")
    (kept,) = json.loads(session.store.notes.get(f"offers-{waiting.room.hex()}")).values()
    assert (kept["ask"] is None) == (answer == "no")


async def test_a_copy_that_takes_long_shows_how_far_it_is_and_can_be_stopped(
    window: MainWindow, session: Session, waiting: Waiting
) -> None:
    waiting.keep(ask=0)
    view = view_of(window, waiting.room)

    async def slow(obj: ObjId, room: RoomId, into: ObjId, progress: Progress, decided: object) -> None:
        progress(1, 4, True)
        await asyncio.Event().wait()

    session.succession.offers.copiers["document"] = slow
    buttons(view.succession)["Lägg en kopia här"].click()
    await until(lambda: view.succession.text() == "”Utkast till beslut” kopieras: 25 %")
    assert list(buttons(view.succession)) == ["Avbryt", "Öppna det tidigare rummet"]
    buttons(view.succession)["Avbryt"].click()
    await until(lambda: "Vill du lägga en kopia" in view.succession.text())
    assert waiting.held() == [True]


def test_the_bar_follows_the_rooms_that_are_known(
    window: MainWindow, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = view_of(window).succession
    origin = RoomId(b"\x0e" * 16)
    standing = replace(ORDINARY, refusal="ordinary", origin=origin, believed=True)
    monkeypatch.setattr(session.succession, "standing", lambda room: standing)
    bar.refresh()
    assert list(buttons(bar)) == []
    known = replace(session.rooms.room(office().case), room=origin)
    monkeypatch.setattr(session.rooms, "rooms", lambda: [known])
    bar.refresh()
    assert list(buttons(bar)) == ["Öppna det tidigare rummet"]
