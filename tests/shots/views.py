# SPDX-License-Identifier: EUPL-1.2
"""Every view as a step: how to get there, and how to leave it as it was. Names are the pictures' file names."""

from collections.abc import Awaitable
from functools import partial

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState
from app.core.i18n import tr
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import BugError, DiskFull
from app.licences import load
from app.unstored import Unstored
from tests.shots import (
    copies,
    dates,
    devices,
    ended_rooms,
    entering,
    inviting,
    locking,
    managed,
    noticing,
    own_things,
    papers,
    receiving,
    reminding,
    restricting,
    rooms,
    sections,
    status,
)
from tests.shots import story as told
from tests.shots.camera import quiet
from tests.shots.recovering import RECOVERING
from tests.shots.scene import Scene, Step, close_menu, dialog
from tests.ui.finding import toast_of
from tests.world import until
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.kit.bug_dialog import BugDialog
from ui.shell.settings.diagnosis_dialog import DiagnosisDialog
from ui.shell.settings.licences_dialog import LicencesDialog
from ui.shell.settings.passphrase_dialog import PassphraseDialog
from ui.shell.window.quitting import QuitDialog
from ui.tasks.archive import ArchiveDialog
from ui.tasks.view import TasksView


async def section(s: Scene, name: str) -> QWidget:
    s.window.go_section(name)
    return s.window


async def room(s: Scene, title: str, tab: str) -> QWidget:
    view = s.room(title, tab).current_view()
    if isinstance(view, DocumentsView):
        view.show_list()
    if isinstance(view, TasksView):
        view.editor.close_card()
        _segment(view, 0)
    if isinstance(view, ChatView):
        view.composer.field.setFocus()
    return s.window


def _segment(view: TasksView, number: int) -> None:
    from PySide6.QtWidgets import QButtonGroup

    group = view.findChild(QButtonGroup)
    assert group is not None
    group.button(number).click()


async def reply(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat").current_view()
    assert isinstance(view, ChatView)
    timeline = view.model.timeline
    view.composer.reply(timeline.message(2), "Enhetschef")
    view.composer.field.insertPlainText("Ja, det är ändrat i **utkastet** nu.")
    s.ends.append(view.composer.clear)
    return s.window


async def viewer(s: Scene, room_title: str, name: str) -> QWidget:
    """A file of a room's conversation in the viewer."""
    view = s.room(room_title, "chat").current_view()
    assert isinstance(view, ChatView)
    chat = s.story.me.service(CHAT)
    file = next(file for file in await chat.attached.all(view.room) if file.name.startswith(name))
    view.files.open(file.message, file.number)
    shown = view.files.viewer
    s.ends.append(shown.leave)
    await until(lambda: shown.opened is not None)
    await until(lambda: shown.canvas.is_painted)
    return s.window


async def file_list(s: Scene) -> QWidget:
    view = s.room(told.CASE, "chat").current_view()
    assert isinstance(view, ChatView)
    view.files.show_list()
    s.ends.append(view.files.back)
    await until(lambda: bool(view.files.list.shown))
    return s.window


async def editor(s: Scene) -> QWidget:
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    view.open(s.story.draft)
    assert view.document is not None
    mine = view.document.editor
    text = mine.document().toPlainText()
    cursor = mine.textCursor()
    cursor.setPosition(text.index("detta inte har skett i den") + 26)
    mine.setTextCursor(cursor)
    theirs = s.story.head.service(DOCUMENTS)
    document = theirs.open(s.story.draft)
    await until(lambda: "aktbilaga 14" in document.plain_text())
    at = document.plain_text().index("kompletterat")
    theirs.enter(s.story.draft, lambda: (at, at + 40))
    theirs.moved(s.story.draft)
    service = s.story.me.service(DOCUMENTS)
    await until(lambda: bool(service.presence(s.story.draft)))
    s.ends += [view.show_list, partial(theirs.leave, s.story.draft), partial(theirs.close, s.story.draft)]
    return s.window


async def find(s: Scene) -> QWidget:
    await editor(s)
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    assert view.document is not None
    view.document.find_bar.open()
    view.document.find_bar.field.setText("beslut")
    return s.window


async def card(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    view.editor.open_card(s.story.card)
    s.ends.append(view.editor.close_card)
    return s.window


async def card_menu(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    view.kanban.card_menu_asked.emit(s.story.card, s.window.mapToGlobal(QPoint(620, 300)))
    close_menu(s)
    return s.window


async def archive(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    put_away = [card.id for card in view.board.all_cards()[-2:]]
    for card_id in put_away:
        view.board.archive_card(card_id)
    shown = dialog(s, ArchiveDialog(s.window, view.board))
    s.ends += [partial(view.board.archive_card, card_id, False) for card_id in put_away]
    return shown


async def licences(s: Scene) -> QWidget:
    s.window.go_section("settings")
    shown = LicencesDialog(s.window, load)
    taken = dialog(s, shown)
    await until(lambda: bool(shown.list.rows.rows))
    shown.field.setText("qt")
    shown.list.step(-1)
    return taken


async def report(s: Scene) -> QWidget:
    s.window.go_section("settings")
    return dialog(s, DiagnosisDialog(s.window, s.story.me.report()))


async def bug(s: Scene) -> QWidget:
    """A fault of ours, three times."""
    s.room(told.CASE, "tasks")
    return dialog(s, BugDialog(s.window, BugError(), "bug-kanban-165", 3))


async def quitting(s: Scene) -> QWidget:
    """The disk is full, and something was written in three places."""
    s.room(told.CASE, "documents")
    case = s.story.me.rooms.room(s.story.rooms[told.CASE]).title
    lost = [
        Unstored(title="Utkast till beslut", room=case, draft=False),
        Unstored(title="Uppgifter", room=case, draft=False),
        Unstored(title="", room=told.PERMIT, draft=True),
    ]
    return dialog(s, QuitDialog(s.window, DiskFull(), lambda: None, lambda: lost))


async def settings_keys(s: Scene) -> QWidget:
    s.window.go_section("settings")
    keys = s.window.settings_view.keys
    next(b for b in keys.findChildren(QAbstractButton) if b.accessibleName() == tr("Change the passphrase")).click()
    await until(lambda: any(d.isVisible() for d in s.window.findChildren(PassphraseDialog)))
    shown = next(d for d in s.window.findChildren(PassphraseDialog) if d.isVisible())
    s.ends.append(shown.reject)
    return s.window


async def table(s: Scene) -> QWidget:
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    _segment(view, 1)
    s.ends.append(partial(_segment, view, 0))
    return s.window


async def palette(s: Scene, text: str) -> QWidget:
    s.window.go_section("home")
    s.window.open_palette()
    s.window.palette_view.open(text)
    await until(lambda: not s.window.palette_view.asking)
    s.ends.append(s.window.palette_view.dismiss)
    return s.window


async def search(s: Scene, text: str) -> QWidget:
    s.window.search_for(text)
    await until(lambda: not s.window.content.search_view.asking)
    return s.window


async def toast(s: Scene) -> QWidget:
    s.window.go_section("tasks")
    s.window.toast(tr("“{title}” is in the trash").format(title="Begär in komplettering"), lambda: None)
    s.ends.append(toast_of(s.window).hide)
    return s.window


async def offline(s: Scene) -> QWidget:
    s.room(told.CASE, "chat")
    await until(lambda: s.story.me.status.state is LinkState.OFFLINE)
    return s.window


VIEWS: dict[str, Step] = {
    **entering.VIEWS,
    **locking.VIEWS,
    "home": partial(section, name="home"),
    "chat": partial(room, title=told.CASE, tab="chat"),
    "chat-reply": reply,
    "viewer-picture": partial(viewer, room_title=told.PERMIT, name="Situationsplan"),
    "viewer-pdf": partial(viewer, room_title=told.CASE, name="Komplettering"),
    "files": file_list,
    "chat-more": partial(room, title=told.PERMIT, tab="chat"),
    "chat-empty": partial(room, title=told.EMPTY, tab="chat"),
    "documents": partial(room, title=told.CASE, tab="documents"),
    "documents-empty": partial(room, title=told.EMPTY, tab="documents"),
    "editor": editor,
    "find": find,
    "board": partial(room, title=told.CASE, tab="tasks"),
    "board-empty": partial(room, title=told.EMPTY, tab="tasks"),
    "card": card,
    "card-menu": card_menu,
    "archive": archive,
    "table": table,
    "my-tasks": partial(section, name="tasks"),
    "palette": partial(palette, text=""),
    "palette-found": partial(palette, text="ut"),
    "search": partial(search, text="aktbilaga"),
    "search-none": partial(search, text="xyzzy"),
    "settings": partial(section, name="settings"),
    "settings-keys": settings_keys,
    "licences": licences,
    "report": report,
    "bug": bug,
    "quitting": quitting,
    **dates.VIEWS,
    **copies.VIEWS,
    **papers.VIEWS,
    **managed.VIEWS,
    **devices.VIEWS,
    **status.VIEWS,
    **sections.VIEWS,
    **own_things.VIEWS,
    **noticing.VIEWS,
    **reminding.VIEWS,
    "toast": toast,
    **rooms.VIEWS,
    **RECOVERING,
}
STOPPED: dict[str, Step] = {**restricting.VIEWS, **receiving.VIEWS, **ended_rooms.VIEWS, **inviting.VIEWS}
"""Taken after the others: what they do to the rooms cannot be undone."""
OFFLINE: dict[str, Step] = {"offline": offline}
"""Taken last: the server is stopped for them."""


async def leave(s: Scene) -> None:
    """Puts back what a view changed."""
    ends, s.ends = s.ends, []
    for end in reversed(ends):
        ended = end()
        if isinstance(ended, Awaitable):
            await ended
    await quiet(1)
