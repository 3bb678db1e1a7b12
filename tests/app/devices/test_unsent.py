# SPDX-License-Identifier: EUPL-1.2
"""The file of unsent work keeps its format, and a damaged file is refused."""

import errno
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from app.core.ids import ChangeId, DevId, ObjId, PartId, RoomId, new_id, new_obj
from app.devices.unsent import Body, UnsentCount, UnsentWork, _read, _read_part
from app.errors import FileUnreadable, StoreUnwritable
from app.objects.kind import ROOM
from app.rooms.projection import KIND as ROOT
from app.rooms.records import ObjectAnnounced
from app.rooms.records import encode as say
from app.store.rows import BlobPart
from app.store.store import Store
from sync.client.account import sealed_export
from sync.client.account.account_secrets import Account
from sync.client.engine import Engine
from sync.errors import Reject
from sync.trust.person.user_log import UserLog

VECTORS = Path(__file__).parents[2] / "vectors"
FILE = VECTORS / "unsent-1.kansli-unsent"
ROOM_ID = RoomId(b"\x01" * 16)
OBJ = ObjId(ROOM_ID)


def test_the_file_that_version_1_wrote_is_read(tmp_path: Path) -> None:
    """tests/vectors/make_unsent_1.py wrote it, once; it is never written again."""
    fields: Any = json.loads((VECTORS / "unsent-1.json").read_text(encoding="utf-8"))
    entries = [(bytes.fromhex(body), bytes.fromhex(sig)) for body, sig in fields["log"]]
    log = UserLog.replay(entries, bytes.fromhex(fields["agency"]))
    account = Account.decode(bytes.fromhex(fields["account"]))
    head, packed = _read(FILE)
    dev, body = sealed_export.take(account, log, head, packed)
    assert dev == account.dev
    found = msgspec.msgpack.decode(body, type=Body)
    assert found.version == 1
    room, obj = b"\x01" * 16, b"\x02" * 16
    assert [(c.room, c.obj, c.change_id[:1], c.live, c.data.decode(), len(c.parts)) for c in found.changes] == [
        (room, obj, b"\x03", False, "Skrivet utan nät", 0),
        (room, obj, b"\x04", True, "med en fil", 1),
    ]
    assert [(d.room, d.obj, d.data) for d in found.drafts] == [(room, obj, b"utkast")]
    (part,) = found.parts
    assert _read_part(FILE, len(head) + len(packed), part.size) == bytes(range(256)) * 8


def test_a_missing_cut_off_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        _read(tmp_path / "none")
    with pytest.raises(FileUnreadable):
        _read_part(tmp_path / "none", 0, 5)
    other = tmp_path / "other"
    other.write_bytes(FILE.read_bytes()[:1400])
    with pytest.raises(Reject, match="malformed"):
        _read(other)
    other.write_bytes(b"%PDF-1.7" * 1000)
    with pytest.raises(Reject, match="malformed"):
        _read(other)
    with pytest.raises(Reject, match="malformed"):
        _read_part(FILE, FILE.stat().st_size - 3, 5)
    with pytest.raises(Reject, match="malformed"):
        _read_part(FILE, 0, 1 << 40)


@dataclass
class Sealing:
    """The person's devices, as far as a file needs them; both of them hold the same account here."""

    account: Account
    log: UserLog

    def seal_to_me(self, body: bytes) -> bytes:
        return sealed_export.put(self.account, self.log, body)

    def open_mine(self, head: bytes, packed: bytes) -> tuple[DevId, bytes]:
        return sealed_export.take(self.account, self.log, head, packed)


@dataclass
class Device:
    """One device: its store, and its files of unsent work."""

    store: Store
    unsent: UnsentWork

    def part(self, data: bytes, *, uploaded: bool = False, present: bool = True) -> PartId:
        """A part that lies here, if it does."""
        part = PartId(new_id())
        if present:
            self.store.blobs.write(part, data)
        self.store.blobs.add(
            BlobPart(
                part=part,
                room=ROOM_ID,
                obj=OBJ,
                key=bytes(32),
                hash=hashlib.sha256(data).digest(),
                size=len(data),
                plain_size=len(data),
                uploaded=uploaded,
                present=present,
            )
        )
        return part

    def write(self, *parts: PartId) -> ChangeId:
        """A change that needs these parts."""
        stated = say(ObjectAnnounced(obj=new_obj(), kind="note"))
        return self.store.changes.append(ROOM_ID, OBJ, stated, blobs=parts)

    def ready(self) -> list[ChangeId]:
        """What may be sent."""
        return [change.change_id for change in self.store.pending(100)]


@pytest.fixture
def devices(tmp_path: Path) -> Iterator[tuple[Device, Device]]:
    fields: Any = json.loads((VECTORS / "unsent-1.json").read_text(encoding="utf-8"))
    entries = [(bytes.fromhex(body), bytes.fromhex(sig)) for body, sig in fields["log"]]
    log = UserLog.replay(entries, bytes.fromhex(fields["agency"]))
    sealing = SimpleNamespace(devices=Sealing(Account.decode(bytes.fromhex(fields["account"])), log))
    made = []
    for name in ("lost", "other"):
        store = Store.create(tmp_path / f"{name}.db", b"k" * 32, {ROOM: ROOT}, tmp_path / name)
        store.set_me(log.uid)
        made.append(Device(store, UnsentWork(store, cast("Engine", sealing), lambda room: True)))
    yield made[0], made[1]
    for device in made:
        device.store.close()


async def test_a_file_that_was_uploaded_with_a_change_that_was_not_taken_comes_too(
    devices: tuple[Device, Device], tmp_path: Path
) -> None:
    lost, other = devices
    data = bytes(range(256)) * 40
    part = lost.part(data, uploaded=True)
    change = lost.write(part)
    assert await lost.unsent.save(tmp_path / "kvar") == 1
    await other.unsent.take_in(await other.unsent.read(tmp_path / "kvar"))
    assert other.store.blobs.read(part, hashlib.sha256(data).digest()) == data
    assert [upload.part for upload in other.store.blobs.uploads()] == [part]
    assert other.ready() == []
    other.store.blobs.set_uploaded(part)
    assert other.ready() == [change]


async def test_a_change_does_not_wait_for_a_part_that_nobody_has(
    devices: tuple[Device, Device], tmp_path: Path
) -> None:
    lost, other = devices
    change = lost.write(lost.part(b"at the server alone", uploaded=True, present=False))
    await lost.unsent.save(tmp_path / "kvar")
    await other.unsent.take_in(await other.unsent.read(tmp_path / "kvar"))
    assert other.ready() == [change]


async def test_drafts_are_counted(devices: tuple[Device, Device], tmp_path: Path) -> None:
    lost, other = devices
    lost.store.objects.set_draft(ROOM_ID, OBJ, b"utkast")
    assert await lost.unsent.save(tmp_path / "kvar") == lost.unsent.count == 1
    found = await other.unsent.read(tmp_path / "kvar")
    assert (found.fits, found.drafts, found.rooms) == (0, 1, (ROOM_ID,))
    assert await other.unsent.take_in(found) == UnsentCount(changes=0, drafts=1)
    assert await other.unsent.take_in(found) == UnsentCount(changes=0, drafts=0)


async def test_a_part_that_is_damaged_takes_nothing_with_it(devices: tuple[Device, Device], tmp_path: Path) -> None:
    lost, other = devices
    short, spoilt, good = lost.part(b"short" * 100), lost.part(b"spoilt" * 100), lost.part(b"good" * 100)
    changes = [lost.write(part) for part in (short, spoilt, good)]
    lost.store.blobs.path(short).write_bytes(b"sh")
    lost.store.blobs.path(spoilt).write_bytes(b"SPOILT" * 100)
    await lost.unsent.save(tmp_path / "kvar")
    await other.unsent.take_in(await other.unsent.read(tmp_path / "kvar"))
    assert [upload.part for upload in other.store.blobs.uploads()] == [good]
    other.store.blobs.set_uploaded(good)
    assert other.ready() == changes


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(("lost", "other"))}


async def test_what_cannot_be_written_leaves_the_file_of_before(
    devices: tuple[Device, Device], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, _ = devices
    lost.write()
    await lost.unsent.save(tmp_path / "kvar")
    before = files(tmp_path)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreUnwritable):
        await lost.unsent.save(tmp_path / "kvar")
    with pytest.raises(StoreUnwritable):
        await lost.unsent.save(tmp_path / ("k" * 300))
    assert files(tmp_path) == before
    assert set(before) == {"kvar"}
