# SPDX-License-Identifier: EUPL-1.2
"""The views of reminders: what will ring, on Home; the times for a message; what shows a reminder; the message in the
window."""

from PySide6.QtWidgets import QWidget

from app.chat import KIND as MESSAGES
from app.chat.tool import TOOL as CHAT
from app.documents import KIND as DOCUMENT
from app.documents.tool import TOOL as DOCUMENTS
from app.objects.links import ObjectLink
from app.tasks import KIND as BOARD
from app.tasks.tool import TOOL as TASKS
from tests.shots import story as told
from tests.shots.scene import Scene, Step, close_menu
from tests.ui.finding import toast_of
from ui.chat.view import ChatView
from ui.documents.view import DocumentsView
from ui.kit.choose_time import monday, tomorrow
from ui.kit.translate import local_now, tr
from ui.tasks.view import TasksView


def _links(s: Scene) -> list[ObjectLink]:
    """A message, a document and a card of the case."""
    session, room = s.window.session, s.story.rooms[told.CASE]
    timeline = session.service(CHAT).timeline(room)
    message = next(m for row in reversed(range(len(timeline))) if (m := timeline.message(row)).text and not m.deleted)
    documents = session.service(DOCUMENTS).list(room)
    board = session.service(TASKS).board_id(room)
    cards = [row for row in session.service(TASKS).tasks(room) if not row.done]
    links = [ObjectLink(room=room, obj=message.obj, kind=MESSAGES.id, ref=message.change_id)]
    links += [ObjectLink(room=room, obj=row.obj, kind=DOCUMENT.id) for row in documents[:1]]
    links += [ObjectLink(room=room, obj=board, kind=BOARD.id, ref=row.ref) for row in cards[:1] if board is not None]
    return links


def _remind(s: Scene) -> list[ObjectLink]:
    """Each of them has a reminder while the view is shown."""
    reminders, now, links = s.window.session.reminders, local_now(), _links(s)
    for number, link in enumerate(links):
        row = reminders.remind(link, (tomorrow(now), monday(now), tomorrow(now) + 3_600_000)[number])
        s.ends.append(lambda ident=row.id: reminders.remove(ident))  # type: ignore[misc] # bound per reminder
    return links


async def home(s: Scene) -> QWidget:
    _remind(s)
    s.window.go_section("home")
    s.window.content.home.refresh()
    return s.window


async def times(s: Scene) -> QWidget:
    """The times of a message that has a reminder."""
    _remind(s)
    view = s.room(told.CASE, "chat").current_view()
    assert isinstance(view, ChatView)
    view.doable()["remind"]()
    close_menu(s)
    return s.window


async def rings(s: Scene) -> QWidget:
    """A message with a reminder, and one that rings."""
    _remind(s)
    s.room(told.CASE, "chat")
    text = tr("Reminder: {text}").format(text="Ring sökanden om ritningarna 📐")
    toast = toast_of(s.window)
    toast.show_text(text, lambda: None, tr("Open"), other=(tr("In an hour"), lambda: None))
    s.ends.append(toast.hide)
    return s.window


async def documents(s: Scene) -> QWidget:
    _remind(s)
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    view.show_list()
    return s.window


async def document(s: Scene) -> QWidget:
    links = _remind(s)
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    view.open(links[1].obj)
    s.ends.append(view.show_list)
    return s.window


async def board(s: Scene) -> QWidget:
    links = _remind(s)
    view = s.room(told.CASE, "tasks").current_view()
    assert isinstance(view, TasksView)
    view.editor.open_card(links[2].ref.decode())
    s.ends.append(view.editor.close_card)
    return s.window


VIEWS: dict[str, Step] = {
    "reminders-home": home,
    "reminders-times": times,
    "reminders-rings": rings,
    "reminders-documents": documents,
    "reminders-document": document,
    "reminders-board": board,
}
