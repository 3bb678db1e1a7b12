# SPDX-License-Identifier: EUPL-1.2
"""The shell's lists of the whole office, for tests/ui/test_lists_keep_place.py. Those of one room are in
lists_of_a_room.py."""

from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton, QCheckBox, QWidget

from app.core import clock
from app.core.enums import Role
from app.core.ids import DevId, ObjId, RoomId
from app.devices.service import DeviceInfo
from app.notices.kinds import WAITS
from app.notices.service import NoticeFilter
from app.objects.links import ObjectLink
from app.personal.records import PersonBlocked
from app.session import Session
from app.store.notice_rows import Notice
from app.store.rows import SearchHit
from app.tasks.tool import TOOL as TASKS
from app.unlocking import SlotKind
from tests.ui.lists import FEW, MANY, Rows, Shown, named, number, painted, person, rows_of
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session, set_role
from tests.ui.shell.rows_stored import name_people, put_documents, put_rooms
from tests.ui.shell.sample import CASE, at
from tests.ui.shell.tool_views import tool_list
from tests.ui.shell.unlock_methods import UnlockMethods
from ui.shell.home.action_row import ActionRow
from ui.shell.home.home_page import Home
from ui.shell.notices.activity_page import Activity
from ui.shell.notices.lines import NoticeLines
from ui.shell.notices.notice_card import NoticeCardRow
from ui.shell.notices.planned import PlannedRow
from ui.shell.room.key_notices import NoticeCard
from ui.shell.room.restricted import RestrictedRooms
from ui.shell.rows import Row
from ui.shell.settings.device_row import DeviceRow
from ui.shell.settings.devices_card import DevicesCard
from ui.shell.settings.invitations_card import BlockedRow, InvitationsCard
from ui.shell.settings.keys_card import KeysCard
from ui.shell.settings.owned_card import OwnedCard, OwnedRow
from ui.shell.window.palette import Choice, Palette
from ui.shell.window.room_list import RoomList
from ui.shell.window.search_view import SearchView
from ui.tasks.my_tasks import TaskCheck
from ui.tasks.task_pages import TaskPages


def devices(folder: Path) -> Shown:
    session = open_session(folder)
    card = DevicesCard(session.devices, session.unsent, lambda: "", lambda room: "")

    def show(rows: Rows) -> None:
        found = [_device(key, text) for key, text in rows.items()]
        session.devices.all = lambda: found  # type: ignore[method-assign]
        session.devices.changed.emit()

    return rows_of(card, show, DeviceRow, QAbstractButton)


def _device(key: str, name: str) -> DeviceInfo:
    return DeviceInfo(dev=DevId(number(key)), name=name, system="", version="", added=at(9, 0), last_seen=None,
                      alive=None, mine=False, revoked=False, revocable=True, by="")  # fmt: skip


def keys(folder: Path) -> Shown:
    """The two unlock methods: the second one comes and goes."""
    methods = UnlockMethods(folder)
    methods.add(SlotKind.PASSPHRASE)
    card = KeysCard(methods.unlocking)

    def show(rows: Rows) -> None:
        other = rows.get("keyring")
        methods.remove(SlotKind.KEYRING)
        if other == "keyring":
            methods.add(SlotKind.KEYRING)
        methods.forbid(SlotKind.KEYRING if other not in (None, "keyring") else None)
        card.refresh()

    def held(_key: str) -> QWidget:
        return named(card, QAbstractButton, "Byt lösenfras")

    return Shown(card, show, held, ("keyring", "passphrase", "passphrase"))


def _home(folder: Path, put: Callable[[Session, Rows], None], kind: type[QWidget], inside: type[QWidget] | None,
          keys: tuple[str, ...] = MANY) -> Shown:  # fmt: skip
    session = open_session(folder)
    tools = tool_list(session)
    home = Home(session, tools, NoticeLines(session, tools))

    def show(rows: Rows) -> None:
        put(session, rows)
        home.refresh()

    return rows_of(home, show, kind, inside, keys)


def home_answers(folder: Path) -> Shown:
    """Rooms that have stopped: each waits for the person."""
    session = open_session(folder)
    tools = tool_list(session)
    home = Home(session, tools, NoticeLines(session, tools))
    keys = MANY[:7]

    def show(rows: Rows) -> None:
        put_rooms(session, rows, by=office().head)
        wanted = [
            Notice(kind=WAITS, room=RoomId(number(key)), obj=ObjId(number(key)), key=b"fork", t=at(14, 30 - n),
                   detail="fork")
            for n, key in enumerate(keys) if key in rows
        ]  # fmt: skip
        session.store.notices.end(session.store.notices.standing([WAITS]))
        session.store.notices.put(wanted)
        home.refresh()

    return rows_of(home, show, NoticeCardRow, QAbstractButton, keys)


def activity(folder: Path) -> Shown:
    """Rooms that have stopped, in the list of all notices."""
    session = open_session(folder)
    lines = NoticeLines(session, tool_list(session))
    page = Activity(session, lines)
    page.list.show_only(NoticeFilter(kinds=frozenset({WAITS.id})))

    def show(rows: Rows) -> None:
        put_rooms(session, rows, by=office().head)
        made = {key: Notice(kind=WAITS, room=RoomId(number(key)), obj=ObjId(number(key)), key=b"fork",
                            t=at(14, 30 - n), detail="fork") for n, key in enumerate(MANY)}  # fmt: skip
        gone = [notice.id for key, notice in made.items() if key not in rows]
        session.store.notices.put([notice for key, notice in made.items() if key in rows])
        with session.store.db.transaction() as conn:
            conn.executemany("UPDATE notices SET hidden = 1 WHERE id = ?", [(ident,) for ident in gone])
            conn.executemany("UPDATE notices SET hidden = 0 WHERE id = ?",
                             [(made[key].id,) for key in rows])  # fmt: skip
        page.list.refresh()  # also while the page is hidden
        page.refresh()

    return painted(page, show, page.list, MANY)


def home_notices(folder: Path) -> Shown:
    def put(session: Session, rows: Rows) -> None:
        name_people(session, rows)
        notices = session.store.key_notices
        for key in rows:
            restore = clock.set_clock(partial(at, 9, MANY.index(key)))
            notices.put(person(key, "").uid, "device-added")
            restore()
        there = {person(key, "").uid for key in rows}
        notices.dismiss(row.id for row in notices.open() if row.uid not in there)
        session.key_watch._emit_changed()

    return _home(folder, put, NoticeCard, QAbstractButton)


def home_recent(folder: Path) -> Shown:
    return _home(folder, partial(put_documents, opened=True), ActionRow, None, FEW)


def _put_tasks(session: Session, rows: Rows) -> None:
    """The cards of this person's in the case room, by their ids."""
    board = session.service(TASKS).board(office().case)
    for n, key in enumerate(MANY):
        card = board.card(key)
        if key not in rows:
            if card is not None:
                board.archive_card(key)
        elif card is None:
            board.add_card(board.columns()[0].id, rows[key], assignee=office().me.uid, due=date(2026, 1, 1 + n),
                           card_id=key)  # fmt: skip
        else:
            board.archive_card(key, False)
            board.edit_card(key, title=rows[key])


def home_tasks(folder: Path) -> Shown:
    return _home(folder, _put_tasks, TaskCheck, QCheckBox, MANY[:7])


def my_tasks(folder: Path) -> Shown:
    session = open_session(folder)
    pages = tool_list(session).sections[0].make()
    assert isinstance(pages, TaskPages)

    def show(rows: Rows) -> None:
        _put_tasks(session, rows)
        pages.mine.refresh()

    return rows_of(pages, show, TaskCheck, QCheckBox)


def blocked(folder: Path) -> Shown:
    session = open_session(folder)
    card = InvitationsCard(session)

    def show(rows: Rows) -> None:
        name_people(session, rows)
        found = {person(key, "").uid for key in rows}
        before = {each.uid for each in session.invitations.blocked()}
        session.personal.write(*(PersonBlocked(uid=uid, on=uid in found) for uid in before ^ found))
        card.refresh()

    return rows_of(card, show, BlockedRow, QAbstractButton)


def owned_rooms(folder: Path) -> Shown:
    session = open_session(folder)
    card = OwnedCard(session.rooms)

    def show(rows: Rows) -> None:
        put_rooms(session, rows)
        for key in MANY:
            if session.store.rooms_list.get(RoomId(number(key))) is not None:
                role = Role.WRITER if key in rows else Role.OWNER
                set_role(session, RoomId(number(key)), (office().head, role))
        card.refresh()

    return rows_of(card, show, OwnedRow)


def room_list(folder: Path) -> Shown:
    session = open_session(folder)
    view = RoomList(
        session.rooms,
        session.nesting,
        session.invitations,
        session.presence,
        session.room_order,
        lambda room: None,
        RestrictedRooms(QWidget(), session, lambda room: None),
    )

    def show(rows: Rows) -> None:
        put_rooms(session, rows)
        with session.store.db.transaction() as conn:
            conn.executemany("UPDATE rooms SET title = '' WHERE room = ?",
                             [(RoomId(number(key)),) for key in MANY if key not in rows])  # fmt: skip
        view.refresh()

    return painted(view, show, view.list, MANY)


def search_results(folder: Path) -> Shown:
    session = open_session(folder)
    view = SearchView(session, tool_list(session))

    def show(rows: Rows) -> None:
        hits = [
            SearchHit(room=CASE, obj=ObjId(number(key)), kind="document", ref=b"", title=text, snippet="", t=9, rank=0)
            for key, text in rows.items()
        ]
        view._show("å", hits)

    return painted(view, show, view.list, MANY)


class _Offered:
    """A palette's source."""

    def __init__(self) -> None:
        self.rows: Rows = {}

    def at_once(self, query: str, places: object) -> list[tuple[str, list[Choice]]]:
        return [("Rum", [Choice(row=Row(key=key, title=text), run=lambda: None) for key, text in self.rows.items()])]

    async def places(self, query: str) -> list[Choice]:
        return []


def palette(folder: Path) -> Shown:
    host, source = QWidget(), _Offered()
    host.resize(800, 420)
    made = Palette(host, source)

    def show(rows: Rows) -> None:
        source.rows = rows
        if not made.isVisible():
            made.open()
        made._stepped = True
        made._on_places("", [])

    return painted(host, show, made.list, MANY)


def home_reminders(folder: Path) -> Shown:
    """Reminders of documents."""
    session = open_session(folder)
    tools = tool_list(session)
    home = Home(session, tools, NoticeLines(session, tools))
    keys = MANY[:4]

    def show(rows: Rows) -> None:
        put_documents(session, rows)
        for n, key in enumerate(keys):
            link = ObjectLink(room=office().case, obj=ObjId(number(key)), kind="document")
            row = session.reminders.at(link)
            if key in rows and row is None:
                session.reminders.remind(link, at(16, n))
            elif key not in rows and row is not None:
                session.reminders.remove(row.id)
        home.refresh()

    return rows_of(home, show, PlannedRow, QAbstractButton, keys)


LISTS = {
    "ui/shell/settings/devices_card.py": devices,
    "ui/shell/settings/keys_card.py": keys,
    "ui/shell/notices/answers.py": home_answers,
    "ui/shell/notices/notice_list.py": activity,
    "ui/shell/notices/planned.py": home_reminders,
    "ui/shell/home/home_page.py: notices": home_notices,
    "ui/shell/home/home_page.py: recent": home_recent,
    "ui/tasks/home_card.py": home_tasks,
    "ui/tasks/my_tasks.py": my_tasks,
    "ui/shell/settings/invitations_card.py": blocked,
    "ui/shell/settings/owned_card.py": owned_rooms,
    "ui/shell/window/room_list.py": room_list,
    "ui/shell/window/search_view.py": search_results,
    "ui/shell/window/palette.py": palette,
}
