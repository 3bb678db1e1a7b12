# SPDX-License-Identifier: EUPL-1.2
"""Run by test_crash_cache.py as a process of its own: keeps, deletes and evicts parts, and is killed at a step."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeVar

from app.core.held_folder import HeldFolder
from app.core.ids import PartId, new_obj
from app.store.cache_upkeep import CacheLimit
from app.store.cached_parts import WantedPart, forget_parts
from app.store.database import Database
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS, ROOM

T = TypeVar("T")
PARTS = [bytes([n]) * 1000 for n in range(3)]
DIGESTS = [hashlib.sha256(part).digest() for part in PARTS]


def killed(steps: "count[int]", at: int, step: Callable[..., T]) -> Callable[..., T]:
    """`step`, before and after which the process is killed if that is the step with the number `at`."""

    def run(*args: object) -> T:
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = step(*args)
        if next(steps) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run


async def main(path: Path, at: int) -> None:
    """Writes "done" when no step had that number."""
    store = Store.open(path, KEY, KINDS)
    steps = count()
    HeldFolder.write = killed(steps, at, HeldFolder.write)  # type: ignore[method-assign]
    HeldFolder.remove = killed(steps, at, HeldFolder.remove)  # type: ignore[method-assign]
    Database._commit = killed(steps, at, Database._commit)  # type: ignore[method-assign]
    for n, (part, digest) in enumerate(zip(PARTS, DIGESTS, strict=True)):
        store.cached.reserve(
            WantedPart(part=PartId(bytes([n]) * 16), room=ROOM, obj=new_obj(), digest=digest, size=1000)
        )
        await store.cached.keep(digest, part)
    with store.transaction() as conn:
        forget_parts(conn, DIGESTS[:1])
    store.cache_upkeep.chosen = lambda: CacheLimit(most=1000, is_automatic=False)
    await store.cache_upkeep.tidy()
    sys.stdout.write("done")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
