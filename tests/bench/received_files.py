# SPDX-License-Identifier: EUPL-1.2
"""A file of 20 MB that was received before, opened from the cache: read, checked, decrypted and written to a file."""

import asyncio
import os
import time
from pathlib import Path
from typing import cast

from app.core.ids import ObjId, PartId, RoomId, new_id, new_obj
from app.objects.files import SealedFiles
from app.store.store import Store
from sync.client.exchange.blob_transfer import Blobs as Transfers
from sync.protocol.version import PART_BYTES
from sync.trust.room.blob_manifest import Manifest, encrypt_part
from tests.bench.office import scratch
from tests.bench.registry import Figure, bench, median

SIZE = 20_000_000
TIMES = 15


class _Server:
    """Has the parts once, and refuses afterwards."""

    def __init__(self, parts: dict[bytes, bytes]) -> None:
        self._parts = parts

    async def fetch(self, room: RoomId, obj: ObjId, part: PartId, digest: bytes) -> bytes:
        return self._parts.pop(part)


async def _open(folder: Path) -> list[float]:
    room, obj, plain = RoomId(new_id()), new_obj(), os.urandom(SIZE)
    cuts = range(0, SIZE, PART_BYTES)
    made = [encrypt_part(room, plain[at : at + PART_BYTES], last=at == cuts[-1]) for at in cuts]
    manifest = Manifest(SIZE, tuple(part for part, _ in made)).encode()
    server = _Server({part.part: sealed for part, sealed in made})
    store = Store.create(folder / "store.db", bytes(range(32)), {})
    sealed, samples = SealedFiles(store.blobs, cast("Transfers", server)), list[float]()
    for n in range(TIMES + 1):
        target, began = folder / str(n), time.perf_counter()
        await sealed.fetch(room, obj, manifest, target, lambda done, size: None)
        samples.append((time.perf_counter() - began) * 1000)
        target.unlink()
    store.close()
    return samples[1:]


@bench("cached_20mb_open_ms")
def cached_open() -> list[Figure]:
    """A file of five parts, whose server has them no more."""
    with scratch() as folder:
        samples = asyncio.run(_open(folder))
    note = "SealedFiles.fetch of 20 MB from the cache into a flushed file; no server"
    return [Figure(name="cached_20mb_open_ms", value=median(samples), unit="ms", n=len(samples), note=note)]
