# SPDX-License-Identifier: EUPL-1.2
"""What happened in the room between the messages on screen: painted, unfolded by mouse and keys, read aloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.chat.lines import WITHIN_MS
from app.chat.records import MessageSent, encode
from app.core.enums import Role
from app.core.i18n import set_language
from app.core.ids import ObjId, Uid
from app.rooms.records import RoomNamed
from app.rooms.records import encode as record
from app.store.room_lines import SHOWN, RoomLine
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk, from_others
from tests.ui.faces import Name, child, face, focused, listening
from ui.chat.message_layout import Part
from ui.chat.view import ChatView
from ui.kit.line_words import ICONS, line_text, lines_text

T = 1_795_500_000_000
Key = Qt.Key


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


@pytest.fixture
def view(qtbot: QtBot, hl: Desk) -> ChatView:
    """Two messages; between them twelve people were added and one was removed."""
    say(hl, 10, 50)
    happen(hl, *(added(n) for n in range(20, 32)), RoomEvent(n=40, t=T + 40_000, kind="rm", by=EK, subject=RG))
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.resize(800, 700)
    made.show()
    made.activateWindow()
    return made


def say(hl: Desk, *positions: int) -> None:
    for n in positions:
        from_others(hl, EK, CHANNEL, [encode(MessageSent(text=f"Text {n} å 🙂"))], n=n, t=T + n * 1000)


def happen(hl: Desk, *events: RoomEvent) -> None:
    hl.store.receive(ReceivedSlice(room=ROOM, events=events))


def added(n: int) -> RoomEvent:
    subject = Uid(bytes([9, n]) * 8)
    return RoomEvent(n=n, t=T + n * 1000, kind="add", by=EK, subject=subject, role=Role.WRITER, history=True)


def said(view: ChatView) -> str:
    """What has the focus, without its role."""
    (found,) = focused(view)
    return found.split(" ", 1)[1]


def painted(view: ChatView, row: int) -> list[str]:
    return [line.text.split(" · ")[0] for line in view.list.layout_of(row).lines]


def test_the_lines_say_what_happened_between_the_messages(view: ChatView) -> None:
    assert painted(view, 0) == []
    assert painted(view, 1) == ["Enhetschef lade till 12 personer", "Enhetschef tog bort Registrator"]


def test_a_click_unfolds_and_folds_a_line_and_the_view_stays(view: ChatView) -> None:
    layout = view.list.layout_of(1)
    (at,) = [rect.center().toPoint() for hit, rect in layout.parts() if hit.part is Part.LINES]
    before = view.list.row_rect(1).height()
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=view.list.row_rect(1).topLeft() + at)
    assert painted(view, 1)[:2] == ["Enhetschef lade till 12 personer", "Enhetschef lade till Okänd"]
    assert len(painted(view, 1)) == 14
    assert view.list.row_rect(1).height() > before
    (at,) = [rect.center().toPoint() for hit, rect in view.list.layout_of(1).parts() if hit.part is Part.LINES]
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=view.list.row_rect(1).topLeft() + at)
    assert len(painted(view, 1)) == 2
    assert view.list.row_rect(1).height() == before


def test_keys_pass_through_the_lines_and_unfold_them(view: ChatView) -> None:
    view.list.setFocus()
    QTest.keyClick(view.list, Key.Key_End)
    first = said(view)
    assert first.startswith("Enhetschef lade till 12 personer · ")
    assert first.index("tog bort Registrator") < first.index("Text 50")
    QTest.keyClick(view.list, Key.Key_Right)
    assert said(view).endswith(", hopfälld")
    QTest.keyClick(view.list, Key.Key_Return)
    assert len(painted(view, 1)) == 14
    assert said(view).endswith(", utfälld")
    QTest.keyClick(view.list, Key.Key_Return)
    QTest.keyClick(view.list, Key.Key_Up)
    assert "lade till" not in said(view)


def test_what_happens_now_is_shown_below_the_last_message_and_stays_in_sight(view: ChatView, hl: Desk) -> None:
    happen(hl, RoomEvent(n=60, t=T + 60_000, kind="leave", by=RG))
    assert painted(view, 1)[-1] == "Registrator lämnade rummet"
    assert view.list.at_end
    assert view.list.row_rect(1).bottom() <= view.list.viewport().height()
    assert "Registrator lämnade rummet" in child(face(view.list), 1).text(Name)
    say(hl, 70)
    assert painted(view, 1)[-1] == "Enhetschef tog bort Registrator"
    assert painted(view, 2) == ["Registrator lämnade rummet"]


def test_a_line_is_neither_unread_nor_counted(view: ChatView, hl: Desk) -> None:
    hl.chat.mark_all_read(ROOM)
    happen(hl, RoomEvent(n=60, t=T + 60_000, kind="leave", by=RG))
    assert hl.chat.unread(ROOM) == (0, 0)
    assert view.model.rowCount() == 2


def test_a_message_is_not_read_by_what_happened_above_it(view: ChatView) -> None:
    view.list.open_at(1)
    view.list.press_part(1, 0)
    view.resize(800, 330)
    view.list.scroll_to_row(1, 0)
    ids = view.list.ids_in_sight()
    assert view.list.row_rect(1).top() < view.list.viewport().height() // 2
    assert view.model.timeline.message(1).change_id not in ids
    view.list.jump_to_end()
    assert view.model.timeline.message(1).change_id in view.list.ids_in_sight()


def test_few_people_are_named_and_nothing_is_left_to_unfold(view: ChatView, hl: Desk) -> None:
    happen(hl, *(RoomEvent(n=60 + i, t=T, kind="leave", by=by) for i, by in enumerate((RG, EK, HL))))
    last = view.list.layout_of(1).lines[-1]
    assert last.text.startswith("Registrator, Enhetschef och Du lämnade rummet")
    assert not last.folds


def test_a_line_of_another_day_says_its_day_and_is_above_the_new_one(qtbot: QtBot, hl: Desk) -> None:
    say(hl, 10)
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text="I övermorgon"))], n=50, t=T + 2 * 86_400_000)
    happen(hl, RoomEvent(n=20, t=T + 86_400_000, kind="leave", by=RG))
    view = ChatView(hl.chat, ROOM)
    qtbot.addWidget(view)
    view.resize(800, 700)
    layout = view.list.layout_of(1)
    (line,) = layout.lines
    assert layout.day is not None
    assert line.rect.bottom() <= layout.day[0].top()
    assert "25 nov" in line.text


def test_titles_that_are_long_or_turn_text_round_stay_in_their_line(view: ChatView, hl: Desk) -> None:
    titles = [record(RoomNamed(title=t, type="case")) for t in ("Ett", "\u202e" + "å" * 199, "{by} \x07\n")]
    from_others(hl, EK, ObjId(ROOM), titles, n=60, t=T + 60_000, step=WITHIN_MS + 1)  # each has a line of its own
    assert ["bytte namn på rummet: ”" in text for text in painted(view, 1)[-2:]] == [True, True]
    for line in view.list.layout_of(1).lines:
        assert line.rect.left() >= 0
        assert line.rect.right() <= view.list.viewport().width()
        assert not {"\u202e", "\x07", "\n"} & set(line.text)


def test_each_kind_that_is_shown_has_words_and_an_icon(hl: Desk) -> None:
    for kind in SHOWN:
        line = RoomLine(n=1, t=T, kind=kind, by=EK, subject=RG)
        assert line_text(line, hl.folk.person)
        assert kind in ICONS
        for count in (1, 2, 5):
            assert lines_text([line] * min(count, 2), hl.folk.person, count=count, mixed=False) or kind == "genesis"
    assert line_text(RoomLine(n=1, t=T, kind="a newer program's", by=EK), hl.folk.person) == ""


def test_a_click_beside_a_line_chooses_the_message_only(view: ChatView) -> None:
    y = view.list.row_rect(1).top() + round(view.list.layout_of(1).lines[1].rect.center().y())
    QTest.mouseClick(view.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(4, y))
    assert len(painted(view, 1)) == 2
    assert view.list.currentIndex().row() == 1
