# SPDX-License-Identifier: EUPL-1.2
"""Disposing of months of a conversation in a dialog: what it says, by keyboard, with progress, a stop and an error."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.chat.destroying import Month, Months
from app.chat.drafts import Draft
from app.chat.model import Message
from app.chat.records import Attachment, MessageSent
from app.core.enums import Role
from app.core.i18n import set_language
from app.core.months import begins_ms, month_of
from sync.client.ports import MemberRow
from sync.client.received import ReceivedSlice
from sync.errors import Unreachable
from tests.app.chat.destroys import Destroys, months_of
from tests.app.chat.months import DECEMBER, NOVEMBER, announced, at, come, months_object, set_to, texts, written
from tests.office import CHANNEL, HL, ROOM, Desk
from tests.ui.faces import Name, face
from tests.ui.shown import shows, words
from tests.ui.soon import caught_up
from tests.ui.walking import check, check_tab
from tests.world import until
from ui.chat.destroy_dialog import DestroyDialog, month_texts, total_text
from ui.chat.view import ChatView
from ui.kit.dialogs import Dialog
from ui.kit.line_words import lines_text

LATE = begins_ms(month_of(NOVEMBER) + 1) + 32 * 86_400_000
JANUARY = at(2027, 1, 20)
MONTH = Month(
    period=month_of(NOVEMBER), objs=(CHANNEL,), messages=1280, files=1, first_t=at(2026, 11, 3), last_t=at(2026, 11, 3),
    late=0, waiting=1, is_over=True,
)  # fmt: skip


@pytest.fixture
def destroys(hl: Desk) -> Iterator[Destroys]:
    """November with a late message and a file, December, and the present month."""
    hl.folk.admin = True
    december = months_object(1)
    with set_to(JANUARY):
        come(
            hl,
            written(CHANNEL, 10, at(2026, 11, 3), "i november å"),
            written(CHANNEL, 11, at(2026, 11, 5), MessageSent(text="", attachments=(ATTACHED,))),
            announced(december, 12, DECEMBER),
            written(december, 13, DECEMBER, "i december å"),
            written(CHANNEL, 14, LATE, "sent"),
        )
        hl.chat.send(ROOM, "nu å")
        yield Destroys(hl.store)


ATTACHED = Attachment(name="Bilaga åäö.txt", size_bytes=5, media_type="text/plain", manifest=b"manifest")


@pytest.fixture
def months(hl: Desk, destroys: Destroys) -> Months:
    return months_of(hl, destroys)


async def opened(qtbot: QtBot, months: Months, parent: QWidget | None = None) -> DestroyDialog:
    made = DestroyDialog(parent, months, ROOM, await months.read(ROOM))
    qtbot.addWidget(made)
    made.open()
    return made


async def question(of: Dialog) -> Dialog:
    """Waits for the second question, and returns it."""
    await until(lambda: any(each.isVisible() for each in of.findChildren(Dialog)))
    return next(each for each in of.findChildren(Dialog) if each.isVisible())


async def test_it_says_what_is_in_each_month_and_what_happens(qtbot: QtBot, months: Months) -> None:
    shown = await opened(qtbot, months)
    names = [row.box.text() for row in shown.rows.rows]
    assert names == ["januari 2027", "december 2026", "november 2026"]
    said = words(shown)
    for part in (
        "Det går inte att ångra",
        "3 meddelanden och 1 fil",
        "1 av dem kom mer än en månad efter månadens slut.",
        "Månaden är inte slut.",
        "Säkerhetskopior av servern har kvar meddelandena",
        "Datorn hos den som inte längre är med i rummet behåller det den har.",
        "finns kvar där, utan sina filer",
        "skrivskyddade kopior",
        "I rummet syns för alltid att du gallrade månaden, och när.",
    ):
        assert part in said, part
    assert [row.box.isEnabled() for row in shown.rows.rows] == [False, True, True]
    assert not shown.accept_button.isEnabled(), "no month is chosen"
    assert not shown.accept_button.isDefault(), "Enter alone does not do what cannot be undone"
    assert face(shown.rows.rows[2].box).text(Name) == "november 2026"
    check(shown)
    check_tab(shown)
    set_language("en")
    assert month_texts(MONTH)[0] == "1\u00a0280 messages and 1 file, 3 Nov 2026"
    assert total_text([MONTH, MONTH]) == "2\u00a0560 messages and 2 files"


async def test_a_month_is_disposed_of_by_keyboard_after_a_second_question(
    qtbot: QtBot, hl: Desk, months: Months
) -> None:
    shown = await opened(qtbot, months)
    november = shown.rows.rows[2].box
    november.setFocus()
    QTest.keyClick(november, Qt.Key.Key_Space)
    assert [month.period for month in shown.chosen()] == [month_of(NOVEMBER)]
    shown.accept_button.setFocus()
    QTest.keyClick(shown.accept_button, Qt.Key.Key_Space)
    asked = await question(shown)
    assert asked.windowTitle() == "Gallra november 2026?"
    assert "3 meddelanden och 1 fil raderas för alla" in words(asked)
    QTest.keyClick(asked, Qt.Key.Key_Return)  # the bare Enter does nothing that cannot be undone
    await until(lambda: not asked.isVisible())
    assert "i november å" in texts(hl)
    QTest.keyClick(shown.accept_button, Qt.Key.Key_Space)
    asked = await question(shown)
    asked.accept_button.setFocus()
    QTest.keyClick(asked.accept_button, Qt.Key.Key_Space)
    await shows(shown, lambda: "november 2026 har gallrats." in words(shown))
    assert texts(hl) == ["i december å", "nu å"]
    assert shown.accept_button.isHidden()
    assert shown.close_button.text() == "Stäng"
    assert shown.focusWidget() is shown.close_button
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert not shown.isVisible()


async def agree(shown: DestroyDialog, *rows: int) -> None:
    for row in rows:
        shown.rows.rows[row].box.setChecked(True)
    shown.accept_button.click()
    (await question(shown)).accept_button.click()


async def test_it_shows_the_progress_and_esc_stops_it_first(
    qtbot: QtBot, hl: Desk, months: Months, destroys: Destroys
) -> None:
    destroys.gate = asyncio.Event()
    shown = await opened(qtbot, months)
    await agree(shown, 1, 2)
    await shows(shown, shown.progress.isVisible)
    assert not shown.accept_button.isEnabled()
    assert not shown.rows.rows[1].box.isEnabled()
    assert shown.close_button.text() == "Stoppa"
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert shown.isVisible()
    assert "Stoppat. Det som hann gallras är borta." in words(shown)
    await shows(shown, shown.accept_button.isEnabled)
    assert "i november å" in texts(hl)
    destroys.gate.set()
    await agree(shown)
    await shows(shown, lambda: "november 2026 och december 2026 har gallrats." in words(shown))
    assert texts(hl) == ["nu å"]


async def test_an_error_is_a_sentence_and_it_can_be_tried_again(
    qtbot: QtBot, hl: Desk, months: Months, destroys: Destroys
) -> None:
    destroys.error = Unreachable("lost")
    shown = await opened(qtbot, months)
    await agree(shown, 2)
    await shows(shown, lambda: "Servern svarar inte." in shown.error.text())
    await shows(shown, shown.accept_button.isEnabled)
    await agree(shown)
    await shows(shown, lambda: "november 2026 har gallrats." in words(shown))
    assert shown.error.isHidden()


async def test_offline_it_says_that_it_needs_the_server_and_goes_on_when_there_is_one(
    qtbot: QtBot, months: Months, destroys: Destroys
) -> None:
    destroys.code = Unreachable.code
    shown = await opened(qtbot, months)
    shown.rows.rows[2].box.setChecked(True)
    assert "Servern svarar inte." in words(shown)
    assert not shown.accept_button.isEnabled()
    destroys.code = None
    shown.due()
    await shows(shown, shown.accept_button.isEnabled)
    assert "Servern svarar inte." not in words(shown)
    assert [month.period for month in shown.chosen()] == [month_of(NOVEMBER)], "what was chosen stays chosen"
    destroys.code = "reading"
    shown.due()
    await shows(shown, lambda: "inte läst hela rummet än" in words(shown))
    assert shown.accept_button.isEnabled()


async def test_a_person_who_loses_the_right_meanwhile_destroys_nothing(qtbot: QtBot, hl: Desk, months: Months) -> None:
    shown = await opened(qtbot, months)
    shown.rows.rows[2].box.setChecked(True)
    hl.folk.admin = False
    shown.due()
    await shows(shown, lambda: not shown.accept_button.isEnabled())
    QTest.keyClick(shown.accept_button, Qt.Key.Key_Space)
    hl.folk.admin = True
    shown.due()
    await shows(shown, shown.accept_button.isEnabled)
    assert not shown.findChildren(Dialog), "no question was asked meanwhile"
    assert "i november å" in texts(hl)


async def test_who_cannot_read_the_history_is_told_that_it_goes_too(qtbot: QtBot, hl: Desk, months: Months) -> None:
    newcomer = MemberRow(uid=HL, role=Role.ADMIN, since_n=5, history=False)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=20, state=b"", members=[newcomer]))
    shown = await opened(qtbot, months)
    assert "Du kan inte läsa det som skrevs innan du lades till." in words(shown)
    shown.rows.rows[2].box.setChecked(True)
    assert shown.accept_button.isEnabled()


async def test_without_messages_it_says_so(qtbot: QtBot, hl: Desk) -> None:
    hl.folk.admin = True
    shown = await opened(qtbot, months_of(hl, Destroys(hl.store)))
    assert "Det finns inga meddelanden att gallra." in words(shown)
    assert not shown.accept_button.isEnabled()


def beside_november(qtbot: QtBot, hl: Desk, destroys: Destroys) -> tuple[ChatView, Message]:
    """A view of the conversation, and its message of November, which is about to be destroyed."""
    months_of(hl, destroys)
    view = ChatView(hl.chat, ROOM)
    qtbot.addWidget(view)
    timeline = hl.chat.timeline(ROOM)
    messages = [timeline.message(i) for i in range(len(timeline))]
    return view, next(message for message in messages if message.text == "i november å")


def test_what_was_written_about_a_message_that_is_gone_is_not_left_in_the_field(
    qtbot: QtBot, hl: Desk, destroys: Destroys
) -> None:
    """The change of an own message holds the message's text, and an answer quotes what it answers."""
    view, going = beside_november(qtbot, hl, destroys)
    view.composer.field.setPlainText("mitt svar å")
    view.composer.reply(going, "Enhetschef")
    asyncio.run(destroys.destroy(ROOM, CHANNEL))
    caught_up(view)
    assert view.composer.replies_to is None
    assert view.composer.text == "mitt svar å"
    assert "i november å" not in " ".join(x.text() for x in view.findChildren(QLabel) if x.isVisibleTo(view))


def test_a_change_of_a_message_that_is_gone_ends_and_what_was_written_before_it_is_back(
    qtbot: QtBot, hl: Desk, destroys: Destroys
) -> None:
    view, gone = beside_november(qtbot, hl, destroys)
    view.composer.field.setPlainText("mitt svar å 🙂")
    view.composer.reply(gone, "Enhetschef")
    view.composer.edit(gone)
    assert view.composer.text == "i november å"
    asyncio.run(destroys.destroy(ROOM, CHANNEL))
    caught_up(view)
    assert view.composer.edits is None
    assert view.composer.replies_to is None
    assert view.composer.text == "mitt svar å 🙂"
    view.keep_draft()
    assert hl.chat.draft(ROOM) == Draft(text="mitt svar å 🙂")


def test_the_line_in_the_conversation_names_each_month_once(hl: Desk, destroys: Destroys) -> None:
    asyncio.run(destroys.destroy(ROOM, CHANNEL))
    timeline = hl.chat.timeline(ROOM)
    places = [timeline.place(index) for index in range(len(timeline))]
    (found,) = [each for place in places for each in (*place.lines, *place.after)]
    shown = partial(lines_text, found.lines, hl.folk.person, count=found.count, mixed=found.mixed)
    assert shown() == "Du lät gallra meddelandena från november 2026"
    other = replace(found.lines[0], period=month_of(DECEMBER), n=found.lines[0].n + 1)
    both = partial(lines_text, [*found.lines, other, other], hl.folk.person, count=3, mixed=False)
    assert both() == "Du lät gallra meddelandena från november 2026 och december 2026"
    set_language("en")
    assert shown() == "You had the messages of November 2026 disposed of"
