# SPDX-License-Identifier: EUPL-1.2
"""Rooms and their members as steps: dialogs, people's keys, and a room's history."""

from functools import partial
from unittest.mock import patch

from PySide6.QtWidgets import QWidget

from app.core.clock import now_ms
from app.core.enums import Role
from app.core.ids import ObjId
from app.people.person import Person
from app.rooms.pruning import PrunableObject, PrunePlan
from tests.shots import story as told
from tests.shots.scene import Scene, Step, close_menu, dialog
from ui.kit import qr
from ui.shell.room.events_dialog import EventsDialog
from ui.shell.room.member_dialogs import AddMemberDialog, NewRoomDialog, RoleDialog
from ui.shell.room.prune_dialog import PruneDialog
from ui.shell.room.security_dialog import SecurityDialog, nested_text
from ui.shell.room.verify_dialog import VerifyDialog


async def new_room(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    return dialog(s, NewRoomDialog(s.window, s.window.tools.things()))


async def add_member(s: Scene) -> QWidget:
    s.room(told.EMPTY, "chat")
    me = s.story.me
    made = AddMemberDialog(s.window, me.people, {me.people.me.uid}, Role.OWNER)
    made.search.field.setText("e")
    await made.search.look_for(told.HEAD)
    return dialog(s, made)


async def role(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    me = s.story.me
    return dialog(s, RoleDialog(s.window, me.people.person(s.story.uid(s.story.head)), Role.ADMIN, Role.OWNER))


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
    day_ms = 86_400_000
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
    "member-menu": member_menu,
}
