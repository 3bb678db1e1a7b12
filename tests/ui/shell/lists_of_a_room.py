# SPDX-License-Identifier: EUPL-1.2
"""The lists that the shell shows of one room, for tests/ui/test_lists_keep_place.py."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.core.enums import Role, RoomState
from app.core.ids import Hash, ObjId, RoomId
from app.notices.kinds import LEFT_PARENT
from app.notices.service import NoticeFilter, NoticeState
from app.rooms.pruning import PrunableObject, PrunePlan
from app.rooms.records import ChildLinked, ParentLinked, encode
from app.session import Session
from app.store.notice_rows import Notice
from sync.client.ports import MemberRow as Membership
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from sync.trust.room.room_state import Proposal
from tests.ui.lists import FEW, MANY, Rows, Shown, number, painted, person, rows_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session, receive, stop
from tests.ui.shell.rows_stored import name_people, put_documents, put_rooms
from tests.ui.shell.sample import at
from tests.ui.shell.tool_views import tool_list
from ui.kit.buttons import TextButton
from ui.shell.room.ended_card import EndedCard
from ui.shell.room.events_dialog import EventsDialog
from ui.shell.room.history_card import HistoryCard
from ui.shell.room.member_dialogs import PersonSearch, person_row
from ui.shell.room.member_row import MemberRow
from ui.shell.room.nested_part import NestedRow, QuestionCard
from ui.shell.room.people_panel import ObjectRow, PeoplePanel
from ui.shell.room.prune_dialog import PlanRow, PruneDialog
from ui.shell.room.succession_bar import SuccessionBar


def _people(folder: Path, put: Callable[[Session, Rows], None], kind: type[QWidget], inside: type[QWidget] | None,
            keys: tuple[str, ...] = MANY) -> Shown:  # fmt: skip
    session = open_session(folder)
    panel = PeoplePanel(session, tool_list(session))
    panel.set_room(office().case)

    def show(rows: Rows) -> None:
        put(session, rows)
        panel.refresh()

    return rows_of(panel, show, kind, inside, keys)


def members(folder: Path) -> Shown:
    def put(session: Session, rows: Rows) -> None:
        name_people(session, rows)
        there = [Membership(uid=person(key, "").uid, role=Role.WRITER, since_n=n, history=True) for n, key in
                 enumerate(rows)]  # fmt: skip
        gone = [person(key, "").uid for key in MANY if key not in rows]
        session.store.receive(ReceivedSlice(room=office().case, members=there, gone=gone))

    return _people(folder, put, MemberRow, None)


def ended_members(folder: Path) -> Shown:
    """The list of members whose accounts have ended. A person who joins the room with a new account leaves it."""

    def put(session: Session, rows: Rows) -> None:
        name_people(session, rows)
        ended = [RoomEvent(n=1000 + MANY.index(key), t=at(9, 0), kind="reset", by=office().me.uid,
                           subject=person(key, "").uid) for key in rows]  # fmt: skip
        again = {f"x{key}": key for key in MANY if key not in rows}
        name_people(session, again)
        there = [Membership(uid=person(key, "").uid, role=Role.WRITER, since_n=9, history=True) for key in again]
        gone = [person(f"x{key}", "").uid for key in rows]
        session.store.receive(ReceivedSlice(room=office().case, events=ended, members=there, gone=gone))

    return _people(folder, put, EndedCard, None)


def proposals(folder: Path) -> Shown:
    def put(session: Session, rows: Rows) -> None:
        name_people(session, rows)
        session.engine.parts.link.rooms[office().case].stream.state.proposals = {
            Hash(number(key, 32)): Proposal(what="hist", subject=person(key, "").uid, by=office().head.uid)
            for key in rows
        }

    return _people(folder, put, HistoryCard, TextButton)


def changed_objects(folder: Path) -> Shown:
    return _people(folder, put_documents, ObjectRow, None, FEW)


def questions(folder: Path) -> Shown:
    """Members who were removed from the room that this one belongs to: for each, a notice asks whether they stay."""

    def put(session: Session, rows: Rows) -> None:
        name_people(session, rows)
        room = office().case
        asked = [Notice(kind=LEFT_PARENT, room=room, obj=ObjId(room), key=number(key), ref=person(key, "").uid,
                        t=at(14, 0) - MANY.index(key)) for key in MANY]  # fmt: skip
        kept = session.store.notices
        here = {row.id for row in session.notices.list(NoticeFilter(kinds=frozenset({LEFT_PARENT.id})))}
        kept.put([notice for key, notice in zip(MANY, asked, strict=True) if key in rows and notice.id not in here])
        states = {True: NoticeState.NEW, False: NoticeState.DONE}
        for key, notice in zip(MANY, asked, strict=True):
            kept.mark([notice.id], states[key in rows], None)

    return _people(folder, put, QuestionCard, TextButton, FEW)


def rooms_within(folder: Path) -> Shown:
    def put(session: Session, rows: Rows) -> None:
        put_rooms(session, rows)
        me, case = office().me, office().case
        for key in MANY:
            room = RoomId(number(key))
            if session.store.rooms_list.get(room) is not None:
                said = encode(ParentLinked(room=case if key in rows else None))
                receive(session, room, me, said, obj=ObjId(room))
                receive(session, case, me, encode(ChildLinked(room=room, on=True)), obj=ObjId(case))

    return _people(folder, put, NestedRow, None, FEW)


def prune_plan(folder: Path) -> Shown:
    session = open_session(folder)
    nothing = PrunePlan(refusal=None, ready=(), lacking=(), newcomers=())
    dialog = PruneDialog(None, session.pruning, tool_list(session), office().case, nothing)

    def show(rows: Rows) -> None:
        found = tuple(
            PrunableObject(obj=ObjId(number(key)), kind="document", title=text, items=9, size_bytes=9)
            for key, text in rows.items()
        )
        dialog._show(PrunePlan(refusal=None, ready=found, lacking=(), newcomers=()))

    return rows_of(dialog, show, PlanRow, None, FEW)


def successors(folder: Path) -> Shown:
    session = open_session(folder)
    bar = SuccessionBar(session, tool_list(session), office().case)
    stop(session, office().case, RoomState.FORK)

    def show(rows: Rows) -> None:
        put_rooms(session, rows, session.engine.standing(office().case))
        gone = [(RoomId(number(key)),) for key in MANY if key not in rows]
        with session.store.db.transaction() as conn:
            conn.executemany("DELETE FROM origins WHERE room = ?", gone)
        bar.refresh()

    def held(key: str) -> QWidget:
        found = bar._buttons.row(RoomId(number(key)))
        assert found is not None
        return found

    return Shown(bar, show, held, FEW)


def room_events(folder: Path) -> Shown:
    """What happened in a room, the newest first: people whom a colleague removed. Only insertions at the top happen to
    the open dialog, and other names."""
    session = open_session(folder)
    dialog = EventsDialog(None, session, office().case)

    def show(rows: Rows) -> None:
        name_people(session, rows)
        events = [RoomEvent(n=1000 + len(MANY) - MANY.index(key), t=at(9, 0), kind="rm", by=office().me.uid,
                            subject=person(key, "").uid) for key in rows]  # fmt: skip
        session.store.db.conn.execute("DELETE FROM events WHERE n > 1000")
        session.store.receive(ReceivedSlice(room=office().case, events=events))
        dialog.refresh()

    return painted(dialog, show, dialog.list, MANY)


def found_people(folder: Path) -> Shown:
    search = PersonSearch(open_session(folder).people, set())

    def show(rows: Rows) -> None:
        search.list.rows.set_rows([person_row(person(key, text)) for key, text in rows.items()])

    return painted(search, show, search.list, MANY)


LISTS = {
    "ui/shell/room/people_panel.py: members": members,
    "ui/shell/room/people_panel.py: ended": ended_members,
    "ui/shell/room/people_panel.py: proposals": proposals,
    "ui/shell/room/people_panel.py: objects": changed_objects,
    "ui/shell/room/nested_part.py: questions": questions,
    "ui/shell/room/nested_part.py: rows": rooms_within,
    "ui/shell/room/prune_dialog.py": prune_plan,
    "ui/shell/room/events_dialog.py": room_events,
    "ui/shell/room/succession_bar.py": successors,
    "ui/shell/room/member_dialogs.py": found_people,
}
