# SPDX-License-Identifier: EUPL-1.2
"""The steps to the pictures of print, export and import."""

from PySide6.QtWidgets import QApplication, QWidget

from app.documents import KIND
from app.documents.errors import ImportEncrypted
from app.documents.tool import TOOL as DOCUMENTS
from app.richtext.formats import Taken
from tests.shots import story as told
from tests.shots.scene import Scene, Step, dialog
from tests.world import until
from ui.documents.imported import losses, refusal
from ui.documents.preview import PrintPreview
from ui.documents.view import DocumentsView


def _documents(s: Scene) -> DocumentsView:
    view = s.room(told.CASE, "documents").current_view()
    assert isinstance(view, DocumentsView)
    return view


async def preview(s: Scene) -> QWidget:
    _documents(s)
    shown = PrintPreview(s.window, s.story.me.service(DOCUMENTS).files, s.story.draft)
    taken = dialog(s, shown)
    await until(lambda: shown.paper is not None)
    return taken


async def export(s: Scene) -> QWidget:
    view = _documents(s)
    view.open(s.story.draft)
    assert view.document is not None
    view.document.more.click()
    shown = QApplication.activePopupWidget()
    assert shown is not None
    s.ends += [view.show_list, shown.close]
    return s.window


async def imported(s: Scene) -> QWidget:
    panel = _documents(s).list.importing
    lost = losses(Taken(blocks=[], tables=2, pictures=3, others=(("footnotes", 1),)))
    refused, code = refusal("Bilaga 3.docx", ImportEncrypted())
    panel.show_text(f"{lost}\n{refused}", [code])
    panel.wait_for("Yttrande.docx", 1, 3, lambda: None)
    s.ends += [lambda: panel.show_text(""), panel.stop_waiting]
    return s.window


async def coming(s: Scene) -> QWidget:
    view, session, room = _documents(s), s.story.me, s.story.rooms[told.CASE]
    obj = session.store.objects.new(room)
    session.rooms.announce(room, obj, KIND.id)
    view.open(obj)
    s.ends.append(view.show_list)
    return s.window


VIEWS: dict[str, Step] = {
    "document-coming": coming,
    "print-preview": preview,
    "export-menu": export,
    "imported": imported,
}
