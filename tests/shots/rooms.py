# SPDX-License-Identifier: EUPL-1.2
"""Rooms and their members as steps: dialogs, people's keys, and a room's history."""

from functools import partial
from unittest.mock import patch

from PySide6.QtWidgets import QWidget

from app.chat.destroying import Month
from app.chat.tool import TOOL as CHAT
from app.core.clock import now_ms
from app.core.enums import Role
from app.core.ids import ObjId
from app.core.months import begins_ms, month_of
from app.people.person import Person
from app.rooms.pruning import PrunableObject, PrunePlan
from tests.shots import story as told
from tests.shots.scene import Scene, Step, close_menu, dialog
from ui.chat.destroy_dialog import DestroyDialog
from ui.kit import qr
from ui.shell.room.events_dialog import EventsDialog
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.prune_dialog import PruneDialog
from ui.shell.room.security_dialog import SecurityDialog, nested_text
from ui.shell.room.verify_dialog import VerifyDialog

_DAY_MS = 86_400_000


async def new_room(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    return dialog(s, NewRoomDialog(s.window, s.window.tools.things(), s.story.me.rooms.create))


async def add_member(s: Scene) -> QWidget:
    view, me = s.room(told.EMPTY, "chat"), s.story.me
    made = AddMemberDialog(
        s.window,
        me.people,
        {me.people.me.uid},
        Role.OWNER,
        lambda asked, person: me.rooms.add(view.room, person.uid, asked.role, asked.history_all),
    )
    made.search.field.setText("e")
    await made.search.look_for(told.HEAD)
    return dialog(s, made)


async def role(s: Scene) -> QWidget:
    view, me, uid = s.room(told.CASE, "chat"), s.story.me, s.story.uid(s.story.head)
    person, change = me.people.person(uid), partial(me.rooms.set_role, view.room, uid)
    return dialog(s, RoleDialog(s.window, person, Role.ADMIN, Role.OWNER, change))


def _verify(s: Scene, person: Person) -> VerifyDialog:
    people = s.story.me.people
    number = people.safety_number(person.uid)
    return VerifyDialog(s.window, person, number, people.my_code, partial(people.read_code, person.uid))


async def safety_number_differs(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    shown = _verify(s, s.story.me.people.person(s.story.uid(s.story.head)))
    theirs = s.story.uid(s.story.head)
    shown.reader.read(qr.image(f"kansli:verify?uid={theirs.hex()}&genesis={'5a' * 32}"))
    return dialog(s, shown)


async def seal(s: Scene, title: str) -> QWidget:
    view = s.room(title, "chat")
    me = s.story.me
    report, standing = await me.seals.report(view.room), me.succession.standing(view.room)
    level, contents = me.seals.level(view.room), s.window.tools.contents
    nested = nested_text(me.nesting.parent(view.room), me.nesting.children(view.room))
    return dialog(s, SecurityDialog(s.window, level, report, standing, contents, lambda: None, nested))


async def key_notices(s: Scene, section: str) -> QWidget:
    me = s.story.me
    head, registrar = s.story.uid(s.story.head), s.story.uid(s.story.registrar)
    me.store.key_notices.advance(head, 0, [("device-added", 1)])
    if section == "home":
        me.store.key_notices.put(registrar, "duplicate", other=bytes(16))
    me.key_watch._emit_changed()

    def end() -> None:
        for notice in me.people.notices():
            me.people.dismiss(notice)
        with me.store.transaction():
            me.store.db.conn.execute("DELETE FROM key_notices")
        me.key_watch._emit_changed()

    s.ends.append(end)
    if section == "home":
        s.window.go_section("home")
    else:
        s.room(told.CASE, "chat")
    return s.window


async def clear_history(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    day_ms = _DAY_MS
    now = now_ms()

    def paper(title: str, items: int, lacks: str | None = None) -> PrunableObject:
        return PrunableObject(
            obj=ObjId(title.encode()[:16].ljust(16)), kind="document", title=title, items=items,
            size_bytes=items * 210, lacks=lacks, from_ms=now + 11 * day_ms,
        )  # fmt: skip

    plan = PrunePlan(
        refusal=None,
        ready=(paper("Utkast till beslut", 5310, "baseline"), paper("Ärendets uppgifter", 1102)),
        lacking=(paper("Yttrande från kommunen", 812, "early"), paper("Minnesanteckningar", 640, "snapshot")),
        newcomers=(s.story.me.people.person(s.story.uid(s.story.registrar)),),
    )
    return dialog(s, PruneDialog(s.window, s.story.me.pruning, s.window.tools, view.room, plan))


async def clear_history_now(s: Scene) -> QWidget:
    """What the sample rooms really have to clear: they are young and small."""
    view = s.room(told.EMPTY, "chat")
    pruning = s.story.me.pruning
    return dialog(s, PruneDialog(s.window, pruning, s.window.tools, view.room, await pruning.plan(view.room)))


def _month(month: int, messages: int, **more: int) -> Month:
    first = begins_ms(month) + 2 * _DAY_MS
    shown = {"files": 0, "late": 0, "waiting": 0, "is_over": month < month_of(now_ms())} | more
    return Month(
        period=month, objs=(ObjId(month.to_bytes(16, "big")),), messages=messages, first_t=first,
        last_t=first + 25 * _DAY_MS, files=shown["files"], late=shown["late"], waiting=shown["waiting"],
        is_over=bool(shown["is_over"]),
    )  # fmt: skip


async def destroy_months(s: Scene) -> QWidget:
    """Three months, one with messages that came late, and one chosen."""
    view = s.room(told.CASE, "chat")
    months = s.story.me.service(CHAT).months
    assert months is not None
    now = month_of(now_ms())
    found = (_month(now, 41), _month(now - 1, 1280, files=12, late=3, waiting=1), _month(now - 2, 210, files=1))
    made = DestroyDialog(s.window, months, view.room, found)
    row = made.rows.row(now - 1)
    assert row is not None
    row.box.setChecked(True)
    return dialog(s, made)


async def destroy_months_now(s: Scene) -> QWidget:
    """What the sample room really has."""
    view = s.room(told.CASE, "chat")
    months = s.story.me.service(CHAT).months
    assert months is not None
    return dialog(s, DestroyDialog(s.window, months, view.room, await months.read(view.room)))


async def safety_number(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    person = s.story.me.people.person(s.story.uid(s.story.head))
    return dialog(s, _verify(s, person))


async def member_menu(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    members = s.story.me.rooms.members(view.room)
    other = next(m for m in members if m.person.name == told.REGISTRAR)
    view.panel._member_menu(view.panel, other)
    close_menu(s)
    return s.window


async def older_history(s: Scene) -> QWidget:
    """A room whose snapshots are shown while what stands before them is still read."""
    me, room = s.story.me, s.story.rooms[told.CASE]
    reading = patch.object(me.engine, "reread_progress", lambda asked: (2516, 6800) if asked == room else None)
    reading.start()
    s.ends += [partial(me.on_room, room), reading.stop]
    s.room(told.CASE, "chat")
    me.on_room(room)
    return s.window


async def room_events(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat")
    return dialog(s, EventsDialog(s.window, s.story.me, view.room))


VIEWS: dict[str, Step] = {
    "new-room": new_room,
    "add-member": add_member,
    "role": role,
    "safety-number": safety_number,
    "safety-number-differs": safety_number_differs,
    "seal": partial(seal, title=told.CASE),
    "keys-home": partial(key_notices, section="home"),
    "keys-room": partial(key_notices, section="room"),
    "older-history": older_history,
    "room-events": room_events,
    "clear-history": clear_history,
    "clear-history-nothing": clear_history_now,
    "destroy-months": destroy_months,
    "destroy-months-now": destroy_months_now,
    "member-menu": member_menu,
}
