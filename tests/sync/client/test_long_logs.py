# SPDX-License-Identifier: EUPL-1.2
"""Key logs that are longer than one answer of the server, and servers that never come to an end of one."""

import asyncio

import msgspec
import pytest

from app.core import clock
from app.core.ids import new_obj
from app.errors import DiskFull
from sync.client.account import known_logs
from sync.client.account.account_recovery import Recovery
from sync.client.status import LinkState, RoomState
from sync.errors import Reject
from sync.protocol import codec
from sync.protocol import messages as m
from sync.server.rules import people
from sync.trust.person import user_drafts
from sync.trust.person.user_drafts import Hand
from sync.trust.person.user_log import UserLog
from tests.patience import PATIENCE_S
from tests.sync.client.recovering import attempt, recovery
from tests.world import Client, World, until


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer of the server has one entry, as if that were all that fits."""
    monkeypatch.setattr(people, "MAX_PULL_BYTES", 1)


async def long_log(client: Client) -> int:
    """The number of the newest entry of this person's log, which has grown by four."""
    for _ in range(4):
        await client.engine.devices.renew()
    return client.engine.devices.own_log.seq


async def test_a_person_with_a_long_log_is_found(w: World, short: None) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    seq = await long_log(b)
    assert await a.engine.directory("Registrator") == [b.uid]
    assert a.engine.log_seq(b.uid) == seq


async def test_a_device_that_was_away_while_its_own_log_grew_long_signs_in(w: World, short: None) -> None:
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    await tablet.offline()
    seq = await long_log(a)
    tablet.online()
    await until(lambda: tablet.engine.status.state in (LinkState.ONLINE, LinkState.ERROR))
    assert tablet.engine.status.code is None
    assert tablet.engine.devices.own_log.seq == seq


async def test_what_a_person_with_a_long_log_wrote_is_read_at_once(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await a.offline()
    monkeypatch.setattr(people, "MAX_PULL_BYTES", 1)
    await long_log(b)
    b.say(room, obj, b"efter fyra nycklar")
    await until(lambda: b.store.waiting_count() == 0)
    states = list[RoomState]()
    a.on_room = lambda room: states.append(a.engine.room_state(room))  # type: ignore[method-assign]
    a.online()
    await until(lambda: a.texts(obj) != [] or RoomState.WITHHELD in states)
    assert RoomState.WITHHELD not in states
    assert a.texts(obj) == [b"efter fyra nycklar"]


async def test_a_log_of_which_no_end_was_told_is_fetched_while_an_answer_is_full(
    w: World, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_logs, "MAX_PULL_BYTES", 1)
    a, b = await w.hire("Handläggare", "Registrator")
    seq = await long_log(b)
    assert (await a.engine.parts.link.book.fetch(a.engine.parts.link.online, b.uid)).seq == seq


async def test_attack_one_call_fetches_no_more_of_a_log_than_a_server_lets_it_grow(
    w: World, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    seq = await long_log(b)
    link = a.engine.parts.link
    monkeypatch.setattr(known_logs, "MOST_ENTRIES", 2)
    assert (await link.book.fetch(link.online, b.uid, seq)).seq == 2
    assert (await link.book.fetch(link.online, b.uid, seq)).seq == 5
    assert (await link.book.fetch(link.online, b.uid, seq)).seq == seq == 6


async def test_a_long_log_is_read_by_who_recovers_it(w: World, short: None) -> None:
    (a,) = await w.hire("Handläggare")
    recovery_sheet = await w.make_sheet(a)
    await long_log(a)
    assert (await recovery(w, await attempt(w, a, recovery_sheet)).look()).uid == a.uid


async def test_attack_a_server_that_gives_entries_for_ever_is_not_read_for_ever(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_logs, "MOST_ENTRIES", 100)
    (a,) = await w.hire("Handläggare")
    tried = await attempt(w, a, await w.make_sheet(a))

    def endless(data: bytes, out: bool) -> list[bytes]:
        frame = None if out else codec.decode_server(data)
        if not isinstance(frame, m.RecoverLookupReply):
            return [data]
        entries = [m.Signed(*e) for e in a.store.user_log(a.uid)]
        told = msgspec.structs.replace(frame.person, ulog_seq=2**40)
        return [codec.encode(m.RecoverLookupReply(frame.rid, told, entries))]

    wire = w.dialer()
    wire.spoil = endless
    with pytest.raises(Reject) as e:
        async with asyncio.timeout(PATIENCE_S):
            await Recovery(wire, tried, clock.now_ms).look()
    assert e.value.code == "oversize"


@pytest.mark.parametrize(("bound", "most"), [("MOST_ENTRIES", 10), ("MOST_BYTES", 20_000)])
async def test_attack_a_server_and_a_person_who_makes_entries_for_ever_keep_nobody(
    w: World, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    monkeypatch.setattr(known_logs, bound, most)
    account, entries = b.engine.parts.link.account, b.store.user_log(b.uid)
    own = UserLog.replay(entries, account.agency_pk)
    hand = Hand(account.dev, account.signing, account.puk_seeds)

    def endless(data: bytes, out: bool) -> list[bytes]:
        frame = None if out else codec.decode_server(data)
        if not isinstance(frame, m.UserLogReply) or frame.uid != b.uid:
            return [data]
        while len(entries) < frame.after + 2:
            entries.append(user_drafts.rotate_puk(own, hand, clock.now_ms())[0])
            own.apply(*entries[-1])
        return [codec.encode(msgspec.structs.replace(frame, entries=[m.Signed(*entries[frame.after + 1])]))]

    a.wire.spoil = endless
    await a.wire.hang_up()
    a.online()
    await until(lambda: bool(a.wire.open_lines) and a.engine.status.state is LinkState.ONLINE)
    async with asyncio.timeout(PATIENCE_S):
        known = await a.engine.parts.link.book.fetch(a.engine.parts.link.online, b.uid, 2**40)
    sizes = [len(body) + len(sig) for body, sig in entries[: known.seq + 1]]
    assert {"MOST_ENTRIES": len(sizes) - 1, "MOST_BYTES": sum(sizes[:-1])}[bound] <= most


async def test_entries_that_the_disk_refused_are_fetched_again(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application asked for them, so no session ended: later entries were stored with these missing before them,
    and the log could never be read again."""
    a, b = await w.hire("Handläggare", "Registrator")
    await a.engine.learn([b.uid])
    await b.engine.devices.renew()

    def full(*_: object) -> None:
        raise DiskFull

    with monkeypatch.context() as disk:
        disk.setattr(a.store, "append_user_log", full)
        with pytest.raises(DiskFull):
            await a.engine.learn([b.uid])
    await b.engine.devices.renew()
    await a.engine.learn([b.uid])
    await a.restart()
    assert a.engine.log_seq(b.uid) == b.engine.devices.own_log.seq


async def test_a_directory_that_answers_with_somebody_else_is_refused(w: World) -> None:
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")

    def other(data: bytes, out: bool) -> list[bytes]:
        frame = codec.decode_client(data) if out else None
        if not isinstance(frame, m.Directory):
            return [data]
        return [codec.encode(m.Directory(frame.rid, frame.query, [b.uid, c.uid]))]

    a.wire.spoil = other
    await a.wire.hang_up()
    a.online()
    await until(lambda: bool(a.wire.open_lines) and a.engine.status.state is LinkState.ONLINE)
    with pytest.raises(Reject) as e:
        await a.engine.learn([b.uid])
    assert e.value.code == "other-user"
    assert a.engine.log_seq(c.uid) is None
