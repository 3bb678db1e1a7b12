# SPDX-License-Identifier: EUPL-1.2
"""The recovery sheet on screen: reminded of, used, and stopped."""

from pathlib import Path

import pytest
import pytest_asyncio
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel
from pytestqt.qtbot import QtBot

from app.core import clock
from app.core.enums import LinkState
from app.errors import ReturnWaits
from app.passphrases import PassphraseRules
from app.recovery import RecoverySheetState
from app.session import Session
from sync.client.account import account_recovery
from sync.client.account.account_recovery import Attempt, Waiting
from sync.client.devices.own_recovery_sheet import VETO_MS
from sync.errors import Refused, Reject
from sync.protocol.messages import RecoveryRequest
from sync.server.rules import recovery_requests
from sync.server.rules.handshake import now_ms
from sync.trust.person.agency import SignInCode
from sync.trust.person.recovery_sheet import RecoveryCode, RecoveryShare, ReturnCode
from tests.ui.finding import toast_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_account, show_status
from tests.ui.shell.sample import at
from tests.ui.shell.served import Served
from tests.ui.shell.test_gate import PHRASE, Person
from tests.ui.shell.tool_views import TOOLS
from tests.ui.walking import check, check_tab
from tests.world import World, until
from ui.kit import qr
from ui.kit.dialogs import Dialog
from ui.shell.entry.key_page import Progress
from ui.shell.entry.recovery_pages import Returns, ReturnView
from ui.shell.entry.recovery_sheet_field import RecoverySheetField
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.home.home_page import Home
from ui.shell.settings.recovery_card import RecoveryCard
from ui.shell.settings.recovery_sheet_dialog import RecoverySheetDialog
from ui.shell.window.main_window import MainWindow

CODE = "7KQ2-0MXA-9RTB-W4HN-ZC5E-1VDG-8PJS"
ASKED = RecoveryRequest(what="add", dev=b"d" * 16, ready=at(14, 3, 26), vetoed_by=b"")


# -- settings and Hem -----------------------------------------------------------------------------------------------


def card_of(qtbot: QtBot, session: Session) -> RecoveryCard:
    card = RecoveryCard(session)
    qtbot.addWidget(card)
    card.show()
    return card


def test_the_settings_say_whether_there_is_a_recovery_sheet(qtbot: QtBot, tmp_path: Path) -> None:
    there = card_of(qtbot, open_account(tmp_path, RecoverySheetState.STANDS))
    assert there.button.accessibleName() == "Gör ett nytt återställningsblad"
    session = open_account(tmp_path, RecoverySheetState.NONE)
    card = card_of(qtbot, session)
    assert card.button.accessibleName() == "Gör ett återställningsblad"
    assert card.button.isEnabled()
    show_status(session, LinkState.OFFLINE)
    assert not card.button.isEnabled()
    assert not card_of(qtbot, open_account(tmp_path, RecoverySheetState.ELSEWHERE)).button.isVisible()


async def test_the_card_follows_when_a_sheet_is_in_force(qtbot: QtBot, served: Served) -> None:
    session = await served.open("Jurist")
    card = card_of(qtbot, session)
    assert card.button.accessibleName() == "Gör ett återställningsblad"
    await session.engine.recovery_sheet.publish(RecoveryCode.fresh().format())
    await until(lambda: card.button.accessibleName() == "Gör ett nytt återställningsblad")


async def test_hem_reminds_once_and_leads_there(qtbot: QtBot, tmp_path: Path) -> None:
    session = open_account(tmp_path, RecoverySheetState.NONE)
    window = MainWindow(session, TOOLS)
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    window.go_section("home")
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


def show_requests(session: Session, *asked: RecoveryRequest) -> None:
    """The server has sent these."""
    session.engine.recovery_sheet.replace_attempts(list(asked))
    session.status_changed.emit()


@pytest_asyncio.fixture
async def attempt(served: Served, window: MainWindow, session: Session) -> Attempt:
    """What somebody begins on another computer with the person's sheet; the window is the person's, and online."""
    begun = Attempt.begin(await served.w.invite_back(session.engine.uid), office().sheet, revoke=False)
    assert isinstance(await comes_back(served.w, begun), Waiting)
    await until(lambda: len(session.recovery.asked()) == 1)
    session.status_changed.emit()
    return begun


async def comes_back(w: World, begun: Attempt) -> object:
    return await account_recovery.Recovery(w.dialer(), begun, clock.now_ms).ask()


async def stop_it(window: MainWindow) -> None:
    """Presses the bar's button and answers yes."""
    window.content.asked_bar.stop.click()
    await until(lambda: any(d.isVisible() for d in window.findChildren(Dialog)))
    next(d for d in window.findChildren(Dialog) if d.isVisible()).accept()
    await until(lambda: not window.content.asked_bar.isVisible())


@pytest.mark.usefixtures("connected")
async def test_a_person_who_sees_a_recovery_can_stop_it(window: MainWindow, served: Served, attempt: Attempt) -> None:
    assert window.content.asked_bar.isVisible()
    check(window)
    await stop_it(window)
    with pytest.raises(Refused) as e:
        await comes_back(served.w, attempt)
    assert e.value.code == "vetoed"


def test_a_recovery_says_from_when_it_is(window: MainWindow, session: Session) -> None:
    assert not window.content.asked_bar.isVisible()
    show_requests(session, ASKED)
    assert window.content.asked_bar.isVisible()
    assert "26 nov 14:03" in window.content.asked_bar.text()


def test_a_person_who_sees_a_recovery_and_asked_themselves_confirms_it(window: MainWindow, session: Session) -> None:
    show_requests(session, ASKED)
    window.content.asked_bar.me.click()
    assert not window.content.asked_bar.isVisible()
    assert [a.vetoed for a in session.recovery.asked()] == [False]
    assert "släpper in den nya enheten: Inställningar, Enheter." in toast_of(window).text()
    toast_of(window).undo.click()  # it was not meant: whoever asks can be stopped again
    assert window.content.asked_bar.isVisible()
    window.content.asked_bar.me.click()
    own = session.engine.devices.own_log
    show_requests(
        session, RecoveryRequest(what="revoke", dev=next(iter(own.devices)), ready=ASKED.ready, vetoed_by=b"")
    )
    window.content.asked_bar.me.click()
    assert toast_of(window).text() == "Då går det vidare av sig självt."


@pytest.mark.usefixtures("connected")
async def test_a_device_that_came_in_too_soon_can_still_be_stopped(
    window: MainWindow, session: Session, served: Served, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    (asked,) = session.recovery.asked()
    monkeypatch.setattr(recovery_requests, "now_ms", lambda: now_ms() + VETO_MS + 1000)  # the server's clock
    await served.w.come_back("Handläggare", attempt, waits=False)
    await until(lambda: asked.dev in session.engine.devices.own_log.devices)
    session.status_changed.emit()
    assert "mindre än ett dygn" in window.content.asked_bar.text()
    window.content.asked_bar.me.click()
    assert toast_of(window).text() == "Enheten får vara kvar."
    toast_of(window).undo.click()
    await stop_it(window)

    def is_out() -> bool:
        own = session.engine.devices.own_log
        return own.device_active(asked.dev, own.seq) is None

    await until(is_out)


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
