# SPDX-License-Identifier: EUPL-1.2
"""Property: months turn while three colleagues are offline and on, with clocks that differ; all read the same."""

from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.chat.model import Message
from app.core.ids import DevId, ObjId
from sync.client.ports import OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.chat.months import at, set_to
from tests.office import EK, HL, RG, ROOM, Desk, desk

DAY_MS = 86_400_000
PEOPLE = (HL, EK, RG)


@dataclass(slots=True)
class Server:
    """Gives positions, and each desk what it has not had when that desk is on."""

    t: int
    log: list[OpenedChange] = field(default_factory=list)
    had: dict[int, int] = field(default_factory=dict)
    shares: dict[ObjId, bytes] = field(default_factory=dict)

    def sync(self, who: int, at: Desk, *, slices: int = 1) -> None:
        """The desk is on: it sends what waits, and receives the rest in so many slices."""
        have = {change.change_id for change in self.log}
        for row in at.store.pending(10_000):
            if row.change_id not in have:
                self.t += 1000
                change = OpenedChange(
                    n=11 + len(self.log),
                    t=self.t,
                    uid=at.folk.uid,
                    dev=DevId(at.folk.uid),
                    obj=row.obj,
                    change_id=row.change_id,
                    payload=row.payload,
                )
                self.log.append(change)
                share = at.store.share(ROOM, row.obj)
                if share is not None:
                    self.shares[row.obj] = share
        new = self.log[self.had.get(who, 0) :]
        size = max(1, -(-len(new) // slices))
        for first in range(0, len(new), size):
            part = new[first : first + size]
            shares = [(c.obj, self.shares[c.obj]) for c in part if c.obj in self.shares]
            at.store.receive(ReceivedSlice(room=ROOM, cursor=part[-1].n, state=b"", changes=part, shares=shares))
        self.had[who] = len(self.log)


def shown(at: Desk) -> list[Message]:
    timeline = at.chat.timeline(ROOM)
    return [timeline.message(index) for index in range(len(timeline))]


def as_read(at: Desk) -> list[object]:
    """What a person reads of the conversation, message by message."""
    return [
        (
            *(m.change_id, m.obj, m.author, m.text, m.deleted, m.late, m.replies, m.quote and m.quote.text),
            sorted((r.emoji, sorted(r.uids)) for r in m.reactions),
        )
        for m in shown(at)
    ]


WHO, PICK = st.integers(0, 2), st.integers(0, 99)
STEP = st.one_of(
    st.tuples(st.just("say"), WHO, PICK),
    st.tuples(st.just("say"), WHO, PICK),
    st.tuples(st.sampled_from(["answer", "edit", "delete", "react"]), WHO, PICK),
    st.tuples(st.just("sync"), WHO, st.integers(1, 3)),
    st.tuples(st.just("days"), st.integers(1, 40), PICK),
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, min_size=8, max_size=40), ahead_days=st.lists(st.integers(-4, 4), min_size=3, max_size=3))
def test_all_show_the_same_conversation_nothing_twice_and_nothing_lost(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int, int]],
    ahead_days: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("offices")
    with ExitStack() as stack:
        clock = stack.enter_context(set_to(at(2026, 10, 28)))
        desks = [desk(folder / str(who), uid) for who, uid in enumerate(PEOPLE)]
        for each in desks:
            stack.callback(each.close)
        server = Server(t=at(2026, 10, 28))
        timelines = [each.chat.timeline(ROOM) for each in desks]  # kept open, as in a window
        texts: dict[bytes, str | None] = {}
        for number, (what, who, pick) in enumerate(steps):
            if what == "days":
                server.t += who * DAY_MS
                continue
            clock.now_ms = server.t + ahead_days[who] * DAY_MS
            _step(desks[who], what, pick, f"ord {number} å", texts, server, who)
        for _ in range(2):
            for who, each in enumerate(desks):
                clock.now_ms = server.t
                server.sync(who, each)
        _check(desks, texts)
        for each, timeline in zip(desks, timelines, strict=True):
            assert [timeline.message(i).text for i in range(len(timeline))] == [m.text for m in shown(each)]
        clock.now_ms = at(2026, 10, 28)
        late = desk(folder / "late", HL)
        stack.callback(late.close)
        server.sync(9, late)
        assert as_read(late) == as_read(desks[0])


def _step(at: Desk, what: str, pick: int, text: str, texts: dict[bytes, str | None], server: Server, who: int) -> None:
    mine = [m for m in shown(at) if m.author == at.folk.uid and not m.deleted]
    there = [m for m in shown(at) if not m.deleted]
    if what == "sync":
        server.sync(who, at, slices=pick)
    elif what == "edit" and mine:
        target = mine[pick % len(mine)].change_id
        at.chat.edit(ROOM, target, text)
        texts[target] = text
    elif what == "delete" and mine:
        target = mine[pick % len(mine)].change_id
        at.chat.delete(ROOM, target)
        texts[target] = None
    elif what == "react" and there:
        at.chat.react(ROOM, there[pick % len(there)].change_id, "👍")
    elif what == "answer" and there:
        texts[at.chat.send(ROOM, text, reply_to=there[pick % len(there)].change_id)] = text
    elif what == "say":
        texts[at.chat.send(ROOM, text)] = text


def _check(desks: list[Desk], texts: dict[bytes, str | None]) -> None:
    read = [as_read(each) for each in desks]
    assert read[0] == read[1] == read[2]
    found = {m.change_id: None if m.deleted else m.text for m in shown(desks[0])}
    assert found == texts
    for each in desks:
        assert each.store.waiting_count() == 0
        assert each.chat.stranded(ROOM).apart == 0
        foreign = [m for m in shown(each) if m.author != each.folk.uid and not m.deleted]
        assert each.chat.unread(ROOM)[0] == len(foreign)
        words = {hit.ref for hit in each.store.search.find_here("ord", limit=200)}
        assert words == {ref for ref, text in texts.items() if text is not None}
