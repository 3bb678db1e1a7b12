# SPDX-License-Identifier: EUPL-1.2
"""One device of a person: the real engine on the real store, over a line that the server controls.

For the checks a desk remembers what only the truth knows: every text written at it, every frame that it sent, and each
item that it judged with the verdict. What it has accepted for good is read from its store.
"""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.core.ids import ChangeId, DevId, ObjId, RoomId, Uid
from app.store.rows import StoredChange
from app.store.store import Store
from sync.client.account.account_secrets import Account
from sync.client.engine import Engine
from sync.client.room.room_sync import RoomSync
from sync.client.status import RoomState
from sync.client.wire.transport import Answer, ServerAddress
from sync.errors import BugError, Reject, Unreachable
from sync.protocol import messages as m
from sync.protocol.codec import decode_client, encode
from sync.trust.formats.items import ENTRY, ENVELOPE, Item, item_id, next_rh
from sync.trust.room.entries import RoomEntry
from sync.trust.room.envelope import Header, read_body
from sync.trust.room.stream import Accepted
from tests.sync.byzantine.still import Clock

KEY = b"k" * 32
ADDRESS = ServerAddress.parse("localhost:8443")


class ServerSide(Protocol):
    """A server behind a line."""

    def on_open(self, line: "Line") -> None: ...

    def on_frame(self, line: "Line", frame: m.ClientFrame) -> None: ...

    def on_closed(self, line: "Line") -> None: ...


class Line:
    """A Transport. The server gets what the desk sends at once; the desk receives what the server delivers."""

    def __init__(self, desk: "Desk", server: ServerSide) -> None:
        self.desk = desk
        self._server = server
        self._to_desk: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.open = True
        server.on_open(self)

    async def send(self, data: bytes) -> None:
        if not self.send_at_once(data):
            raise Unreachable("closed")

    def send_at_once(self, data: bytes) -> bool:
        if self.open:
            frame = decode_client(data)
            self.desk.sent(frame)
            self._server.on_frame(self, frame)
        return self.open

    def deliver(self, frame: m.Frame) -> None:
        """From the server to the desk."""
        self.deliver_bytes(encode(frame))

    def deliver_bytes(self, data: bytes) -> None:
        if self.open:
            self._to_desk.put_nowait(data)

    async def receive(self) -> bytes:
        data = await self._to_desk.get() if self.open or not self._to_desk.empty() else None
        if data is None:
            raise Unreachable("closed")
        return data

    async def close(self) -> None:
        self.cut()

    def cut(self) -> None:
        """Ends the line without a closing frame."""
        if self.open:
            self.open = False
            self._to_desk.put_nowait(None)
            self._server.on_closed(self)


@dataclass(slots=True)
class Judged:
    """An item as a desk judged it, with the verdict."""

    item: Item
    accepted: Accepted
    rh: bytes = b""
    """The running hash here, once it is known that the item is in the desk's history."""

    def follows(self, rh: bytes) -> bytes:
        i = self.item
        return next_rh(rh, i.n, i.t, i.kind, item_id(i.kind, i.body))


@dataclass(slots=True)
class Delivered:
    """A piece that was shown to a desk to be judged, and the code with which it was refused."""

    room: RoomId
    items: Sequence[Item]
    refused: str | None
    line: Line | None
    alarm: RoomState | None = None
    """The room's security status when the room was stopped because of the piece."""

    def line_open(self) -> bool:
        return self.line is not None and self.line.open


@dataclass
class Desk:
    """Call `start` first. `online`: whether the desk may have a line."""

    name: str
    folder: Path
    server: ServerSide
    clock: Clock
    account: Account
    online: bool = True
    engine: Engine = field(init=False)
    store: Store = field(init=False)
    line: Line | None = None
    address: ServerAddress = ADDRESS
    words: dict[tuple[RoomId, ObjId, ChangeId], bytes] = field(default_factory=dict)
    signed: set[tuple[int, bytes]] = field(default_factory=set)
    """(kind, body) of every item that this desk ever sent."""
    had: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """By body: the last position that this desk had verified when it signed that body, and its own running hash
    there."""
    drafted: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    """By kc: the secrets of every epoch that this desk made."""
    judged: dict[RoomId, dict[int, list[Judged]]] = field(default_factory=dict)
    chains: dict[RoomId, list[Judged]] = field(default_factory=dict)
    delivered: list[Delivered] = field(default_factory=list)
    ephemerals: list[tuple[RoomId, Uid, DevId, bytes, int]] = field(default_factory=list)
    """Room, person, device, content and kind of each ephemeral message that the engine took for true."""
    _running: "asyncio.Task[None] | None" = None
    faults: int = 0
    """The number of times the engine failed by a fault of its own."""
    _copies: int = 0

    @property
    def uid(self) -> Uid:
        return self.account.uid

    @property
    def dev(self) -> DevId:
        return self.account.dev

    @property
    def path(self) -> Path:
        return self.folder / f"{self.name}-{self._copies}.db"

    # -- start and stop -------------------------------------------------------------------------------------------

    def create(self, entries: Sequence[tuple[bytes, bytes]], record: Mapping[str, str], salt: bytes) -> None:
        """Makes an enrolled store. Making the tables takes most of the time, so it is done once."""
        empty = self.folder / "empty.db"
        if not empty.exists():
            Store.create(empty, KEY, {}).close()
        shutil.copy(empty, self.path)
        self.store = Store.open(self.path, KEY, {}, self.folder / "blobs")
        self.store.set_me(self.uid)
        self.store.save_account(self.account.encode())
        self.store.append_user_log(self.uid, 0, entries)
        self.store.put_person(self.uid, record, salt)

    def start(self) -> None:
        """Begins to sync. From here on the store has the account."""
        self.engine = Engine(self.store, self, self, self.clock.ms)
        self.account = self.engine.parts.link.account
        slices = self.engine.parts.inbox.slices
        judge = slices.judge

        async def judge_and_note(room: RoomSync, items: list[Item]) -> list[Accepted]:
            try:
                accepted = await judge(room, items)
            except Reject as e:
                self.delivered.append(Delivered(room.room, items, e.code, self.line))
                raise
            self.delivered.append(Delivered(room.room, items, None, self.line))
            notes = self.judged.setdefault(room.room, {})
            for item, verdict in zip(items, accepted, strict=True):
                notes.setdefault(item.n, []).append(Judged(item, verdict))
            return accepted

        slices.judge = judge_and_note  # type: ignore[method-assign]  # only observes
        self.store.changes.appended.connect(self._wrote)
        self.store.waiting_changed.connect(self.engine.wake)
        self._running = asyncio.ensure_future(self.engine.run())

    async def stop(self) -> None:
        """Stops as in a crash: nobody is notified. Closes the store."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
            await self.engine.blobs.close()
            self.store.close()

    async def crash(self) -> None:
        """The process dies and starts again from its disk."""
        await self.stop()
        self.store = Store.open(self.path, KEY, {}, self.folder / "blobs")
        self.start()

    async def keep_copy(self) -> Path:
        """A copy of the disk, for `go_back`."""
        await self.stop()
        copy = self.path.with_suffix(f".{int(self.clock.s)}.kept")
        shutil.copy(self.path, copy)
        await self.crash()
        return copy

    async def go_back(self, copy: Path) -> None:
        """The disk is set back to an older copy of itself, and the desk no longer knows what it has learned of rooms
        since."""
        await self.stop()
        self._copies += 1
        shutil.copy(copy, self.path)
        self.chains.clear()
        self.store = Store.open(self.path, KEY, {}, self.folder / "blobs")
        self.start()

    def hang_up(self) -> None:
        """Cuts the line; another is dialled only while `online`."""
        if self.line is not None:
            self.line.cut()

    # -- Dialer
    async def open(self) -> Line:
        if not self.online:
            raise Unreachable("offline")
        self.line = Line(self, self.server)
        return self.line

    async def request(self, method: str, path: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        raise Unreachable("no blobs here")

    async def close(self) -> None: ...

    # -- Listener
    def on_status(self) -> None:
        if self.engine.status.code == BugError.code:
            self.faults += 1

    def on_room(self, room: RoomId) -> None:
        state = self.engine.room_state(room)
        last = next((d for d in reversed(self.delivered) if d.room == room), None)
        if last is not None and last.refused is not None and last.alarm is None:
            last.alarm = state

    def on_log(self, uid: Uid) -> None: ...

    def on_ephemeral(
        self, room: RoomId, uid: Uid, dev: DevId, payload: bytes, kind: int, *, addressed: bool = False
    ) -> None:
        self.ephemerals.append((room, uid, dev, payload, kind))

    # -- what it did ------------------------------------------------------------------------------------------------

    def write(self, room: RoomId, obj: ObjId, data: bytes) -> None:
        self.store.changes.append(room, obj, data)

    def _wrote(self, change: StoredChange) -> None:
        self.words[change.room, change.obj, change.change_id] = change.data
        self.engine.wake()

    def sent(self, frame: m.ClientFrame) -> None:
        """Notes every signed item before it is sent."""
        if isinstance(frame, m.Push):
            for body in frame.bodies:
                self._note(ENVELOPE, body, frame.room, Header.decode(read_body(body)[0]).seen)
        elif isinstance(frame, m.Append):
            for signed in frame.entries:
                entry = RoomEntry.decode(signed.body)
                self._note(ENTRY, signed.body, frame.room, entry.seen)
                if entry.epoch is not None:
                    made = self.engine.parts.link.rooms[RoomId(frame.room)].keys.drafted[entry.epoch.e]
                    self.drafted[bytes(entry.epoch.kc)] = tuple(key for key in made if key is not None)

    def _note(self, kind: int, body: bytes, room: bytes, seen: tuple[int, bytes]) -> None:
        if (kind, body) not in self.signed:
            rh = self.rh(RoomId(room), seen[0])
            assert rh == seen[1], "signed on a history that is not its own"
            self.signed.add((kind, body))
            self.had[body] = seen[0], rh

    def secrets(self) -> list[bytes]:
        """All secrets that must never leave this desk unencrypted."""
        own = [self.account.secrets.sign, self.account.secrets.kem, self.account.secrets.root]
        keys = [key for made in self.drafted.values() for key in made]
        return [secret for secret in (*own, *self.account.puk_seeds.values(), *keys) if secret]

    # -- what it has accepted ----------------------------------------------------------------------------------------

    def rooms(self) -> list[RoomId]:
        return list(self.engine.parts.link.rooms)

    def chain(self, room: RoomId) -> list[Judged]:
        """Every item up to the last position that the store has, in order: `chain[n - 1]`.

        Asserts that what the store has verified is what was judged, and that it has only ever grown.
        """
        chain, notes = self.chains.setdefault(room, []), self.judged.get(room, {})
        rh = chain[-1].rh if chain else bytes(32)
        assert self.rh(room, len(chain)) == rh, "a history was exchanged in place"
        while (wanted := self.store.rh_at(room, len(chain) + 1)) is not None:
            n = len(chain) + 1
            found = next((j for j in reversed(notes.get(n, [])) if j.follows(rh) == wanted), None)
            assert found is not None, f"position {n} was stored and not judged, or not as it was judged"
            found.rh = rh = wanted
            chain.append(found)
        return chain

    def log_seq(self, uid: Uid) -> int:
        """The newest entry of a person's log in this desk's store, -1 for none."""
        return len(self.store.user_log(uid)) - 1

    def rh(self, room: RoomId, n: int) -> bytes | None:
        """The running hash that this desk has verified at a position."""
        return bytes(32) if n == 0 else self.store.rh_at(room, n)

    def placed(self, room: RoomId) -> list[tuple[int, Uid, ObjId, ChangeId, bytes]]:
        """(n, author, object, change id, data) of everything that this desk applied at a position."""
        rows = self.store.db.rows(
            "SELECT n, author, obj, change_id, data FROM changes WHERE room = ? AND n IS NOT NULL ORDER BY n", (room,)
        )
        return [(n, Uid(a), ObjId(o), ChangeId(c), bytes(d)) for n, a, o, c, d in rows]
