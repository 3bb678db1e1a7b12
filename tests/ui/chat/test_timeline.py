# SPDX-License-Identifier: EUPL-1.2
"""The timeline on screen: 100,000 messages, staying in place, keys, and what a screen reader gets."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.model import Message, Timeline
from app.chat.records import Attachment, MessageSent, encode
from app.chat.transfers import Transfers
from app.core.ids import ChangeId
from tests.counting import lines_run
from tests.office import CHANNEL, EK, HL, ROOM, Desk, Folk, desk, from_others
from tests.ui.faces import face, listening
from tests.ui.pointing import point
from ui.chat.heights import Heights
from ui.chat.item_model import TimelineModel
from ui.chat.message_layout import MessageLayout
from ui.chat.message_painter import MessagePainter
from ui.chat.richtext import line_px
from ui.chat.timeline import TimelineView
from ui.kit import spoken_list, theme
from ui.kit.translate import change_language

COUNT = 100_000


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
    return view


def work_of(qtbot: QtBot, count: int) -> dict[str, int]:
    """Lines run to show the end of so many messages, to scroll, and to jump into the middle."""
    timeline = Timeline(ManyRows(count))
    views: list[TimelineView] = []

    def show() -> None:
        views.append(shown(qtbot, timeline))
        views[0].grab()

    def scroll(to: int) -> None:
        bar.setValue(to)
        views[0].viewport().repaint()

    work = {"show": lines_run(show)}
    bar = views[0].verticalScrollBar()
    steps = [lines_run(lambda: scroll(bar.value() - 120)) for _ in range(60)]
    work["scroll"] = sum(steps)
    work["longest step"] = max(steps)
    work["jump"] = lines_run(lambda: scroll(bar.maximum() // 2))
    return work


def test_a_hundred_thousand_messages_are_no_more_work_to_show_and_to_scroll_than_a_thousand(qtbot: QtBot) -> None:
    work_of(qtbot, 100)  # icons and fonts are kept from then on
    few, many = work_of(qtbot, 1000), work_of(qtbot, COUNT)
    assert {name: lines for name, lines in many.items() if lines > 2 * few[name]} == {}
    assert many["longest step"] < 2 * many["show"]  # no step lays out more than a window


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
    view.key_pressed.connect(lambda m, action: asked.append((int.from_bytes(m.change_id, "big"), action)))
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_Up)
    for key in (Qt.Key.Key_S, Qt.Key.Key_R, Qt.Key.Key_Delete, Qt.Key.Key_Plus):
        QTest.keyClick(view, key)
    assert asked == [(48, "reply"), (48, "edit"), (48, "delete"), (48, "react")]
    change_language("en")
    for key in (Qt.Key.Key_R, Qt.Key.Key_E):
        QTest.keyClick(view, key)
    change_language("sv")
    assert asked[4:] == [(48, "reply"), (48, "edit")], "the letters begin the words of the language"
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.currentIndex().row() == 0
    assert view.row_rect(0).top() >= 0


def test_a_screen_reader_reads_out_author_text_and_time(qtbot: QtBot) -> None:
    view = shown(qtbot, Timeline(ManyRows(3)))
    spoken = view.model().data(view.model().index(1, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken.startswith("Handläggare, ")
    assert "lagrummet är 5 §" in spoken
    face = QAccessible.queryAccessibleInterface(view)
    assert face is not None
    assert face.text(QAccessible.Text.Name)


class Unsent(ManyRows):
    """Messages that the server does not have yet: `numbers` are those that are still here."""

    def __init__(self, *numbers: int) -> None:
        super().__init__(0)
        self.numbers = list(numbers)

    def count(self) -> int:
        return len(self.numbers)

    def keys(self, first: int, limit: int) -> list[ChangeId]:
        return [ChangeId(i.to_bytes(16, "big")) for i in self.numbers[first : first + limit]]

    def page(self, first: int, limit: int) -> list[Message]:
        return [self._message(i) for i in self.numbers[first : first + limit]]

    def index_of(self, change_id: ChangeId) -> int | None:
        number = int.from_bytes(change_id, "big")
        return self.numbers.index(number) if number in self.numbers else None

    def waiting(self) -> int:
        return len(self.numbers)


@pytest.fixture
def _listening() -> Iterator[None]:
    yield from listening()


def test_the_bar_leaves_the_last_message_when_that_is_removed(qtbot: QtBot) -> None:
    rows = Unsent(0)
    timeline = Timeline(rows)
    view = shown(qtbot, timeline)
    hovered: list[Message | None] = []
    view.hovered.connect(lambda message, rect: hovered.append(message))
    point(view.viewport(), view.row_rect(0).center())
    assert hovered[-1:] == [timeline.message(0)]
    rows.numbers.clear()
    timeline.refresh()
    assert hovered[-1] is None
    assert view.model().rowCount() == 0


@pytest.mark.usefixtures("_listening")
@pytest.mark.parametrize(
    ("gone", "then"), [(0, "Rad 1:"), (1, "Rad 2:"), (2, "Rad 3:"), (3, "Rad 2:")], ids=["first", "1", "2", "last"]
)
def test_a_screen_reader_goes_to_the_next_message_when_the_focused_one_is_removed(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, gone: int, then: str
) -> None:
    rows = Unsent(0, 1, 2, 3)
    timeline = Timeline(rows)
    view = shown(qtbot, timeline)
    view.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(view, Qt.Key.Key_Home)
    for _ in range(gone):
        QTest.keyClick(view, Qt.Key.Key_Down)
    qtbot.waitUntil(view.hasFocus)
    spoken: list[str] = []
    monkeypatch.setattr(spoken_list, "notify_focus", lambda row: spoken.append(face(row).text(QAccessible.Text.Name)))
    del rows.numbers[gone]
    timeline.refresh()
    assert len(spoken) == 1
    assert then in spoken[0]
    current = view.current()
    assert current is not None
    assert then in current.text
    other = next(number for number in rows.numbers if f"Rad {number}:" != then)
    rows.numbers.remove(other)
    timeline.refresh()
    assert view.current() == current
    assert len(spoken) == 1


class Quotation(ManyRows):
    """Somebody says that a colleague wrote something."""

    def _message(self, i: int) -> Message:
        message = super()._message(i)
        return replace(
            message, author=EK, carried_by=EK, quoted_author=HL, quoted_t=1_700_000_000_000, text="Jag godkänner"
        )


def test_attack_a_quotation_is_painted_and_spoken_as_that_of_the_person_who_carried_it(qtbot: QtBot) -> None:
    timeline = Timeline(Quotation(2))
    view = shown(qtbot, timeline)
    spoken = view.model().data(view.model().index(0, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert "Enhetschef citerar Handläggare, 14 nov 2023 " in spoken
    assert "ej bekräftat här" in spoken
    message = timeline.message(0)
    layout = MessageLayout(message, timeline.place(0), 600, Folk(HL))
    assert layout.person.name == "Enhetschef"
    assert layout.quoted is not None
    bar, quoted = layout.quoted
    assert quoted.startswith("citerar Handläggare, ")
    assert layout.text is not None
    assert layout.text[0].y() >= bar.y() + line_px()
    assert layout.text[0].x() > bar.x()


def test_attack_the_bar_of_a_quotation_runs_along_its_text_and_its_files(qapp: QApplication) -> None:
    """Otherwise a quotation that is long would end in words that look like the carrier's own."""
    timeline = Timeline(Quotation(1))
    file = Attachment(name="beslut å.pdf", size_bytes=1000, media_type="application/pdf", manifest=b"")
    message = replace(timeline.message(0), text="Jag godkänner\n" * 5 + "🙂", attachments=(file,))
    layout = MessageLayout(message, timeline.place(0), 600, Folk(HL))
    assert layout.quoted is not None
    assert layout.text is not None
    bar = layout.quoted[0]
    ((_, card),) = layout.files
    assert bar.top() < layout.text[0].y()
    assert bar.bottom() >= card.bottom()
    picture = QImage(600, round(layout.height), QImage.Format.Format_RGB32)
    picture.fill(0xFFFFFF)
    painter = QPainter(picture)
    MessagePainter(Transfers()).paint(painter, layout, hovered=False, selected=False, focus=False)
    painter.end()
    beside = {picture.pixel(round(bar.x()) + 1, y) for y in range(round(bar.top()) + 3, round(bar.bottom()) - 3)}
    assert beside == {theme.current().colour("warning").rgb()}


@given(st.lists(st.tuples(st.sampled_from("irs"), st.integers(0, 3000), st.integers(1, 700)), max_size=20))
def test_sums_of_heights_are_right_whatever_happens(steps: list[tuple[str, int, int]]) -> None:
    heights, plain = Heights(1200, 40), [40] * 1200
    for action, at, size in steps:
        if action == "i":
            at = min(at, len(plain))
            heights.insert(at, size)
            plain[at:at] = [40] * size
        elif action == "r" and at < len(plain):
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


def stored(folder: Path, count: int) -> Desk:
    """A desk that has so many messages of another's."""
    made = desk(folder, HL)
    for start in range(0, count, 1000):
        payloads = [encode(MessageSent(text=f"Rad {start + i} åäö")) for i in range(1000)]
        from_others(made, EK, CHANNEL, payloads, n=start + 10, t=1_790_000_000_000 + start * 1000)
    return made


def work_stored(qtbot: QtBot, folder: Path, count: int) -> dict[str, int]:
    """Lines run, and hundreds of the database's steps, to open a stored conversation, to go to its middle and to send.

    Those steps may be as many as the messages: it counts them.
    """
    at = stored(folder, count)
    views: list[TimelineView] = []
    work: dict[str, int] = {}
    asked = 0

    def ask() -> int:
        nonlocal asked
        asked += 1
        return 0

    def measure(name: str, action: Callable[[], object]) -> None:
        nonlocal asked
        asked = 0
        at.store.db.conn.set_progress_handler(ask, 100)
        lines = lines_run(action)
        at.store.db.conn.set_progress_handler(None, 100)
        work[f"{name}, lines"] = lines - 3 * asked  # those of `ask` itself
        work[f"{name}, steps"] = asked

    def show() -> None:
        views.append(shown(qtbot, at.chat.timeline(ROOM)))
        views[0].grab()

    def to_the_middle() -> None:
        views[0].jump_to(count // 2)
        views[0].grab()

    def send() -> None:
        at.chat.send(ROOM, "sist")
        views[0].viewport().repaint()

    measure("open", show)
    measure("middle", to_the_middle)
    measure("send", send)
    assert at.chat.timeline(ROOM).message(count).text == "sist"
    at.close()
    return work


@pytest.mark.slow
def test_a_long_stored_conversation_is_no_more_work_to_open_than_a_short_one(qtbot: QtBot, tmp_path: Path) -> None:
    few, many = (work_stored(qtbot, tmp_path / str(count), count) for count in (2000, 20_000))
    for name, work in many.items():
        assert work < (2 if name.endswith("lines") else 20) * few[name], name
