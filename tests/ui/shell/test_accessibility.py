# SPDX-License-Identifier: EUPL-1.2
"""Every focusable control of every view has a name and a role, and Tab reaches and leaves everything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from app.core.enums import Role, RoomState
from app.passphrases import PassphraseRules
from app.people.codes import Verdict
from app.people.notices import KeyNotice
from tests.ui.shell.fake_rooms import SEAL
from tests.ui.shell.fake_session import FakeSession
from tests.ui.shell.sample import CASE, HEAD, ORDINARY, REGISTRAR, at
from tests.ui.shell.test_gate import Office, opens
from tests.ui.shell.test_history import PROPOSAL
from tests.ui.shell.test_recovery import ASKED
from tests.ui.shell.test_succession import STOPPED
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.security_dialog import SecurityDialog
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.settings.keys_card import PassphraseDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.window.navigation import Place


@pytest.fixture
def session(tmp_path: Path) -> FakeSession:
    return FakeSession(tmp_path)


def stopped(window: MainWindow) -> None:
    """A divided room whose bar has all its buttons, and a proposal beside its members."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.succession.standings[CASE] = STOPPED
    session.rooms.proposals = [PROPOSAL]
    window.open_room(CASE)


def restored(window: MainWindow) -> None:
    """A room that the server, restored from a backup, is given back; what is kept against it can be shown."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.succession.standings[CASE] = replace(STOPPED, restored=True)
    session.rooms.set_state(CASE, RoomState.RESTORED)
    window.open_room(CASE)


def older_history(window: MainWindow) -> None:
    """A long room whose older history is still being read."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.rooms.filled = 37
    window.open_room(CASE)


def asked(window: MainWindow) -> None:
    """Somebody asks for something with the person's recovery sheet."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.engine.recovery_sheet.replace_attempts([ASKED])
    session.status_changed.emit()


def nothing(window: MainWindow) -> None:
    """No room is open: none is there."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.rooms.list = []
    session.rooms.changed.emit()
    window.go(Place(section="rooms"))


def read_only(window: MainWindow) -> None:
    """A room in which one may only read, whose members are shown."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.rooms.may_write = lambda room: False  # type: ignore[method-assign] # as in a room that another continues
    window.open_room(CASE)


def notified(window: MainWindow, section: str) -> None:
    """Something happened to two people's keys, a warning among them."""
    session = window.session
    assert isinstance(session, FakeSession)
    session.people.notified = [
        KeyNotice(uid=REGISTRAR.uid, kind="reset", t=at(9, 30), ids=(1,)),
        KeyNotice(uid=HEAD.uid, kind="device-added", t=at(13, 0), ids=(2,)),
    ]
    session.people.changed.emit()
    if section == "room":
        window.open_room(CASE)
    else:
        window.go_section("home")


VIEWS: dict[str, Callable[[MainWindow], None]] = {
    "keys on home": lambda w: notified(w, "home"),
    "keys in a room": lambda w: notified(w, "room"),
    "home": lambda w: w.go_section("home"),
    "rooms": lambda w: w.open_room(CASE),
    "nothing": nothing,
    "read only": read_only,
    "stopped": stopped,
    "restored": restored,
    "older history": older_history,
    "asked": asked,
    "tasks": lambda w: w.go_section("tasks"),
    "search": lambda w: w.search_for("kompl"),
    "settings": lambda w: w.go_section("settings"),
    "palette": lambda w: w.open_palette(),
    "offline": lambda w: w.content.bar.show_state("info", "offline", "Frånkopplad", "Försök igen", lambda: None),
    "toast": lambda w: w.toast("Borttaget", lambda: None),
}


async def shown(window: MainWindow, view: str) -> None:
    """Waits until the view is complete, with what was searched for."""
    VIEWS[view](window)
    QApplication.processEvents()
    if view == "search":
        await until(lambda: window.content.search_view.list.isVisible())


@pytest.mark.parametrize("view", VIEWS)
async def test_every_control_of_the_window_has_a_name_and_a_role(window: MainWindow, view: str) -> None:
    await shown(window, view)
    check(window)


@pytest.mark.parametrize(
    "view",
    [
        "home",
        "rooms",
        "nothing",
        "read only",
        "stopped",
        "restored",
        "older history",
        "asked",
        "tasks",
        "search",
        "settings",
        "offline",
        "keys on home",
        "keys in a room",
    ],
)
async def test_tab_reaches_and_leaves_everything(window: MainWindow, view: str) -> None:
    await shown(window, view)
    check_tab(window)


@pytest.mark.parametrize(
    "name", ["new", "add", "role", "verify", "seal", "no seal", "successor", "evidence", "passphrase"]
)
def test_every_control_of_the_dialogs_has_a_name_and_a_role(
    window: MainWindow, session: FakeSession, name: str
) -> None:
    makers: dict[str, Callable[[], QDialog]] = {
        "new": lambda: NewRoomDialog(window, window.tools.things()),
        "add": lambda: AddMemberDialog(window, session.people, set(), Role.OWNER),
        "role": lambda: RoleDialog(window, HEAD, Role.ADMIN, Role.OWNER),
        "successor": lambda: SuccessorDialog(window, session.succession.plan(CASE), "fork", window.tools.things()),
        "evidence": lambda: EvidenceDialog(window, STOPPED),
        "passphrase": lambda: PassphraseDialog(
            window,
            "Byt lösenfras",
            "",
            accept="Byt",
            verify=lambda dialog: opens("x"),
            current=True,
            new=PassphraseRules(),
        ),
        "verify": lambda: VerifyDialog(
            window, HEAD, session.people.safety_number(HEAD.uid), session.people.my_code, lambda texts: Verdict.NO_CODE
        ),
        "seal": lambda: SecurityDialog(window, "warned", SEAL, STOPPED, lambda: None),
        "no seal": lambda: SecurityDialog(window, "waiting", None, ORDINARY, lambda: None),
    }
    dialog = makers[name]()
    dialog.show()
    check(dialog)
    check_tab(dialog)
    dialog.close()


def test_unlock_and_first_start_have_names_and_roles(qtbot: QtBot) -> None:
    unlock = UnlockView(opens, lambda: opens("x"))
    welcome = WelcomeView(Office())
    for view in (unlock, welcome, UnfinishedView(opens, lambda: opens("x")), UnfinishedView(None, None)):
        qtbot.addWidget(view)
        view.show()
        check(view)
        check_tab(view)
    welcome.setCurrentWidget(welcome.key_page)
    check(welcome)


def test_secrets_are_not_read_aloud(qtbot: QtBot) -> None:
    unlock = UnlockView(opens)
    qtbot.addWidget(unlock)
    assert unlock.field is not None
    assert unlock.field.echoMode() == QLineEdit.EchoMode.Password
