# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet on screen: shown once and typed back, on paper, reminded of, used, and stopped."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from app.core.enums import LinkState
from app.core.i18n import set_language
from app.errors import FileUnreadable, ReturnWaits
from app.passphrases import PassphraseRules
from app.recovery import AskedFor, RecoverySheetState
from sync.errors import Refused, Reject, Unreachable
from sync.ids import DevId
from sync.trust.person.agency import SignInCode
from sync.trust.person.recovery_sheet import RecoveryShare, ReturnCode
from tests.ui.finding import toast_of
from tests.ui.shell.fake_recovery import FakeRecovery
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import at
from tests.ui.shell.test_gate import PHRASE, Person
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.kit import qr
from ui.kit.dialogs import Dialog
from ui.shell.entry.key_page import Progress
from ui.shell.entry.recovery_pages import Returns, ReturnView
from ui.shell.entry.recovery_sheet_field import RecoverySheetField
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.home.home_page import Home
from ui.shell.settings import recovery_sheet_dialog, recovery_sheet_paper
from ui.shell.settings.recovery_card import RecoveryCard
from ui.shell.settings.recovery_sheet_dialog import RecoverySheetDialog, chosen_groups
from ui.shell.window.main_window import MainWindow

CODE = "7KQ2-0MXA-9RTB-W4HN-ZC5E-1VDG-8PJS"
ASKED = AskedFor(what="add", dev=DevId(b"d" * 16), ready=at(14, 3, 26), vetoed=False, mine=False)


def dialog_of(qtbot: QtBot, recovery: FakeRecovery) -> RecoverySheetDialog:
    made = RecoverySheetDialog(None, recovery, [1, 4])
    qtbot.addWidget(made)
    made.show()
    return made


# -- making one -----------------------------------------------------------------------------------------------------


async def test_nothing_is_published_before_two_groups_are_typed_back(qtbot: QtBot) -> None:
    recovery = FakeRecovery()
    dialog = dialog_of(qtbot, recovery)
    assert dialog.page == 1
    dialog.accept()
    assert not dialog.accept_button.isEnabled()
    dialog.typed[0].setText("0MXA")
    dialog.typed[1].setText("ZC5F")
    dialog.accept()
    assert recovery.published == []
    assert dialog.error.isVisible()
    dialog.typed[0].setText(" omxa ")  # read as the sheet means it
    dialog.typed[1].setText("zc5e")
    dialog.accept()
    await until(lambda: recovery.published == [(CODE, "")])
    await until(lambda: not dialog.isVisible())


async def test_without_printing_the_recovery_sheet_is_copied_by_hand_and_still_made(qtbot: QtBot) -> None:
    recovery = FakeRecovery()
    dialog = RecoverySheetDialog(None, recovery, [1, 4], printing=False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.print_button.isVisible()
    assert not dialog.save_button.isVisible()
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert set(CODE.split("-")) <= set(shown)
    assert any("Din organisation har stängt av utskrift" in text for text in shown)
    dialog.accept()
    dialog.typed[0].setText("0MXA")
    dialog.typed[1].setText("ZC5E")
    dialog.accept()
    await until(lambda: recovery.published == [(CODE, "")])


@pytest.mark.parametrize("allowed", [True, False])
async def test_whether_a_recovery_sheet_may_be_printed_is_policys(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: bool
) -> None:
    made: list[RecoverySheetDialog] = []

    async def keep(dialog: RecoverySheetDialog) -> bool:
        made.append(dialog)
        return False

    monkeypatch.setattr("ui.shell.settings.recovery_card.show", keep)
    card = RecoveryCard(FakeSession(tmp_path, {"allow-print": allowed}))
    qtbot.addWidget(card)
    card.make()
    await until(lambda: bool(made))
    assert made[0].print_button.isVisibleTo(made[0]) is allowed
    assert made[0].save_button.isVisibleTo(made[0]) is allowed


async def test_the_code_is_shown_once_and_not_while_it_is_typed_back(qtbot: QtBot) -> None:
    dialog = dialog_of(qtbot, FakeRecovery())
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert set(CODE.split("-")) <= set(shown)
    dialog.accept()
    shown = [x.text() for x in dialog.findChildren(QLabel) if x.isVisible()]
    assert not set(CODE.split("-")) & set(shown)


async def test_another_recovery_sheet_asks_for_the_one_before(qtbot: QtBot) -> None:
    recovery = FakeRecovery()
    recovery.needs_old = True
    dialog = dialog_of(qtbot, recovery)
    assert dialog.page == 0
    assert not dialog.accept_button.isEnabled()
    dialog.old.field.setText("fel")
    dialog.accept()
    assert "(sheet)" in dialog.error.text() or "recovery-sheet" in dialog.error.text()
    assert dialog.page == 0
    dialog.old.field.setText(recovery.old)
    dialog.accept()
    dialog.accept()
    for field, text in zip(dialog.typed, ("0MXA", "ZC5E"), strict=True):
        field.setText(text)
    dialog.accept()
    await until(lambda: recovery.published == [(CODE, recovery.old)])


async def test_a_recovery_sheet_that_could_not_be_published_says_why_and_may_be_tried_again(qtbot: QtBot) -> None:
    recovery = FakeRecovery()
    recovery.error = Unreachable("offline")
    dialog = dialog_of(qtbot, recovery)
    dialog.accept()
    for field, text in zip(dialog.typed, ("0MXA", "ZC5E"), strict=True):
        field.setText(text)
    dialog.accept()
    await until(lambda: dialog.error.isVisible())
    assert "unreachable" in dialog.error.text()
    recovery.error = None
    dialog.accept()
    await until(lambda: not dialog.isVisible())


async def test_a_recovery_sheet_that_comes_into_force_is_not_called_off_and_is_kept_if_the_answer_is_lost(
    qtbot: QtBot,
) -> None:
    recovery = FakeRecovery()
    recovery.error, recovery.kept, recovery.going_on = Unreachable("cut"), True, asyncio.Event()
    dialog = dialog_of(qtbot, recovery)
    dialog.accept()
    for field, text in zip(dialog.typed, ("0MXA", "ZC5E"), strict=True):
        field.setText(text)
    dialog.accept()
    await until(lambda: not any(button.isEnabled() for button in dialog.buttons.buttons()))
    dialog.reject()
    dialog.close()
    assert dialog.isVisible()
    recovery.going_on.set()
    await until(lambda: dialog.error.isVisible())
    assert "Behåll bladet: det börjar gälla av sig självt." in dialog.error.text()
    dialog.reject()
    assert not dialog.isVisible()


def test_which_groups_are_asked_is_not_foreseen() -> None:
    drawn = [tuple(chosen_groups(7)) for _ in range(200)]
    assert all(len(set(pair)) == 2 and sorted(pair) == list(pair) and max(pair) < 7 for pair in drawn)
    assert len(set(drawn)) > 10


@pytest.mark.parametrize("page", [0, 1, 2])
def test_every_control_of_the_recovery_sheet_has_a_name_and_a_role(qtbot: QtBot, page: int) -> None:
    dialog = dialog_of(qtbot, FakeRecovery())
    dialog._go(page)
    check(dialog)
    check_tab(dialog)


# -- on paper -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["sv", "en"])
def test_the_recovery_sheet_on_paper_is_one_page_and_its_code_reads(
    qapp: QApplication, tmp_path: Path, language: str
) -> None:
    picture = QImage(QSize(1004, 1518), QImage.Format.Format_RGB32)  # A4 within its margins, 150 dpi
    picture.setDotsPerMeterX(5906)
    picture.setDotsPerMeterY(5906)
    picture.fill(Qt.GlobalColor.white)
    set_language(language)
    try:
        recovery_sheet_paper.save(FakeRecovery().draw(), tmp_path / "blad å.pdf")
        assert recovery_sheet_paper.draw(FakeRecovery().draw(), picture)
    finally:
        set_language("sv")
    raw = (tmp_path / "blad å.pdf").read_bytes()
    assert raw.startswith(b"%PDF")
    assert raw.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 595" in raw
    assert qr.read(picture) == [CODE]
    edges = [picture.pixelColor(x, 1510).lightness() for x in range(1004)]
    edges += [picture.pixelColor(1003, y).lightness() for y in range(700, 1518)]
    assert min(edges) == 255  # nothing runs off the page


def test_a_recovery_sheet_that_cannot_be_written_says_so(qapp: QApplication, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        recovery_sheet_paper.save(FakeRecovery().draw(), tmp_path / "finns inte" / "blad.pdf")


async def test_it_is_saved_where_the_person_says(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dialog = dialog_of(qtbot, FakeRecovery())

    async def chosen(*_: object) -> Path:
        return tmp_path / "blad.pdf"

    monkeypatch.setattr(recovery_sheet_dialog, "save_file", chosen)
    dialog.save_button.click()
    await until(lambda: bool(dialog.kept.text()))
    assert (tmp_path / "blad.pdf").read_bytes().startswith(b"%PDF")


# -- settings and Hem -----------------------------------------------------------------------------------------------


def test_the_settings_say_whether_there_is_a_recovery_sheet(qtbot: QtBot, session: FakeSession) -> None:
    card = RecoveryCard(session)
    qtbot.addWidget(card)
    card.show()
    assert card.button.accessibleName() == "Gör ett nytt återställningsblad"
    session.recovery.state = RecoverySheetState.NONE
    session.status_changed.emit()
    assert card.button.accessibleName() == "Gör ett återställningsblad"
    session.set_status(state=LinkState.OFFLINE)
    session.status_changed.emit()
    assert not card.button.isEnabled()
    session.recovery.state = RecoverySheetState.ELSEWHERE
    session.status_changed.emit()
    assert not card.button.isVisible()


async def test_hem_reminds_once_and_leads_there(window: MainWindow, session: FakeSession) -> None:
    session.recovery.state, session.recovery.reminds = RecoverySheetState.NONE, True
    window.go_section("home")
    window.content.home.refresh()
    QApplication.processEvents()
    check(window)
    buttons = {b.text(): b for b in window.content.home.findChildren(type(window.settings_view.recovery.button))}
    buttons["Gör ett blad …"].click()
    await until(lambda: any(d.isVisible() for d in window.findChildren(RecoverySheetDialog)))
    next(d for d in window.findChildren(RecoverySheetDialog) if d.isVisible()).reject()
    window.go_section("home")
    buttons["Inte nu"].click()
    QApplication.processEvents()
    assert not session.recovery.reminds
    assert "Inte nu" not in [x.text() for x in _texts(window.content.home)]


def _texts(home: Home) -> list[QLabel]:
    return [x for x in home.findChildren(QLabel) if x.isVisible()]


# -- somebody asks --------------------------------------------------------------------------------------------------


async def test_a_person_who_sees_a_recovery_can_stop_it(window: MainWindow, session: FakeSession) -> None:
    assert not window.content.asked_bar.isVisible()
    session.recovery.waiting = [ASKED]
    session.status_changed.emit()
    assert window.content.asked_bar.isVisible()
    assert "26 nov 14:03" in window.content.asked_bar.text()
    check(window)
    window.content.asked_bar.stop.click()
    await until(lambda: any(d.isVisible() for d in window.findChildren(Dialog)))
    next(d for d in window.findChildren(Dialog) if d.isVisible()).accept()
    await until(lambda: session.recovery.vetoed == [ASKED])
    await until(lambda: not window.content.asked_bar.isVisible())


async def test_a_person_who_sees_a_recovery_and_asked_themselves_confirms_it(
    window: MainWindow, session: FakeSession
) -> None:
    session.recovery.waiting = [ASKED]
    session.status_changed.emit()
    window.content.asked_bar.me.click()
    assert not window.content.asked_bar.isVisible()
    assert session.recovery.vetoed == []
    assert "släpper in den nya enheten: Inställningar, Enheter." in toast_of(window).text()
    toast_of(window).undo.click()  # it was not meant: whoever asks can be stopped again
    assert window.content.asked_bar.isVisible()
    window.content.asked_bar.me.click()
    session.recovery.waiting = [replace(ASKED, what="revoke")]
    session.status_changed.emit()
    window.content.asked_bar.me.click()
    assert toast_of(window).text() == "Då går det vidare av sig självt."


async def test_a_device_that_came_in_too_soon_can_still_be_stopped(window: MainWindow, session: FakeSession) -> None:
    session.recovery.waiting = [replace(ASKED, came=True)]
    session.status_changed.emit()
    assert "mindre än ett dygn" in window.content.asked_bar.text()
    window.content.asked_bar.me.click()
    assert toast_of(window).text() == "Enheten får vara kvar."


# -- coming back ----------------------------------------------------------------------------------------------------


class Office:
    """Coming back in memory."""

    def __init__(self, *, others: int = 0, error: Exception | None = None) -> None:
        self.others, self.error = others, error
        self.asked: list[tuple[str | None, bool]] = []
        self.looks: Exception | None = None
        self.code = ""

    def allowed(self, kind: str) -> bool:
        return True

    def passphrase_rules(self) -> PassphraseRules:
        return PassphraseRules()

    def keyring_available(self) -> bool:
        return False

    async def look_up_account(self, server: str, code: str, sheet: str) -> "LookupResult":
        self.code = code
        if self.looks is not None:
            raise self.looks
        if sheet != CODE:
            raise Refused("recovery-sheet-unknown")
        return LookupResult(self.others)

    async def recover(self, found: "LookupResult", passphrase: str | None, progress: Progress, *, revoke: bool) -> str:
        self.asked.append((passphrase, revoke))
        return await self.ask_again()

    async def ask_again(self) -> str:
        if self.error is not None:
            raise self.error
        return "session"


class LookupResult(Person):
    """The account that a recovery sheet belongs to."""

    def __init__(self, others: int) -> None:
        super().__init__()
        object.__setattr__(self, "others", others)

    others: int


def fits(office: Office) -> Returns:
    """mypy holds it to the Protocol."""
    return office


async def asked(qtbot: QtBot, office: Office) -> ReturnView:
    view = ReturnView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    check(view)
    check_tab(view)
    view.code.setText("KOD")
    assert not view.next.isEnabled()
    view.recovery_sheet.field.setText("fel")
    view.look_up()
    await until(lambda: view.code_page.error.isVisible())
    assert "recovery-sheet-unknown" in view.code_page.error.text()
    view.recovery_sheet.field.setText(CODE)
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    view.key_page.keys.passphrase.setText(PHRASE)
    view.key_page.keys.again.setText(PHRASE)
    return view


async def test_who_lost_the_computer_comes_back_with_two_codes(qtbot: QtBot) -> None:
    office = Office()
    view = await asked(qtbot, office)
    assert not any(box.isVisible() for box in view.findChildren(QCheckBox))
    done: list[object] = []
    view.done.connect(done.append)
    view.key_page.begin()
    await until(lambda: done == ["session"])
    assert office.asked == [(PHRASE, False)]


@pytest.mark.parametrize(
    ("code", "notified"),
    [
        ("share", "hör till ett annat återställningsblad"),
        ("share-code", "andra rad är felskriven"),
        ("share-missing", "andra rad saknas"),
        ("recovery-sheet-format", "tidigare version av Kansli"),
    ],
)
async def test_what_is_wrong_with_the_second_line_is_shown_and_may_be_tried_again(
    qtbot: QtBot, code: str, notified: str
) -> None:
    office = Office()
    view = ReturnView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    view.recovery_sheet.field.setText(CODE)
    view.code.setText("KOD")
    office.looks = Reject(code)
    view.look_up()
    await until(lambda: view.code_page.error.isVisible())
    assert notified in view.code_page.error.text()
    office.looks = None
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)


async def test_both_lines_of_the_code_are_pasted_into_one_field(qtbot: QtBot) -> None:
    """Two lines on a paper or in a message, with a line break between them."""
    both, office = ReturnCode(SignInCode.fresh(bytes(32)), RecoveryShare.fresh()), Office()
    view = ReturnView(office, server="kansli.myndighet.example")
    qtbot.addWidget(view)
    view.show()
    QGuiApplication.clipboard().setText(both.format() + "\n")
    view.code.paste()
    view.recovery_sheet.field.setText(CODE)
    view.look_up()
    await until(lambda: view.currentWidget() is view.key_page)
    assert ReturnCode.parse(office.code) == both


async def test_the_other_devices_are_named_and_go_unless_the_person_keeps_them(qtbot: QtBot) -> None:
    for keep in (False, True):
        office = Office(others=2)
        view = await asked(qtbot, office)
        assert view.revoke.isVisible()
        view.revoke.setChecked(not keep)
        check(view)
        view.key_page.begin()
        await until(lambda office=office: len(office.asked) == 1)  # type: ignore[misc]  # the default binds it
        assert office.asked == [(PHRASE, not keep)]


async def test_a_day_to_wait_is_shown_and_asked_about_again(qtbot: QtBot) -> None:
    office = Office(others=1, error=ReturnWaits(at(14, 3, 26)))
    view = await asked(qtbot, office)
    view.key_page.begin()
    await until(lambda: view.currentWidget() is view.waiting_page)
    assert "26 november 14:03" in view.waiting_page.text.text()
    check(view)
    office.error = Refused("vetoed")
    view.ask_button.click()
    await until(lambda: view.waiting_page.error.isVisible())
    assert "vetoed" in view.waiting_page.error.text()
    office.error = None
    done: list[object] = []
    view.done.connect(done.append)
    view.ask_button.click()
    await until(lambda: done == ["session"])


async def test_a_return_that_waits_says_from_when_at_the_next_start(qtbot: QtBot) -> None:
    async def waits(passphrase: str) -> object:
        raise ReturnWaits(at(14, 3, 26))

    view = UnfinishedView(waits, None)
    qtbot.addWidget(view)
    view.show()
    assert view.field is not None
    view.field.setText(PHRASE)
    view.unlock()
    await until(lambda: view.error.isVisible())
    assert "26 november 14:03" in view.error.text()


def test_a_code_is_read_from_a_picture(qtbot: QtBot) -> None:
    field = RecoverySheetField("Kod")
    qtbot.addWidget(field)
    field.show()
    field.reader.read(QImage(40, 40, QImage.Format.Format_RGB32))
    assert field.hint.isVisible()
    field.reader.read(qr.image(CODE))
    assert field.text() == CODE
    assert not field.hint.isVisible()
