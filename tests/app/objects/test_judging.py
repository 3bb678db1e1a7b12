# SPDX-License-Identifier: EUPL-1.2
"""The judge of an object's updates: whose a client is, what waits and for what, and what judging a key costs."""

import math
import time

import pytest

from app.errors import BugError
from app.objects.grammar import read
from app.objects.judging import CLIENTS_AN_HOUR, HOUR_MS, Judge, Kind
from app.objects.waiting import MAX_THINGS, MAX_WAITING, Change
from tests.app.objects.judged_room import ANNA, BO, CAJ, Room, deletes, of, text
from tests.fuzz.blocks import GC, TYPE, VALUES, Block, Blocks, Section, write
from tests.fuzz.judged import MemoryRows, person

# -- whose a client is


def test_attack_a_colleagues_client_is_not_taken_over() -> None:
    room = Room()
    assert room.verdicts(ANNA, of(7, text("Beslut"))) == ["merged"]
    assert room.verdicts(BO, of(7, text("X", origin=(7, 5)), clock=6)) == ["foreign"]
    assert room.verdicts(ANNA, of(7, text("et", origin=(7, 5)), clock=6)) == ["merged"]


def test_attack_a_client_that_waits_is_its_authors_too() -> None:
    room = Room()
    assert room.verdicts(ANNA, of(7, text("sen", origin=(8, 0)))) == ["late"]
    assert room.verdicts(BO, of(7, text("först"))) == ["foreign"]
    assert room.verdicts(CAJ, of(8, text("nu"))) == ["merged", "merged"]


def test_a_refused_update_gives_its_author_no_client() -> None:
    room = Room()
    room.verdicts(ANNA, of(7, text("a"), text("b")))
    assert room.verdicts(BO, of(9, Block(VALUES, [1], parent=(7, 0), key="k"))) == ["parent"]
    assert room.verdicts(CAJ, of(9, text())) == ["merged"]


def test_the_same_ids_again_change_nothing_and_others_in_part_are_void() -> None:
    room = Room()
    first = of(7, text("abc"))
    assert room.verdicts(ANNA, first) == ["merged"]
    assert room.verdicts(ANNA, first) == ["again"]
    assert room.verdicts(ANNA, of(7, text("xyz"))) == ["again"]
    assert room.verdicts(ANNA, of(7, text("cde", origin=(7, 1)), clock=2)) == ["overlap"]
    assert room.verdicts(BO, first) == ["foreign"]


# -- what waits


@pytest.mark.parametrize(
    ("late", "first", "missing"),
    [
        (of(7, text("b", origin=(7, 0)), clock=1), of(7, text("a")), (7, 0)),
        (of(8, text("b", origin=(7, 0))), of(7, text("a")), (7, 0)),
        (of(8, text("b", right=(7, 0))), of(7, text("a")), (7, 0)),
        (of(8, Block(VALUES, [1], parent=(7, 0), key="k")), of(7, Block(TYPE, 1, parent="m", key="k")), (7, 0)),
        (deletes(7, 2, 3), of(7, text("Beslut")), (7, 4)),
    ],
)
def test_what_builds_on_what_is_not_here_waits_for_it(late: bytes, first: bytes, missing: tuple[int, int]) -> None:
    room = Room()
    (verdict,) = room.offer(CAJ if late[1:2] != b"\1" or late[2:3] != b"\7" else ANNA, late)
    assert (verdict.kind, verdict.missing) == (Kind.LATE, missing)
    assert room.verdicts(ANNA, first)[0] == "merged"
    assert room.judging.verdicts[-1].change == verdict.change


def test_attack_a_deletion_of_what_is_not_there_yet_waits_in_everybodys_sight() -> None:
    """The library would keep it and delete a colleague's next words without a trace."""
    room = Room()
    assert room.verdicts(BO, deletes(7, 0, 5)) == ["late"]
    assert room.verdicts(ANNA, of(7, text("Bes"))) == ["merged"]
    assert room.verdicts(ANNA, of(7, text("lut", origin=(7, 2)), clock=3)) == ["merged", "merged"]


def test_attack_an_end_that_comes_before_its_beginning_waits_and_is_then_nothing_new() -> None:
    """Well-formed, each of them; merged as they come they end the process (docs/upstream/yrs.md, 1)."""
    room = Room()
    assert room.verdicts(ANNA, of(2, Block(GC, 1))) == ["merged"]
    assert room.verdicts(BO, of(1, Block(GC, 1), clock=1)) == ["late"]
    assert room.verdicts(BO, of(1, text("ab", origin=(2, 0)))) == ["merged", "again"]


def test_what_waited_is_judged_in_the_order_of_positions() -> None:
    room = Room()
    waits = [of(10 + n, text(str(n), origin=(7, 0), right=(7, 1))) for n in range(4)]
    for n in (2, 0, 3, 1):
        room.offer(BO, waits[n])
    room.offer(BO, of(20, text("x", origin=(10, 0))))
    verdicts = room.offer(ANNA, of(7, text("ab")))
    assert [v.change.position for v in verdicts] == [6, 1, 2, 3, 4, 5]
    assert {v.kind for v in verdicts} == {Kind.MERGED}


def test_nothing_is_offered_while_steps_are_due() -> None:
    rows = MemoryRows()
    judge = Judge(rows)
    first, late = read(of(7, text("a"))), read(of(8, text("b", origin=(7, 0))))
    two = write(Blocks([Section(9, 0, [text()]), Section(8, 0, [text()])]))
    judge.offer(Change(1, b"", person(BO), 0), late)
    judge.offer(Change(2, b"", person(ANNA), 0), first)
    with pytest.raises(BugError):
        judge.offer(Change(3, b"", person(ANNA), 0), first)
    assert judge.step().kind is Kind.MERGED
    with pytest.raises(BugError):
        judge.offer(Change(3, b"", person(ANNA), 0), read(two, state=True))


def test_beyond_a_thousand_of_a_person_the_rows_alone_keep_what_waits() -> None:
    room = Room()
    for n in range(MAX_WAITING + 50):
        assert room.verdicts(BO, of(1000 + n, text("x", origin=(7, 0)))) == ["late"]
    assert room.verdicts(CAJ, of(5000, text("y", origin=(7, 0)))) == ["late"]
    assert len(room.judging.judge._waiting) == MAX_WAITING + 1
    verdicts = room.verdicts(ANNA, of(7, text("a")))
    assert verdicts == ["merged"] * (MAX_WAITING + 52)
    positions = [v.change.position for v in room.judging.verdicts[-len(verdicts) + 1 :]]
    assert positions == sorted(positions)


def test_attack_what_waits_for_many_ids_is_not_judged_again_for_each_of_them() -> None:
    """4,000 changes that waited for 1,000 ids each: every id that came then cost everybody 5 s."""
    room, ids, many = Room(), 200, 20
    wanted = [(5000 + n, [[0, 1]]) for n in range(ids)]
    for _ in range(many):
        assert room.verdicts(BO, of(0, deletes=wanted)) == ["late"]
    verdicts = [code for n in range(ids) for code in room.verdicts(BO, of(5000 + n, text()))]
    assert verdicts.count("merged") == ids + many
    assert len(verdicts) < ids + many * 40, "a few times each, not once for each id"


def test_attack_what_waits_takes_little_memory_however_small_its_items_are() -> None:
    """Waiting items of two bytes, 8 MiB of them, took 670 MB of memory for each object."""
    room = Room()
    for client in range(20):
        assert room.verdicts(BO, of(client, *(Block(GC, 1) for _ in range(5000)), clock=5)) == ["late"]
    held = [facts.items for _, facts in room.judging.judge._waiting._lates.values() if facts is not None]
    assert sum(held) <= MAX_THINGS
    for client in range(20):
        assert room.verdicts(BO, of(client, text("abcde"))) == ["merged", "merged"]


def test_what_is_there_already_waits_all_the_same_for_what_it_names_beside() -> None:
    """An update is late as long as it lacks any id, even if its own items are there. Otherwise the verdict would depend
    on which of the missing ids came first."""
    room = Room()
    room.verdicts(ANNA, of(7, text("abc")))
    assert room.verdicts(ANNA, of(7, text("abc"), deletes=[(8, [[0, 1]])])) == ["late"]
    assert room.verdicts(BO, of(8, text("x"))) == ["merged", "again"]


def test_what_waits_is_left_out_where_a_baseline_covers_it() -> None:
    room = Room()
    first, second = (of(client, text("x", origin=(7, 0))) for client in (8, 9))
    room.offer(BO, first)
    room.judging.judge.cover(range(room.at + 1))
    room.judging.rows.lates.clear()
    room.offer(CAJ, second)
    assert [v.change.position for v in room.offer(ANNA, of(7, text("a")))] == [3, 2]
    assert room.verdicts(BO, first) == ["merged"]


def test_many_new_clients_in_an_hour_are_a_hint_and_no_verdict() -> None:
    room, hints = Room(), []
    for n in range(CLIENTS_AN_HOUR + 20):
        (verdict,) = room.offer(BO, of(1000 + n, text()), t=HOUR_MS * 5 + n)
        assert verdict.kind is Kind.MERGED
        hints.append(verdict.deferred)
    assert hints == [False] * CLIENTS_AN_HOUR + [True] * 20
    assert room.offer(BO, of(9000, text()), t=HOUR_MS * 6)[0].deferred is False
    assert room.offer(ANNA, of(9001, text()), t=HOUR_MS * 5)[0].deferred is False


# -- how long it takes


def test_a_key_is_judged_at_the_same_cost_in_an_object_of_any_size() -> None:
    """15 µs, and 200 are allowed; the best of many tries."""
    room = Room()
    for client in range(100, 400):
        blocks = [text("x", parent=f"r{n % 7}") for n in range(100)]
        room.offer(BO, of(client, *blocks))
    room.offer(ANNA, of(7, text("x" * 5000)))
    best = math.inf
    for n in range(300):
        facts = read(of(7, text("å", origin=(7, 4999 + n)), clock=5000 + n))
        room.at += 1
        change = Change(room.at, b"", person(ANNA), 0)
        start = time.perf_counter()
        mark = room.judging.judge.mark()
        verdict = room.judging.judge.offer(change, facts)
        best = min(best, time.perf_counter() - start)
        assert (verdict.kind, mark is not None) == (Kind.MERGED, True)
    assert best < 200e-6
