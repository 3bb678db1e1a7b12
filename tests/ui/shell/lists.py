# SPDX-License-Identifier: EUPL-1.2
"""The shell's lists, for tests/ui/test_lists_keep_place.py."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QAbstractButton, QCheckBox, QWidget

from app.core.enums import Role, RoomType
from app.core.ids import DevId, Hash, ObjId, RoomId
from app.devices.service import DeviceInfo
from app.people.notices import KeyNotice
from app.personal.records import PersonBlocked
from app.recovery import RecoverySheetState
from app.rooms.pruning import PrunableObject, PrunePlan
from app.rooms.service import EndedMember, HistoryProposal
from app.rooms.succession import Standing, Successor
from app.store.rows import SearchHit
from app.tasks.service import TaskRow
from app.unlocking import SlotKind
from sync.client.ports import RoomEvent
from tests.ui.lists import FEW, MANY, Rows, Shown, named, number, painted, person, rows_of
from tests.ui.shell.fake_session import FakeSession, tool_list
from tests.ui.shell.kept_account import account_session
from tests.ui.shell.sample import CASE, HEAD, ME, NOW, at, listed, member, summary
from tests.ui.shell.unlock_methods import UnlockMethods
from ui.kit.buttons import TextButton
from ui.shell.home.action_row import ActionRow
from ui.shell.home.home_page import Home
from ui.shell.room.ended_card import EndedCard
from ui.shell.room.history_card import HistoryCard
from ui.shell.room.key_notices import NoticeCard
from ui.shell.room.member_dialogs import PersonSearch, person_row
from ui.shell.room.member_row import MemberRow
from ui.shell.room.people_panel import ObjectRow, PeoplePanel
from ui.shell.room.prune_dialog import PlanRow, PruneDialog
from ui.shell.room.succession_bar import SuccessionBar
from ui.shell.rows import Row
from ui.shell.settings.device_row import DeviceRow
from ui.shell.settings.devices_card import DevicesCard
from ui.shell.settings.invitations_card import BlockedRow, InvitationsCard
from ui.shell.settings.keys_card import KeysCard
from ui.shell.settings.owned_card import OwnedCard, OwnedRow
from ui.shell.window.palette import Choice, Palette
from ui.shell.window.room_list import RoomList
from ui.shell.window.search_view import SearchView
from ui.tasks.my_tasks import MyTasks, TaskCheck


def devices(folder: Path) -> Shown:
    session = FakeSession(folder)
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


def _people(folder: Path, put: Callable[[FakeSession, Rows], None], kind: type[QWidget], inside: type[QWidget] | None,
            keys: tuple[str, ...] = MANY) -> Shown:  # fmt: skip
    session = FakeSession(folder)
    panel = PeoplePanel(session, tool_list(session))
    panel.set_room(CASE)

    def show(rows: Rows) -> None:
        put(session, rows)
        panel.refresh()

    return rows_of(panel, show, kind, inside, keys)


def members(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.people[CASE] = [member(person(key, text), Role.WRITER) for key, text in rows.items()]

    return _people(folder, put, MemberRow, None)


def ended_members(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.over = [EndedMember(person=person(key, text), t_ms=at(9, 0)) for key, text in rows.items()]

    return _people(folder, put, EndedCard, None)


def proposals(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.proposals = [
            HistoryProposal(ident=Hash(number(key, 32)), subject=person(key, text), by=ME, approved=False, refusal=None)
            for key, text in rows.items()
        ]

    return _people(folder, put, HistoryCard, TextButton)


def changed_objects(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.objects = lambda room: [  # type: ignore[method-assign]
            listed(obj=ObjId(number(key)), room=CASE, kind="document", title=text, updated_ms=9, by=ME.uid)
            for key, text in rows.items()
        ]

    return _people(folder, put, ObjectRow, None, FEW)


def _home(folder: Path, put: Callable[[FakeSession, Rows], None], kind: type[QWidget], inside: type[QWidget] | None,
          keys: tuple[str, ...] = MANY) -> Shown:  # fmt: skip
    session = FakeSession(folder)
    session.tasks.rows = []
    session.rooms.recent = lambda limit: []  # type: ignore[method-assign]
    home = Home(session, tool_list(session), lambda: NOW)

    def show(rows: Rows) -> None:
        put(session, rows)
        home.refresh()

    return rows_of(home, show, kind, inside, keys)


def home_answers(folder: Path) -> Shown:
    """Rooms that a colleague has added the person to."""

    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.list = [summary(RoomId(number(key)), text, RoomType.CASE) for key, text in rows.items()]
        session.rooms.events = lambda room: [  # type: ignore[method-assign]
            RoomEvent(n=7, t=at(9, 0), kind="add", by=HEAD.uid, subject=ME.uid)
        ]

    return _home(folder, put, ActionRow, None)


def home_notices(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        for key, text in rows.items():
            session.people.all[person(key, text).uid] = person(key, text)
        session.people.notified = [
            KeyNotice(uid=person(key, text).uid, kind="device-added", t=at(9, 0)) for key, text in rows.items()
        ]

    return _home(folder, put, NoticeCard, QAbstractButton)


def home_recent(folder: Path) -> Shown:
    def put(session: FakeSession, rows: Rows) -> None:
        session.rooms.recent = lambda limit: [  # type: ignore[method-assign]
            listed(obj=ObjId(number(key)), room=CASE, kind="document", title=text, updated_ms=at(9, 0))
            for key, text in rows.items()
        ]

    return _home(folder, put, ActionRow, None, FEW)


def _put_tasks(session: FakeSession, rows: Rows) -> None:
    session.tasks.rows = [
        TaskRow(room=CASE, obj=ObjId(bytes(16)), card=key, title=text, column="", assignee=ME.uid, due=None,
                done=False, labels=(), checked=0, check_items=0)
        for key, text in rows.items()
    ]  # fmt: skip


def home_tasks(folder: Path) -> Shown:
    return _home(folder, _put_tasks, TaskCheck, QCheckBox, MANY[:7])


def my_tasks(folder: Path) -> Shown:
    session = FakeSession(folder)
    view = tool_list(session).sections[0].make()
    assert isinstance(view, MyTasks)

    def show(rows: Rows) -> None:
        _put_tasks(session, rows)
        view.refresh()

    return rows_of(view, show, TaskCheck, QCheckBox)


def prune_plan(folder: Path) -> Shown:
    dialog = PruneDialog(
        None,
        account_session(folder, RecoverySheetState.STANDS).pruning,
        tool_list(FakeSession(folder)),
        CASE,
        PrunePlan(refusal=None, ready=(), lacking=(), newcomers=()),
    )

    def show(rows: Rows) -> None:
        found = tuple(
            PrunableObject(obj=ObjId(number(key)), kind="document", title=text, items=9, size_bytes=9)
            for key, text in rows.items()
        )
        dialog._show(PrunePlan(refusal=None, ready=found, lacking=(), newcomers=()))

    return rows_of(dialog, show, PlanRow, None, FEW)


def blocked(folder: Path) -> Shown:
    session = FakeSession(folder)
    card = InvitationsCard(session)

    def show(rows: Rows) -> None:
        found = {person(key, text).uid: person(key, text) for key, text in rows.items()}
        session.people.all |= found
        before = {each.uid for each in session.invitations.blocked()}
        session.personal.write(*(PersonBlocked(uid=uid, on=uid in found) for uid in before ^ found.keys()))
        card.refresh()

    return rows_of(card, show, BlockedRow, QAbstractButton)


def owned_rooms(folder: Path) -> Shown:
    session = FakeSession(folder)
    card = OwnedCard(session.rooms)

    def show(rows: Rows) -> None:
        found = [summary(RoomId(number(key)), text, RoomType.CASE) for key, text in rows.items()]
        session.rooms.only_mine = lambda: found  # type: ignore[method-assign]
        card.refresh()

    return rows_of(card, show, OwnedRow)


def successors(folder: Path) -> Shown:
    session = FakeSession(folder)
    bar = SuccessionBar(session, tool_list(session), CASE)

    def show(rows: Rows) -> None:
        known = [summary(RoomId(number(key)), text, RoomType.CASE) for key, text in rows.items()]
        session.rooms.list = [*(room for room in session.rooms.list if room.room == CASE), *known]
        session.succession.standings[CASE] = Standing(
            origin=None, believed=False, successors=tuple(Successor(room=room.room, by=ME.uid) for room in known),
            refusal="replaced", evidence=(), head=None,
        )  # fmt: skip
        bar.refresh()

    def held(key: str) -> QWidget:
        found = bar._buttons.row(RoomId(number(key)))
        assert found is not None
        return found

    return Shown(bar, show, held, FEW)


def room_list(folder: Path) -> Shown:
    session = FakeSession(folder)
    view = RoomList(session.rooms, session.invitations)

    def show(rows: Rows) -> None:
        session.rooms.people |= {RoomId(number(key)): [] for key in rows}
        session.rooms.list = [summary(RoomId(number(key)), text, RoomType.CASE) for key, text in rows.items()]
        view.refresh()

    return painted(view, show, view.list, MANY)


def search_results(folder: Path) -> Shown:
    session = FakeSession(folder)
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


def found_people(folder: Path) -> Shown:
    search = PersonSearch(FakeSession(folder).people, set())

    def show(rows: Rows) -> None:
        search.list.rows.set_rows([person_row(person(key, text)) for key, text in rows.items()])

    return painted(search, show, search.list, MANY)


LISTS = {
    "ui/shell/settings/devices_card.py": devices,
    "ui/shell/settings/keys_card.py": keys,
    "ui/shell/room/people_panel.py: members": members,
    "ui/shell/room/people_panel.py: ended": ended_members,
    "ui/shell/room/people_panel.py: proposals": proposals,
    "ui/shell/room/people_panel.py: objects": changed_objects,
    "ui/shell/home/home_page.py: answers": home_answers,
    "ui/shell/home/home_page.py: notices": home_notices,
    "ui/shell/home/home_page.py: recent": home_recent,
    "ui/tasks/home_card.py": home_tasks,
    "ui/tasks/my_tasks.py": my_tasks,
    "ui/shell/room/prune_dialog.py": prune_plan,
    "ui/shell/settings/invitations_card.py": blocked,
    "ui/shell/settings/owned_card.py": owned_rooms,
    "ui/shell/room/succession_bar.py": successors,
    "ui/shell/window/room_list.py": room_list,
    "ui/shell/window/search_view.py": search_results,
    "ui/shell/window/palette.py": palette,
    "ui/shell/room/member_dialogs.py": found_people,
}
