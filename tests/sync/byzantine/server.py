# SPDX-License-Identifier: EUPL-1.2
"""A server that may lie: it answers every frame as an honest one would, out of whichever history the asker is shown,
and every answer passes the asker's `Face`, where a lie may take its place.

It has the agency's certificate for its key, so it signs receipts for anything. It does not have the agency's key.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sync.crypto.signatures import SigningKey
from sync.errors import Reject
from sync.ids import DevId, RoomId, Uid
from sync.protocol import messages as m
from sync.protocol.codec import encode
from sync.protocol.messages import ErrorCode
from sync.protocol.version import WIRE_MAX
from sync.server.rules.refusal import refusal_of
from sync.server.store.base import InviteRow
from sync.trust.person.agency import Agency, agency_fingerprint, hello_proof
from sync.trust.person.author import Entry
from sync.trust.person.user_log import UserLog
from sync.trust.room import signed_receipts
from tests.sync.byzantine.desk import Line
from tests.sync.byzantine.histories import ENTRY, ENVELOPE, History, begins, entry_of, whole
from tests.sync.byzantine.still import YEAR_MS, Clock

Lie = Callable[["Face", m.ClientFrame | None, list[m.Frame]], list[m.Frame]]
"""What it makes of the frames that answer one of the desk's frames, or (None) of pushed frames."""


class Book:
    """The user logs as the server has them."""

    def __init__(self) -> None:
        self.logs: dict[Uid, UserLog] = {}
        self.entries: dict[Uid, list[Entry]] = {}
        self.records: dict[Uid, tuple[bytes, bytes]] = {}

    def log(self, uid: Uid) -> UserLog | None:
        return self.logs.get(uid)

    def append(self, uid: Uid, entries: Sequence[Entry]) -> None:
        """Rejects entries that do not continue the log."""
        for entry in entries:
            self.logs[uid].apply(*entry)
            self.entries[uid].append(entry)


@dataclass
class Face:
    """What one device is shown."""

    uid: Uid
    dev: DevId
    line: Line | None = None
    history: dict[RoomId, int] = field(default_factory=dict)
    """Which of a room's histories; the first if it is not named."""
    cap: dict[RoomId, int] = field(default_factory=dict)
    """The position at which a room seems to end."""
    log_cap: dict[Uid, int] = field(default_factory=dict)
    """The entry with which a person's log seems to end."""
    lies: list[Lie] = field(default_factory=list)
    listens: set[RoomId] = field(default_factory=set)
    authed: bool = False


class Server:
    """See above. `received` is all bytes that any client ever sent to it: what a thief of the server has."""

    def __init__(self, agency: Agency, clock: Clock, seed: bytes) -> None:
        self.clock = clock
        self.agency_pk = agency.pk
        self.key = SigningKey(seed)
        self.cert = m.Signed(*agency.certify_server(self.key.public, clock.ms() + 90 * YEAR_MS))
        self.book = Book()
        self.rooms: dict[RoomId, list[History]] = {}
        self.faces: dict[DevId, Face] = {}
        self.received: list[bytes] = []
        self.ephemerals: list[m.Ephemeral] = []
        """Those that it received. It passes none on unless a test has it do so."""
        self.staged: dict[bytes, list[bytes]] = defaultdict(list)
        self.skew_ms = 0

    def enrol(self, invite: InviteRow, log: UserLog, entries: Sequence[Entry]) -> None:
        """A new person."""
        book = self.book
        book.logs[log.uid], book.entries[log.uid] = UserLog.replay(list(entries), log.agency_pk), list(entries)
        book.records[log.uid] = invite.salt, invite.record

    # -- lines ------------------------------------------------------------------------------------------------------

    def on_open(self, line: Line) -> None:
        face = self.faces.setdefault(line.desk.dev, Face(line.desk.uid, line.desk.dev))
        face.line, face.authed = line, False
        face.listens.clear()

    def on_closed(self, line: Line) -> None:
        face = self.faces[line.desk.dev]
        if face.line is line:
            face.line, face.authed = None, False

    def on_frame(self, line: Line, frame: m.ClientFrame) -> None:
        face = self.faces[line.desk.dev]
        self.deliver(face, frame, self._answer(face, frame))

    def deliver(self, face: Face, asked: m.ClientFrame | None, frames: list[m.Frame]) -> None:
        """Delivers frames to a desk, unless a lie replaces them."""
        for lie in list(face.lies):
            frames = lie(face, asked, frames)
        for frame in frames:
            if face.line is not None:
                face.line.deliver(frame)

    # -- what is shown ------------------------------------------------------------------------------------------------

    def shown(self, face: Face, room: bytes) -> History | None:
        found = self.rooms.get(RoomId(room))
        return found[face.history.get(RoomId(room), 0)] if found else None

    def end(self, face: Face, history: History) -> int:
        """The position at which the history seems to end."""
        cap = face.cap.get(history.room, history.n)
        return len(whole(history.items[:cap]))

    def receipt(self, history: History, n: int) -> m.Receipt:
        return self.sign(history.room, n, history.rhs[n], history.items[n - 1].t if n else 0)

    def sign(self, room: bytes, n: int, rh: bytes, t: int) -> m.Receipt:
        return m.Receipt(room, n, rh, t, signed_receipts.sign(self.key, room, n, rh, t))

    def head(self, face: Face, history: History) -> m.RoomHead:
        return m.RoomHead(self.receipt(history, self.end(face, history)), 0, b"")

    def log_of(self, face: Face, uid: Uid) -> list[Entry]:
        entries = self.book.entries.get(uid, [])
        return entries[: face.log_cap.get(uid, len(entries)) + 1]

    def agency_writes(self, uid: Uid, build: Callable[[UserLog], Entry]) -> bool:
        """The agency's entry in a person's log: only the agency can make it, and it does not pass through a client."""
        self.book.append(uid, [build(self.book.logs[uid])])
        self.log_moved(uid)
        return True

    def log_moved(self, uid: Uid) -> None:
        """Notifies a person's devices, unless they are not to know."""
        for face in self.faces.values():
            if face.uid == uid and face.authed:
                self.deliver(face, None, [m.LogMoved(len(self.log_of(face, uid)) - 1)])

    def placed(self, history: History, first: int) -> None:
        """Sends a history's last positions to every device that is shown it."""
        items = history.items[first - 1 :]
        for face in self.faces.values():
            if self.shown(face, history.room) is not history or not face.authed:
                continue
            if history.room in face.listens:
                items_now = [i for i in items if i.n <= self.end(face, history)]
                if items_now:
                    self.deliver(face, None, [self.fresh(face, history, items_now)])
            elif face.uid in history.stream.members:
                self.deliver(face, None, [m.Joined(self.head(face, history))])

    def fresh(self, face: Face, history: History, items: Sequence[object]) -> m.Fresh:
        wire = [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in items]  # type: ignore[attr-defined]
        shares = self._shares(history, begins(items))  # type: ignore[arg-type]
        return m.Fresh(history.room, wire, shares, self.receipt(history, self.end(face, history)))

    def _shares(self, history: History, objs: set[bytes]) -> list[m.WireShare]:
        return [m.WireShare(o, history.shares[o]) for o in sorted(objs) if o in history.shares]

    # -- answers ------------------------------------------------------------------------------------------------------

    def _answer(self, face: Face, frame: m.ClientFrame) -> list[m.Frame]:
        self.received.append(encode(frame))
        rid = getattr(frame, "rid", 0)
        try:
            return self._honest(face, frame)
        except Reject as e:
            why = refusal_of(e)
            return [m.Error(rid, why.code, why.detail)]

    def _honest(self, face: Face, frame: m.ClientFrame) -> list[m.Frame]:
        match frame:
            case m.Hello():
                now, nonce = self.clock.ms() + self.skew_ms, b"n" * 32
                signed = hello_proof(nonce, frame.nonce, agency_fingerprint(self.agency_pk), frame.address, now)
                proof = self.key.sign("hello", signed)
                return [m.ServerHello(WIRE_MAX, nonce, now, self.agency_pk, self.cert, proof)]
            case m.Auth():
                return [self._authed(face, frame)]
            case m.UserLog(rid=rid, uid=uid, after=after):
                entries = self.log_of(face, Uid(uid))[after + 1 :]
                return [m.UserLogReply(rid, uid, after, [m.Signed(*e) for e in entries])]
            case m.UserAppend():
                return self._user_append(face, frame)
            case m.Directory(rid=rid, uids=uids):
                return [m.DirectoryReply(rid, [self._person(face, u) for u in uids if u in self.book.records])]
            case m.MovedLogs(rid=rid, known=known):
                return [m.MovedLogsReply(rid, self._moved(face, known))]
            case m.Subscribe(rid=rid, rooms=rooms):
                return [m.Subscribed(rid, [self._subscribed(face, room) for room in rooms])]
            case m.Push():
                return self._push(face, frame)
            case m.PutSeals(rid=rid, root=root, seals=seals):
                self.staged[bytes(root)] = [*self.staged[bytes(root)][: frame.start], *map(bytes, seals)]
                return [m.Ok(rid)]
            case m.Append():
                return self._append(face, frame)
            case m.Contents() | m.Pull() | m.SealRequest() | m.ShareRequest() | m.Reseal() | m.PutShare():
                history = self.shown(face, frame.room)
                if history is None:
                    return [m.Error(frame.rid, ErrorCode.UNKNOWN_ROOM)]
                return self._of_room(face, history, frame)
            case m.Ephemeral():
                self.ephemerals.append(frame)
                return []
            case _:
                return [m.Error(frame.rid, ErrorCode.FORBIDDEN)]

    def _authed(self, face: Face, frame: m.Auth) -> m.Frame:
        mine = self.log_of(face, face.uid)
        seq = len(mine) - 1
        face.authed = True
        heads = []
        for room in self.rooms:
            history = self.shown(face, room)
            if history is not None and face.uid in history.stream.members and self.end(face, history):
                heads.append(self.head(face, history))
        return m.Authed(frame.rid, seq, self.book.logs[face.uid].heads[seq], heads)

    def _user_append(self, face: Face, frame: m.UserAppend) -> list[m.Frame]:
        try:
            self.book.append(face.uid, [(e.body, e.sig) for e in frame.entries])
        except Reject:
            return [m.Error(frame.rid, ErrorCode.CONFLICT)]
        self.log_moved(face.uid)
        return [m.Ok(frame.rid)]

    def _person(self, face: Face, uid: bytes) -> m.Person:
        salt, record = self.book.records[Uid(uid)]
        seq = len(self.log_of(face, Uid(uid))) - 1
        return m.Person(uid, salt, record, seq, self.book.logs[Uid(uid)].heads[seq])

    def _moved(self, face: Face, known: Sequence[m.KnownLog]) -> list[m.LogHead]:
        seqs = {Uid(each.uid): each.seq for each in known if each.uid in self.book.logs}
        newest = {uid: len(self.log_of(face, uid)) - 1 for uid in seqs}
        return [m.LogHead(u, seq, self.book.logs[u].heads[seq]) for u, seq in newest.items() if seq > seqs[u]]

    def _subscribed(self, face: Face, room: bytes) -> int:
        history = self.shown(face, room)
        if history is None:
            return 0
        face.listens.add(history.room)
        return self.end(face, history)

    def _push(self, face: Face, frame: m.Push) -> list[m.Frame]:
        history = self.shown(face, frame.room)
        if history is None:
            return [m.Error(frame.rid, ErrorCode.UNKNOWN_ROOM)]
        tail = len(frame.bodies) - 1
        known = next((i.n for i in history.items if i.body == frame.bodies[0]), None)
        if known is not None:
            return [m.Placed(frame.rid, known, tail + 1, self.receipt(history, known + tail))]
        signed = [(b, frame.sig if i == tail else b"", frame.cts[i]) for i, b in enumerate(frame.bodies)]
        items = history.place(ENVELOPE, signed, self.clock.ms(), self.book)
        history.shares.update({s.obj: s.share for s in frame.shares if s.obj not in history.shares})
        return self._was_placed(face, frame.rid, history, items[0].n, tail + 1)

    def _append(self, face: Face, frame: m.Append) -> list[m.Frame]:
        room = RoomId(frame.room)
        if room not in self.rooms:
            self.rooms[room] = [History.new(room)]
        history = self.shown(face, room)
        assert history is not None
        first = history.n + 1
        for signed in frame.entries:
            entry = entry_of(signed.body)
            root = entry.epoch.root if entry.epoch is not None else getattr(entry.payload, "seal_hash", b"")
            history.place(ENTRY, [(signed.body, signed.sig, None)], self.clock.ms(), self.book)
            history.note_seals(entry, self.staged.get(bytes(root), []), self.book)
        return self._was_placed(face, frame.rid, history, first, len(frame.entries))

    def _was_placed(self, face: Face, rid: int, history: History, first: int, count: int) -> list[m.Frame]:
        self.placed(history, first)
        return [m.Placed(rid, first, count, self.receipt(history, first + count - 1))]

    def _of_room(self, face: Face, history: History, frame: m.ClientFrame) -> list[m.Frame]:
        match frame:
            case m.Pull(rid=rid, after=after):
                end = self.end(face, history)
                items = history.items[max(0, after) : end]
                wire = [
                    m.WireItem(i.n, i.t, i.kind, i.body, i.sig, None if frame.headers_only else i.ct) for i in items
                ]
                shares = self._shares(history, begins(items))
                return [m.Items(rid, history.room, wire, shares, self.receipt(history, end))]
            case m.Contents(rid=rid, ns=ns):
                found = [history.items[n - 1] for n in ns if 0 < n <= history.n]
                return [m.ContentsReply(rid, [m.WireItem(i.n, i.t, i.kind, i.body, i.sig, i.ct) for i in found])]
            case m.SealRequest(rid=rid, epoch=e):
                return [m.SealReply(rid, list(history.seals.get((e, face.uid), [])))]
            case m.Reseal(rid=rid, epoch=e, uid=uid, seal=sealed):
                history.seals[e, Uid(uid)].insert(0, bytes(sealed))
                for other in self.faces.values():
                    if other.uid == uid and other.authed:
                        self.deliver(other, None, [m.Behind(history.room, self.end(other, history))])
                return [m.Ok(rid)]
            case m.ShareRequest(rid=rid, objs=objs):
                return [m.ShareReply(rid, self._shares(history, set(objs)))]
            case m.PutShare(rid=rid, share=share):
                history.shares.setdefault(share.obj, share.share)
                return [m.Ok(rid)]
        return []
