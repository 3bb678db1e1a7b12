# SPDX-License-Identifier: EUPL-1.2
"""What was written is not to be found on the disk: not in the database, its log, the key slots or the log files."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core import log
from app.core.ids import PartId
from app.errors import BadChange
from app.store.rows import BlobPart
from sync.client.ports import OpenedHeartbeat
from sync.client.received import ReceivedSlice
from tests.app.store.conftest import DEV, KEY, OTHER, ROOM, Bench

CANARY = "Sekretess: åtgärden avslås på fredag 🙂"


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    log.start(tmp_path / "logs", "debug")
    yield tmp_path / "logs"
    log.stop()


def forms(text: str) -> list[bytes]:
    """The text as it could lie in a file."""
    raw = text.encode()
    encoded = [base64.b64encode(raw[i:])[:24] for i in range(3)]
    return [raw, text.encode("utf-16-le"), raw.hex().encode(), raw.hex().upper().encode(), *encoded]


def found_in(folder: Path, needle: bytes) -> list[str]:
    return [p.name for p in folder.rglob("*") if p.is_file() and needle in p.read_bytes()]


def test_written_texts_and_keys_are_nowhere_on_the_disk(bench: Bench, logs: Path) -> None:
    note = bench.note()
    store = bench.store
    store.changes.append(ROOM, note, CANARY.encode())
    bench.receive(bench.opened(CANARY.encode(), note))
    with pytest.raises(BadChange):
        store.changes.append(ROOM, note, b"nonsense")
    bench.receive(bench.opened(b"crash", note))
    heartbeat = OpenedHeartbeat(n=3, t=3, uid=OTHER, dev=DEV, payload=CANARY.encode())
    store.receive(ReceivedSlice(room=ROOM, heartbeats=[heartbeat]))
    assert len(store.heartbeats.of(ROOM)) == 1
    store.objects.set_draft(ROOM, note, CANARY.encode())
    store.put_person(OTHER, {"name": CANARY, "title": CANARY, "unit": CANARY}, b"salt")
    store.save_account(CANARY.encode())
    assert len(store.search.find_here("åtgärden avslås")) == 2
    part = PartId(b"P" * 16)
    store.blobs.write(part, b"sealed elsewhere")
    store.blobs.add(
        BlobPart(part=part, room=ROOM, obj=note, key=b"part key " * 4, hash=b"h" * 32, size=16, plain_size=3,
                 uploaded=False, present=True)
    )  # fmt: skip
    log.store.warning("event", code=CANARY)
    log.store.exception("event", ValueError(CANARY))
    assert (logs / "kansli.log").stat().st_size > 100
    assert (bench.folder / "store.db-wal").stat().st_size > 0
    for closed in (False, True):
        if closed:
            store.close()
        for needle in [*forms(CANARY), b"part key ", KEY, KEY.hex().encode()]:
            assert found_in(bench.folder, needle) == []


def test_a_planted_canary_is_found(tmp_path: Path) -> None:
    for i, form in enumerate(forms(CANARY)):
        (tmp_path / str(i)).write_bytes(b"x" * 1000 + form + b"x")
        assert found_in(tmp_path, form) == [str(i)]
