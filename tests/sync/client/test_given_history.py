# SPDX-License-Identifier: EUPL-1.2
"""Two administrators give the history to a member who was added from now on, over real sockets."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from app.core.ids import ObjId, RoomId
from sync.client.exchange import history_grants
from sync.client.exchange.outbox import Outbox
from sync.client.room.room_sync import RoomSync
from sync.client.status import LinkState, RoomState
from sync.errors import Refused
from sync.protocol import messages as m
from sync.server.rules import placing
from sync.server.rules.handshake import now_ms
from sync.trust.formats.items import Item
from sync.trust.person.log_source import UserBook
from sync.trust.room.entry_drafts import Draft
from sync.trust.room.stream import Accepted, AcceptedEnvelope, RoomStream
from tests.journeys.bad_input.checks import honest, items_of, lie, with_items
from tests.world import Client, World, until

OLD = ["Före, åäö 😀".encode(), b"Mer av det"]
NEW = "Efter tillägget".encode()


@dataclass
class Case:
    """A founder, an administrator since today, and a clerk who was added from now on; and their document."""

    head: Client
    deputy: Client
    clerk: Client
    room: RoomId
    obj: ObjId


async def case(w: World) -> Case:
    head, deputy, clerk = await w.hire("Enhetschef", "Handläggare", "Registrator")
    room, obj = await w.room(head), ObjId(b"\x07" * 16)
    for name in ("Handläggare", "Registrator"):
        await head.engine.directory(name)
    await head.engine.operations.add(room, deputy.uid, 3, history=True)
    for text in OLD:
        head.say(room, obj, text)
        await w.settle(room, head)
    await head.engine.operations.rotate(room)
    head.say(room, obj, b"under en annan nyckel")
    await w.settle(room, head)
    await head.engine.operations.add(room, clerk.uid, 2, history=False)
    head.say(room, obj, NEW)
    await w.settle(room)
    await until(lambda: clerk.engine.room_state(room) is RoomState.SEALED)
    assert clerk.texts(obj) == [NEW]
    return Case(head, deputy, clerk, room, obj)


WHOLE = [*OLD, b"under en annan nyckel", NEW]


async def propose(c: Case, by: Client) -> None:
    await by.engine.operations.propose_history(c.room, c.clerk.uid)
    await until(lambda: all(len(x.engine.history_proposals(c.room)) == 1 for x in (c.head, c.deputy, c.clerk)))


async def give(c: Case, by: Client) -> None:
    (proposal,) = by.engine.history_proposals(c.room)
    await by.engine.operations.give_history(c.room, proposal.ident)


async def test_after_two_administrators_agreed_the_newcomer_reads_everything_once(w: World) -> None:
    c = await case(w)
    await propose(c, c.deputy)
    assert c.clerk.texts(c.obj) == [NEW]
    (seen,) = c.head.engine.history_proposals(c.room)
    assert (seen.subject, seen.by, seen.approved, seen.refusal) == (c.clerk.uid, c.deputy.uid, False, None)
    await give(c, c.head)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)
    await until(lambda: c.clerk.store.reread(c.room) == 0)
    assert c.clerk.engine.room_state(c.room) is RoomState.SEALED
    assert c.clerk.engine.history_proposals(c.room) == []
    assert all(m.history for m in c.clerk.store.rooms_list.members(c.room))
    c.clerk.say(c.room, c.obj, b"svar")
    await w.settle(c.room)
    assert c.head.texts(c.obj) == [*WHOLE, b"svar"]
    await c.clerk.restart()
    assert c.clerk.texts(c.obj) == [*WHOLE, b"svar"]


async def test_a_member_who_was_away_reads_it_when_they_are_back(w: World) -> None:
    c = await case(w)
    await c.clerk.offline()
    await c.deputy.engine.operations.propose_history(c.room, c.clerk.uid)
    await until(lambda: len(c.head.engine.history_proposals(c.room)) == 1)
    await give(c, c.head)
    assert c.clerk.texts(c.obj) == [NEW]
    c.clerk.online()
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_what_was_cut_off_is_read_after_a_restart(w: World) -> None:
    c = await case(w)
    await lie(c.clerk, lambda f: [with_items(f, [])] if from_the_beginning(f, c.room) else [f])
    await until(lambda: c.clerk.engine.status.state is LinkState.ONLINE)
    await propose(c, c.deputy)
    await give(c, c.head)
    await until(lambda: c.clerk.store.reread(c.room) > 0 and not c.clerk.engine.parts.link.rooms[c.room].keys.needs_key)
    assert c.clerk.texts(c.obj) == [NEW]
    c.clerk.wire.spoil = None
    await c.clerk.restart()
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)
    await until(lambda: c.clerk.store.reread(c.room) == 0)


def from_the_beginning(frame: m.ServerFrame, room: RoomId) -> bool:
    items = items_of(frame, room)
    return isinstance(frame, m.Items) and bool(items) and items[0].n == 1


@pytest.mark.parametrize("which", ["all", "last"])
async def test_attack_a_forged_past_is_not_taken_in(w: World, caplog: pytest.LogCaptureFixture, which: str) -> None:
    """What was written later tells of every position but the last: of that one only what was verified here does."""
    c = await case(w)

    def is_forged(i: m.WireItem) -> bool:
        return i.ct is not None if which == "all" else i.n == c.clerk.store.reread(c.room)

    def forge(frame: m.ServerFrame) -> Sequence[m.Frame]:
        if not from_the_beginning(frame, c.room):
            return [frame]
        shown = items_of(frame, c.room)
        later = [m.WireItem(i.n, i.t + is_forged(i), i.kind, i.body, i.sig, i.ct) for i in shown]
        return [with_items(frame, later)]

    await lie(c.clerk, forge)
    await until(lambda: c.clerk.engine.status.state is LinkState.ONLINE)
    await propose(c, c.deputy)
    await give(c, c.head)
    await until(lambda: c.clerk.store.reread(c.room) > 0 and not c.clerk.engine.parts.link.rooms[c.room].keys.needs_key)
    head = c.head.engine.position(c.room)
    await until(lambda: c.clerk.engine.position(c.room) == head)
    await until(lambda: "is not read again: fork" in caplog.text)
    assert c.clerk.store.reread(c.room) > 0
    if which == "all":
        assert c.clerk.texts(c.obj) == [NEW]
    await honest(c.clerk)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_attack_what_is_found_void_when_it_is_read_again_is_not_opened(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chain alone would accept it: a void item has a position and a hash too."""
    c = await case(w)
    n = next(change.n for change in c.head.store.changes.of(c.obj) if change.data == OLD[0])
    accept = RoomStream.accept

    def judge(self: RoomStream, items: Sequence[Item], book: UserBook, *also: Any, **more: Any) -> list[Accepted]:
        again = self is not c.clerk.engine.parts.link.rooms[c.room].stream
        found = accept(self, items, book, *also, **more)
        return [replace(i, void="forbidden") if again and i.n == n else i for i in found]

    await propose(c, c.deputy)
    monkeypatch.setattr(RoomStream, "accept", judge)
    await give(c, c.head)
    await until(lambda: len(c.clerk.texts(c.obj)) > 1 and c.clerk.store.reread(c.room) == 0)
    assert c.clerk.texts(c.obj) == WHOLE[1:]


async def test_attack_what_was_void_stays_closed_when_it_is_read_again(w: World) -> None:
    c = await case(w)
    link = c.head.engine.parts.link
    pulled = await link.pull(c.room, 0)
    items = [Item(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in pulled.items]
    at = link.rooms[c.room]
    accepted = RoomStream(c.room).accept(items, link.book, at.rh_at)
    ops = [a for a in accepted if isinstance(a, AcceptedEnvelope)]
    assert sum(len(r.changes) for r in at.open_again(ops, [])) == len(WHOLE)
    assert sum(len(r.changes) for r in at.open_again([replace(a, void="forbidden") for a in ops], [])) == 0


async def test_an_administrator_of_today_does_not_approve_and_nobody_their_own(w: World) -> None:
    c = await case(w)
    await propose(c, c.head)
    refusals = [x.engine.history_proposals(c.room)[0].refusal for x in (c.head, c.deputy, c.clerk)]
    assert refusals == ["own", "not-seasoned", "not-admin"]
    for x in (c.head, c.deputy, c.clerk):
        with pytest.raises(Refused, match="forbidden"):
            await give(c, x)
    assert c.clerk.texts(c.obj) == [NEW]


async def test_attack_the_archive_is_not_sealed_on_a_servers_word_that_two_agreed(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    c = await case(w)
    await propose(c, c.head)
    sealed = []

    async def taken(self: Outbox, room: RoomSync, draft: Draft) -> None:
        """The server claims that it placed an item that it kept for itself."""
        sealed.extend(draft.seals)

    monkeypatch.setattr(Outbox, "append", taken)
    with pytest.raises(Refused) as refused:
        await give(c, c.deputy)
    assert (refused.value.code, sealed) == ("proposal", [])


async def test_a_room_with_one_administrator_cannot_propose_it(w: World) -> None:
    c = await case(w)
    may = c.head.engine.may_propose_history
    assert may(c.room, c.clerk.uid) is None
    assert may(c.room, c.deputy.uid) == "has-it"
    assert c.clerk.engine.may_propose_history(c.room, c.clerk.uid) == "not-admin"
    await c.head.engine.operations.set_role(c.room, c.deputy.uid, 2)
    assert may(c.room, c.clerk.uid) == "one-admin"


EIGHT_DAYS_MS = 8 * 86_400_000


def run_ahead(c: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's clock runs eight days ahead of everybody's."""
    for client in (c.head, c.deputy, c.clerk):  # a new sign-in would cut the line during this
        monkeypatch.setattr(client.engine.parts.link, "compare_clocks", lambda: None)
    monkeypatch.setattr(placing, "now_ms", lambda: now_ms() + EIGHT_DAYS_MS)


def pass_days(client: Client, room: RoomId, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight days pass by the client's own clock."""
    client.store.note_seen(room, client.engine.position(room), now_ms())
    monkeypatch.setattr(client.engine.parts.link, "now_ms", lambda: now_ms() + EIGHT_DAYS_MS)


async def test_attack_a_server_whose_clock_runs_ahead_makes_nobody_a_seasoned_administrator_here(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The room's rule counts by the server's time, and the approval is valid. The administrator who seals waits by
    their own clock."""
    c = await case(w)
    await propose(c, c.head)
    run_ahead(c, monkeypatch)
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.deputy)
    await until(lambda: [p.approved for p in c.head.engine.history_proposals(c.room)] == [True])
    assert [p.refusal for p in c.head.engine.history_proposals(c.room)] == ["not-seasoned"]
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.head)
    assert c.clerk.texts(c.obj) == [NEW]
    pass_days(c.head, c.room, monkeypatch)
    await give(c, c.head)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_attack_a_server_that_gives_entries_the_time_0_makes_nobody_an_administrator_since_the_genesis(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "now_ms", lambda: 0)
    c = await case(w)
    assert c.head.engine.parts.link.rooms[c.room].stream.members[c.deputy.uid].admin_t == 0
    await propose(c, c.head)
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.deputy)
    await until(lambda: [p.refusal for p in c.head.engine.history_proposals(c.room)] == ["not-seasoned"])
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.head)
    assert c.clerk.texts(c.obj) == [NEW]


@pytest.mark.parametrize("how", ["leaves", "is removed", "is a writer again"])
async def test_attack_a_fresh_administrator_who_approved_and_is_gone_still_makes_the_grant_wait(
    w: World, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Their approval counts on, and with it the days."""
    c = await case(w)
    await propose(c, c.head)
    run_ahead(c, monkeypatch)
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.deputy)
    await until(lambda: [p.approved for p in c.head.engine.history_proposals(c.room)] == [True])
    if how == "leaves":
        await c.deputy.engine.operations.leave(c.room)
        await until(lambda: c.deputy.uid not in c.head.engine.parts.link.rooms[c.room].stream.members)
    elif how == "is removed":
        await c.head.engine.operations.remove(c.room, c.deputy.uid)
    else:
        await c.head.engine.operations.set_role(c.room, c.deputy.uid, 2)
    assert [p.refusal for p in c.head.engine.history_proposals(c.room)] == ["not-seasoned"]
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.head)
    await w.settle(c.room, c.head, c.clerk)
    assert c.clerk.texts(c.obj) == [NEW]
    pass_days(c.head, c.room, monkeypatch)
    await give(c, c.head)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_a_founder_who_approved_and_left_makes_the_grant_wait_for_seven_days_and_no_longer(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No entry made the founder an administrator; the days count from the genesis."""
    c = await case(w)
    await c.head.engine.operations.set_role(c.room, c.deputy.uid, 4)
    await propose(c, c.deputy)
    (proposal,) = c.head.engine.history_proposals(c.room)
    head = c.head.engine.parts.link.rooms[c.room]
    await c.head.engine.parts.outbox.append(head, c.head.engine.parts.outbox.drafter(head).approve(proposal.ident))
    await until(lambda: [p.approved for p in c.deputy.engine.history_proposals(c.room)] == [True])
    assert [p.refusal for p in c.deputy.engine.history_proposals(c.room)] == [None]
    await c.head.engine.operations.leave(c.room)
    await until(lambda: c.head.uid not in c.deputy.engine.parts.link.rooms[c.room].stream.members)
    assert [p.refusal for p in c.deputy.engine.history_proposals(c.room)] == ["not-seasoned"]
    pass_days(c.deputy, c.room, monkeypatch)
    await give(c, c.deputy)
    await until(lambda: c.clerk.texts(c.obj) == WHOLE)


async def test_attack_an_approval_that_is_shown_while_the_grant_is_made_makes_it_wait_too(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server shows it only after the client's first check."""
    c = await case(w)
    await propose(c, c.head)
    run_ahead(c, monkeypatch)
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.deputy)
    await until(lambda: [p.approved for p in c.head.engine.history_proposals(c.room)] == [True])
    sealed: list[bytes] = []

    async def taken(self: Outbox, room: RoomSync, draft: Draft) -> None:
        sealed.extend(draft.seals)

    monkeypatch.setattr(Outbox, "append", taken)
    first, real = [False], history_grants.approval_waits
    waits = "sync.client.exchange.room_operations.approval_waits"
    monkeypatch.setattr(waits, lambda *at: first.pop() if first else real(*at))
    with pytest.raises(Refused, match="not-seasoned"):
        await give(c, c.head)
    assert sealed == []
