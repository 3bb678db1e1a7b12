# SPDX-License-Identifier: EUPL-1.2
"""Judges one room's stream again from its first position, without keys, and compares the result with everything that is
stored of the room."""

from collections.abc import Iterator

from sync.crypto.kdf import H
from sync.errors import NeedLog, Reject
from sync.ids import RoomId
from sync.protocol.version import MAX_BATCH_ITEMS
from sync.server.config import Limits
from sync.server.operator.upkeep.problems import Logs, Report
from sync.server.operator.upkeep.reading import MISTYPED, Reading
from sync.trust.formats.items import ENTRY, ENVELOPE, RH_0, Item, item_id, next_rh
from sync.trust.keys import merkle
from sync.trust.keys.epochs import Epoch, in_order, seals_fit
from sync.trust.room.envelope import read_body, share_commitment
from sync.trust.room.payloads import Add
from sync.trust.room.room_state import Missing
from sync.trust.room.stream import Accepted, AcceptedEntry, RoomStream

_ITEMS = "SELECT n, t, kind, id, rh, body, sig, ct, size_bytes FROM items WHERE room = ? ORDER BY n"
_SEALS_KEPT = Limits().reseals_kept
"""The store keeps at most so many seals of a person and epoch and drops the middle ones; an `add` may name one of
those."""


class RoomCheck:
    """A check of everything that is stored of one room; call `run()` once, within one snapshot. Each problem goes to
    `report`, with its position. Memory is bounded by the room's state."""

    def __init__(self, reading: Reading, logs: Logs, report: Report, room: bytes) -> None:
        self._reading = reading
        self._logs = logs
        self._report = report
        self._room = room
        self._stream = RoomStream(RoomId(room))
        self._rh: bytes = RH_0
        """The running hash computed from the items."""
        self._stored_rh: bytes = RH_0
        self._judging = True
        self._bad_content: set[int] = set()
        sealless = reading.rows("sealless", "SELECT n FROM sealless WHERE room = ?", (room,))
        self._sealless = {n for (n,) in sealless}

    def run(self) -> None:
        """Verifies the room's items from the first, and compares the result with what is stored beside them: head
        (position and hash of the newest item), state, members, devices' newest changes and shares (the objects'
        secrets). Reports each problem, also content that is missing without permission, and a room that does not exist.
        After a problem on which later items depend, each later item is checked only by itself. The results then cannot
        be compared, except the head, and that the stored state is not newer than the items. Damaged or Locked if the
        database cannot be read."""
        try:
            self._run()
        except MISTYPED:
            self._add("room", str(self._stream.n + 1), "malformed")

    def _run(self) -> None:
        row = self._reading.one("rooms", "SELECT n, rh, t, state_n, state FROM rooms WHERE room = ?", (self._room,))
        if row is None:
            self._add("room", "head", "missing")
            return
        n, rh, t, state_n, state = row
        last, looked = 0, False
        for unit in self._units():
            self._judge(unit)
            last = unit[-1].n
            if last == state_n and self._judging:
                self._check_state(state)
                looked = True
            self._report.step(self._report.tally)
        if (last, self._stored_rh) != (n, rh) or (self._judging and self._stream.t != t):
            self._add("room", "head", "head")
        if state_n > last or (self._judging and not looked):
            self._add("state", str(state_n), "gap")
        if self._judging:
            self._check_content()
            self._check_members()
            self._check_heads()
            self._check_shares()

    def _add(self, what: str, where: str, code: str) -> None:
        self._report.add(what, f"{self._room.hex()}/{where}", code)

    # -- items ----------------------------------------------------------------------------------------------------

    def _units(self) -> Iterator[list[Item]]:
        """Yields the room's items from the first, as units that are judged together: single entries and whole batches.
        Each item is checked by itself before. A missing position is reported, and the items are then not judged any
        further. Damaged if the file cannot be read."""
        unit: list[Item] = []
        expected = 1
        for n, t, kind, ident, rh, body, sig, ct, size in self._reading.rows("items", _ITEMS, (self._room,)):
            self._report.tally.items += 1
            if n != expected:
                self._add("item", str(n), "gap")
                self._judging = False
            expected = n + 1
            unit.append(self._whole(Item(n, t, kind, body, sig, ct), ident, rh, size))
            if kind == ENTRY or sig or len(unit) > MAX_BATCH_ITEMS:
                yield unit
                unit = []
        if unit:
            yield unit

    def _whole(self, item: Item, ident: bytes, rh: bytes, size: int) -> Item:
        """Checks an item by itself against its row: its id must be `ident`, its running hash `rh` and, if its content
        is stored, its size in bytes `size`. Reports each mismatch, and returns the item all the same. Content that does
        not match the hash and length in the item's body is reported, and the item is returned without it. If the item
        has an unknown kind, or its hash shows that an earlier one was changed, the room's items are not judged any
        further."""
        at = str(item.n)
        computed = item_id(item.kind, item.body)
        if computed != ident:
            self._add("item", at, "id")
        if item.kind not in (ENTRY, ENVELOPE) or item.t < 0:
            self._add("item", at, "malformed")
            self._judging = False
            return item
        true = next_rh(self._rh, item.n, item.t, item.kind, computed)
        if rh == true:
            self._rh = self._stored_rh = rh
        elif rh == next_rh(self._stored_rh, item.n, item.t, item.kind, computed):
            self._judging = False  # an earlier item is not what was hashed, and that is reported already
            self._rh = self._stored_rh = rh
        else:
            self._add("item", at, "rh")
            self._rh, self._stored_rh = true, rh
        if item.ct is None or item.kind == ENTRY:
            return item
        if size != len(item.body) + len(item.sig) + len(item.ct):
            self._add("item", at, "size")
        try:
            _, digest, length = read_body(item.body)
        except Reject:
            return item  # the stream says why
        if len(item.ct) == length and H(item.ct) == digest:
            return item
        self._add("content", at, "content-hash")
        self._bad_content.add(item.n)
        return Item(item.n, item.t, item.kind, item.body, item.sig, None)

    def _judge(self, unit: list[Item]) -> None:
        if not self._judging:
            return
        try:
            accepted = self._accept(unit)
        except (Reject, NeedLog) as e:
            self._add("item", str(unit[0].n), e.code)
            self._judging = False  # later items depend on it
            return
        for a in accepted:
            if a.void is not None:
                self._add("void", str(a.n), a.void)
            elif isinstance(a, AcceptedEntry):
                self._check_seals(a)

    def _accept(self, unit: list[Item]) -> list[Accepted]:
        try:
            return self._stream.accept(unit, self._logs, self._rh_at)
        except NeedLog:
            self._logs.forget()  # a running server may have added to it since
            return self._stream.accept(unit, self._logs, self._rh_at)

    def _rh_at(self, n: int) -> bytes | None:
        row = self._reading.one("items", "SELECT rh FROM items WHERE room = ? AND n = ?", (self._room, n))
        return row[0] if row else None

    # -- seals ----------------------------------------------------------------------------------------------------

    def _check_seals(self, a: AcceptedEntry) -> None:
        """Checks that the seals (a room's keys, encrypted to members) that the accepted entry `a` names are stored;
        reports it if not. For an added member with so many seals that the store has dropped some, nothing is reported.
        An entry that was uploaded again after a restore is not checked: its seals were lost, and members have uploaded
        re-seals (the same keys, encrypted again) instead."""
        add, epoch = a.entry.payload, a.entry.epoch
        if a.n in self._sealless:
            return
        if epoch is not None:
            self._check_epoch(a.n, epoch)
        elif isinstance(add, Add) and add.epoch is None:
            kept = self._seals(self._stream.epoch, add.uid)
            if len(kept) < _SEALS_KEPT and all(H(seal) != add.seal_hash for seal in kept):
                self._add("seals", str(a.n), "seals")

    def _check_epoch(self, n: int, epoch: Epoch) -> None:
        unsealed = set(epoch.unsealed)
        recipients = in_order(self._stream.recipients(self._logs))
        seals = []
        for to in recipients:
            kept = [] if to.uid in unsealed else self._seals(epoch.e, to.uid)
            seals.append(kept[0] if kept else b"")
            self._report.tally.seals += len(kept)
        if not seals_fit(epoch, recipients, seals) or merkle.root(seals) != epoch.root:
            self._add("seals", str(n), "seals")

    def _seals(self, e: int, uid: bytes) -> list[bytes]:
        query = "SELECT seal FROM seals WHERE room = ? AND epoch = ? AND uid = ? ORDER BY row"
        return [seal for (seal,) in self._reading.rows("seals", query, (self._room, e, uid))]

    # -- what is kept beside the items ------------------------------------------------------------------------------

    def _check_state(self, state: bytes) -> None:
        """Reports a problem unless `state`, as it is stored, is the one that the items verified so far make."""
        kept = self._stream.state
        missing, kept.missing = kept.missing, Missing()
        whole = self._stream.to_bytes()  # with the content whose absence is reported separately
        kept.missing = missing
        if state not in (self._stream.to_bytes(), whole):
            self._add("state", str(self._stream.n), "state")

    def _check_content(self) -> None:
        """Reports each content that is missing although no entry allows it: neither a destroy of its object, nor a
        prune (an administrator's permission to delete old content) up to there. Content that was reported as damaged is
        not reported again."""
        for n in self._stream.withheld():
            if n not in self._bad_content:
                self._add("content", str(n), "withheld")

    def _check_members(self) -> None:
        rows = self._reading.rows("members", "SELECT uid, until_n FROM members WHERE room = ?", (self._room,))
        stored = {uid for uid, until in rows if until == 0}
        for uid in stored ^ set(self._stream.members):
            self._add("member", bytes(uid).hex(), "member")

    def _check_heads(self) -> None:
        query = "SELECT dev, dev_seq, id FROM device_heads WHERE room = ?"
        stored = {dev: (seq, ident) for dev, seq, ident in self._reading.rows("device_heads", query, (self._room,))}
        heads = {d: (h.dev_seq, h.ident) for d, h in self._stream.device_heads.items() if h.dev_seq}
        for dev in stored.keys() | heads.keys():
            if stored.get(dev) != heads.get(dev):
                self._add("device-head", bytes(dev).hex(), "device-head")

    def _check_shares(self) -> None:
        committed = dict(self._stream.state.shares)
        query = "SELECT obj, share_c, share FROM shares WHERE room = ?"
        for obj, share_c, share in self._reading.rows("shares", query, (self._room,)):
            wanted = committed.pop(obj, None)
            given = None if share is None else share_commitment(self._room, obj, share)
            if wanted is None or share_c != wanted or given not in (None, wanted):
                self._add("share", obj.hex(), "share")
            elif share is None and obj not in self._stream.state.destroyed:
                self._add("share", obj.hex(), "missing")
        for obj in committed:
            self._add("share", bytes(obj).hex(), "missing")
