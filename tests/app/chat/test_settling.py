# SPDX-License-Identifier: EUPL-1.2
"""What edits, deletions and reactions make of messages: the same in whatever order they come, and at a bounded cost."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.chat.projection import project
from app.chat.reads import PAGE
from app.chat.records import MessageDeleted, MessageEdited, MessageSent, Note, ReactionSet, encode
from app.core.enums import Role
from app.core.ids import ChangeId, DevId, Uid, new_change
from app.store.rows import StoredChange
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from tests.office import CHANNEL, EK, HL, RG, ROOM, Desk, desk

FIRST, SECOND = ChangeId(b"1" * 16), ChangeId(b"2" * 16)
ROLES = {
    HL: [(0, Role.OWNER)],
    EK: [(0, Role.WRITER), (30, Role.ADMIN), (60, Role.WRITER)],
    RG: [(0, Role.ADMIN), (45, Role.WRITER)],
}
"""From which position on each of them had which role. The handläggare founded the room."""


@pytest.fixture
def hl(tmp_path: Path) -> Iterator[Desk]:
    made = desk(tmp_path / "hl", HL)
    genesis = RoomEvent(n=1, t=1, kind="genesis", by=HL)
    roles = [
        RoomEvent(n=n, t=n, kind="role", by=HL, subject=uid, role=role)
        for uid, spans in ROLES.items()
        for n, role in spans[1:]
    ]
    members = [MemberRow(uid=uid, role=spans[0][1], since_n=0, history=True) for uid, spans in ROLES.items()]
    made.store.receive(ReceivedSlice(room=ROOM, cursor=1, state=b"", events=[genesis, *roles], members=members))
    yield made
    made.close()


@dataclass(frozen=True)
class Placed:
    """One record at its position."""

    n: int
    by: Uid
    record: MessageSent | Note
    change_id: ChangeId


def receive(at: Desk, placed: Sequence[Placed]) -> None:
    opened = [
        OpenedChange(
            n=one.n,
            t=one.n,
            uid=one.by,
            dev=DevId(one.by),
            obj=CHANNEL,
            change_id=one.change_id,
            payload=encode(one.record),
        )
        for one in placed
    ]
    at.store.receive(ReceivedSlice(room=ROOM, cursor=max(one.n for one in placed), state=b"", changes=opened))


def some(rng: random.Random, count: int) -> list[Placed]:
    """Two messages, and records of three people about them."""
    found = [
        Placed(10, EK, MessageSent(text="ett å"), FIRST),
        Placed(11, RG, MessageSent(text="två ä"), SECOND),
    ]
    for n in range(12, 12 + count):
        target, by = rng.choice((FIRST, SECOND)), rng.choice((HL, EK, RG))
        records: list[Note] = [
            MessageEdited(target=target, text=f"ändrat {n} ö"),
            MessageDeleted(target=target),
            *(ReactionSet(target=target, emoji=rng.choice("👍🙂🖋"), on=rng.random() < 0.6) for _ in range(5)),
        ]
        weights = [2, 0.1, *[2] * 5]
        found.append(Placed(n, by, rng.choices(records, weights)[0], new_change()))
    return found


def meant(placed: Sequence[Placed], target: ChangeId) -> tuple[str, Uid | None, set[tuple[str, Uid]]]:
    """What the records say of a message, worked out from all of them: text, who deleted it, reactions."""
    sent = next(one for one in placed if one.change_id == target)
    assert isinstance(sent.record, MessageSent)
    text, deleted_by, reactions = sent.record.text, None, set[tuple[str, Uid]]()
    for one in sorted(placed, key=lambda one: one.n):
        role = [role for n, role in ROLES[one.by] if n <= one.n][-1]
        match one.record:
            case MessageEdited(target=about, text=now) if about == target and one.by == sent.by:
                text = now
            case MessageDeleted(target=about) if about == target and deleted_by is None:
                deleted_by = one.by if one.by == sent.by or role >= 3 else None
            case ReactionSet(target=about, emoji=emoji, on=on) if about == target:
                (reactions.add if on else reactions.discard)((emoji, one.by))
            case _:
                pass
    return ("", deleted_by, set()) if deleted_by is not None else (text, None, reactions)


def shown(at: Desk, target: ChangeId) -> tuple[str, Uid | None, set[tuple[str, Uid]]]:
    rows = at.store.db.rows
    [(text, deleted_by)] = rows("SELECT text, deleted_by FROM chat_messages WHERE change_id = ?", (target,))
    reactions = rows("SELECT emoji, uid FROM chat_reactions WHERE target = ?", (target,))
    return text, deleted_by, {(emoji, uid) for emoji, uid in reactions}


def dump(at: Desk) -> list[list[tuple[object, ...]]]:
    """All rows of the chat's tables, without the time of the edit of a deleted message: it depends on the order, and is
    shown nowhere."""
    with at.store.db.transaction():
        at.store.db.conn.execute("UPDATE chat_messages SET edited_t = NULL WHERE deleted_by IS NOT NULL")
    sql = "SELECT * FROM chat_{} ORDER BY 1, 2, 3, 4"
    return [at.store.db.rows(sql.format(table)) for table in ("messages", "notes", "reactions", "mentions")]


def test_a_deletion_that_its_author_might_not_make_at_its_position_is_undone(tmp_path: Path) -> None:
    """It was made offline by an administrator who had become a writer before it had a position. The message stayed
    deleted on this computer alone."""
    with closing(desk(tmp_path / "rg", RG)) as rg:
        members = [
            MemberRow(uid=uid, role=role, since_n=0, history=True)
            for uid, role in ((HL, Role.OWNER), (RG, Role.ADMIN), (EK, Role.WRITER))
        ]
        rg.store.receive(ReceivedSlice(room=ROOM, cursor=1, state=b"", members=members))
        placed = [
            Placed(10, EK, MessageSent(text="ett å"), FIRST),
            Placed(11, HL, reaction("👍"), new_change()),
        ]
        receive(rg, placed)
        deletion = rg.store.changes.append(ROOM, CHANNEL, encode(MessageDeleted(target=FIRST)))
        assert shown(rg, FIRST) == ("", RG, set())
        lowered = RoomEvent(n=45, t=45, kind="role", by=HL, subject=RG, role=Role.WRITER)
        rg.store.receive(ReceivedSlice(room=ROOM, cursor=45, state=b"", events=[lowered]))
        receive(rg, [Placed(50, RG, MessageDeleted(target=FIRST), deletion)])
        assert shown(rg, FIRST) == ("ett å", None, {("👍", HL)})
        assert [hit.ref for hit in rg.store.search.find_here("ett")] == [FIRST]


def test_a_deletion_by_one_who_inherited_the_room_counts_from_there_on(hl: Desk) -> None:
    inherited = RoomEvent(n=50, t=50, kind="heir", by=RG, subject=RG, role=Role.OWNER)
    hl.store.receive(ReceivedSlice(room=ROOM, cursor=50, state=b"", events=[inherited]))
    sent = Placed(10, EK, MessageSent(text="ett å"), FIRST)
    receive(hl, [sent, Placed(49, RG, MessageDeleted(target=FIRST), new_change())])
    assert shown(hl, FIRST) == ("ett å", None, set())
    receive(hl, [Placed(51, RG, MessageDeleted(target=FIRST), new_change())])
    assert shown(hl, FIRST) == ("", RG, set())


@pytest.mark.parametrize("seed", range(12))
def test_a_message_is_the_same_in_whatever_order_and_groups_its_records_come(hl: Desk, seed: int) -> None:
    rng = random.Random(seed)
    placed = some(rng, 60)
    receive(hl, placed)
    for target in (FIRST, SECOND):
        assert shown(hl, target) == meant(placed, target)
    before, found = dump(hl), hl.store.objects.get(CHANNEL)
    assert found is not None
    changes = list(hl.store.changes.of(CHANNEL))
    for _ in range(3):
        rng.shuffle(changes)
        with hl.store.db.transaction() as conn:
            for table in ("messages", "notes", "reactions", "mentions"):
                conn.execute(f"DELETE FROM chat_{table}")  # noqa: S608 - constants
            for group in groups(rng, changes):
                project(conn, found, group)
        assert dump(hl) == before


def groups(rng: random.Random, changes: Sequence[StoredChange]) -> Iterator[Sequence[StoredChange]]:
    at = 0
    while at < len(changes):
        end = at + rng.choice((1, 1, 2, 7))
        yield changes[at:end]
        at = end


@pytest.mark.parametrize(
    ("by", "record"),
    [
        (RG, ReactionSet(target=FIRST, emoji="👍", on=True)),
        (EK, MessageEdited(target=FIRST, text="ändrat å")),
        (RG, MessageDeleted(target=FIRST)),
    ],
    ids=["reaction", "edit", "deletion"],
)
def test_attack_a_record_about_a_message_reads_none_of_the_earlier_ones(hl: Desk, by: Uid, record: Note) -> None:
    """Each further record settled all earlier ones of its message: 0.17 s on the loop after 16,000 reactions. The
    registrator was an administrator, and is none any more at the positions of these deletions."""
    receive(hl, [Placed(10, EK, MessageSent(text="ett å"), FIRST)])
    few = steps(hl, lambda: receive(hl, [Placed(100, by, record, new_change())]))
    many = [Placed(101 + n, *one_of_many(n), new_change()) for n in range(2000)]
    receive(hl, many)
    assert shown(hl, FIRST)[1] is None
    assert steps(hl, lambda: receive(hl, [Placed(5000, by, record, new_change())])) < 2 * few + 50


def test_attack_of_thousands_of_reactions_only_those_that_are_shown_are_read(hl: Desk) -> None:
    """The first forty emoji, in the order in which they were first set, each with everybody who set it."""
    receive(hl, [Placed(10, EK, MessageSent(text="ett å"), FIRST)])
    many = [Placed(20 + n, RG, ReactionSet(target=FIRST, emoji=f"e{n}", on=True), new_change()) for n in range(3000)]
    late = [Placed(4000 + n, EK, ReactionSet(target=FIRST, emoji=f"e{n}", on=True), new_change()) for n in (7, 300)]
    receive(hl, [*many, *late])
    timeline = hl.chat.timeline(ROOM)
    assert steps(hl, lambda: timeline.message(0)) < 100
    shown = timeline.message(0).reactions
    assert [r.emoji for r in shown] == [f"e{n}" for n in range(40)]
    assert [r.uids for r in shown if len(r.uids) > 1] == [(RG, EK)]


def test_reactions_of_one_envelope_are_all_shown_wherever_a_page_ends(hl: Desk) -> None:
    """They share a sort key: those behind the last row of a page were passed over."""
    receive(hl, [Placed(10, EK, MessageSent(text="ett å"), FIRST)])
    alone = [Placed(20 + n, Uid(n.to_bytes(16, "big")), reaction("👍"), new_change()) for n in range(PAGE - 1)]
    together = [Placed(5000, EK, reaction(emoji), new_change()) for emoji in ("👍", "🖋", "🙂")]
    receive(hl, [*alone, *together])
    shown = hl.chat.timeline(ROOM).message(0).reactions
    assert sum(len(r.uids) for r in shown) == PAGE + 2


def reaction(emoji: str) -> ReactionSet:
    return ReactionSet(target=FIRST, emoji=emoji, on=True)


def one_of_many(n: int) -> tuple[Uid, Note]:
    """The nth of many records about a message: in turn of each kind."""
    return (
        (RG, ReactionSet(target=FIRST, emoji=f"e{n}", on=True)),
        (RG, ReactionSet(target=FIRST, emoji="👍", on=n % 2 == 0)),
        (EK, MessageEdited(target=FIRST, text=f"ändrat {n}")),
        (RG, MessageDeleted(target=FIRST)),
    )[n % 4]


def steps(at: Desk, act: Callable[[], object]) -> int:
    """How many hundreds of steps SQLite takes for it."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    at.store.db.conn.set_progress_handler(step, 100)
    try:
        act()
    finally:
        at.store.db.conn.set_progress_handler(None, 0)
    return count
