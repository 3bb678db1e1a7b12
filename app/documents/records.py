# SPDX-License-Identifier: EUPL-1.2
"""The bytes of a document's changes and carets, and how an update too large for one change is split."""

import os
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from app.core.visible import one_line
from app.errors import BadChange
from app.objects.crdt import is_update
from app.objects.grammar import client_begun
from app.objects.object import MAX_DATA_BYTES, Payload
from app.objects.replay import Unpacked
from app.store.rows import StoredChange

PART_BYTES = MAX_DATA_BYTES - 1024
"""The largest update one change takes. A pasted book is split over several."""
MAX_PARTS = 400
MAX_PENDING = 16
"""How many incomplete groups are kept; the oldest are dropped first."""


class DocumentUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="doc", omit_defaults=True):
    """A CRDT update. `title` is the document's title after it, if this update changed it: lists need no CRDT. `begun`:
    for a state, its other fields (app/objects/begun.py)."""

    update: bytes
    title: str | None = None
    begun: bytes = b""


class DocumentPart(msgspec.Struct, frozen=True, kw_only=True, tag="doc-part", omit_defaults=True):
    """A piece of a larger update; the pieces of a `group` with indexes 0 … `count` - 1 make it complete."""

    group: bytes
    index: int
    count: int
    update: bytes
    begun: bytes = b""


class Caret(msgspec.Struct, frozen=True, kw_only=True, tag="doc-caret"):
    """Ephemeral: a person's selection (`Document.encode_selection`); None when they left the document."""

    obj: bytes
    selection: bytes | None = None


PAYLOAD: Payload[DocumentUpdate | DocumentPart] = Payload(DocumentUpdate | DocumentPart)
CARET: Payload[Caret] = Payload(Caret)


def encode(update: bytes, title: str | None = None, begun: bytes = b"") -> list[bytes]:
    """The data of the changes that carry an update: nearly always one."""
    if len(update) + len(begun) <= PART_BYTES:
        return [PAYLOAD.encode(DocumentUpdate(update=update, title=title, begun=begun))]
    group = os.urandom(16)
    pieces = [(piece, b"") for piece in _cut(update)] + [(b"", piece) for piece in _cut(begun)]
    return [
        PAYLOAD.encode(DocumentPart(group=group, index=index, count=len(pieces), update=update, begun=begun))
        for index, (update, begun) in enumerate(pieces)
    ]


def _cut(data: bytes) -> list[bytes]:
    return [data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES)]


def unpack(data: bytes) -> Unpacked:
    """See `app.objects.replay.Unpack`."""
    record = _decode(data)
    if isinstance(record, DocumentUpdate):
        return Unpacked(record.update, record.begun)
    return Unpacked(record.update, record.begun, record.group, record.index, record.count)


def check(data: bytes) -> str | None:
    """The title that a change gives the document, as lists show it, or None. BadChange if the change makes no sense on
    its own."""
    record = _decode(data)
    if isinstance(record, DocumentPart):
        return None
    if not is_update(record.update):
        raise BadChange("damaged-update")
    return one_line(record.title) if record.title else None


def _decode(data: bytes) -> DocumentUpdate | DocumentPart:
    """The record. BadChange if the data is no record; no native code reads the update."""
    record = PAYLOAD.decode(data)
    if isinstance(record, DocumentPart) and not (
        0 <= record.index < record.count <= MAX_PARTS and len(record.group) == 16
    ):
        raise BadChange("malformed")
    return record


def group_of(data: bytes) -> bytes | None:
    """The group that the pieces of one update share; None for a change that is whole, or none of ours."""
    try:
        record = PAYLOAD.decode(data)
    except BadChange:
        return None
    return record.group if isinstance(record, DocumentPart) else None


def client_of(data: bytes) -> int | None:
    """The client of the CRDT whose items a change holds. None for a change without items, a later piece or damage."""
    try:
        record = _decode(data)
    except BadChange:
        return None
    if isinstance(record, DocumentPart) and record.index:
        return None
    return client_begun(record.update)


class Assembler:
    """Takes the updates out of changes in the order of receipt, joining their parts. Changes that are none of ours are
    counted. The caller that merges an update checks it."""

    def __init__(self) -> None:
        self.damaged = 0
        self._groups: OrderedDict[tuple[bytes, bytes], tuple[int, dict[int, bytes]]] = OrderedDict()

    @property
    def waiting(self) -> bool:
        """Whether a group has parts here and lacks others."""
        return bool(self._groups)

    def feed(self, changes: Sequence[StoredChange]) -> list[bytes]:
        """The updates that are complete now."""
        return self.feed_data([(change.author, change.data) for change in changes])

    def feed_data(self, changes: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """The same for (author, data)."""
        updates = []
        for author, data in changes:
            try:
                record = _decode(data)
            except BadChange:
                self.damaged += 1
                continue
            update = record.update if isinstance(record, DocumentUpdate) else self._join(author, record)
            if update is not None:
                updates.append(update)
        return updates

    def _join(self, author: bytes, part: DocumentPart) -> bytes | None:
        key = (author, part.group)
        count, pieces = self._groups.setdefault(key, (part.count, {}))
        if part.count != count or part.index in pieces:  # the first counts
            self.damaged += 1
            return None
        pieces[part.index] = part.update
        if len(pieces) < count:
            while len(self._groups) > MAX_PENDING:
                self._groups.popitem(last=False)
                self.damaged += 1
            return None
        del self._groups[key]
        return b"".join(pieces[index] for index in sorted(pieces))
