# SPDX-License-Identifier: EUPL-1.2
"""Rooms that stopped, and what people do then, as steps."""

from PySide6.QtWidgets import QWidget

from tests.shots import story as told
from tests.shots.rooms import seal
from tests.shots.scene import Scene, Step, dialog
from tests.shots.stopped import go_on, propose_history, restore, stop
from ui.shell.room.successor_dialogs import EvidenceDialog, SuccessorDialog


async def stopped_seal(s: Scene) -> QWidget:
    stop(s.story, s.story.rooms[told.COMPLAINT])
    return await seal(s, told.COMPLAINT)


async def stopped(s: Scene) -> QWidget:
    stop(s.story, s.story.rooms[told.COMPLAINT])
    s.room(told.COMPLAINT, "chat")
    return s.window


async def restored(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    restore(s.story, room)
    s.ends.append(lambda: s.story.me.engine.parts.link.rooms[room].reset_connection_state())
    s.room(told.PERMIT, "chat")
    return s.window


async def successor_dialog(s: Scene) -> QWidget:
    await stopped(s)
    room = s.story.rooms[told.COMPLAINT]
    return dialog(s, SuccessorDialog(s.window, s.story.me.succession.plan(room), "fork", s.window.tools.things()))


async def evidence(s: Scene) -> QWidget:
    await stopped(s)
    room = s.story.rooms[told.COMPLAINT]
    return dialog(s, EvidenceDialog(s.window, s.story.me.succession.standing(room)))


async def replaced(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    await go_on(s.story, room)
    s.room(told.PERMIT, "chat")
    return s.window


async def replaced_board(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    await go_on(s.story, room)
    s.room(told.PERMIT, "tasks")
    return s.window


async def successor(s: Scene) -> QWidget:
    room = s.story.rooms[told.PERMIT]
    stop(s.story, room)
    s.window.open_room(await go_on(s.story, room))
    view = s.window.current_room()
    assert view is not None
    view.show_tool("chat")
    return s.window


async def history_proposal(s: Scene) -> QWidget:
    await propose_history(s.story, s.story.rooms[told.UNIT])
    s.room(told.UNIT, "chat")
    return s.window


VIEWS: dict[str, Step] = {
    "stopped": stopped,
    "restored": restored,
    "successor-dialog": successor_dialog,
    "evidence": evidence,
    "stopped-seal": stopped_seal,
    "replaced": replaced,
    "replaced-board": replaced_board,
    "successor": successor,
    "history-proposal": history_proposal,
}
