# SPDX-License-Identifier: EUPL-1.2
"""Keys in the window: compared by number or picture, what happened to them, and a room's security status."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QWidget

from app.core import clock
from app.core.enums import RoomState
from app.core.ids import DevId, Hash
from app.errors import NotFound
from app.people import codes
from app.people.codes import Verdict
from app.people.person import Person, Verified
from app.rooms.formats import OldDevice
from app.rooms.security_status import SecurityReport
from app.session import Session
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.successor_claim import Origin
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import notify_keys, stop
from tests.ui.shell.sample import ORDINARY, SEAL, at, room_id
from tests.ui.shell.test_people import choose, dialog, member_menu, panel_of, sure_of
from tests.ui.shell.test_succession import STOPPED
from tests.ui.soon import caught_up
from tests.world import until
from ui.errors import sentence
from ui.kit import qr
from ui.kit.chip import Chip
from ui.shell.room.key_notices import NoticeCard
from ui.shell.room.room_view import RoomView
from ui.shell.room.security_dialog import SecurityDialog, key_text, reader_row
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.words import security_chip

LEVELS = (
    "sealed", "verified", "warned", "origin", "time", "waiting", "owes-rotation", "update-needed", "restored",
    "withheld", "rollback", "fork", "old-format",
)  # fmt: skip


def room_of(window: MainWindow) -> RoomView:
    window.open_room(office().case)
    view = window.current_room()
    assert view is not None
    return view


def texts(widget: QWidget) -> str:
    return " ".join(x.text() for x in widget.findChildren(QLabel) if not x.isHidden())


def seal_of(window: MainWindow, level: str, report: SecurityReport | None) -> SecurityDialog:
    """The dialog about an ordinary room's security status."""
    return SecurityDialog(window, level, report, ORDINARY, window.tools.contents, lambda: None)


def code_of(session: Session, person: Person) -> str:
    """What the person's own device shows."""
    genesis = session.engine.genesis(person.uid)
    assert genesis is not None
    return codes.write(genesis)


def shown_notices(session: Session) -> list[str]:
    return [notice.kind for notice in session.people.notices()]


def notify_both(session: Session) -> None:
    """Two accounts in the registrar's name, and two new devices of the head's."""
    notify_keys(session, office().registrar, "duplicate", other=office().lawyer, t_ms=at(9, 30))
    notify_keys(session, office().head, "device-added", count=2)


def test_both_levels_are_distinguished_where_members_are_listed(window: MainWindow, session: Session) -> None:
    notify_keys(session, office().registrar, "reset", seen=True)
    panel = panel_of(window)
    assert [c.text() for c in panel.findChildren(Chip)] == ["av myndigheten", "personligen", "ej verifierad"]


async def test_a_picture_of_the_others_code_verifies(window: MainWindow, session: Session) -> None:
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.reader.read(qr.image(code_of(session, office().registrar)))
    await until(lambda: not opened.isVisible())
    assert sure_of(session, office().registrar) is Verified.IN_PERSON
    await until(toast_of(window).isVisible)
    assert toast_of(window).text() == "Registrator är verifierad personligen."


async def test_attack_a_picture_with_other_keys_says_so_and_nothing_is_accepted(
    window: MainWindow, session: Session
) -> None:
    theirs = f"kansli:verify?uid={office().registrar.uid.hex()}&genesis={'5a' * 32}"
    choose(member_menu(panel_of(window), "Registrator"), "Verifiera …")
    opened = await dialog()
    assert isinstance(opened, VerifyDialog)
    opened.reader.read(qr.image(theirs))
    assert "Nycklarna är INTE de som du har fått." in opened.outcome.text()
    assert not opened.accept_button.isEnabled()
    opened.reject()
    await until(lambda: not opened.isVisible())
    assert sure_of(session, office().registrar) is Verified.AGENCY


@pytest.mark.parametrize("later", [Verdict.NO_CODE, Verdict.OTHER_PERSON, Verdict.SAME])
def test_attack_a_further_picture_does_not_take_away_the_warning_of_other_keys(
    window: MainWindow, later: Verdict
) -> None:
    verdicts = [Verdict.DIFFERENT, later]
    opened = VerifyDialog(window, office().registrar, "1" * 60, "kansli:verify", lambda texts: verdicts.pop(0))
    opened.show()
    for _ in range(2):
        opened.reader.found.emit(["kansli:verify?other"])
    assert "Nycklarna är INTE de som du har fått." in opened.outcome.text()
    assert not opened.accept_button.isEnabled()
    assert not opened.reader.isEnabled()
    assert not opened.same_by_code
    opened.close()


def test_a_code_that_cannot_be_compared_is_reported_and_the_dialog_stays(window: MainWindow) -> None:
    def compare(texts: Sequence[str]) -> Verdict:
        raise NotFound

    opened = VerifyDialog(window, office().head, "1" * 60, "kansli:verify", compare)
    opened.show()
    opened.reader.found.emit(["kansli:verify?reset"])
    assert toast_of(window).text() == sentence("not-found").text
    assert opened.isVisible()
    opened.close()


def test_a_mark_can_still_be_taken_back_when_the_keys_are_others(window: MainWindow, session: Session) -> None:
    opened = VerifyDialog(window, office().head, "1" * 60, session.people.my_code, lambda texts: Verdict.DIFFERENT)
    opened.show()
    opened.reader.read(qr.image(code_of(session, office().registrar)))
    assert opened.accept_button.isEnabled()
    opened.close()


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [(Verdict.NO_CODE, "Ingen sådan QR-kod hittades. Visa hela koden, större eller skarpare."),
     (Verdict.OTHER_PERSON, "Koden är inte från Enhetschef.")],
)  # fmt: skip
def test_a_picture_without_the_persons_code_is_shown(window: MainWindow, verdict: Verdict, sentence: str) -> None:
    opened = VerifyDialog(window, office().head, "1" * 60, "kansli:verify", lambda texts: verdict)
    opened.show()
    opened.reader.read(QImage(8, 8, QImage.Format.Format_RGB32))
    assert opened.outcome.text() == sentence
    assert opened.accept_button.isEnabled()
    opened.close()


async def test_the_others_code_is_read_off_the_screen_where_ones_own_stands_too(
    window: MainWindow, session: Session
) -> None:
    asked: list[Sequence[str]] = []

    def compare(texts: Sequence[str]) -> Verdict:
        asked.append(texts)
        return Verdict.SAME if texts else Verdict.NO_CODE

    mine = session.people.my_code
    opened = VerifyDialog(window, office().head, "1" * 60, mine, compare)
    opened.show()
    opened.reader.found.emit([mine])
    assert opened.outcome.isVisible()
    theirs = code_of(session, office().registrar)
    opened.reader.found.emit([mine, theirs])
    assert asked == [[], [theirs]]
    assert opened.same_by_code
    assert not opened.isVisible()


def test_ones_own_code_can_be_read_from_the_dialog(window: MainWindow, session: Session) -> None:
    opened = VerifyDialog(window, office().head, "1" * 60, session.people.my_code, lambda texts: Verdict.SAME)
    opened.show()
    QApplication.processEvents()
    assert session.people.my_code in qr.read(opened.grab().toImage().scaledToWidth(opened.width() * 3))
    opened.close()


async def test_a_new_device_is_shown_in_the_room_and_goes_when_it_has_been_seen(
    window: MainWindow, session: Session
) -> None:
    view = room_of(window)
    assert view.key_notices.isHidden()
    notify_keys(session, office().head, "device-added", count=2)
    assert view.key_notices.isVisible()
    assert view.key_notices.text().startswith("Enhetschef har lagt till en enhet. Dessförinnan 1 ändring till (")
    view.key_notices._button.click()
    await until(lambda: shown_notices(session) == [])
    assert view.key_notices.isHidden()
    notify_keys(session, office().head, "device-revoked")
    assert view.key_notices.isVisible()
    window.open_room(office().direct_registrar)
    other = window.current_room()
    assert other is not None
    assert other.key_notices.isHidden()  # they are not in that room


async def test_a_warning_comes_first_and_stands_until_a_yes(window: MainWindow, session: Session) -> None:
    view = room_of(window)
    notify_both(session)
    assert "Det finns två konton för Registrator" in view.key_notices.text()
    view.key_notices._button.click()
    asked = await dialog()
    asked.reject()
    await until(lambda: not asked.isVisible())
    assert shown_notices(session) == ["duplicate", "device-added"]
    view.key_notices._button.click()
    (await dialog()).accept()
    await until(lambda: shown_notices(session) == ["device-added"])
    assert "Enhetschef" in view.key_notices.text()


async def test_home_shows_it_too(window: MainWindow, session: Session) -> None:
    window.go_section("home")
    notify_both(session)
    caught_up(window)
    shown = window.findChildren(NoticeCard)
    assert [card.button.text().strip() for card in shown] == ["Det är utrett …", "Jag har sett det"]
    shown[1].button.click()
    await until(lambda: shown_notices(session) == ["duplicate"])
    caught_up(window)
    QApplication.processEvents()
    assert len([card for card in window.findChildren(NoticeCard) if card.isVisible()]) == 1


def test_the_seal_of_many_fits_into_a_low_window_and_is_read_to_its_end_by_keys(window: MainWindow) -> None:
    window.resize(1000, 650)
    opened = seal_of(window, "warned", replace(SEAL, readers=SEAL.readers * 3))
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
    opened = seal_of(window, "origin", replace(SEAL, origin_doubt=doubt))
    assert sentence in texts(opened)
    assert "visas som citat" in texts(opened)


def test_the_seal_says_how_many_changes_and_items_are_void_and_whose(window: MainWindow) -> None:
    report = replace(
        SEAL, void_changes=((office().head, 3), (office().registrar, 1)), void_items=((office().registrar, 2),)
    )
    opened = seal_of(window, "sealed", report)
    sentence = texts(opened)
    assert "4 ändringar bryter mot formatets regler" in sentence
    assert "Enhetschef (3), Registrator (1)" in sentence
    assert "Servern har lagt in 2 poster" in sentence
    assert "Registrator (2)" in sentence
    sound = seal_of(window, "sealed", SEAL)
    assert "Mot rummets regler" not in texts(sound)


def test_the_seal_says_quietly_how_many_changes_a_newer_program_made(window: MainWindow) -> None:
    """One line for the room, however many: a colleague may write as many as they like."""
    opened = seal_of(window, "sealed", replace(SEAL, newer_changes=12_000))
    assert texts(opened).count("nyare version av Kansli") == 1
    assert "nyare version" not in texts(seal_of(window, "sealed", SEAL))


def test_an_administrator_sees_which_devices_cannot_read_everything_and_what(window: MainWindow) -> None:
    head, registrar = office().head, office().registrar
    old = (
        OldDevice(person=head, dev=DevId(b"a" * 16), added_ms=at(9, 0, 3), kinds=("document", "board"), features=()),
        OldDevice(person=registrar, dev=DevId(b"b" * 16), added_ms=at(9, 0, 4), kinds=("x",), features=("ext 2",)),
    )
    opened = seal_of(window, "sealed", replace(SEAL, old_devices=old, silent_devices=3))
    assert "2 enheter kan inte läsa allt som skrivs här." in texts(opened)
    assert "3 enheter till har inte sagt än vad de läser." in texts(opened)
    rows = [(row.title, row.detail) for row in opened.old_devices.rows.rows]
    assert rows == [
        (head.name, "Enhet tillagd 3 nov · inte allt i dokument och tavlor"),
        (registrar.name, "Enhet tillagd 4 nov · inte allt i rummets egna poster och annat innehåll"),
    ]
    sound = seal_of(window, "sealed", replace(SEAL, old_devices=()))
    assert "kan inte läsa allt" not in texts(sound)


def test_the_seal_says_how_far_the_servers_time_is_ahead(window: MainWindow) -> None:
    opened = seal_of(window, "time", replace(SEAL, ahead_ms=8 * 86_400_000))
    assert "192 timmar före" in texts(opened)


def bring_to(session: Session, level: str) -> Callable[[], None]:
    """Gives the case room this security status. Returns what puts the clock back."""
    room, followed = office().case, session.engine.parts.link.rooms[office().case]
    match level:
        case "sealed":
            pass
        case "verified":
            session.people.mark_verified(office().registrar.uid, True)
        case "warned":
            notify_keys(session, office().registrar, "reset")
        case "origin":
            unknown = Origin(room=room_id(9, 9), n=1, rh=Hash(bytes(32)))
            genesis = RoomEvent(n=1, t=at(9, 0, 3), kind="genesis", by=office().me.uid, origin=unknown)
            session.store.receive(ReceivedSlice(room=room, events=[genesis]))
        case "time":
            session.engine.parts.verifier._far.add(room)
            return clock.set_clock(lambda: at(9, 0, 10))
        case "waiting":
            followed._waiting = 1
        case "owes-rotation":
            followed.stream.state.rotation_owed = True
        case _:
            stop(session, room, RoomState(level))
    return lambda: None


@pytest.mark.parametrize("level", LEVELS)
def test_the_seal_in_the_header_shows_each_level(
    window: MainWindow, session: Session, level: str, request: pytest.FixtureRequest
) -> None:
    view = room_of(window)
    request.addfinalizer(bring_to(session, level))
    session.on_room(office().case)
    assert session.seals.level(office().case) == level
    caught_up(window)
    word, _, _, meaning = security_chip(level)
    assert view.security.word() == word
    assert view.security.accessibleName() == f"Försegling: {word}"
    assert view.security.accessibleDescription() == meaning
    assert (word == "Förseglat · personligen") == (level == "verified")


async def test_the_seal_is_pressed_by_keyboard_and_explains_itself(window: MainWindow, session: Session) -> None:
    view = room_of(window)
    view.security.setFocus()
    QTest.keyClick(view.security, Qt.Key.Key_Space)
    opened = await dialog()
    assert isinstance(opened, SecurityDialog)
    sentence = texts(opened)
    for part in (
        "3 personer kan avkryptera rummet",
        "Rummets nyckel nummer 1, gjord 3 nov 09:12 av Handläggare.",
        "Den förnyas senast 3 dec",
        "Ingen utanför rummet har någon nyckel till det, inte heller myndigheten.",
        "namnen i personalkatalogen",
        "vem som har något öppet",
        "vilken version av Kansli",
        "Vad den inte ser: rummens titlar",
    ):
        assert part in sentence
    assert [row.title for row in opened.readers.rows.rows] == ["Handläggare (du)", "Enhetschef", "Registrator"]
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    await until(lambda: not isinstance(QApplication.activeModalWidget(), QDialog))


def test_the_seals_panel_shows_recovery_recipients_silent_devices_and_evidence(window: MainWindow) -> None:
    asked: list[bool] = []
    report = replace(SEAL, recovery=(b"r" * 16,), due_ms=0)
    opened = SecurityDialog(window, "fork", report, STOPPED, window.tools.contents, lambda: asked.append(True))
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
    opened = seal_of(window, "waiting", None)
    assert "Vad servern ser" in texts(opened)
    assert "avkryptera rummet" not in texts(opened)


@pytest.mark.parametrize(("warning", "word"), [("reset", "återställd"), ("duplicate", "två konton")])
def test_a_warning_stands_where_the_verification_would(
    window: MainWindow, session: Session, warning: str, word: str
) -> None:
    notify_keys(session, office().head, warning, other=office().lawyer if warning == "duplicate" else None)
    chips = [c.text() for c in panel_of(window).findChildren(Chip)]
    assert chips[1] == word
