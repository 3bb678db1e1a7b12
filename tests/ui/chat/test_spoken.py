# SPDX-License-Identifier: EUPL-1.2
"""Messages one by one, and in each the links, files and reactions that one can reach: by key and as objects."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.chat.records import Attachment, MessageDeleted, MessageSent, ReactionSet, encode
from app.core.i18n import set_language
from app.core.ids import ChangeId
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk, from_others
from tests.ui.faces import Description, Name, Role, child, face, focused, listening, press, walk
from ui.chat.message_layout import Hit, Part
from ui.chat.view import ChatView

Key = Qt.Key
LINK = "https://example.org/5"


@pytest.fixture(autouse=True)
def _listening() -> Iterator[None]:
    set_language("sv")
    yield from listening()


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def colleague(hl: Desk, *texts: str, n: int = 10) -> None:
    from_others(hl, EK, CHANNEL, [encode(MessageSent(text=text)) for text in texts], n=n, t=1_795_500_000_000)


def latest(hl: Desk) -> ChangeId:
    timeline = hl.chat.timeline(ROOM)
    return timeline.message(len(timeline) - 1).change_id


@pytest.fixture
def view(qtbot: QtBot, hl: Desk) -> ChatView:
    """A message with a link and a file, answered, with two reactions; before it a plain one."""
    colleague(hl, "Först å 🙂")
    file = Attachment(name="Yttrande.pdf", size_bytes=2048, media_type="application/pdf", manifest=b"m")
    text = f"Se [lagrummet]({LINK}) och {LINK}"
    payloads = [encode(MessageSent(text=text, attachments=(file,)))]
    from_others(hl, EK, CHANNEL, payloads, n=20, t=1_795_500_060_000)
    target = latest(hl)
    for n, emoji in ((30, "👍"), (31, "🎉")):
        reaction = encode(ReactionSet(target=target, emoji=emoji, on=True))
        from_others(hl, RG, CHANNEL, [reaction], n=n, t=1_795_500_070_000)
    hl.chat.react(ROOM, target, "👍")
    hl.chat.send(ROOM, "Svar", reply_to=target)
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.list.setFocus()
    return made


def choose(view: ChatView, row: int) -> None:
    view.list.setCurrentIndex(view.model.index(row))


def names(view: ChatView, row: int) -> list[tuple[Role, str, str]]:
    """The parts of a message."""
    message = child(face(view.list), row)
    return [(part.role(), part.text(Name), part.text(Description)) for part in list(walk(message))[1:]]


def test_a_message_is_an_item_of_a_list_with_its_place_and_its_parts(view: ChatView) -> None:
    found = face(view.list)
    assert (found.role(), found.text(Name), found.childCount()) == (Role.List, "Meddelanden", 3)
    message = child(found, 1)
    assert (message.role(), found.indexOfChild(message)) == (Role.ListItem, 1)
    assert "Se lagrummet" in message.text(Name)
    assert names(view, 1) == [
        (Role.Link, "lagrummet", "1 av 6"),
        (Role.Link, LINK, "2 av 6"),
        (Role.Button, "fil Yttrande.pdf, 2 kB", "3 av 6"),
        (Role.Button, "👍 2, Registrator, Handläggare", "4 av 6"),
        (Role.Button, "🎉 1, Registrator", "5 av 6"),
        (Role.Link, "Visa det senaste svaret", "6 av 6"),
    ]
    assert [(role, name.partition(":")[0]) for role, name, _ in names(view, 2)] == [(Role.Link, "Svar till Enhetschef")]
    assert names(view, 0) == []


def test_an_answer_to_a_deleted_message_says_so(view: ChatView, hl: Desk) -> None:
    deleted = MessageDeleted(target=view.model.timeline.message(1).change_id)
    from_others(hl, EK, CHANNEL, [encode(deleted)], n=40, t=1_795_500_080_000)
    [(_, name, _)] = names(view, 2)
    assert name == "Svar till Enhetschef: Meddelandet togs bort"


def test_arrows_reach_each_part_and_come_back_to_the_message(view: ChatView) -> None:
    choose(view, 1)
    steps = [focused(view)]
    for _ in range(7):
        QTest.keyClick(view.list, Key.Key_Right)
        steps.append(focused(view))
    roles = [step[0].partition(" ")[0] for step in steps]
    assert roles == ["ListItem", "Link", "Link", "Button", "Button", "Button", "Link", "Link"]
    assert all(len(step) == 1 for step in steps)
    for _ in range(6):
        QTest.keyClick(view.list, Key.Key_Left)
    assert focused(view) == steps[0]
    QTest.keyClick(view.list, Key.Key_Left)
    assert focused(view) == steps[0]


def test_an_arrow_up_leaves_the_parts(view: ChatView) -> None:
    choose(view, 1)
    QTest.keyClick(view.list, Key.Key_Right)
    QTest.keyClick(view.list, Key.Key_Up)
    (spoken,) = focused(view)
    assert spoken.startswith("ListItem ")
    assert "Först å 🙂" in spoken
    QTest.keyClick(view.list, Key.Key_Down)
    assert focused(view)[0].startswith("ListItem ")


@pytest.mark.parametrize("by_object", [False, True])
def test_a_part_does_what_a_click_on_it_does(view: ChatView, by_object: bool) -> None:
    hits: list[Hit] = []
    view.list.hit.disconnect()
    view.list.hit.connect(lambda _message, hit: hits.append(hit))
    for number in range(6):
        if by_object:
            press(child(child(face(view.list), 1), number))
        else:
            choose(view, 0)
            choose(view, 1)
            for _ in range(number + 1):
                QTest.keyClick(view.list, Key.Key_Right)
            QTest.keyClick(view.list, Key.Key_Return)
    expected = [Part.LINK, Part.LINK, Part.FILE, Part.REACTION, Part.REACTION, Part.REPLIES]
    assert [hit.part for hit in hits] == expected
    assert [hit.run.href for hit in hits[:2] if hit.run] == [LINK, LINK]
    assert [hit.number for hit in hits[2:5]] == [0, 0, 1]


def test_the_part_that_has_the_focus_is_seen(view: ChatView) -> None:
    choose(view, 1)
    before = view.list.grab().toImage()
    QTest.keyClick(view.list, Key.Key_Right)
    first = view.list.grab().toImage()
    QTest.keyClick(view.list, Key.Key_Right)
    assert before != first != view.list.grab().toImage()


def test_parts_are_those_of_the_message_as_it_is_now(view: ChatView, hl: Desk) -> None:
    message = child(face(view.list), 1)
    assert message.childCount() == 6
    from_others(
        hl,
        RG,
        CHANNEL,
        [encode(ReactionSet(target=hl.chat.timeline(ROOM).message(1).change_id, emoji="🎉", on=False))],
        n=60,
        t=1_795_500_090_000,
    )
    assert [name for _, name, _ in names(view, 1)][3:] == [
        "👍 2, Registrator, Handläggare",
        "Visa det senaste svaret",
    ]
    own = hl.chat.timeline(ROOM).message(2)
    hl.chat.delete(ROOM, own.change_id)
    choose(view, 2)
    QTest.keyClick(view.list, Key.Key_Right)
    assert focused(view)[0].startswith("ListItem ")
    assert names(view, 2) == []


def test_a_message_keeps_its_object_when_older_ones_come(view: ChatView, hl: Desk) -> None:
    found, message = face(view.list), child(face(view.list), 2)
    assert ": Svar. väntar" in message.text(Name)
    colleague(hl, "Ett till", n=70)
    assert found.childCount() == 4
    assert found.indexOfChild(message) == 3, "what waits to be sent stands last"
    assert ": Svar. väntar" in message.text(Name)
    assert "Ett till" in child(found, 2).text(Name)


def test_only_messages_of_others_below_the_line_are_unread(qtbot: QtBot, hl: Desk) -> None:
    colleague(hl, "Gammalt")
    hl.chat.mark_all_read(ROOM)
    colleague(hl, "Nytt å", "Nytt 🙂", n=40)
    hl.chat.send(ROOM, "Eget")
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    found = face(made.list)

    def unread() -> list[bool]:
        return [child(found, row).text(Name).startswith("Oläst. ") for row in range(4)]

    assert unread() == [False, True, True, False]
    hl.chat.mark_all_read(ROOM)
    assert unread()[1], "who hears one message at a time has not come to it yet"
    made.model.timeline.mark_divider()
    assert unread() == [False] * 4


def test_the_list_has_the_focus_itself_only_while_it_is_empty(qtbot: QtBot, hl: Desk) -> None:
    made = ChatView(hl.chat, ROOM)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(made.isActiveWindow)
    made.composer.field.setFocus()
    QApplication.processEvents()
    assert len(focused(made)) == 1
    assert focused(made)[0].startswith("EditableText ")


def test_a_person_who_is_offered_for_a_mention_is_announced_where_one_types(view: ChatView) -> None:
    field = view.composer.field
    field.setFocus()
    field.insertPlainText("Hej @")
    assert field.names is not None
    spoken = [face(field).text(Description)]
    QTest.keyClick(field, Key.Key_Down)
    spoken.append(face(field).text(Description))
    assert len(set(spoken)) == 2
    assert set(spoken) <= {"Enhetschef", "Registrator", "Handläggare"}
    assert len(focused(view)) == 1
    QTest.keyClick(field, Key.Key_Escape)
    assert face(field).text(Description) == ""
