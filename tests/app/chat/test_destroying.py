# SPDX-License-Identifier: EUPL-1.2
"""Months of a conversation that are destroyed: what is listed before, who may, and that nothing of the text is left."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from app.chat import KIND as CHAT
from app.chat.destroying import Months
from app.chat.drafts import Draft
from app.chat.records import Attachment, MessageEdited, MessageSent, ReactionSet
from app.core.ids import PartId, RoomId
from app.core.months import begins_ms, month_of
from app.core.signal import Signal
from app.errors import Forbidden, NotFound
from app.rooms.destroying import Destroying
from app.rooms.projection import KIND as ROOM_KIND
from app.store.cached_parts import WantedPart
from app.store.destroyed_objects import SLICE
from app.store.rows import BlobPart
from app.store.series import is_destroyed
from app.store.store import Store
from app.tasks import KIND as BOARD
from sync.client.engine import Engine
from sync.client.ports import RoomEvent
from sync.client.received import ReceivedSlice, Resolved
from tests.app.chat.destroys import CANARY, WORD, by_words, destroy, destroys, found_in, months, nothing
from tests.app.chat.months import (
    DECEMBER,
    NOVEMBER,
    Clock,
    announced,
    at,
    clock,
    come,
    ek,
    hl,
    months_object,
    share_of,
    texts,
    written,
)
from tests.office import CHANNEL, EK, HL, KEY, ROOM, Desk, Positions

__all__ = ["clock", "destroys", "ek", "hl", "months"]  # fixtures

KINDS = {each.id: each for each in (ROOM_KIND, CHAT, BOARD)}
JANUARY = at(2027, 1)
OTHER_ROOM = RoomId(b"R" * 16)


def attachment(name: str) -> Attachment:
    return Attachment(name=name, size_bytes=5, media_type="text/plain", manifest=b"manifest")


def files_with(folder: Path, word: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


# -- what is listed


async def test_the_months_are_listed_with_what_is_in_them(hl: Desk, months: Months, clock: Clock) -> None:
    late = begins_ms(month_of(NOVEMBER) + 1) + 32 * 86_400_000
    first = written(CHANNEL, 11, at(2026, 11, 3), "första å")
    files = MessageSent(text="", attachments=tuple(attachment(f"{n} åäö.txt") for n in range(18)))
    come(
        hl,
        first,
        written(CHANNEL, 12, at(2026, 11, 5), files),
        written(CHANNEL, 13, at(2026, 11, 6), MessageSent(text="", attachments=(attachment("en.txt"),))),
        written(CHANNEL, 14, at(2026, 11, 7), ReactionSet(target=first.change_id, emoji="👍", on=True)),
        written(CHANNEL, 15, late, "sent"),
    )
    clock.now_ms = late
    hl.chat.send(ROOM, "nu")
    found = await months.read(ROOM)
    present = month_of(late)
    assert [(m.period, m.messages, m.files, m.late, m.waiting, m.is_over) for m in found] == [
        (present, 1, 0, 0, 1, False),
        (month_of(NOVEMBER), 4, 19, 1, 0, True),
    ]
    assert (found[1].objs, found[1].first_t, found[1].last_t) == ((CHANNEL,), at(2026, 11, 3), late)


async def test_two_objects_of_a_month_are_one_line_and_both_destroyed(hl: Desk, months: Months, clock: Clock) -> None:
    one, other = months_object(1), months_object(2)
    come(
        hl,
        announced(one, 10, DECEMBER),
        announced(other, 11, DECEMBER),
        written(one, 12, DECEMBER, "i den ena å"),
        written(other, 13, DECEMBER + 5, "i den andra å"),
    )
    clock.now_ms = at(2027, 1)
    (found,) = await months.read(ROOM)
    assert (found.objs, found.messages, found.last_t - found.first_t) == ((one, other), 2, 5)
    told: list[tuple[int, int]] = []
    gone = await months.destroy(ROOM, [found.period], lambda *now: told.append(now))
    assert [month.period for month in gone] == [month_of(DECEMBER)]
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert texts(hl) == []
    assert await months.read(ROOM) == []


async def test_a_room_without_messages_has_no_months(hl: Desk, months: Months) -> None:
    assert await months.read(ROOM) == []
    assert await months.read(OTHER_ROOM) == []
    assert await months.destroy(ROOM, [month_of(NOVEMBER)], nothing) == []


# -- who may, and what


async def test_attack_the_present_month_is_not_destroyed(hl: Desk, months: Months, clock: Clock) -> None:
    hl.chat.send(ROOM, "nu å")
    with pytest.raises(Forbidden):
        await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    assert texts(hl) == ["nu å"]


@pytest.mark.parametrize(("here", "there"), [(JANUARY, DECEMBER), (DECEMBER, JANUARY)], ids=["here", "server"])
def test_attack_a_clock_that_is_ahead_ends_no_month(clock: Clock, here: int, there: int) -> None:
    clock.now_ms = here
    destroying = Destroying(cast("Engine", Connected(there)), Signal())
    assert destroying.now_ms() == DECEMBER


@dataclass
class Connected:
    """An engine of which only the server's time matters here."""

    server_now_ms: int


@pytest.mark.parametrize("role", ["writer", "reader who was administrator"])
async def test_attack_only_an_administrator_who_may_write_destroys_a_month(
    hl: Desk, months: Months, clock: Clock, role: str
) -> None:
    come(hl, written(CHANNEL, 10, NOVEMBER, "november å"))
    hl.folk.admin, hl.folk.writer = (False, True) if role == "writer" else (True, False)
    clock.now_ms = DECEMBER
    assert not months.may_destroy(ROOM)
    with pytest.raises(Forbidden):
        await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    assert texts(hl) == ["november å"]


def test_attack_an_administrator_of_another_room_destroys_nothing_here(hl: Desk) -> None:
    """A member of both rooms keeps what is in this one, although the other room destroys an object with the same id."""
    come(hl, written(CHANNEL, 10, NOVEMBER, CANARY))
    event = RoomEvent(n=5, t=NOVEMBER, kind="destroy", by=EK, obj=CHANNEL)
    theirs = written(CHANNEL, 4, NOVEMBER, "deras å")
    hl.store.receive(ReceivedSlice(room=OTHER_ROOM, cursor=5, state=b"", changes=[theirs], events=[event]))
    assert texts(hl) == [CANARY]
    assert by_words(hl.store) == 1
    assert found_in(hl.store, "deras å") == set()
    come(hl, written(CHANNEL, 11, NOVEMBER, "och vidare å"))
    assert texts(hl) == [CANARY, "och vidare å"]


def test_attack_the_present_month_that_another_program_destroys_goes_on_in_a_new_object(
    hl: Desk, ek: Desk, clock: Clock
) -> None:
    """An administrator may delete messages anyway, so the program gains nothing. What is written afterwards stays."""
    server = Positions([hl, ek], t=NOVEMBER)
    hl.chat.send(ROOM, "före å")
    server.deliver()
    destroy(hl.store, ek.store)
    ek.chat.send(ROOM, "efter å")
    server.deliver()
    assert texts(hl) == texts(ek) == ["efter å"]
    assert hl.chat.timeline(ROOM).message(0).obj != CHANNEL


# -- what is left


async def test_nothing_of_a_destroyed_month_is_left_in_the_store(
    hl: Desk, months: Months, clock: Clock, tmp_path: Path
) -> None:
    """The rows of lists, the room's line, the search index with its own tables, notices, drafts, files."""
    store = hl.store
    asked = written(CHANNEL, 10, NOVEMBER, f"{CANARY} @Handläggare")
    come(hl, asked, written(CHANNEL, 11, NOVEMBER, MessageSent(text="", attachments=(attachment(f"{WORD}.txt"),))))
    mine = hl.chat.send(ROOM, f"{CANARY} från mig")
    server = Positions([hl], n=20, t=NOVEMBER)
    server.deliver()
    come(hl, written(CHANNEL, 30, NOVEMBER, MessageEdited(target=asked.change_id, text=f"{CANARY} ändrat")))
    await store.indexing.index_due()
    hl.chat.keep_draft(
        ROOM, Draft(text=f"{CANARY} ännu ett", edits=mine, aside="det här skrev jag", aside_reply_to=mine)
    )
    part = PartId(b"P" * 16)
    store.blobs.write(part, b"sealed bytes of " + WORD.encode())
    store.blobs.add(
        BlobPart(part=part, room=ROOM, obj=CHANNEL, key=b"k" * 32, hash=b"h" * 32, size=30, plain_size=3,
                 uploaded=True, present=True)
    )  # fmt: skip
    digest = b"d" * 32
    store.cached.pin([WantedPart(part=part, room=ROOM, obj=CHANNEL, digest=digest, size=3)])
    clock.now_ms = DECEMBER
    assert {"changes", "chat_messages", "counters", "rooms", "drafts", "search_content"} <= found_in(store)
    assert by_words(store) > 0
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    await store.destroyed.complete()
    assert found_in(store) == set()
    assert by_words(store) == 0
    assert not store.blobs.path(part).exists()
    assert store.blobs.get(part) is None
    assert store.db.rows("SELECT * FROM cached_parts") == []
    assert store.db.rows("SELECT * FROM destroying") == []
    assert store.share(ROOM, CHANNEL) is None
    assert hl.chat.draft(ROOM) == Draft(text="det här skrev jag")
    row = store.rooms_list.get(ROOM)
    assert row is not None
    assert (row.last_preview, row.last_by, row.unread) == ("", None, 0)
    assert files_with(tmp_path, WORD) == []


async def test_the_other_months_stay_as_they_are(hl: Desk, months: Months, clock: Clock) -> None:
    december = months_object(1)
    old = written(CHANNEL, 10, NOVEMBER, CANARY)
    answer = MessageSent(text="svar å", reply_to=old.change_id, reply_obj=CHANNEL)
    come(hl, old, announced(december, 11, DECEMBER), written(december, 12, DECEMBER, answer))
    timeline = hl.chat.timeline(ROOM)
    quote = timeline.message(1).quote
    assert quote is not None
    resets: list[None] = []
    end = timeline.reset.connect(lambda: resets.append(None))
    clock.now_ms = DECEMBER
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    end()
    assert resets != [], "an open conversation shows it at once"
    assert [timeline.message(i).text for i in range(len(timeline))] == ["svar å"]
    assert timeline.message(0).quote is None
    assert found_in(hl.store) == set()
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert row.last_preview == "svar å"
    assert row.unread == 1


@pytest.mark.parametrize("one_by_one", [False, True])
async def test_a_message_after_a_destroyed_month_is_unread(
    hl: Desk, months: Months, clock: Clock, one_by_one: bool
) -> None:
    """The rows that go may be the store's last ones. A later change gets such a row again, which was read."""
    december, count = months_object(1), 3 * SLICE
    old = [written(CHANNEL, 11 + i, NOVEMBER + i, f"rad {i} å") for i in range(count)]
    come(hl, *old)
    if one_by_one:  # the last ones, before the first was on screen
        hl.chat.mark_read(ROOM, [each.change_id for each in old[1:]])
    else:
        hl.chat.mark_all_read(ROOM)
    clock.now_ms = DECEMBER
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    await hl.store.destroyed.complete()
    come(hl, announced(december, 999, DECEMBER))
    come(hl, *(written(december, 1000 + i, DECEMBER + i, f"ny {i} 🙂") for i in range(count + 5)))
    row = hl.store.rooms_list.get(ROOM)
    assert row is not None
    assert row.unread == count + 5


async def test_a_long_month_is_destroyed_in_parts_also_over_a_crash(hl: Desk, tmp_path: Path) -> None:
    count = 3 * SLICE + 5
    come(hl, *(written(CHANNEL, 10 + i, NOVEMBER + i, f"{CANARY} {i}") for i in range(count)))
    destroy(hl.store)
    left = len(hl.chat.timeline(ROOM))
    assert 0 < left < count
    hl.store.close()  # as a crash does: nothing was told to end
    again = Store.open(tmp_path / "hl" / "office.db", KEY, KINDS, tmp_path / "hl" / "blobs")
    try:
        await again.destroyed.complete()
        assert found_in(again) == set()
        assert again.db.rows("SELECT * FROM chat_messages") == []
        assert by_words(again) == 0
    finally:
        again.close()


def test_what_is_received_after_the_destroy_is_not_stored(hl: Desk) -> None:
    """A device that was offline may receive the content with or after the entry: the server deletes a moment later."""
    event = RoomEvent(n=12, t=NOVEMBER, kind="destroy", by=EK, obj=CHANNEL)
    come(hl, written(CHANNEL, 9, NOVEMBER, "före å"))
    hl.store.receive(
        ReceivedSlice(
            room=ROOM, cursor=12, state=b"", changes=[written(CHANNEL, 11, NOVEMBER, CANARY)], events=[event],
            shares=[(CHANNEL, b"s" * 32)],
        )
    )  # fmt: skip
    later = written(CHANNEL, 10, NOVEMBER, CANARY)
    hl.store.receive(Resolved(room=ROOM, changes=[later], resolved=[10], shares=[(CHANNEL, share_of(1))]))
    assert found_in(hl.store) == set()
    assert texts(hl) == []
    assert hl.store.share(ROOM, CHANNEL) is None
    assert is_destroyed(hl.store.db, ROOM, CHANNEL)


# -- the line


async def test_the_conversation_has_a_line_that_names_the_month(hl: Desk, months: Months, clock: Clock) -> None:
    december = months_object(1)
    come(
        hl,
        written(CHANNEL, 10, NOVEMBER, "november å"),
        announced(december, 11, DECEMBER),
        written(december, 12, DECEMBER, "december å"),
    )
    clock.now_ms = DECEMBER
    await months.destroy(ROOM, [month_of(NOVEMBER)], nothing)
    timeline = hl.chat.timeline(ROOM)
    lines = [line for gathered in timeline.place(0).after for line in gathered.lines]
    assert [(line.kind, line.by, line.period) for line in lines] == [("destroy", HL, month_of(NOVEMBER))]


def test_a_message_of_a_destroyed_month_is_not_found_by_its_id(hl: Desk) -> None:
    old = written(CHANNEL, 10, NOVEMBER, CANARY)
    come(hl, old)
    destroy(hl.store)
    with pytest.raises(NotFound):
        hl.chat.edit(ROOM, old.change_id, "nytt")
    assert hl.chat.authors([(CHANNEL, old.change_id)]) == {}
