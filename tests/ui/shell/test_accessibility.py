# SPDX-License-Identifier: EUPL-1.2
"""Every focusable control of every view has a name and a role, and Tab reaches and leaves everything."""

import inspect
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit
from pytestqt.qtbot import QtBot

from app.core.enums import Role, RoomState
from app.passphrases import PassphraseRules
from app.people.codes import Verdict
from app.session import Session
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import continue_room, notify_keys, propose, reread, stop
from tests.ui.shell.sample import ORDINARY, SEAL, at
from tests.ui.shell.test_gate import Office, opens
from tests.ui.shell.test_recovery import ASKED
from tests.ui.shell.test_succession import STOPPED, stopped
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.entry.unfinished_enrolment import UnfinishedView
from ui.shell.entry.unlock import UnlockView
from ui.shell.entry.welcome import WelcomeView
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.security_dialog import SecurityDialog
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog
from ui.shell.room.verify_dialog import VerifyDialog
from ui.shell.settings.passphrase_dialog import PassphraseDialog
from ui.shell.window.main_window import MainWindow
from ui.shell.window.navigation import Place


def session_of(window: MainWindow) -> Session:
    assert isinstance(window.session, Session)
    return window.session


def divided(window: MainWindow) -> None:
    """A divided room whose bar has all its buttons, and a proposal beside its members."""
    session = session_of(window)
    propose(session, office().case, office().head, office().registrar)
    stopped(session)
    window.open_room(office().case)


def restored(window: MainWindow) -> None:
    """A room that the server, restored from a backup, is given back; what is kept against it can be shown."""
    stopped(session_of(window), RoomState.RESTORED)
    window.open_room(office().case)


def older_history(window: MainWindow) -> None:
    """A long room whose older history is still being read."""
    reread(session_of(window), office().case, 37, 100)
    window.open_room(office().case)


def asked(window: MainWindow) -> None:
    """Somebody asks for something with the person's recovery sheet."""
    session = session_of(window)
    session.engine.recovery_sheet.replace_attempts([ASKED])
    session.status_changed.emit()


def nothing(window: MainWindow) -> None:
    """No room is open: none is there."""
    session = session_of(window)
    with session.store.db.transaction() as conn:
        conn.execute("UPDATE rooms SET title = ''")  # such rooms are not listed yet
    session.rooms.changed.emit()
    window.go(Place(section="rooms"))


async def read_only(window: MainWindow) -> None:
    """A room in which one may only read, whose members are shown."""
    session = session_of(window)
    stop(session, office().case, RoomState.FORK)
    continue_room(session, office().case, office().me)
    window.open_room(office().case)


def notified(window: MainWindow, section: str) -> None:
    """Something happened to two people's keys, a warning among them."""
    session = session_of(window)
    notify_keys(session, office().registrar, "reset", t_ms=at(9, 30))
    notify_keys(session, office().head, "device-added")
    if section == "room":
        window.open_room(office().case)
    else:
        window.go_section("home")


VIEWS: dict[str, Callable[[MainWindow], object]] = {
    "keys on home": lambda w: notified(w, "home"),
    "keys in a room": lambda w: notified(w, "room"),
    "home": lambda w: w.go_section("home"),
    "activity": lambda w: w.go(Place(section="home", tab="activity")),
    "rooms": lambda w: w.open_room(office().case),
    "nothing": nothing,
    "read only": read_only,
    "divided": divided,
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
    done = VIEWS[view](window)
    if inspect.isawaitable(done):
        await done
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
        "activity",
        "rooms",
        "nothing",
        "read only",
        "divided",
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
def test_every_control_of_the_dialogs_has_a_name_and_a_role(window: MainWindow, session: Session, name: str) -> None:
    makers: dict[str, Callable[[], QDialog]] = {
        "new": lambda: NewRoomDialog(window, window.tools.things(), session.rooms.create),
        "add": lambda: AddMemberDialog(
            window,
            session.people,
            set(),
            Role.OWNER,
            lambda _, person: session.rooms.add(office().case, person.uid, Role.READER, False),
        ),
        "role": lambda: RoleDialog(
            window,
            office().head,
            Role.ADMIN,
            Role.OWNER,
            lambda role: session.rooms.set_role(office().case, office().head.uid, role),
        ),
        "successor": lambda: SuccessorDialog(
            window, session.succession.plan(office().case), "fork", window.tools.things()
        ),
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
            window,
            office().head,
            session.people.safety_number(office().head.uid),
            session.people.my_code,
            lambda texts: Verdict.NO_CODE,
        ),
        "seal": lambda: SecurityDialog(window, "warned", SEAL, STOPPED, window.tools.contents, lambda: None),
        "no seal": lambda: SecurityDialog(window, "waiting", None, ORDINARY, window.tools.contents, lambda: None),
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
