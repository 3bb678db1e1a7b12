# SPDX-License-Identifier: EUPL-1.2
"""A room with one owner says so beside its members, and the settings list those of which one is the only owner."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.enums import Role
from app.session import Session
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import set_role
from tests.ui.shell.test_people import panel_of
from tests.ui.soon import caught_up
from tests.world import until
from ui.kit.translate import change_language
from ui.shell.settings.owned_card import OwnedCard, OwnedRow
from ui.shell.window.main_window import MainWindow


@pytest.mark.usefixtures("connected")
async def test_the_only_owner_reads_that_they_are_until_there_is_another(window: MainWindow, session: Session) -> None:
    line = panel_of(window).one_owner
    assert line.isVisible()
    assert line.text().startswith("Du är rummets enda ägare.")
    await session.rooms.set_role(office().case, office().head.uid, Role.OWNER)
    await until(lambda: session.rooms.sole_owner(office().case) is None)
    caught_up(window)
    assert not line.isVisible()


@pytest.mark.usefixtures("connected")
async def test_the_others_read_who_the_only_owner_is(window: MainWindow, session: Session) -> None:
    await session.rooms.set_role(office().case, office().head.uid, Role.OWNER)
    await session.rooms.set_role(office().case, office().me.uid, Role.WRITER)
    await until(lambda: session.rooms.my_role(office().case) is Role.WRITER)
    line = panel_of(window).one_owner
    assert line.text().startswith(f"Rummet har en ägare, {office().head.name}.")
    change_language("en")
    try:
        panel_of(window).refresh()
        assert panel_of(window).one_owner.text().startswith(f"The room has one owner, {office().head.name}.")
    finally:
        change_language("sv")


def test_a_conversation_of_two_says_nothing(window: MainWindow) -> None:
    window.open_room(office().direct_head)
    view = window.current_room()
    assert view is not None
    assert not view.panel.one_owner.isVisible()


def titles(card: OwnedCard) -> list[str]:
    return [row.accessibleName() for row in card.rows.rows]


@pytest.fixture
def card(qtbot: QtBot, session: Session) -> OwnedCard:
    made = OwnedCard(session.rooms)
    qtbot.addWidget(made)
    made.show()
    return made


async def test_the_settings_list_rooms_that_one_owns_alone_and_open_them(
    qtbot: QtBot, card: OwnedCard, session: Session
) -> None:
    owned = [room for room in session.rooms.rooms() if room.type != "direct" and room.room != office().legal]
    expected = [room.title for room in owned]
    assert len(expected) == 4
    assert titles(card) == expected
    first: OwnedRow = card.rows.rows[0]
    first.setFocus()
    with qtbot.waitSignal(card.room_chosen) as chosen:
        QTest.keyClick(first, Qt.Key.Key_Return)
    assert chosen.args == [owned[0].room]
    session.rooms.rename(owned[0].room, "Ärende å 🙂")
    set_role(session, owned[1].room, (office().head, Role.OWNER))
    caught_up(card)
    assert titles(card) == ["Ärende å 🙂", *expected[2:]]
    assert card.rows.rows[0] is first


async def test_a_person_who_owns_no_room_alone_sees_that(card: OwnedCard, session: Session) -> None:
    for room in session.rooms.rooms():
        set_role(session, room.room, (office().head, Role.OWNER))
    caught_up(card)
    assert titles(card) == []
    assert card._about.text() == "Varje rum som du äger och delar har en ägare till."


def test_pressing_one_in_the_settings_shows_the_room(window: MainWindow, session: Session) -> None:
    window.go_section("settings")
    row = window.settings_view.owned.rows.rows[0]
    row.click()
    assert window.navigator.place.room == session.rooms.rooms()[0].room
