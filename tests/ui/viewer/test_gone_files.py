# SPDX-License-Identifier: EUPL-1.2
"""A viewer that shows a file whose message was disposed of or deleted closes, and keeps nothing of the file."""

import asyncio
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from app.chat.records import MessageSent
from app.core.ids import PartId
from app.objects.links import ObjectLink
from app.store.destroyed_objects import SLICE
from tests.app.chat.destroys import Destroys, destroy, months_of
from tests.app.chat.months import announced, come, months_object, written
from tests.office import EK, ROOM, Desk, Positions
from tests.ui.viewer.conftest import CANARY, PDF, PICTURE, TEXT, chat_of, never_fetched, open_named, painted, send_all
from tests.world import until
from ui.chat.pictures import _previews, preview
from ui.chat.view import ChatView
from ui.viewer.viewer import Viewer

pytestmark = pytest.mark.slow  # each test starts processes

T = 1_795_500_000_000
DISPOSED = "Filen stängdes: dess månad har gallrats"


class Window(ChatView):
    """A conversation that is a window of its own and notes what it is to say."""

    def __init__(self, at: Desk) -> None:
        super().__init__(at.chat, ROOM)
        self.said: list[str] = []

    def open_link(self, link: ObjectLink) -> None:
        """Opens nothing."""

    def toast(self, text: str, undo: Callable[[], object] | None = None, action: str = "") -> None:
        self.said.append(text)


async def in_window(at: Desk, qtbot: QtBot) -> Window:
    """The conversation with files that the server has, in a window."""
    await send_all(at)
    for part in at.store.blobs.to_upload():
        at.store.blobs.set_uploaded(PartId(part.part))
    Positions([at], t=T).deliver()
    view = Window(at)
    qtbot.addWidget(view)
    view.resize(900, 700)
    view.show()
    view.activateWindow()
    QApplication.processEvents()
    view.composer.field.setFocus()
    return view


def names(viewer: Viewer) -> str:
    parts = (viewer.canvas, viewer.text, viewer.fetching, viewer.fetching.row, viewer.tools.name, viewer.tools.about)
    return " ".join(f"{part.accessibleName()}{part.accessibleDescription()}" for part in parts)


@pytest.mark.parametrize("name", [PICTURE, PDF, TEXT])
async def test_a_file_of_a_month_that_is_disposed_of_is_shown_no_more(hl: Desk, qtbot: QtBot, name: str) -> None:
    view = await in_window(hl, qtbot)
    viewer = await open_named(view, hl, name)
    if name == TEXT:
        await until(lambda: CANARY in viewer.text.toPlainText())
    else:
        await painted(viewer)
    assert viewer.opened is not None
    process = viewer.opened._worker._process
    destroy(hl.store)
    assert view.files.shows_messages
    assert not viewer.isVisible()
    assert view.said == [DISPOSED]
    assert viewer.opened is None
    assert process is not None
    assert process.poll() is not None
    assert (viewer.text.toPlainText(), viewer.canvas.pages, viewer.item) == ("", 0, None)
    assert name not in names(viewer)
    assert view.composer.field.hasFocus()


async def test_it_closes_too_where_the_administrator_disposes_of_the_month(hl: Desk, qtbot: QtBot) -> None:
    hl.folk.admin = True
    months = months_of(hl, Destroys(hl.store))
    view = await in_window(hl, qtbot)
    viewer = await open_named(view, hl, PDF)
    (month,) = await months.read(ROOM)
    for obj in month.objs:
        await months._destroying.destroy(ROOM, obj)
    assert viewer.opened is None
    assert view.said == [DISPOSED]


async def test_it_closes_at_once_in_a_long_month(hl: Desk, qtbot: QtBot) -> None:
    view = await in_window(hl, qtbot)
    earlier = [written(hl.chat.timeline(ROOM).message(0).obj, 100 + i, T + i, f"rad {i} å") for i in range(4 * SLICE)]
    come(hl, *earlier)
    viewer = await open_named(view, hl, TEXT)
    destroy(hl.store)
    assert len(hl.store.db.rows("SELECT * FROM destroying")) == 1, "the rest is deleted later"
    assert viewer.opened is None
    assert view.said == [DISPOSED]
    await hl.store.destroyed.complete()
    assert view.said == [DISPOSED]


async def test_a_file_that_is_being_fetched_is_fetched_no_more(
    hl: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await in_window(hl, qtbot)
    cancelled = never_fetched(hl, monkeypatch)
    file = (await hl.chat.attached.all(ROOM))[0]
    view.files.open(file.message, file.number)
    await asyncio.sleep(0)
    destroy(hl.store)
    await cancelled.wait()
    assert view.files.shows_messages
    assert view.said == [DISPOSED]


async def test_a_file_of_another_month_stays_open(hl: Desk, qtbot: QtBot) -> None:
    view = await in_window(hl, qtbot)
    december = months_object(1)
    come(hl, announced(december, 90, T + 40 * 86_400_000), written(december, 91, T, MessageSent(text="å"), by=EK))
    viewer = await open_named(view, hl, PDF)
    destroy(hl.store, obj=december)
    assert viewer.opened is not None
    assert viewer.isVisible()
    assert view.said == []


async def test_a_file_that_was_never_sent_stays_open_since_it_can_still_be_sent(hl: Desk, qtbot: QtBot) -> None:
    await send_all(hl)
    view = chat_of(hl, qtbot)
    viewer = await open_named(view, hl, PDF)
    destroy(hl.store)
    assert viewer.opened is not None
    hl.chat.discard_stranded(ROOM)
    assert viewer.opened is None


async def test_the_list_is_shown_again_and_the_focus_stays_where_the_person_writes(hl: Desk, qtbot: QtBot) -> None:
    view = await in_window(hl, qtbot)
    view.files.show_list()
    await until(lambda: bool(view.files.list.shown))
    view.files.list.table.wanted.emit(next(file for file in view.files.list.shown if file.name == PDF))
    await until(lambda: view.files.viewer.opened is not None)
    beside = QLineEdit(view)
    beside.show()
    beside.setFocus()
    destroy(hl.store)
    assert view.files.list.isVisible()
    assert beside.hasFocus()
    await until(lambda: not view.files.list.shown)


async def test_the_file_of_a_message_that_is_deleted_is_shown_no_more(hl: Desk, qtbot: QtBot) -> None:
    view = await in_window(hl, qtbot)
    viewer = await open_named(view, hl, PDF)
    hl.chat.delete(ROOM, hl.chat.timeline(ROOM).message(1).change_id)
    assert viewer.opened is None
    assert view.files.shows_messages
    assert view.said == ["Filen stängdes: dess meddelande finns inte kvar"]


async def test_decoded_previews_are_dropped_when_a_month_is_disposed_of(hl: Desk, qtbot: QtBot) -> None:
    months_of(hl, Destroys(hl.store))
    view = await in_window(hl, qtbot)
    preview(b"no picture, but kept all the same")
    assert _previews.size_bytes > 0
    destroy(hl.store)
    await hl.store.destroyed.complete()
    assert len(view.model.timeline) == 0
    assert _previews.size_bytes == 0
