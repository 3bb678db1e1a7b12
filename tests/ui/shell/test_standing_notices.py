# SPDX-License-Identifier: EUPL-1.2
"""What lasts and asks for the person's answer is a notice as long as it lasts: it says what, and why. And what the
entries of a room's log make notices of."""

import pytest

from app.chat.records import MessageSent, ReactionSet, encode
from app.core.enums import Role, RoomState
from app.core.ids import RoomId, Uid
from app.notices.service import NoticeFilter, NoticeRow
from app.notification_settings import NOTIFY_REACTIONS
from app.rooms.nesting import Nesting, RemovedFromParent
from app.session import Session
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import chat_of, notify_keys, propose, receive, stop
from tests.ui.shell.sample import at
from tests.ui.shell.toasts import watched
from tests.ui.shell.tool_views import tool_list
from tests.world import until
from ui.shell.notices.lines import NoticeLines

CASE = "Tillsyn 2026-1184"


def words(session: Session, row: NoticeRow) -> tuple[str, str]:
    line = NoticeLines(session, tool_list(session)).line(row)
    return line.title, line.detail


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (RoomState.FORK, "Servern har visat deltagarna olika historik."),
        (RoomState.ROLLBACK, "Servern har inte kvar det den har bekräftat."),
        (RoomState.RESTORED, "Servern har återställts"),
        (RoomState.WITHHELD, "Servern lämnar inte ut allt"),
        (RoomState.UPDATE_NEEDED, "nyare version"),
        (RoomState.UNREADABLE, "Kansli kan inte följa"),
    ],
)
async def test_a_room_that_stops_is_a_notice_that_says_why(session: Session, state: RoomState, why: str) -> None:
    async with watched(session) as listed:
        stop(session, office().case, state)
        await until(lambda: len(listed("waits")) == 1)
        title, detail = words(session, listed("waits")[0])
        assert title == f"{CASE} har stannat"
        assert why in detail


async def test_what_the_server_refuses_is_a_notice_that_says_why_until_it_is_taken(session: Session) -> None:
    room = session.engine.parts.link.rooms[office().case]
    async with watched(session) as listed:
        chat_of(session).send(office().case, "Ett å 🙂")
        room.block("full")
        session.on_room(office().case)
        await until(lambda: len(listed("waits")) == 1)
        title, detail = words(session, listed("waits")[0])
        assert title == f"Det du har skrivit i {CASE} väntar"
        assert detail
        room.unblock()
        session.on_room(office().case)
        await until(lambda: not listed("waits"))


async def test_a_proposal_and_changed_keys_are_notices(session: Session) -> None:
    async with watched(session) as listed:
        propose(session, office().case, office().head, office().registrar)
        notify_keys(session, office().head, "device-added")
        await until(lambda: bool(listed("keys")))
        await until(lambda: bool(listed("history")))
        assert words(session, listed("history")[0])[0] == f"Ett förslag i {CASE} väntar på dig"
        assert words(session, listed("keys")[0])[0] == "Något har hänt med nycklarna för Enhetschef"


async def test_attack_a_change_in_one_room_reads_no_other_that_has_notices(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start in many rooms with notices would block the event loop if each of them had all others read again."""
    rooms = [row.room for row in session.store.rooms_list.all()]
    read, removed = list[RoomId](), Nesting.removed_from_parent

    def noted(nesting: Nesting, room: RoomId) -> list[RemovedFromParent]:
        read.append(room)
        return removed(nesting, room)

    async with watched(session) as listed:
        for room in rooms[:3]:
            stop(session, room, RoomState.WITHHELD)
        await until(lambda: len(listed("waits")) == 3)
        monkeypatch.setattr(Nesting, "removed_from_parent", noted)
        stop(session, rooms[0], RoomState.UNREADABLE)
        await until(lambda: bool(read))
        belong = [child for child, parent in session.nesting.parents().items() if parent == rooms[0]]
        assert sorted(read) == sorted([rooms[0], *belong])
        assert len(read) < len(rooms)


def test_a_role_that_somebody_gives_me_is_a_notice_that_names_it(session: Session) -> None:
    def give(n: int, by: Uid, subject: Uid, room: RoomId) -> None:
        event = RoomEvent(n=n, t=at(14, 4), kind="role", by=by, subject=subject, role=Role.READER)
        session.store.receive(ReceivedSlice(room=room, events=[event]))

    me, head = office().me.uid, office().head.uid
    give(9001, head, office().registrar.uid, office().case)
    give(9002, me, me, office().case)
    give(9003, head, me, office().case)
    (row,) = session.notices.list(NoticeFilter(kinds=frozenset({"role"})))
    assert words(session, row) == (f"Din roll i {CASE} är nu läsare", "av Enhetschef")


def test_a_reaction_to_mine_is_listed_only_if_the_person_wants_that(session: Session) -> None:
    case, me, head = office().case, office().me, office().head
    obj = chat_of(session).channel(case)
    assert obj is not None
    receive(session, case, me, encode(MessageSent(text="Mitt förslag å")), obj=obj)
    timeline = chat_of(session).timeline(case)
    mine = timeline.message(len(timeline) - 1)
    assert mine.author == me.uid
    receive(session, case, head, encode(ReactionSet(target=mine.change_id, emoji="👍", on=True)), obj=obj)

    def listed() -> list[tuple[str, str]]:
        return [words(session, row) for row in session.notices.list() if row.kind == "reaction"]

    assert listed() == [], "off by default"
    session.settings.set(NOTIFY_REACTIONS, True)
    assert listed() == [(f"1 reaktion på ditt meddelande i {CASE}", "Mitt förslag å")]
