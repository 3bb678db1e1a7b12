# SPDX-License-Identifier: EUPL-1.2
"""The dialog with all that happened in a room: what it lists to whom, its boxes, keys, long lists, and text."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.core.enums import Role
from app.core.i18n import set_language
from app.core.ids import Uid
from app.errors import ExportOff
from app.session import Session
from app.settings import ALLOW_EXPORT
from app.store.room_lines import SHOWN
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.ui.faces import Description, Name, child, face, listening
from tests.ui.shell.in_window import texts
from tests.ui.shell.kept_office import office
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.sample import at
from tests.world import until
from ui.kit.covering import Cover
from ui.shell.room.events_dialog import PAGE, EventsDialog

OTHER = Uid(b"\x07" * 16)


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    made = open_session(tmp_path)
    made.store.put_person(OTHER, {"name": "Arkivarie å", "title": "", "unit": ""}, bytes(16))
    return made


def happen(session: Session, *events: RoomEvent) -> None:
    session.store.receive(ReceivedSlice(room=office().case, events=events))


def event(n: int, kind: str = "add", **more: object) -> RoomEvent:
    values: dict[str, object] = {"subject": OTHER, "role": Role.WRITER, "history": True, **more}
    return RoomEvent(n=n, t=at(9, 0) + n, kind=kind, by=office().head.uid, **values)  # type: ignore[arg-type] # its fields


def shown(qtbot: QtBot, session: Session) -> EventsDialog:
    dialog = EventsDialog(None, session, office().case)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def titles(dialog: EventsDialog) -> list[str]:
    return [row.title for row in dialog.list.rows.rows]


def test_the_newest_is_first_and_a_row_says_who_what_when_and_where(qtbot: QtBot, session: Session) -> None:
    happen(session, event(5001), event(5002, "epoch"), event(5003, "rm"))
    dialog = shown(qtbot, session)
    first = child(face(dialog.list), 0).text(Name)
    assert first.startswith("Enhetschef tog bort Arkivarie å, ")
    assert first.endswith("position 5003")
    assert titles(dialog)[1] == "Enhetschef förnyade nyckeln"


def test_each_box_narrows_the_list_and_an_empty_list_says_so(qtbot: QtBot, session: Session) -> None:
    happen(session, event(5001), event(5002, "destroy", obj=bytes(16), subject=None))
    dialog = shown(qtbot, session)
    dialog.who.setCurrentIndex(dialog.who.findText("Arkivarie å"))
    assert titles(dialog) == ["Enhetschef lade till Arkivarie å"]
    dialog.kind.setCurrentIndex(dialog.kind.findText("Innehåll"))
    assert titles(dialog) == []
    assert dialog.empty.isVisible()
    assert not dialog.list.isVisible()
    dialog.who.setCurrentIndex(0)
    assert titles(dialog) == ["Enhetschef lät gallra något utan titel här"]


def test_who_is_no_administrator_sees_what_the_conversation_shows(qtbot: QtBot, session: Session) -> None:
    lower = event(5001, "role", subject=office().me.uid, role=Role.WRITER)
    happen(session, lower, event(5002, "epoch"), event(5003, "policy"))
    session.rooms.is_admin = lambda room: False  # type: ignore[method-assign]
    dialog = shown(qtbot, session)
    assert titles(dialog)[0] == "Enhetschef förnyade nyckeln, eftersom någon hade fått en lägre roll"
    assert "regler" not in " ".join(titles(dialog))
    assert dialog.kind.findText("Nycklar och regler") < 0
    assert set(dialog.wanted().kinds or ()) <= set(SHOWN)


def test_what_happens_meanwhile_comes_at_the_top_and_the_row_stays(qtbot: QtBot, session: Session) -> None:
    happen(session, event(5001))
    dialog = shown(qtbot, session)
    dialog.list.setFocus()
    here = dialog.list.current_row()
    happen(session, event(5002, "rm"))
    qtbot.waitUntil(lambda: titles(dialog)[0] == "Enhetschef tog bort Arkivarie å")
    assert dialog.list.current_row() == here


def test_keys_reach_the_list_its_boxes_and_buttons(qtbot: QtBot, session: Session) -> None:
    happen(session, event(5001), event(5002, "rm"))
    dialog = shown(qtbot, session)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    dialog.list.setFocus()
    QTest.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.list.currentIndex().row() == 1
    reached = list[QWidget | None]()
    for _ in range(8):
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
        reached.append(dialog.focusWidget())
    assert {dialog.who, dialog.kind, dialog.period, dialog.list, dialog.copy_button, dialog.save_button} <= set(reached)
    for box, name in ((dialog.who, "Vem"), (dialog.kind, "Vad"), (dialog.period, "När")):
        assert name in (face(box).text(Name), face(box).text(Description))


def test_ten_thousand_events_are_read_a_page_at_a_time_to_the_last(qtbot: QtBot, session: Session) -> None:
    happen(session, *(event(n, ("add", "rm")[n % 2]) for n in range(20_000, 30_000)))
    dialog = shown(qtbot, session)
    assert len(titles(dialog)) <= 3 * PAGE
    bar = dialog.list.verticalScrollBar()
    seen = 0
    while seen != len(titles(dialog)):
        seen = len(titles(dialog))
        bar.setValue(bar.maximum())
        QApplication.processEvents()
    assert seen > 10_000
    positions = [int(row.detail.rsplit(" ", 1)[1]) for row in dialog.list.rows.rows]
    assert positions == sorted(positions, reverse=True)


async def test_no_event_is_left_out_of_a_position_with_more_than_a_page(qtbot: QtBot, session: Session) -> None:
    count = 3 * PAGE + 7
    happen(session, event(19_999), event(20_000), event(20_001))
    with session.store.transaction() as conn:
        conn.execute(
            """WITH RECURSIVE k (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < ? - 1)
            INSERT INTO events (room, n, t, kind, by, subject, role, history, obj, until, note, place)
            SELECT room, n, t, kind, by, subject, role, history, obj, until, note, k.i
            FROM events, k WHERE n = 20000""",
            (count,),
        )
    dialog = shown(qtbot, session)
    bar = dialog.list.verticalScrollBar()
    seen = 0
    while seen != len(titles(dialog)):
        seen = len(titles(dialog))
        bar.setValue(bar.maximum())
        QApplication.processEvents()
    assert sum(row.detail.endswith(" 20000") for row in dialog.list.rows.rows) == count
    assert (await dialog.text()).count("position 20000 ") == count


async def test_the_whole_list_as_text_gives_way_between_pages(qtbot: QtBot, session: Session) -> None:
    happen(session, *(event(n) for n in range(20_000, 20_000 + 5 * PAGE)))
    dialog = shown(qtbot, session)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.ensure_future(turn())
    text = await dialog.text()
    other.cancel()
    lines = text.splitlines()
    assert len(lines) > 5 * PAGE
    assert turns >= 5
    assert "position 20000 · Enhetschef lade till Arkivarie å" in text


async def test_saving_asks_the_policy_first(qtbot: QtBot, tmp_path: Path) -> None:
    session = open_session(tmp_path, {ALLOW_EXPORT.key: False})
    dialog = shown(qtbot, session)
    with pytest.raises(ExportOff):
        await dialog.save()
    assert not dialog.save_button.isVisible()
    assert "Din organisation tillåter inte att filer sparas utanför Kansli." in texts(dialog)


async def test_attack_a_long_list_is_copied_only_after_the_curtain(qtbot: QtBot, session: Session) -> None:
    happen(session, *(event(20_000 + n) for n in range(2 * PAGE)))
    dialog, gate, clipboard = shown(qtbot, session), QWidget(), QApplication.clipboard()
    qtbot.addWidget(gate)
    cover = Cover(gate)
    clipboard.setText("något annat å")
    dialog.copy_button.click()
    cover.fall()
    try:
        text = await dialog.text()
        for _ in range(3):
            await asyncio.sleep(0)  # the copy takes as many turns
        assert clipboard.text() == "något annat å", "another person would paste it"
    finally:
        cover.lift()
    await until(lambda: clipboard.text() == text)
