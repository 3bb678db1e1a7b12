# SPDX-License-Identifier: EUPL-1.2
"""The data of the changes of an object that merges, the same for every kind: an update of its CRDT in one change, or in
pieces if it is longer than a change may be (FORMAT.md, "A change's data")."""

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

import msgspec

from app.core.pieces import driven
from app.core.text_units import clean
from app.core.visible import one_line
from app.errors import BadChange
from app.objects import crdt
from app.objects.compaction import UNNAMED, Compacted, Compaction, Making, state_at
from app.objects.grammar import client_begun
from app.objects.object import MAX_DATA_BYTES, Payload
from app.objects.replay import Unpacked, judge_of
from app.store.projection import Merging
from app.store.rows import StoredChange
from sync.client.placed_changes import PlacedChange

PIECE_BYTES = MAX_DATA_BYTES - 1024
"""The most bytes of an update in one change. A pasted book is split over several."""
MAX_PIECES = 400
MAX_PENDING = 16
"""How many incomplete groups are kept; the oldest are dropped first."""


class Whole(msgspec.Struct, frozen=True, kw_only=True, tag="update", omit_defaults=True):
    """The data of a change that has a whole CRDT `update`. `title`: the object's title after it, if the update changed
    the title and lists show it, since lists read no CRDT. `begun`: only for a merged state, what a judge needs to begin
    with it (app/objects/begun.py)."""

    update: bytes
    title: str | None = None
    begun: bytes = b""


class Piece(msgspec.Struct, frozen=True, kw_only=True, tag="piece", omit_defaults=True):
    """The data of a change that has one part of a larger update. The pieces of one author with the same `group` and the
    indexes 0 … `count` - 1 make the update complete. `begun`: a part of a merged state's `begun` (see `Whole`), which
    is cut too."""

    group: bytes
    index: int
    count: int
    update: bytes
    begun: bytes = b""


PAYLOAD: Payload[Whole | Piece] = Payload(Whole | Piece)


def encode(update: bytes, title: str | None = None, begun: bytes = b"") -> list[bytes]:
    """Cuts an update into the data of changes: nearly always one. They must be stored all or none. `title`: the
    object's new title, if the update changed it and lists show it; an update that must be cut is written without it.
    `begun`: only for a merged state, what a judge needs to begin with it."""
    if len(update) + len(begun) + len((title or "").encode()) <= PIECE_BYTES:
        return [PAYLOAD.encode(Whole(update=update, title=title, begun=begun))]
    group = os.urandom(16)
    pieces = [(piece, b"") for piece in _cut(update)] + [(b"", piece) for piece in _cut(begun)]
    return [
        PAYLOAD.encode(Piece(group=group, index=index, count=len(pieces), update=update, begun=begun))
        for index, (update, begun) in enumerate(pieces)
    ]


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES)]


def decode(data: bytes) -> Whole | Piece:
    """Reads a change's data. BadChange if it is no valid record. No native code reads the update in it."""
    record = PAYLOAD.decode(data)
    if isinstance(record, Piece) and not (0 <= record.index < record.count <= MAX_PIECES and len(record.group) == 16):
        raise BadChange("malformed")
    return record


def unpack(data: bytes) -> Unpacked:
    """Reads the content of a change's data for judging: the update or the part of one (`Unpacked`). BadChange if the
    data is damaged."""
    record = decode(data)
    if isinstance(record, Whole):
        return Unpacked(record.update, record.begun)
    return Unpacked(record.update, record.begun, record.group, record.index, record.count)


def check(data: bytes) -> str | None:
    """Checks a change on its own, for projections. Returns the title that it gives the object, as lists show it, or
    None. BadChange if its data or its update is damaged. Of a piece of a longer update only the data is checked, and it
    gives no title."""
    record = decode(data)
    if isinstance(record, Piece):
        return None
    if not crdt.is_update(record.update):
        raise BadChange("damaged-update")
    return one_line(record.title) if record.title else None


def group_of(data: bytes) -> bytes | None:
    """The id of the group of changes into which a long update was cut, read from the data of one of them. None for a
    change that has a whole update, and for damaged data."""
    try:
        record = decode(data)
    except BadChange:
        return None
    return record.group if isinstance(record, Piece) else None


def client_of(data: bytes) -> int | None:
    """The CRDT client that made the items in a change, read from the change's data. None for a change without items or
    with those of several clients, for damaged data, and for a later part of an update that was cut."""
    try:
        record = decode(data)
    except BadChange:
        return None
    if isinstance(record, Piece) and record.index:
        return None
    return client_begun(record.update)


class Assembler:
    """Reads the CRDT updates in the changes of one object. Most changes hold one update. A long update is cut into
    pieces, one in each of several changes; it is returned once all of its pieces are here, whatever came between them.
    Only MAX_PENDING incomplete updates are kept: the oldest is dropped. Feed changes in the order in which this device
    received them. Whether an update is well formed is left to the caller that merges it."""

    def __init__(self) -> None:
        self.damaged = 0
        """Changes that were left out: they hold no record of ours, or a piece that does not count."""
        self._groups: OrderedDict[tuple[bytes, bytes], tuple[int, dict[int, bytes]]] = OrderedDict()

    @property
    def waiting(self) -> bool:
        """Whether a group has pieces here and lacks others."""
        return bool(self._groups)

    def feed(self, changes: Sequence[StoredChange]) -> list[bytes]:
        """Takes further changes. Returns the updates that are complete now."""
        return self.feed_data([(change.author, change.data) for change in changes])

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Takes further changes as (author, data). Returns the updates that are complete now. `damaged` counts what is
        left out: a damaged change, a piece whose index is taken or whose count differs, and an incomplete update that
        is dropped because too many are kept."""
        updates = []
        for author, data in changes:
            try:
                record = decode(data)
            except BadChange:
                self.damaged += 1
                continue
            update = record.update if isinstance(record, Whole) else self._join(author, record)
            if update is not None:
                updates.append(update)
        return updates

    def _join(self, author: bytes, piece: Piece) -> bytes | None:
        key = (author, piece.group)
        count, pieces = self._groups.setdefault(key, (piece.count, {}))
        if piece.count != count or piece.index in pieces:  # the first counts
            self.damaged += 1
            return None
        pieces[piece.index] = piece.update
        if len(pieces) < count:
            while len(self._groups) > MAX_PENDING:
                self._groups.popitem(last=False)
                self.damaged += 1
            return None
        del self._groups[key]
        return b"".join(pieces[index] for index in sorted(pieces))


async def check_in_parts(changes: Sequence[bytes]) -> None:
    """Checks the form of the updates in the data of `changes`, in steps between which the event loop runs. Call it
    before a long state is stored: storing merges it, and then finds it checked. Otherwise it would be checked in one
    piece, which takes 80 ms for each MB."""
    for update in Assembler().feed_data([(b"", data) for data in changes]):
        await driven(crdt.checking(update))


def newest_state(changes: Iterable[PlacedChange]) -> list[PlacedChange]:
    """The changes that make up the newest complete state among an object's baselines (states that administrators wrote
    for new members), oldest first. `changes` are given oldest first. Damaged ones are skipped. Empty if no state is
    complete.

    A long baseline has its pieces at several positions. While some of them are still to be received, an older one
    counts. ▲ All baselines are read, since of two pieces with the same index the first counts: the judge must begin
    with the same pieces that `Assembler` joins for the model.
    """
    newest, groups = list[PlacedChange](), dict[tuple[bytes, bytes], tuple[int, dict[int, PlacedChange]]]()
    for change in changes:
        try:
            found = unpack(change.data)
        except BadChange:
            continue
        key = (bytes(change.uid), found.group or b"")
        count, pieces = groups.pop(key, (found.count, {})) if found.group is not None else (1, {})
        if found.count == count:
            pieces.setdefault(found.index, change)
        if len(pieces) < count:
            groups[key] = count, pieces
        elif any(unpack(piece.data).begun for piece in pieces.values()):
            newest = list(pieces.values())
    return newest


def merging(*, texts: Sequence[str] = (), maps: Sequence[str] = (), keep_deleted: bool = False) -> Merging:
    """How the objects of a kind merge, for its `Kind`: their CRDT has the root texts `texts` and the root maps `maps`.
    `keep_deleted`: the CRDT keeps deleted content in memory; give the same value as in the kind's model."""
    return Merging(
        texts=tuple(texts),
        maps=tuple(maps),
        keep_deleted=keep_deleted,
        feeder=Assembler,
        judge=judge_of(unpack),
        newest_state=newest_state,
        load=crdt.load,
    )


def compaction(
    *, texts: Sequence[str] = (), maps: Sequence[str] = (), title_at: tuple[str, str] | None = None
) -> Compaction:
    """Makes the `compact` function of a kind whose CRDT has the root texts `texts` and the root maps `maps`: it makes
    the content of a snapshot from an object's changes, or None if they cannot be merged. The state keeps all ids, and
    of deleted content only ranges without content. `title_at`: the map and key with the title that lists show, if its
    changes name one."""

    def compact(
        changes: Sequence[PlacedChange],
        n: int,
        /,
        making: Making = state_at,
        named: AbstractContextManager[None] = UNNAMED,
    ) -> Compacted | None:
        text_keys = () if title_at is None else (title_at,)
        try:
            found = making(changes, n, unpack, texts=texts, maps=maps, text_keys=text_keys, named=named)
        except BadChange:  # the bytes that it begins with are no state
            return None
        if found is None:
            return None
        title = "" if title_at is None else one_line(clean(found.held[title_at[0]][title_at[1]]))
        data = encode(found.update, title or None, found.begun)
        return Compacted(changes=tuple(data), digest=found.digest, waits=found.waits)

    return compact
