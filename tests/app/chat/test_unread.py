# SPDX-License-Identifier: EUPL-1.2
"""Which messages are unread: only those that were on screen are read, and the mark never passes another."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat import KIND as CHAT
from app.chat import unread
from app.chat.records import Mention, MessageDeleted, MessageSent, encode
from app.chat.service import ChatService
from app.chat.settling import refresh_room
from app.core.ids import ChangeId, ObjId
from app.errors import Forbidden
from app.store import counters, read_positions
from app.store.counters import Counter
from app.store.rows import MAX_UNREAD
from app.store.store import Store
from app.tasks import KIND as BOARD
from tests.app.chat.mentions import mentions
from tests.app.chat.test_settling import steps
from tests.office import BOARD_ID, CHANNEL, EK, HL, KEY, ROOM, Desk, announce_chat, desk, from_others

T = 1_795_500_000_000
NAMED = MessageSent(text="@Handläggare å 🙂", mentions=(Mention(uid=HL, start=0, length=12),))


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path, HL)
    yield made
    made.close()


def come(at: Desk, count: int, *, named: tuple[int, ...] = (), n: int = 10) -> list[ChangeId]:
    """So many messages of a colleague; those with these numbers name me."""
    sent = [NAMED if i in named else MessageSent(text=f"Rad {i} å") for i in range(count)]
    before = len(at.chat.timeline(ROOM))
    from_others(at, EK, CHANNEL, [encode(each) for each in sent], n=n, t=T)
    return ids(at)[before:]


def ids(at: Desk) -> list[ChangeId]:
    timeline = at.chat.timeline(ROOM)
    return [timeline.message(i).change_id for i in range(len(timeline))]


def on_home(at: Desk) -> list[ChangeId]:
    return [mention.change_id for mention in mentions(at.store, at.chat, unread_only=True)]


def first_unread(at: Desk) -> int | None:
    return at.chat.timeline(ROOM).rows.first_unread()


def line(at: Desk) -> tuple[int, int]:
    """(unread, mentions) of the room as the list has them."""
    row = at.store.rooms_list.get(ROOM)
    assert row is not None
    return row.unread, row.mentions


def mark(at: Desk) -> int:
    return at.store.objects.read_mark(CHANNEL)


def test_the_mark_stops_before_a_message_that_was_not_on_screen(hl: Desk) -> None:
    sent = come(hl, 6)
    hl.chat.mark_read(ROOM, sent[:2])
    assert (hl.chat.unread(ROOM), first_unread(hl)) == ((4, 0), 2)
    hl.chat.mark_read(ROOM, sent[4:])
    assert (hl.chat.unread(ROOM), first_unread(hl)) == ((2, 0), 2)
    hl.chat.mark_read(ROOM, sent[2:4])
    assert (hl.chat.unread(ROOM), first_unread(hl)) == ((0, 0), None)


def test_what_was_read_out_of_order_is_forgotten_when_the_mark_has_passed_it(hl: Desk) -> None:
    sent = come(hl, 4)
    hl.chat.mark_read(ROOM, sent[2:])
    assert hl.store.db.value("SELECT count(*) FROM read_apart") == 2
    hl.chat.mark_read(ROOM, sent)
    assert hl.store.db.value("SELECT count(*) FROM read_apart") == 0


def test_mentions_stay_when_the_rest_is_marked_as_read(hl: Desk) -> None:
    sent = come(hl, 30, named=(3, 7))
    hl.chat.mark_read(ROOM, [sent[7]])
    hl.chat.mark_all_read(ROOM)
    assert (hl.chat.unread(ROOM), first_unread(hl)) == ((1, 1), 3)
    assert on_home(hl) == [sent[3]]
    come(hl, 2, n=100)
    assert hl.chat.unread(ROOM) == (3, 1)
    hl.chat.mark_read(ROOM, [sent[3]])
    assert (hl.chat.unread(ROOM), on_home(hl), first_unread(hl)) == ((2, 0), [], 30)


def test_a_mention_is_gone_from_home_once_it_was_on_screen_though_earlier_messages_were_not(hl: Desk) -> None:
    sent = come(hl, 30, named=(20,))
    assert on_home(hl) == [sent[20]]
    hl.chat.mark_read(ROOM, sent[19:22])
    assert (on_home(hl), hl.chat.unread(ROOM), first_unread(hl)) == ([], (27, 0), 0)


def test_a_deleted_message_holds_back_no_mark(hl: Desk) -> None:
    sent = come(hl, 3, named=(1,))
    hl.chat.mark_all_read(ROOM)
    from_others(hl, EK, CHANNEL, [encode(MessageDeleted(target=sent[1]))], n=50, t=T)
    assert (hl.chat.unread(ROOM), first_unread(hl), on_home(hl)) == ((0, 0), None, [])


def test_an_old_mention_is_not_hidden_by_newer_ones_that_were_read(hl: Desk) -> None:
    sent = come(hl, 20, named=tuple(range(20)))
    hl.chat.mark_read(ROOM, sent[1:])
    assert [m.change_id for m in mentions(hl.store, hl.chat, 6, unread_only=True)] == [sent[0]]


def test_what_was_read_is_so_when_the_rows_are_made_again_by_another_version(tmp_path: Path) -> None:
    at = desk(tmp_path, HL)
    sent = come(at, 10, named=(2, 8))
    at.chat.mark_read(ROOM, sent[:1])
    at.chat.mark_all_read(ROOM)
    sent += come(at, 3, n=100)
    at.chat.mark_read(ROOM, [sent[8], sent[12]])
    at.store.db.conn.execute("UPDATE kinds SET version = 0 WHERE kind = 'chat'")
    at.close()
    store = Store.open(tmp_path / "office.db", KEY, {CHAT.id: CHAT, BOARD.id: BOARD})
    chat = ChatService(store.db, store.changes, store.objects, at.folk, at.folk)
    assert chat.unread(ROOM) == (3, 1)
    assert [mention.change_id for mention in mentions(store, chat, unread_only=True)] == [sent[2]]
    store.close()


@settings(max_examples=60, deadline=None)
@given(
    named=st.sets(st.integers(0, 11)),
    steps=st.lists(st.one_of(st.none(), st.sets(st.integers(0, 11), min_size=1)), max_size=6),
)
def test_unread_is_what_was_neither_seen_nor_marked(
    tmp_path_factory: pytest.TempPathFactory, named: set[int], steps: list[set[int] | None]
) -> None:
    at = desk(tmp_path_factory.mktemp("desk"), HL)
    try:
        sent = come(at, 12, named=tuple(named))
        unread = set(range(12))
        for step in steps:
            before = mark(at)
            if step is None:
                at.chat.mark_all_read(ROOM)
                unread &= named
            else:
                at.chat.mark_read(ROOM, [sent[i] for i in step])
                unread -= step
            assert at.chat.unread(ROOM) == (len(unread), len(unread & named))
            assert first_unread(at) == min(unread, default=None)
            assert set(on_home(at)) == {sent[i] for i in unread & named}
            assert mark(at) >= before
    finally:
        at.close()


ACTS = ("come", "come", "come", "named", "mine", "delete", "see", "see all", "unsee", "elsewhere")


@settings(max_examples=60, deadline=None)
@given(acts=st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 11)), max_size=14))
def test_messages_that_come_one_by_one_are_counted_as_if_all_were_read_again(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    """One more message is added to the stored number, without reading the others."""
    at = desk(tmp_path_factory.mktemp("desk"), HL)
    try:
        n, known = 10, come(at, 2)
        for act, which in acts:
            n += 10
            one = known[which % len(known)]
            match act:
                case "come" | "named":
                    known += come(at, 1, named=(0,) if act == "named" else (), n=n)
                case "mine":
                    at.chat.send(ROOM, "Rad å 🙂")
                case "delete":
                    from_others(at, EK, CHANNEL, [encode(MessageDeleted(target=one))], n=n, t=T)
                case "see":
                    at.chat.mark_read(ROOM, [one])
                case "see all":
                    at.chat.mark_all_read(ROOM)
                case "unsee":
                    with suppress(Forbidden):  # deleted, or the person's own
                        at.chat.mark_unread(ROOM, one)
                case _:  # the person reads on another device, perhaps beyond what is here
                    with at.store.transaction() as conn:
                        read_positions.put(conn, CHANNEL, 0, n + 3 * which, [n] if which % 2 else [])
                        refresh_room(conn, ROOM, CHANNEL)
            assert at.chat.unread(ROOM) == unread.counts(at.store.db.conn, CHANNEL, HL, MAX_UNREAD), act
            assert line(at) == at.chat.unread(ROOM)
    finally:
        at.close()


def test_a_message_costs_the_same_however_many_are_unread(hl: Desk) -> None:
    come(hl, 1)
    before = steps(hl, lambda: come(hl, 1, n=100))
    come(hl, 500, n=200)
    assert steps(hl, lambda: from_others(hl, EK, CHANNEL, [encode(MessageSent(text="Rad å"))], n=900, t=T)) < before
    assert hl.chat.unread(ROOM) == (503, 0)


def test_an_own_message_costs_the_same_after_two_thousand_own_ones(hl: Desk) -> None:
    come(hl, 1)
    before = steps(hl, lambda: hl.chat.send(ROOM, "Rad å"))
    with hl.store.transaction():
        for n in range(2000):
            hl.chat.send(ROOM, f"Rad {n} å")
    assert steps(hl, lambda: hl.chat.send(ROOM, "Rad å")) < before + 20
    assert hl.chat.unread(ROOM) == (1, 0)


def test_a_second_conversation_that_no_view_shows_counts_nothing(hl: Desk) -> None:
    """Its messages could never be read, so that the room would stay unread."""
    come(hl, 2)
    other = ObjId(b"second chat".ljust(16))
    with hl.store.transaction() as conn:
        announce_chat(conn, ROOM, other, EK)
    from_others(hl, EK, other, [encode(NAMED)], n=50, t=T)
    assert (hl.chat.unread(ROOM), line(hl)) == ((2, 0), (2, 0))
    hl.chat.mark_all_read(ROOM)
    assert line(hl) == (0, 0)


def test_what_another_tool_counts_in_the_room_stays_when_the_conversation_is_read(hl: Desk) -> None:
    come(hl, 3, named=(1,))
    with hl.store.transaction() as conn:
        counters.put(conn, ROOM, BOARD_ID, Counter(unread=4, mentions=2))
    assert (hl.chat.unread(ROOM), line(hl)) == ((3, 1), (7, 3))
    hl.chat.mark_read(ROOM, ids(hl))
    assert (hl.chat.unread(ROOM), line(hl)) == ((0, 0), (4, 2))
