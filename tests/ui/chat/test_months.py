# SPDX-License-Identifier: EUPL-1.2
"""What is shown of a conversation's months: messages that came late, and own ones that reach nobody."""

import asyncio

from app.chat.stranded import StrandedCount
from app.core.i18n import set_language
from app.core.months import begins_ms, month_of
from tests.app.chat.destroys import destroy
from tests.app.chat.months import come, written
from tests.office import CHANNEL, ROOM, Desk
from tests.world import until
from ui.chat.view import ChatView
from ui.kit.buttons import TextButton
from ui.kit.dialogs import Dialog

T = 1_795_500_000_000


def press(view: ChatView, text: str) -> None:
    (button,) = [each for each in view.stranded.findChildren(TextButton) if each.text() == text and each.isVisible()]
    button.click()


async def question(view: ChatView, title: str = "Slänga 1 meddelande från dig?") -> Dialog:
    """The question that is asked over the conversation."""

    def shown() -> list[Dialog]:
        return [each for each in view.findChildren(Dialog) if each.isVisible() and each.windowTitle() == title]

    await until(lambda: bool(shown()))
    return shown()[0]


async def answered(of: Dialog) -> None:
    """Waits until what follows the answer to a question is done."""
    await until(lambda: not of.isVisible())
    await asyncio.sleep(0)


def test_a_message_that_came_over_a_month_late_says_so_to_eyes_and_ears(view: ChatView, hl: Desk) -> None:
    period = hl.store.series.all(ROOM)[0].period
    late = begins_ms(period + 1) + 32 * 86_400_000
    come(hl, written(CHANNEL, 10, late, "sent å"))
    assert hl.chat.timeline(ROOM).message(0).late
    assert "kom över en månad för sent" in view.model.spoken(0)
    set_language("en")
    assert "came over a month late" in view.model.spoken(0)


def test_a_message_of_its_own_month_says_nothing_of_it(view: ChatView, hl: Desk) -> None:
    come(hl, written(CHANNEL, 10, begins_ms(month_of(T)), "i tid"))
    assert "sent" not in view.model.spoken(0)


def test_own_messages_of_a_destroyed_month_are_offered_in_the_present_one(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "skrivet utan nät å")
    assert not view.stranded.isVisible()
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    assert view.stranded.isVisible()
    assert view.stranded.text() == "1 meddelande från dig skickades inte: dess månad har gallrats."
    press(view, "Skicka nu")
    assert not view.stranded.isVisible()
    timeline = hl.chat.timeline(ROOM)
    assert [(timeline.message(i).text, timeline.message(i).obj == CHANNEL) for i in range(len(timeline))] == [
        ("skrivet utan nät å", False)
    ]


def test_edits_of_what_is_gone_are_dropped_with_a_sentence(view: ChatView, hl: Desk) -> None:
    come(hl, written(CHANNEL, 10, T, "kollegans"))
    hl.chat.react(ROOM, hl.chat.timeline(ROOM).message(0).change_id, "👍")
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    assert view.stranded.text() == "Ändringar av och reaktioner på meddelanden som är borta utgår."
    press(view, "OK")
    assert not view.stranded.isVisible()
    assert hl.store.waiting_count() == 0
    assert len(hl.chat.timeline(ROOM)) == 0


async def test_own_messages_of_a_destroyed_month_are_discarded_after_one_question(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "skrivet utan nät å")
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    press(view, "Släng …")
    first = await question(view)
    first.reject()
    await answered(first)
    assert view.stranded.isVisible()
    assert len(hl.chat.timeline(ROOM)) == 1
    press(view, "Släng …")
    (await question(view)).accept()
    await until(lambda: not view.stranded.isVisible())
    assert len(hl.chat.timeline(ROOM)) == 0
    assert hl.store.waiting_count() == 0


async def test_more_than_was_asked_about_is_not_discarded(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "skrivet utan nät å")
    hl.chat.send(ROOM, "skrivet under frågan 🙂")
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    found = hl.chat.stranded
    earlier = [StrandedCount(destroyed=1, apart=0, notes=0)]
    hl.chat.stranded = lambda room: earlier.pop() if earlier else found(room)  # type: ignore[method-assign] # one fewer
    press(view, "Släng …")
    (await question(view)).accept()
    second = await question(view, "Slänga 2 meddelanden från dig?")
    assert len(hl.chat.timeline(ROOM)) == 2
    second.reject()
    await answered(second)
    assert len(hl.chat.timeline(ROOM)) == 2


async def test_an_answer_to_a_message_that_is_discarded_ends(view: ChatView, hl: Desk) -> None:
    sent = hl.chat.send(ROOM, "skrivet utan nät å")
    view.answer(CHANNEL, sent)
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    assert view.composer.begun.reply_to is not None, "it can still be sent"
    press(view, "Släng …")
    (await question(view)).accept()
    await until(lambda: not view.stranded.isVisible())
    assert view.composer.begun.reply_to is None


def test_who_may_not_write_is_offered_nothing(view: ChatView, hl: Desk) -> None:
    hl.chat.send(ROOM, "skrivet utan nät å")
    hl.folk.writer = False
    destroy(hl.store)
    hl.chat.changed.emit(ROOM)
    assert not view.stranded.isVisible()
