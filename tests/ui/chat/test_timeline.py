# SPDX-License-Identifier: EUPL-1.2
"""The timeline on screen: 100,000 messages, staying in place, keys, and what a screen reader gets."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.chat.model import Message, Timeline
from app.chat.records import MessageSent, encode
from app.chat.transfers import Transfers
from app.core.ids import ChangeId
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Folk, Positions, desk, from_others
from ui.chat.heights import Heights
from ui.chat.item_model import TimelineModel
from ui.chat.timeline import TimelineView

COUNT = 100_000
FRAME_MS = 16.0


class ManyRows:
    """Rows made on demand: what the store gives, without the store."""

    def __init__(self, count: int) -> None:
        self.total = count

    def count(self) -> int:
        return self.total

    def keys(self, first: int, limit: int) -> list[ChangeId]:
        return [ChangeId(i.to_bytes(16, "big")) for i in range(first, min(self.total, first + limit))]

    def page(self, first: int, limit: int) -> list[Message]:
        return [self._message(i) for i in range(first, min(self.total, first + limit))]

    def _message(self, i: int) -> Message:
        text = f"Rad {i}: **lagrummet** är 5 §, inte 4 § 🙂 " + "å ä ö " * (i % 40)
        author = (HL, EK)[i // 3 % 2]
        return Message(
            change_id=ChangeId(i.to_bytes(16, "big")), author=author, t=1_795_000_000_000 + i * 60_000, text=text
        )

    def index_of(self, change_id: ChangeId) -> int | None:
        return int.from_bytes(change_id, "big")

    def waiting(self) -> int:
        return 0

    def first_unread(self) -> int | None:
        return None


def shown(qtbot: QtBot, timeline: Timeline) -> TimelineView:
    model = TimelineModel(timeline, Folk(HL))
    view = TimelineView(model, Transfers())
    model.setParent(view)
    qtbot.addWidget(view)
    view.resize(800, 600)
    view.show()
    qtbot.waitExposed(view)
    return view


def test_a_hundred_thousand_messages_show_at_once_and_scroll_smoothly(qtbot: QtBot) -> None:
    start = time.perf_counter()
    view = shown(qtbot, Timeline(ManyRows(COUNT)))
    view.grab()
    first_ms = (time.perf_counter() - start) * 1000
    frames: list[float] = []
    bar = view.verticalScrollBar()
    for _ in range(120):
        start = time.perf_counter()
        bar.setValue(bar.value() - 120)
        view.viewport().repaint()
        frames.append((time.perf_counter() - start) * 1000)
    start = time.perf_counter()
    bar.setValue(bar.maximum() // 2)
    view.viewport().repaint()
    jump_ms = (time.perf_counter() - start) * 1000
    frames.sort()
    print(f"first {first_ms:.0f} ms, frame p50 {frames[60]:.2f} ms, p95 {frames[114]:.2f} ms, jump {jump_ms:.1f} ms")
    assert first_ms < 400
    assert frames[114] < FRAME_MS


def test_what_is_read_stays_in_place_when_new_messages_come(qtbot: QtBot) -> None:
    rows = ManyRows(5000)
    timeline = Timeline(rows)
    view = shown(qtbot, timeline)
    view.jump_to(2500)
    before = view.row_rect(2500).top()
    rows.total = 5010
    timeline.refresh()
    assert view.row_rect(2500).top() == before
    assert not view.at_end


def test_the_end_follows_new_messages_only_while_it_is_in_sight(qtbot: QtBot) -> None:
    rows = ManyRows(500)
    timeline = Timeline(rows)
    view = shown(qtbot, timeline)
    rows.total = 501
    timeline.refresh()
    assert view.at_end
    assert view.row_rect(500).bottom() <= view.viewport().height()


def test_scrolling_up_never_jumps(qtbot: QtBot) -> None:
    view = shown(qtbot, Timeline(ManyRows(2000)))
    bar = view.verticalScrollBar()
    for _ in range(200):
        row = view.indexAt(QPoint(100, 300)).row()
        before = view.row_rect(row).top()
        bar.setValue(bar.value() - 37)
        assert view.row_rect(row).top() == before + 37


def test_arrows_choose_messages_and_letters_act_on_them(qtbot: QtBot) -> None:
    view = shown(qtbot, Timeline(ManyRows(50)))
    asked: list[tuple[int, str]] = []
    view.key_pressed.connect(lambda m, deed: asked.append((int.from_bytes(m.change_id, "big"), deed)))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Up)
    for key in (Qt.Key.Key_R, Qt.Key.Key_E, Qt.Key.Key_Delete, Qt.Key.Key_Plus):
        QTest.keyClick(view, key)
    assert asked == [(48, "reply"), (48, "edit"), (48, "delete"), (48, "react")]
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0
    assert view.row_rect(0).top() >= 0


def test_a_screen_reader_hears_who_said_what_and_when(qtbot: QtBot) -> None:
    view = shown(qtbot, Timeline(ManyRows(3)))
    spoken = view.model().data(view.model().index(1, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Handläggare, ")
    assert "lagrummet är 5 §" in spoken
    face = QAccessible.queryAccessibleInterface(view)
    assert face is not None
    assert face.text(QAccessible.Text.Name)


@given(st.lists(st.tuples(st.sampled_from("irs"), st.integers(0, 3000), st.integers(1, 700)), max_size=20))
def test_sums_of_heights_are_right_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    heights, plain = Heights(1200, 40), [40] * 1200
    for deed, at, size in steps:
        if deed == "i":
            at = min(at, len(plain))
            heights.insert(at, size)
            plain[at:at] = [40] * size
        elif deed == "r" and at < len(plain):
            size = min(size, len(plain) - at)
            heights.remove(at, size)
            del plain[at : at + size]
        elif at < len(plain):
            heights[at] = size
            plain[at] = size
    assert heights.total == sum(plain)
    for row in range(0, len(plain), 97):
        assert heights.top(row) == sum(plain[:row])
        assert heights.at(sum(plain[:row])) == (row, 0)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


@pytest.mark.slow
def test_a_stored_conversation_of_a_hundred_thousand_opens_at_once(full: Desk, qtbot: QtBot) -> None:
    for start in range(0, COUNT, 5000):
        payloads = [encode(MessageSent(text=f"Rad {start + i} åäö")) for i in range(5000)]
        from_others(full, EK, CHANNEL, payloads, n=start + 10, t=1_790_000_000_000 + start * 1000)
    begin = time.perf_counter()
    timeline = full.chat.timeline(ROOM)
    view = shown(qtbot, timeline)
    view.grab()
    first_ms = (time.perf_counter() - begin) * 1000
    begin = time.perf_counter()
    view.jump_to(COUNT // 2)
    view.grab()
    middle_ms = (time.perf_counter() - begin) * 1000
    begin = time.perf_counter()
    full.chat.send(ROOM, "sist")
    view.viewport().repaint()
    send_ms = (time.perf_counter() - begin) * 1000
    print(f"open {first_ms:.0f} ms, to the middle {middle_ms:.0f} ms, send and paint {send_ms:.0f} ms")
    assert first_ms < 600
    assert middle_ms < 400
    assert timeline.message(COUNT).text == "sist"
    Positions([full]).deliver()
