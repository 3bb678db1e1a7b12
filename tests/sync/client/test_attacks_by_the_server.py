# SPDX-License-Identifier: EUPL-1.2
"""Attacks of tests/sync/ATTACKS.md that only the server can make: it cuts off, hides and exchanges items. A real engine
and store over TLS, and a line that lies."""

from collections.abc import Callable, Sequence

import msgspec
import pytest

from app.core.ids import ObjId
from sync.client.status import LinkState, RoomState
from sync.errors import Reject
from sync.protocol import messages as m
from sync.trust.person.recovery_sheet import RecoveryCode
from tests.journeys.bad_input.checks import HELLO, items_of, lie, offline, stopped, two, with_items
from tests.world import Client, World, until


async def test_attack_a_truncated_stream_is_withheld(w: World) -> None:
    """The server signs a head and gives the items before its last one, as if those were all."""
    a, b, room, obj = await two(w)
    await offline(b)
    for text in (b"1", HELLO):
        a.say(room, obj, text)
        await w.settle(room, a)
    last = a.engine.position(room)
    b.wire.cut = False
    await lie(b, lambda f: [with_items(f, [i for i in items_of(f, room) if i.n < last])] if items_of(f, room) else [f])
    await stopped(b, room, RoomState.WITHHELD)
    assert b.engine.blocked(room) == "withheld"
    assert HELLO not in b.texts(obj)


async def test_attack_a_room_stops_at_once_though_the_server_is_silent_after_a_false_item(w: World) -> None:
    """The server shows an item that nobody signed, and answers none of the requests that this causes."""
    a, b, room, _obj = await two(w)
    false = False

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame | bytes]:
        nonlocal false
        items = items_of(frame, room)
        if isinstance(frame, m.Fresh) and items:
            false = True
            return [with_items(frame, [msgspec.structs.replace(i, sig=bytes(64)) for i in items])]
        return [] if false and isinstance(frame, m.Items) else [frame]

    await lie(b, rewrite)
    await until(lambda: b.engine.status.state is LinkState.ONLINE)
    a.say(room, ObjId(room), HELLO)
    await until(lambda: b.engine.room_state(room) is RoomState.WITHHELD)
    assert b.engine.blocked(room) == "withheld"


async def test_attack_a_server_that_has_everything_wait_is_not_taken_for_a_yes(w: World) -> None:
    """Only what the root revokes may wait. The server also claims it of a device's revocation, a recovery sheet and a
    newcomer."""
    (a,) = await w.hire("Handläggare")
    tablet = await w.second(a)
    waits = False
    await lie(a, lambda f: [m.VetoPeriod(rid=f.rid, ready=1)] if waits and isinstance(f, m.Ok) else [f])
    await until(lambda: a.engine.status.state is LinkState.ONLINE)
    waits = True
    for operation in (a.engine.devices.revoke(tablet.engine.devices.mine), a.engine.devices.renew()):
        with pytest.raises(Reject, match="malformed"):
            await operation
    with pytest.raises(Reject, match="malformed"):
        await a.engine.recovery_sheet.publish(RecoveryCode.fresh().format())
    assert not a.engine.recovery_sheet.in_force
    assert a.engine.parts.link.account.secrets.root


async def test_attack_a_truncated_log_of_a_person_is_withheld(w: World) -> None:
    """The server hides an entry of a colleague's log from one member, and shows what the colleague wrote with it."""
    a, b, room, obj = await two(w)
    await offline(b)
    (c,) = await w.hire("Enhetschef")
    await a.engine.directory("Enhetschef")
    await a.engine.operations.add(room, c.uid, 2, history=True)
    c.say(room, obj, HELLO)
    await w.settle(room, a, c)
    b.wire.cut = False
    await lie(b, logs(c, lambda entries: entries[:1]))
    await stopped(b, room, RoomState.WITHHELD)
    assert b.engine.blocked(room) == "withheld"


async def test_attack_another_persons_keys_under_a_name_are_refused(w: World) -> None:
    """Keys of the server's choice for a person who is to be added: another person's log, a log with two entries
    exchanged, and one whose genesis belongs to another person."""
    a, b, c = await w.hire("Handläggare", "Registrator", "Enhetschef")
    theirs = await entries_of(w, c)
    for wrong, code in (
        (lambda _: theirs, "other-user"),
        (lambda mine: [mine[0], mine[2], mine[1]], "chain"),
        (lambda mine: [theirs[0], *mine[1:]], "chain"),
        (lambda mine: mine[1:], "chain"),
    ):
        await lie(a, logs(b, wrong))
        await until(lambda: a.engine.status.state is LinkState.ONLINE)
        with pytest.raises(Reject) as e:
            await a.engine.learn([b.uid])
        assert e.value.code == code
        assert a.engine.genesis(b.uid) is None
        assert a.store.people.get(b.uid) is None


def logs(
    of: Client, change: Callable[[list[m.Signed]], list[m.Signed]]
) -> Callable[[m.ServerFrame], Sequence[m.Frame | bytes]]:
    """Changes the server's answers about one person's log."""

    def rewrite(frame: m.ServerFrame) -> Sequence[m.Frame | bytes]:
        if not isinstance(frame, m.UserLogReply) or frame.uid != of.uid:
            return [frame]
        return [msgspec.structs.replace(frame, entries=change(frame.entries) if frame.after < 0 else [])]

    return rewrite


async def entries_of(w: World, who: Client) -> list[m.Signed]:
    """A person's log as the server has it."""
    return [m.Signed(body, sig) for body, sig in who.store.user_log(who.uid)]
