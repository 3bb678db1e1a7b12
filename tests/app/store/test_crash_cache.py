# SPDX-License-Identifier: EUPL-1.2
"""kill -9 at each step of keeping, deleting and evicting received parts: the next start brings all into step."""

import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS, Bench
from tests.app.store.crash_cache import DIGESTS, PARTS

ROOT = Path(__file__).parents[3]
AT_A_TIME = 3


def start(path: Path, at: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.app.store.crash_cache", str(path), str(at)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


async def assert_in_step(folder: Path) -> int:
    """After the next start each file belongs to a row, and each row has its file, whole; returns how many."""
    store = Store.open(folder / "store.db", KEY, KINDS)
    try:
        await store.cache_upkeep.clean()
        await store.cache_upkeep.tidy()
        here = store.cached.here(DIGESTS)
        for part, digest in zip(PARTS, DIGESTS, strict=True):
            assert await store.cached.read(digest) == (part if digest in here else None)
        received = folder / "received"
        assert len([*received.iterdir()] if received.exists() else []) == len(here)
        assert store.db.value("SELECT count(*) FROM cached_parts") == len(here)
        assert store.db.rows("SELECT name FROM uncached") == []
        assert store.db.check() == []
        return len(here)
    finally:
        store.close()


@pytest.mark.slow
async def test_index_and_folder_agree_after_a_kill_at_each_step(bench: Bench, tmp_path: Path) -> None:
    bench.store.close()
    ends, numbers = set[int](), count()
    while True:
        running = []
        for at in (next(numbers) for _ in range(AT_A_TIME)):
            folder = tmp_path / "killed" / str(at)
            folder.mkdir(parents=True)
            shutil.copy(bench.path, folder / "store.db")
            running.append((folder, start(folder / "store.db", at)))
        outputs = [(folder, process.communicate(timeout=60)[0]) for folder, process in running]
        for folder, _ in outputs:
            ends.add(await assert_in_step(folder))
        if all(output == b"done" for _, output in outputs):
            break
    assert next(numbers) > 20
    assert ends == {0, 1, 2, 3}
