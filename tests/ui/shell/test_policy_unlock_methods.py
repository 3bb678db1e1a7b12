# SPDX-License-Identifier: EUPL-1.2
"""First start and unlocking where policy decides: which servers and unlock methods, and how long without the server."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.core import clock
from app.core.enums import LinkState
from app.errors import WrongPassphrase
from app.passphrases import PassphraseRules
from app.session import Session
from app.setting import host_port
from app.unlocking import Proof, SlotKind
from tests.ui.shell.kept_account import REVOKED
from tests.ui.shell.opened_office import open_account, open_session, show_status
from tests.ui.shell.test_gate import PHRASE, Office
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.shell.entry.key_choice import KeyChoice
from ui.shell.entry.new_unlock_method import NewUnlockMethodView
from ui.shell.entry.second_device import JoinPages
from ui.shell.entry.server_field import ServerField
from ui.shell.entry.welcome import WelcomeView
from ui.shell.window.away import AwayView, watch

ONE = ("kansli.myndighet.example",)
TWO = ("https://kansli.myndighet.example/", "reserv.myndighet.example:8443")
MANAGED = "Hanteras av din organisation"


def shown(view: QWidget) -> list[str]:
    return [x.text() for x in view.findChildren(QLabel) if x.isVisible()]


def fields(view: QWidget) -> list[str]:
    """The lines that one could type in now."""
    return [x.accessibleName() for x in view.findChildren(QLineEdit) if x.isVisible() and x.isEnabled()]


def start(qtbot: QtBot, *, server: str = "", servers: Sequence[str] = ()) -> WelcomeView:
    view = WelcomeView(Office(), server=server, servers=servers)
    qtbot.addWidget(view)
    view.show()
    return view


# -- servers ----------------------------------------------------------------------------------------------------------


def test_the_one_server_of_policy_is_shown_and_not_typed(qtbot: QtBot) -> None:
    view = start(qtbot, server="left.from.before.example", servers=ONE)
    assert fields(view) == ["Aktiveringskod"]
    assert {ONE[0], MANAGED} <= set(shown(view))
    assert view.server.text() == ONE[0]
    view.code.setText("ABCD-EFGH")
    assert view.next.isEnabled()
    check(view)
    check_tab(view)


def test_several_servers_of_policy_are_a_choice(qtbot: QtBot) -> None:
    view = start(qtbot, servers=TWO)
    (box,) = view.code_page.findChildren(QComboBox)
    assert [box.itemText(i) for i in range(box.count())] == [ONE[0], TWO[1]]
    assert view.server.text() == ONE[0]
    box.setCurrentIndex(1)
    assert view.server.text() == TWO[1]
    assert fields(view) == ["Aktiveringskod"]
    check(view)


def test_a_link_for_a_server_of_policy_leaves_nothing_to_type(qtbot: QtBot) -> None:
    view = start(qtbot, server=f"kansli://enrol?server={TWO[1]}&code=ABCD-EFGH", servers=TWO)
    assert (view.server.text(), view.code.text()) == (TWO[1], "ABCD-EFGH")
    assert view.next.isEnabled()
    assert not view.code_page.error.isVisible()


@pytest.mark.parametrize("servers", [ONE, TWO])
@pytest.mark.parametrize("pasted", [False, True])
def test_a_link_for_another_server_is_refused(qtbot: QtBot, servers: Sequence[str], pasted: bool) -> None:
    link = "kansli://enrol?server=evil.example&code=ABCD-EFGH"
    view = start(qtbot, server="" if pasted else link, servers=servers)
    if pasted:
        view.code.setText(link)
    assert view.server.text() == ONE[0]
    assert view.code.text() == ""
    assert "server-not-allowed" in view.code_page.error.text()
    assert not view.next.isEnabled()


def test_without_a_policy_a_link_may_be_put_into_either_field(qtbot: QtBot) -> None:
    view = start(qtbot)
    view.code.setText("kansli://enrol?server=kansli.myndighet.example&code=ABCD-EFGH")
    assert (view.server.text(), view.code.text()) == (ONE[0], "ABCD-EFGH")
    assert len(fields(view)) == 2


def test_another_computer_joins_by_the_same_servers(qtbot: QtBot) -> None:
    pages = JoinPages(Office(), ONE)
    qtbot.addWidget(pages)
    pages.show()
    pages.start(ONE[0])
    assert "Serveradress" not in fields(pages)
    assert pages.server.text() == ONE[0]
    pages.code.setText("kansli://join?server=evil.example&code=ABCD-EFGH-JKMN")
    assert pages.code.text() == ""
    assert "server-not-allowed" in pages.where_page.error.text()
    pages.code.setText(f"kansli://join?server={ONE[0]}&code=ABCD-EFGH-JKMN")
    assert pages.code.text() == "ABCD-EFGH-JKMN"


def test_the_server_that_is_known_is_chosen_however_it_was_written(qtbot: QtBot) -> None:
    field = ServerField("Server", TWO)
    qtbot.addWidget(field)
    assert field.setText("https://RESERV.myndighet.example:8443/")
    assert field.text() == TWO[1]
    assert not field.setText("")
    assert field.text() == TWO[1]
    assert not field.to_fill


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("kansli.example", "kansli.example:443"),
        ("https://Kansli.Example/", "kansli.example:443"),
        ("[::1]:99", "[::1]:99"),
        ("https://[0:0::1]:99/", "[::1]:99"),
        ("a:99999", ""),
        ("[x", ""),
        ("", ""),
    ],
)
def test_a_server_has_one_name(written: str, name: str) -> None:
    assert host_port(written) == name


# -- ways of unlocking ------------------------------------------------------------------------------------------------


class Allowing(Office):
    """A computer on which policy allows some ways."""

    def __init__(self, *kinds: str, keyring: bool = True) -> None:
        super().__init__(keyring=keyring and "keyring" in kinds)
        self.kinds = kinds

    def allowed(self, kind: str) -> bool:
        return kind in self.kinds


@pytest.mark.parametrize(
    ("kinds", "keyring", "offered", "ready"),
    [
        (("keyring", "passphrase"), True, (True, True), True),
        (("passphrase",), True, (False, True), False),
        (("keyring",), True, (True, False), True),
        (("keyring",), False, (False, False), False),
    ],
)
def test_a_new_store_is_unlocked_only_as_policy_allows(
    qtbot: QtBot, kinds: tuple[str, ...], keyring: bool, offered: tuple[bool, bool], ready: bool
) -> None:
    choice = KeyChoice(Allowing(*kinds, keyring=keyring))
    qtbot.addWidget(choice)
    choice.show()
    assert (choice.by_keyring.isEnabled(), choice.by_passphrase.isEnabled()) == offered
    assert choice.ready is ready
    assert (MANAGED in shown(choice)) is (len(kinds) < 2)


async def test_a_forbidden_key_store_is_changed_for_a_passphrase(qtbot: QtBot) -> None:
    asked: list[tuple[Proof, str | None]] = []

    async def replace(current: Proof, new: str | None) -> str:
        asked.append((current, new))
        return "session"

    view = NewUnlockMethodView(SlotKind.KEYRING, replace, PassphraseRules())
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert fields(view) == ["Ny lösenfras", "Lösenfrasen en gång till"]
    assert view.new is not None
    assert view.again is not None
    view.new.setText("kort")
    assert not view.go_on.isEnabled()
    view.new.setText(PHRASE)
    view.again.setText(PHRASE)
    check(view)
    check_tab(view)
    view.go_on.click()
    await until(lambda: bool(got))
    assert (asked, got, view.new.text()) == ([(None, PHRASE)], ["session"], "")


async def test_nothing_is_typed_while_the_unlock_method_is_changed(qtbot: QtBot) -> None:
    going_on, asked = asyncio.Event(), [0]

    async def replace(current: Proof, new: str | None) -> str:
        asked[0] += 1
        await going_on.wait()
        return "session"

    view = NewUnlockMethodView(SlotKind.PASSPHRASE, replace, PassphraseRules())
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert view.current is not None
    view.current.setText(PHRASE)
    view.go_on.click()
    await until(lambda: asked == [1])
    assert not view.current.isEnabled()
    assert not view.go_on.isEnabled()
    going_on.set()
    await until(lambda: bool(got))
    assert asked == [1]


async def test_a_forbidden_passphrase_is_entered_once_more(qtbot: QtBot) -> None:
    errors: list[Exception] = [WrongPassphrase()]

    async def replace(current: Proof, new: str | None) -> str:
        if errors:
            raise errors.pop()
        assert (current, new) == (PHRASE, None)
        return "session"

    view = NewUnlockMethodView(SlotKind.PASSPHRASE, replace, PassphraseRules())
    qtbot.addWidget(view)
    view.show()
    got: list[object] = []
    view.unlocked.connect(got.append)
    assert fields(view) == ["Nuvarande lösenfras"]
    assert view.current is not None
    view.current.setText(PHRASE)
    view.go_on.click()
    await until(view.error.isVisible)
    assert "wrong-passphrase" in view.error.text()
    view.go_on.click()
    await until(lambda: bool(got))


# -- too long without the server --------------------------------------------------------------------------------------


OFFLINE_30 = {"offline-days": 30}


def overdue(session: Session, request: pytest.FixtureRequest) -> Session:
    """The session, 40 days after it was connected for the last time; policy allows 30."""
    later = clock.now_ms() + 40 * 86_400_000
    request.addfinalizer(clock.set_clock(lambda: later))
    assert session.overdue
    return session


async def test_nothing_is_shown_before_the_server_has_let_the_device_in(
    qtbot: QtBot, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    session = overdue(open_session(tmp_path, OFFLINE_30), request)
    show_status(session, LinkState.OFFLINE, "unreachable")
    tries: list[bool] = []
    view = AwayView(session, lambda: tries.append(True))
    qtbot.addWidget(view)
    view.show()
    let_in: list[bool] = []
    view.let_in.connect(lambda: let_in.append(True))
    assert "unreachable" in view.error.text()
    assert not any(room.title in text for room in session.rooms.rooms() for text in shown(view))
    assert not view.what.isVisible()
    check(view)
    check_tab(view)
    view.again.click()
    assert tries == [True]
    session.status_changed.emit()
    QApplication.processEvents()
    assert not let_in
    show_status(session, LinkState.ONLINE)
    qtbot.waitUntil(lambda: let_in == [True])


async def test_a_revoked_device_that_is_overdue_can_keep_its_work_and_be_emptied(
    qtbot: QtBot, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    session = overdue(open_account(tmp_path, REVOKED, OFFLINE_30), request)
    view = AwayView(session, lambda: None)
    qtbot.addWidget(view)
    view.show()
    assert view.what.isVisible()
    assert not view.again.isVisible()


async def test_a_window_that_was_open_too_long_without_the_server_is_locked(qtbot: QtBot) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    overdue = [False]
    locked: list[bool] = []
    timer = watch(owner, lambda: overdue[0], lambda: locked.append(True))
    timer.timeout.emit()
    assert locked == []
    overdue[0] = True
    timer.timeout.emit()
    assert locked == [True]
