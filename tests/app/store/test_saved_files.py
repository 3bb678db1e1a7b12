# SPDX-License-Identifier: EUPL-1.2
"""What a person saves outside the profile: kill -9 at each step leaves no unfinished file after the next start."""

import asyncio
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from app.core.files import Draft, draft_path, remove_draft
from app.errors import DiskFull
from app.store.database import Database
from app.store.saved_files import saved_file, to_end
from app.store.store import Store
from tests.app.store.conftest import KEY, KINDS
from tests.app.store.crash_saving import NEW, OLD

ROOT = Path(__file__).parents[3]
AT_A_TIME = 3


def start(folder: Path, at: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.app.store.crash_saving", str(folder), str(at)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def noted(store: Store) -> list[Path]:
    """The paths of unfinished files that a store has."""
    return [Path(os.fsdecode(path)) for (path,) in store.db.rows("SELECT value FROM meta WHERE name GLOB 'saving-*'")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "ut").mkdir()
    return Store.create(tmp_path / "store.db", KEY, KINDS)


async def reopened(store: Store, folder: Path) -> Store:
    """The store in its next session, after it has removed what was left."""
    store.close()
    again = Store.open(folder / "store.db", KEY, KINDS)
    await again.left_files.run()
    return again


@pytest.mark.slow
async def test_nothing_unfinished_is_left_after_a_kill_at_each_step_of_saving(tmp_path: Path) -> None:
    """▲ The hidden file with the plain content stayed beside the target for ever."""
    Store.create(tmp_path / "store.db", KEY, KINDS).close()
    numbers = count()
    was_left = False
    while True:
        running = []
        for at in (next(numbers) for _ in range(AT_A_TIME)):
            folder = tmp_path / "killed" / str(at)
            (folder / "ut").mkdir(parents=True)
            (folder / "ut" / "beslut å.txt").write_bytes(OLD)
            shutil.copy(tmp_path / "store.db", folder / "store.db")
            running.append((folder, start(folder, at)))
        outputs = [(folder, process.communicate(timeout=60)[0]) for folder, process in running]
        for folder, _ in outputs:
            was_left |= len(list((folder / "ut").iterdir())) > 1
            store = Store.open(folder / "store.db", KEY, KINDS)
            assert any(run.__self__ is store.left_files for run in store.background)  # type: ignore[attr-defined]
            await store.left_files.run()
            assert [path.name for path in (folder / "ut").iterdir()] == ["beslut å.txt"]
            assert (folder / "ut" / "beslut å.txt").read_bytes() in (OLD, NEW)
            assert noted(store) == []
            store.close()
        if all(output == b"done" for _, output in outputs):
            break
    assert next(numbers) > 20
    assert was_left


async def test_what_is_being_saved_is_not_removed_by_its_own_session(store: Store, tmp_path: Path) -> None:
    async with saved_file(store.db, tmp_path / "ut" / "a.txt") as draft:
        await to_end(lambda: draft.file.write(NEW))
        await store.left_files.run()
        await to_end(draft.keep)
    assert (tmp_path / "ut" / "a.txt").read_bytes() == NEW
    assert noted(store) == []
    store.close()


async def test_a_file_on_a_disk_that_is_away_is_removed_once_the_disk_is_back(store: Store, tmp_path: Path) -> None:
    path = draft_path(tmp_path / "ut" / "beslut å.txt")
    with store.transaction() as conn:  # as a kill leaves it
        conn.execute("INSERT INTO meta (name, value) VALUES ('saving-1', ?)", (os.fsencode(path),))
    path.write_bytes(NEW)
    (tmp_path / "ut").rename(tmp_path / "borta")
    store = await reopened(store, tmp_path)
    assert noted(store) == [path]
    (tmp_path / "borta").rename(tmp_path / "ut")
    store = await reopened(store, tmp_path)
    assert (noted(store), list((tmp_path / "ut").iterdir())) == ([], [])
    store.close()


async def test_a_save_that_is_cancelled_or_refused_leaves_neither_file_nor_path(store: Store, tmp_path: Path) -> None:
    begun = asyncio.Event()

    async def save() -> None:
        async with saved_file(store.db, tmp_path / "ut" / "a.txt"):
            assert len(noted(store)) == 1
            begun.set()
            await asyncio.Event().wait()

    saving = asyncio.ensure_future(save())
    await begun.wait()
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    with pytest.raises(FileNotFoundError):
        async with saved_file(store.db, tmp_path / "ingen mapp" / "a.txt"):
            pass
    assert (noted(store), list((tmp_path / "ut").iterdir())) == ([], [])
    store.close()


async def test_the_path_of_a_draft_is_stored_until_the_draft_is_gone(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill right before the draft is removed would leave it in a folder that no session knows."""
    stored, drop = list[int](), Draft.drop

    def watched(draft: Draft) -> None:
        stored.append(len(noted(store)))
        drop(draft)

    monkeypatch.setattr(Draft, "drop", watched)
    with pytest.raises(ZeroDivisionError):
        async with saved_file(store.db, tmp_path / "ut" / "beslut å.txt"):
            raise ZeroDivisionError
    assert stored == [1]
    assert (noted(store), list((tmp_path / "ut").iterdir())) == ([], [])
    store.close()


async def test_a_full_disk_under_the_profile_does_not_stop_saving_on_another(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **named: object) -> None:
        raise DiskFull

    monkeypatch.setattr(Database, "transaction", refuse)
    async with saved_file(store.db, tmp_path / "ut" / "a.txt") as draft:
        draft.file.write(NEW)
        draft.keep()
    assert (tmp_path / "ut" / "a.txt").read_bytes() == NEW
    store.close()


def test_attack_nothing_but_a_draft_is_removed(tmp_path: Path) -> None:
    """▲ Somebody who may write in the folder exchanges the unfinished file; a stored path may be damaged."""
    own = tmp_path / "Beslut åäö 🙂.txt"
    own.write_bytes(OLD)
    link, folder = draft_path(own), draft_path(own)
    link.symlink_to(own)
    folder.mkdir()
    assert all(remove_draft(path) for path in (own, link, folder))
    assert sorted(tmp_path.iterdir()) == sorted([own, link, folder])
    path = draft_path(own)
    Draft(own, path).file.close()
    assert remove_draft(path)
    assert remove_draft(path)
    assert sorted(tmp_path.iterdir()) == sorted([own, link, folder])
