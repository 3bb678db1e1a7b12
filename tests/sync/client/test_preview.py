# SPDX-License-Identifier: EUPL-1.2
"""What is read of a room to which a person was added, before they accept: little, and nothing that is not signed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from app.core.ids import ObjId, RoomId
from sync.client import link as link_module
from sync.client.exchange import preview
from sync.client.room.invitation_consent import Added, Verdict
from sync.client.status import LinkState
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, decode_server, encode
from sync.trust.formats.items import ENTRY
from tests.world import Client, World, until


@dataclass
class Asks:
    """Asks the person about every room, and notes the questions."""

    seen: list[Added] = field(default_factory=list)

    def answered(self, room: RoomId, n: int) -> Verdict | None:
        return None

    def decide(self, added: Added) -> Verdict:
        self.seen.append(added)
        return Verdict.ASK

    def reads(self, added: Added) -> bool:
        return True

    def on_invitations(self) -> None: ...


async def writes(client: Client, room: RoomId, *datas: bytes) -> None:
    """Writes each data in a change with a position of its own."""
    for data in datas:
        client.say(room, ObjId(room), data)
        await until(lambda: client.store.waiting_count() == 0)


async def before_an_invitation(w: World) -> tuple[Client, Client, Asks, RoomId]:
    """(the person who invites, the one who is invited and offline, what that one is asked, the room of the first)."""
    a, b = await w.hire("Registrator", "Handläggare")
    b.engine.ask_first(asks := Asks())
    await b.offline()
    room = await a.engine.operations.create_room()
    await a.engine.learn([b.uid])
    return a, b, asks, room


async def back_online(client: Client) -> None:
    client.online()
    await until(lambda: client.engine.status.state is LinkState.ONLINE)


def stored(client: Client) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of the client's store."""
    db = client.store.db
    names = [name for (name,) in db.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    return {name: db.rows(f"SELECT * FROM {name}") for name in names}  # noqa: S608 - our own names


async def test_attack_what_is_read_of_a_room_before_the_persons_yes_is_stored_nowhere(w: World) -> None:
    """Nobody can fill a disk by adding its owner to rooms."""
    a, b, _, room = await before_an_invitation(w)
    await writes(a, room, "först å 🙂".encode())
    await back_online(b)
    await b.engine.learn([a.uid])
    await b.offline()
    before = stored(b)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    await writes(a, room, b"greeting")
    await back_online(b)
    await until(lambda: any(i.read and len(i.records) == 2 for i in b.engine.invitations))
    await b.offline()
    assert stored(b) == before


async def test_attack_of_a_long_room_a_forged_addition_names_nobody(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preview, "MAX_POSITIONS", 6)
    a, b, asks, room = await before_an_invitation(w)
    await writes(a, room, *[b"x"] * 6)
    await a.engine.operations.add(room, b.uid, 2, history=True)

    def forge(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if not isinstance(frame, m.Items) or frame.room != room:
            return [data]
        return [encode(msgspec.structs.replace(frame, items=[forged(i) for i in frame.items]))]

    def forged(i: m.WireItem) -> m.WireItem:
        adds = i.kind == ENTRY and bytes(b.uid) in i.body
        return msgspec.structs.replace(i, sig=bytes(64)) if adds else i

    b.wire.spoil = forge
    await back_online(b)
    await until(lambda: "invitation not read: signature" in caplog.text)
    assert (b.engine.invitations, asks.seen) == ([], [])
    await b.offline()
    b.wire.spoil = None
    await back_online(b)
    await until(lambda: len(b.engine.invitations) == 1)
    added = b.engine.invitations[0].added
    assert (added.adder, added.founder, added.long) == (a.uid, a.uid, True)


async def test_attack_three_short_records_are_asked_for_and_no_more(w: World) -> None:
    a, b, _, room = await before_an_invitation(w)
    large = b"x" * 2 * preview.MAX_RECORD_BYTES
    await writes(a, room, "först å 🙂".encode(), large, b"other", b"another")
    await a.engine.operations.add(room, b.uid, 2, history=True)
    await writes(a, room, large, b"greeting", b"more", b"newest", large)
    asked: list[list[int]] = []

    def receive(data: bytes, out: bool) -> Sequence[bytes]:
        if out and isinstance(frame := decode_client(data), m.Contents):
            asked.append(list(frame.ns))
        return [data]

    b.wire.spoil = receive
    await back_online(b)
    await until(lambda: any(i.read and i.records for i in b.engine.invitations))
    records = [r.payload for r in b.engine.invitations[0].records]
    assert records == ["först å 🙂".encode(), b"greeting", b"newest"]
    assert {len(ns) for ns in asked} == {preview.MAX_RECORDS}


def _small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull gives about three positions, and a room of some twenty is too long to be read whole."""
    monkeypatch.setattr(link_module, "MAX_PULL_BYTES", 1000)
    monkeypatch.setattr(preview, "MAX_BYTES", 4000)


async def test_attack_of_a_room_that_proves_too_long_nothing_is_opened(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first positions are verified before that."""
    a, b, _, room = await before_an_invitation(w)
    await writes(a, room, b"first")
    await a.engine.operations.add(room, b.uid, 2, history=True)
    await writes(a, room, *[b"x"] * 20)
    _small_bounds(monkeypatch)
    await back_online(b)
    await until(lambda: any(i.read for i in b.engine.invitations))
    (invitation,) = b.engine.invitations
    assert (invitation.added.founder, invitation.added.long, invitation.records) == (a.uid, True, ())


async def test_of_a_room_of_long_entries_the_newest_positions_are_searched_first(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, _, room = await before_an_invitation(w)
    await writes(a, room, *[b"x"] * 20)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    _small_bounds(monkeypatch)
    await back_online(b)
    await until(lambda: any(i.read for i in b.engine.invitations))
    (invitation,) = b.engine.invitations
    assert (invitation.added.adder, invitation.added.history, invitation.added.long) == (a.uid, True, True)


async def _sizes(client: Client, room: RoomId) -> list[int]:
    """The sizes of the headers of the whole room, as a preview counts them."""
    items = (await client.engine.parts.link.pull(room, 0, headers_only=True)).items
    assert [i.n for i in items] == list(range(1, client.engine.parts.link.rooms[room].stream.n + 1))
    return [len(i.body) + len(i.sig) for i in items]


async def test_of_a_long_room_positions_that_were_searched_do_not_count_again(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The addition is in the third window, and the bound is what these three have."""
    a, b, _, room = await before_an_invitation(w)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    await writes(a, room, *[b"x"] * 41)
    sizes = await _sizes(a, room)
    monkeypatch.setattr(preview, "MAX_POSITIONS", len(sizes) - 2)
    monkeypatch.setattr(preview, "MAX_BYTES", sum(sizes[2:]))
    await back_online(b)
    await until(lambda: any(i.read for i in b.engine.invitations))
    (invitation,) = b.engine.invitations
    assert (invitation.added.adder, invitation.added.long) == (a.uid, True)


@pytest.mark.parametrize("cut", ["bytes", "server"])
async def test_attack_an_older_addition_is_not_shown_as_the_newest(
    w: World, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """Of the second window only the first positions are read, with an addition that a removal ended: there is no room
    for more (bytes), or the server gives none. The person was added again after that."""
    a, b, _, room = await before_an_invitation(w)
    await a.engine.operations.add(room, b.uid, 1, history=True)
    await a.engine.operations.remove(room, b.uid)
    await writes(a, room, *[b"x"] * 6)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    again = a.engine.parts.link.rooms[room].stream.n
    await writes(a, room, *[b"x"] * 8)
    sizes = await _sizes(a, room)
    monkeypatch.setattr(preview, "MAX_POSITIONS", len(sizes) - 2)
    monkeypatch.setattr(link_module, "MAX_PULL_BYTES", sum(sizes[2:5]))
    if cut == "bytes":
        monkeypatch.setattr(preview, "MAX_BYTES", sum(sizes[again:]))
    else:
        b.wire.spoil = _without(room, again - 3, again)
    await back_online(b)
    await until(lambda: any(i.read for i in b.engine.invitations))
    (invitation,) = b.engine.invitations
    assert (invitation.added.long, invitation.added.adder) == (True, None)


async def test_attack_a_position_that_is_left_out_of_a_long_room_is_noticed(
    w: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise the server could hide the newest addition, and an older one with another role would be shown."""
    a, b, asks, room = await before_an_invitation(w)
    await a.engine.operations.add(room, b.uid, 1, history=True)
    await a.engine.operations.remove(room, b.uid)
    await a.engine.operations.add(room, b.uid, 2, history=True)
    again = a.engine.parts.link.rooms[room].stream.n
    await writes(a, room, b"x")
    monkeypatch.setattr(preview, "MAX_POSITIONS", again)

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if not isinstance(frame, m.Items) or frame.room != room:
            return [data]
        return [encode(msgspec.structs.replace(frame, items=[i for i in frame.items if i.n != again]))]

    b.wire.spoil = spoil
    await back_online(b)
    await until(lambda: "invitation not read: withheld" in caplog.text)
    assert (b.engine.invitations, asks.seen) == ([], [])


def _without(room: RoomId, first: int, last: int) -> Callable[[bytes, bool], Sequence[bytes]]:
    """A server that gives none of these positions, and nothing after them in the same answer."""

    def spoil(data: bytes, out: bool) -> Sequence[bytes]:
        frame = None if out else decode_server(data)
        if not isinstance(frame, m.Items) or frame.room != room:
            return [data]
        end = next((k for k, i in enumerate(frame.items) if first <= i.n <= last), len(frame.items))
        return [encode(msgspec.structs.replace(frame, items=frame.items[:end]))]

    return spoil
