# SPDX-License-Identifier: EUPL-1.2
"""A case room and its restricted room are linked again after the link was ended: by menu, by palette, and by halves."""

import pytest
import pytest_asyncio

from app.core.enums import Role, RoomType
from app.core.ids import RoomId
from app.errors import Forbidden
from app.rooms.records import ChildLinked, ParentLinked
from app.session import Session
from tests.ui.finding import toast_of
from tests.ui.shell.in_window import room, texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import join, set_role
from tests.ui.shell.restricted_room import TITLE, record, restricted_room
from tests.ui.shell.sample import at
from tests.ui.shell.test_people import dialog
from tests.ui.shell.test_room_sections import choose, menu
from tests.ui.soon import caught_up
from tests.ui.walking import check
from tests.world import until
from ui.shell.room.restricted_dialogs import LinkRoomDialog
from ui.shell.window.main_window import MainWindow


@pytest_asyncio.fixture
async def child(session: Session) -> RoomId:
    """A restricted room of this person's in the case room."""
    return restricted_room(session)


async def test_rooms_are_linked_again_by_the_rooms_menu_and_the_palette(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    window.go_section("rooms")
    command = next(each for each in window.commands.all if each.id == "link-room")
    window.open_room(child)
    assert not command.enabled(), "it belongs to the case room now"
    session.nesting.end(child)
    assert command.enabled()
    caught_up(window)
    assert "Hör till" not in texts(room(window).panel)
    choose(menu(window, child), "Koppla till ärenderummet …")
    asked = await dialog()
    assert isinstance(asked, LinkRoomDialog)
    check(asked)
    assert [asked.list.item(n).text() for n in range(asked.list.count())] == ["Tillsyn 2026-1184"]
    asked.accept()
    await until(lambda: session.nesting.parents() == {child: office().case})
    await until(lambda: toast_of(window).text() == f"{TITLE} hör till Tillsyn 2026-1184")
    toast_of(window).undo.click()
    assert session.nesting.parents() == {}
    command.run()
    asked = await dialog()
    asked.accept()
    await until(lambda: session.nesting.parents() == {child: office().case})


async def test_a_person_with_a_right_in_one_of_the_rooms_makes_half_of_a_link(
    window: MainWindow, session: Session, child: RoomId
) -> None:
    case = office().case
    session.nesting.end(child)
    set_role(session, case, (office().me, Role.WRITER))
    window.restricted.link(child)
    asked = await dialog()
    asked.accept()
    half = f"Din del av kopplingen mellan {TITLE} och Tillsyn 2026-1184 är sparad."
    await until(lambda: toast_of(window).text().startswith(half))
    assert session.nesting.parents() == {}
    assert session.nesting.former_parents(child) == [], "this person has made their half"
    with pytest.raises(Forbidden):
        session.nesting.link_again(child, case)
    set_role(session, case, (office().me, Role.ADMIN))
    set_role(session, child, (office().me, Role.WRITER))
    assert [room.room for room in session.nesting.former_parents(child)] == [case]
    take_back = session.nesting.link_again(child, case)
    assert session.nesting.parents() == {child: case}
    take_back()
    assert session.nesting.parents() == {}


async def test_no_link_is_offered_to_a_room_that_belongs_to_another_or_has_rooms_of_its_own(
    session: Session, child: RoomId
) -> None:
    case, me = office().case, office().me
    session.nesting.end(child)
    other = join(session, me, "Ett annat ärende å", RoomType.CASE, t_ms=at(9, 0))
    record(session, case, me, ParentLinked(room=other))
    assert session.nesting.former_parents(child) == [], "there is one level"
    record(session, case, me, ParentLinked())
    assert [room.room for room in session.nesting.former_parents(child)] == [case]
    record(session, other, me, ParentLinked(room=child))
    record(session, child, me, ChildLinked(room=other, on=True))
    assert session.nesting.former_parents(child) == []
