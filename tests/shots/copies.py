# SPDX-License-Identifier: EUPL-1.2
"""The views of files that open in other programs: a changed copy, its menu, a warning, and the question at the end."""

import asyncio
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget

from app.chat.tool import TOOL as CHAT
from app.copies.service import HeldCopy
from app.store.working_copies import FileOfMessage
from app.viewing.errors import OpensMacros
from tests.shots import story as told
from tests.shots.scene import Scene, Step, close_menu, dialog
from ui.chat.view import ChatView
from ui.kit.dialogs import Dialog
from ui.shell.window.held_copies import HeldCopiesDialog


async def _changed(s: Scene) -> ChatView:
    """The case's chat, with a changed copy of the file in it."""
    view = s.room(told.CASE, "chat").current_view()
    assert isinstance(view, ChatView)
    chat, copies = s.story.me.service(CHAT), s.story.me.copies
    if not copies.copies(view.room):
        (file,) = await chat.attached.all(view.room)
        index = view.model.timeline.index_of(file.message)
        assert index is not None
        obj = view.model.timeline.message(index).obj
        of = FileOfMessage(room=view.room, obj=obj, message=file.message, number=file.number, name=file.name)
        path = await copies.open(of, b"plain", "Skrivskyddad kopia")
        changed = path.with_name("changed")
        await asyncio.to_thread(changed.write_bytes, b"changed" * 12_345)
        await asyncio.to_thread(changed.replace, path)
        await copies.wipe()
    view.open_ref(view.model.timeline.message(0).obj, (await chat.attached.all(view.room))[0].message)
    return view


async def chat(s: Scene) -> QWidget:
    await _changed(s)
    return s.window


async def files(s: Scene) -> QWidget:
    view = await _changed(s)
    view.files.show_list()
    s.ends.append(view.files.back)
    return s.window


async def menu(s: Scene) -> QWidget:
    view = await _changed(s)
    index = view.model.timeline.index_of((await s.story.me.service(CHAT).attached.all(view.room))[0].message)
    assert index is not None
    view.message_actions.open_menu(view.model.timeline.message(index), view.list.mapToGlobal(QPoint(120, 60)))
    close_menu(s)
    return s.window


async def warning(s: Scene) -> QWidget:
    view = await _changed(s)
    asking = asyncio.ensure_future(view.message_actions.copies.warned(OpensMacros(), "Underlag åäö.docm"))
    await asyncio.sleep(0)
    assert any(each.isVisible() for each in s.window.findChildren(Dialog))
    s.ends.append(asking.cancel)
    return s.window


async def quitting(s: Scene) -> QWidget:
    copies = s.story.me.copies
    copies.held = [
        HeldCopy("Komplettering.docx", "soffice.bin", is_left=False),
        HeldCopy("Tabell över inkomna handlingar.xlsx", "", is_left=False),
    ]
    s.ends.append(partial(setattr, copies, "held", ()))
    return dialog(s, HeldCopiesDialog(s.window, copies))


VIEWS: dict[str, Step] = {
    "copy-changed": chat,
    "copy-files": files,
    "copy-menu": menu,
    "copy-warning": warning,
    "copy-quitting": quitting,
}
