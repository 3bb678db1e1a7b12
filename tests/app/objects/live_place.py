# SPDX-License-Identifier: EUPL-1.2
"""A person's store and service with one open object, for the tests of app/objects/live.py."""

from pathlib import Path
from typing import Any

import pytest

from app.core.enums import Role
from app.core.ids import ChangeId, DevId
from app.errors import DiskFull
from app.store import objects as object_rows
from app.store import rooms as room_rows
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange
from sync.client.received import ReceivedSlice
from tests.app.objects.live_sides import KINDS, OBJ, BoardSide, DocumentSide, Side
from tests.office import EK, HL, KEY, NAMES, ROOM

SIDES = [pytest.param(DocumentSide(), id="documents"), pytest.param(BoardSide(), id="tasks")]


class Place:
    """A person's store and service with one object, and a colleague's model of it."""

    def __init__(self, folder: Path, side: Side) -> None:
        self.side = side
        self.store = Store.create(folder / "office.db", KEY, KINDS)
        self.store.set_me(HL)
        members = [MemberRow(uid=uid, role=Role.OWNER, since_n=0, history=True) for uid in NAMES]
        self.store.receive(ReceivedSlice(room=ROOM, cursor=0, state=b"", members=members))
        with self.store.transaction() as conn:
            room_rows.name(conn, ROOM, "Tillsyn", "case", 1)
            object_rows.announce(conn, ROOM, OBJ, side.kind, 1, EK)
        self.service = side.service(self.store)
        self.n = 10
        self.made: list[bytes] = []
        self.theirs = side.new(self.made.append)
        side.begin(self.theirs)
        self.store.receive(self.coming())
        self.faults: list[str] = []
        self.service.fault.connect(lambda _obj, fault: self.faults.append(fault.code))

    def coming(self) -> ReceivedSlice:
        """What the colleague has written since."""
        made, self.made[:] = list(self.made), []
        return ReceivedSlice(room=ROOM, cursor=self.n, state=b"", changes=[self._opened(update) for update in made])

    def _opened(self, update: bytes) -> OpenedChange:
        self.n += 1
        change_id = ChangeId(self.n.to_bytes(16, "big"))
        data = self.side.data(update)
        return OpenedChange(n=self.n, t=self.n, uid=EK, dev=DevId(EK), obj=OBJ, change_id=change_id, payload=data)

    def write(self, model: Any, token: str, at: int = 0) -> None:
        self.side.edit(model, at, 1, token)

    def stored(self) -> object:
        return self.side.fresh(self.store)

    def rows(self) -> int:
        return len(self.store.changes.of(OBJ))


def full(patch: pytest.MonkeyPatch, place: Place) -> None:
    def refuse(*_args: object, **_more: object) -> None:
        raise DiskFull

    patch.setattr(place.store.changes, "append", refuse)
