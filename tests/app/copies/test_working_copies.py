# SPDX-License-Identifier: EUPL-1.2
"""Working copies: read-only, in a folder of the person's own, gone at the end; what another program changed is kept."""

import asyncio
import os
import shutil
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.chat.files import Files
from app.chat.opening import Opening
from app.copies import service, wiping
from app.copies.errors import CopyInUse, DeviceRevoked
from app.copies.files import write_copy
from app.copies.place import working_folder
from app.copies.service import WorkingCopies
from app.core.foreign import ORIGIN, XATTR
from app.core.volumes import is_in_memory
from app.errors import DiskFull, FileTooLarge, NotFound
from app.store.store import Store
from sync.client.devices.own_devices import REVOKED
from sync.protocol.version import PART_BYTES
from tests.app.copies.crash_copies import CHANGED, PLAIN, of_message
from tests.app.copies.desks import LABEL, Desk, held_by_another, overwrite
from tests.app.store.conftest import KEY, KINDS, ROOM
from tests.app.store.test_canary import found_in


async def test_a_copy_is_read_only_and_its_folder_is_the_persons_own(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    assert path.read_bytes() == PLAIN
    assert path.name == "Skrivskyddad kopia 1.docx"  # other programs note names in plain: not the file's own
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in path.parents[:2]] == [0o700, 0o700]
    await desk.copies.look()
    assert desk.plain == [path]  # it stays while the session does
    await desk.copies.close()
    assert desk.plain == []
    assert await desk.kept() == []


@pytest.mark.skipif(os.name == "nt", reason="has a stream there instead")
async def test_a_copy_is_marked_as_foreign_and_the_mark_names_nothing(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    assert os.getxattr(path, XATTR) == ORIGIN.encode()


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
async def test_bad_input_a_file_whose_name_is_no_text_is_kept_and_keeps_nothing_in_plain(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    (path.parent / os.fsdecode(b"bil\xe5ga.docx")).write_bytes(b"latin 1")
    await desk.copies.look()
    expected = [("Beslut åäö 🙂.docx", CHANGED), ("bilga.docx", b"latin 1")]
    assert await desk.kept() == expected
    await desk.restart()
    assert await desk.kept() == expected
    assert desk.plain == []


async def test_of_more_files_than_are_looked_at_all_are_kept_before_they_are_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiping, "MOST_FILES", 3)
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    beside = [(f"Bilaga å {number}.txt", f"text {number}".encode()) for number in range(9)]
    for name, data in beside:
        (path.parent / name).write_bytes(data)
    await desk.copies.look()
    assert len(await desk.kept()) == 3
    await desk.restart()
    assert await desk.kept() == beside
    assert desk.plain == []


async def test_what_a_program_changed_or_saved_beside_it_is_kept_sealed(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    (path.parent / "bilaga").mkdir()
    (path.parent / "bilaga" / "Mitt tillägg 🙂.docx").write_bytes(b"beside " * 99)
    (path.parent / ".~lock.x#").write_text("a program's own mark")
    await desk.copies.look()
    expected = [("Beslut åäö 🙂.docx", CHANGED), ("Mitt tillägg 🙂.docx", b"beside " * 99)]
    assert await desk.kept() == expected
    await desk.restart()
    assert await desk.kept() == expected
    assert desk.plain == []
    assert found_in(desk.folder, CHANGED[:24]) == []
    assert found_in(desk.folder, b"beside") == []


async def test_the_newest_state_of_a_changed_copy_replaces_the_one_before(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await desk.copies.look()
    (before,) = desk.copies.copies(ROOM)
    overwrite(path, CHANGED + b"!")
    await desk.copies.look()
    (now,) = desk.copies.copies(ROOM)
    assert now.id == before.id  # what a menu shows stays valid
    assert (await desk.copies.read(now.id))[1] == CHANGED + b"!"
    assert sorted(path.name for path in (desk.folder / "kept").iterdir()) == sorted(now.parts)


async def test_a_discarded_copy_is_gone_and_does_not_come_back(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await desk.copies.look()
    (changed,) = desk.copies.copies(ROOM)
    assert await desk.copies.discard(changed)
    assert not await desk.copies.discard(changed)
    await desk.copies.look()
    assert desk.copies.copies(ROOM) == []
    with pytest.raises(NotFound):
        await desk.copies.read(changed.id)
    await desk.restart()
    assert await desk.kept() == []
    assert [*(desk.folder / "kept").iterdir()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="which program has a file open is known on Linux only")
async def test_what_a_program_holds_open_is_named_stays_and_is_tried_again(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    changes = list[int]()
    desk.copies.held_changed.connect(lambda: changes.append(1))
    with held_by_another(path):
        await desk.copies.look()
        (held,) = desk.copies.held
        assert held.name == "Beslut åäö 🙂.docx"
        assert held.program.startswith("python")
        overwrite(path, CHANGED)
        with held_by_another(path):
            await desk.copies.wipe()
            assert path.read_bytes() == CHANGED  # neither renamed nor removed
            assert await desk.kept() == [("Beslut åäö 🙂.docx", CHANGED)]
            await desk.restart()
            assert desk.plain == [path]
            assert [each.name for each in desk.copies.held] == ["Beslut åäö 🙂.docx"]
    await desk.copies.look()
    assert desk.copies.held == ()
    assert desk.plain == []
    assert await desk.kept() == [("Beslut åäö 🙂.docx", CHANGED)]
    assert len(changes) == 1


@pytest.mark.skipif(os.name == "nt", reason="a folder with an open file is not renamed there")
async def test_a_folder_whose_removal_was_interrupted_stays_while_a_program_has_a_file_in_it_open(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    with held_by_another(path):
        aside = path.parent.rename(path.parent.with_name(path.parent.name + ".going"))
        await desk.copies.wipe()
        assert desk.plain == [aside / path.name]
        assert [each.name for each in desk.copies.held] == ["Beslut åäö 🙂.docx"]
        assert await desk.kept() == [("Beslut åäö 🙂.docx", CHANGED)]
    await desk.copies.wipe()
    assert desk.plain == []
    assert desk.copies.held == ()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there, and there are no pipes")
async def test_links_and_pipes_in_place_of_a_copy_are_not_followed(desk: Desk, tmp_path: Path) -> None:
    outside = tmp_path / "utanför"
    outside.write_bytes(b"secret of another program")
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    path.unlink()
    path.symlink_to(outside)
    os.mkfifo(path.parent / "pipe")
    (path.parent / "folder").symlink_to(tmp_path)
    await desk.restart()
    assert await desk.kept() == []
    assert desk.plain == []
    assert outside.exists()


async def test_a_second_run_does_not_remove_what_the_first_has_open(desk: Desk, tmp_path: Path) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    (twin := tmp_path / "twin").mkdir()
    for name in ("store.db", "store.db-wal"):
        if (tmp_path / name).exists():
            shutil.copy(tmp_path / name, twin / name)
    store = Store.open(twin / "store.db", KEY, KINDS)
    try:
        second = WorkingCopies(store.copies, desk.copies._kept, tmp_path / "working")
        await second.look()
        with pytest.raises(CopyInUse):
            await second.open(of_message(), PLAIN, LABEL)
        await second.close()
    finally:
        store.close()
    assert path.read_bytes() == PLAIN


@pytest.mark.skipif(os.name == "nt", reason="a folder in a user's own is the user's there")
@pytest.mark.parametrize("is_link", [True, False], ids=["link", "open to others"])
async def test_attack_no_copy_is_written_where_somebody_else_could_exchange_it(
    desk: Desk, tmp_path: Path, is_link: bool
) -> None:
    (elsewhere := tmp_path / "utanför å").mkdir()
    working = tmp_path / "working"
    if is_link:
        working.symlink_to(elsewhere)
    else:
        working.mkdir()
        working.chmod(0o777)
    with pytest.raises(CopyInUse):
        await desk.copies.open(of_message(), PLAIN, LABEL)
    assert desk.plain == []
    assert desk.bench.store.copies.opened() == []


async def test_what_cannot_be_removed_in_one_of_two_folders_is_tried_again(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.copies.service.remove_folder", lambda path: False)
    for folder in (tmp_path / "earlier", tmp_path / "working"):
        desk.copies._place(folder)
    (tmp_path / "earlier" / "stray").mkdir()
    for folder in desk.copies._places:
        await desk.copies._remove_strangers(folder)
    assert desk.copies._is_left


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[None]:
    """The working folder is on a disk of 1 MB."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    (working := tmp_path / "working").mkdir()
    if os.system(f"mount -t tmpfs -o size=1m none {working} 2>/dev/null"):  # noqa: S605 - our own path
        pytest.skip("this container may not mount a tmpfs")
    yield
    os.system(f"umount -l {working}")  # noqa: S605


async def test_a_disk_that_is_full_leaves_nothing_of_a_copy(small_disk: None, desk: Desk) -> None:
    with pytest.raises(DiskFull):
        await desk.copies.open(of_message(), PLAIN * 1000, LABEL)
    assert desk.plain == []
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    assert path.read_bytes() == PLAIN
    await desk.copies.look()
    assert len(desk.bench.store.copies.opened()) == 1


async def test_a_change_that_the_disk_refuses_stays_in_plain_until_it_is_kept(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    faults = list[Exception]()
    desk.copies.fault.connect(faults.append)
    (desk.folder / "kept").write_bytes(b"a file where the folder would be")
    await desk.copies.wipe()
    assert len(faults) == 1
    assert path.read_bytes() == CHANGED
    (desk.folder / "kept").unlink()
    await desk.restart()
    assert desk.plain == []
    assert await desk.kept() == [("Beslut åäö 🙂.docx", CHANGED)]


async def test_a_copy_that_nobody_waits_for_any_more_is_written_and_then_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_write = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def late(folder: Path, name: str, data: bytes) -> Path:
        loop.call_soon_threadsafe(begun.set)
        may_write.wait()
        return write_copy(folder, name, data)

    monkeypatch.setattr(service, "write_copy", late)
    opening = asyncio.ensure_future(desk.copies.open(of_message(), PLAIN, LABEL))
    await begun.wait()
    opening.cancel()
    await asyncio.wait([opening])
    await desk.copies.look()  # the thread goes on, and its row has to stay
    assert len(desk.bench.store.copies.opened()) == 1
    loop.call_soon(may_write.set)
    await desk.copies.close()
    assert desk.plain == []
    assert desk.bench.store.copies.opened() == []


@pytest.mark.parametrize("while_written", [False, True])
async def test_a_copy_that_is_asked_for_while_the_device_is_revoked_opens_in_no_program(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, while_written: bool
) -> None:
    ended, written = list[str](), list[str]()
    copies = WorkingCopies(
        desk.bench.store.copies, desk.copies._kept, desk.folder / "working", lambda: next(iter(ended), None)
    )

    def late(folder: Path, name: str, data: bytes) -> Path:
        written.append(name)
        ended.append(REVOKED)
        return write_copy(folder, name, data)

    monkeypatch.setattr(service, "write_copy", late)
    opening = asyncio.ensure_future(copies.open(of_message(), PLAIN, LABEL))
    await asyncio.sleep(0)  # it has begun
    if not while_written:
        ended.append(REVOKED)
    with pytest.raises(DeviceRevoked):
        await opening
    assert bool(written) == while_written
    await copies.look()
    assert desk.plain == []
    await copies.close()


@pytest.mark.parametrize("why", [REVOKED, "reset"])
async def test_copies_that_are_open_go_once_this_device_may_not_be_used_any_more(desk: Desk, why: str) -> None:
    """Otherwise a thief would read what the disk has in plain."""
    ended = list[str]()
    copies = WorkingCopies(
        desk.bench.store.copies, desk.copies._kept, desk.folder / "working", lambda: next(iter(ended), None)
    )
    path = await copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await copies.look()
    assert desk.plain == [path]
    ended.append(why)
    await copies.look()
    assert desk.plain == []
    assert await desk.kept() == [("Beslut åäö 🙂.docx", CHANGED)]
    await copies.close()


async def test_what_is_changed_while_a_changed_copy_is_sent_is_not_discarded_with_it(desk: Desk) -> None:
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    overwrite(path, CHANGED)
    await desk.copies.look()
    sent, _ = await desk.copies.read(desk.copies.copies(ROOM)[0].id)
    overwrite(path, b"changed once more while the first is sent")
    await desk.copies.look()
    assert not await desk.copies.discard(sent)
    await desk.restart()
    assert await desk.kept() == [("Beslut åäö 🙂.docx", b"changed once more while the first is sent")]


async def test_a_changed_copy_that_is_too_large_to_be_sent_can_be_saved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_BYTES", PART_BYTES)
    path = await desk.copies.open(of_message(), PLAIN, LABEL)
    large = bytes(range(256)) * (PART_BYTES // 256) + CHANGED
    overwrite(path, large)
    await desk.copies.look()
    (changed,) = desk.copies.copies(ROOM)
    with pytest.raises(FileTooLarge):
        await desk.copies.read(changed.id)
    (desk.folder / "saved.docx").write_bytes(b"before")
    opening = Opening(desk.bench.store.db, cast("Files", None), desk.copies, lambda: True)
    await opening.save_changed(changed.id, desk.folder / "saved.docx")
    assert (desk.folder / "saved.docx").read_bytes() == large


async def test_a_folder_that_is_gone_with_the_computers_memory_leaves_no_row(desk: Desk) -> None:
    await desk.copies.open(of_message(), PLAIN, LABEL)
    await desk.copies._busy.acquire()  # as if the process had ended here
    shutil.rmtree(desk.folder / "working")
    desk.copies._busy.release()
    await desk.copies.look()
    assert desk.bench.store.copies.opened() == []


def test_the_working_folder_is_in_memory_where_there_is_one_of_the_persons_own(tmp_path: Path) -> None:
    mounts = tmp_path / "proc" / "self" / "mountinfo"
    mounts.parent.mkdir(parents=True)
    runtime, profile = tmp_path / "run", tmp_path / "profile"
    runtime.mkdir(mode=0o700)
    env, name = {"XDG_RUNTIME_DIR": str(runtime)}, "kansli-" + "61" * 16
    mounts.write_text(f"1 0 0:1 / {runtime} rw - tmpfs tmpfs rw\n")
    assert is_in_memory(runtime, mounts)
    found = working_folder(profile, b"a" * 16, env, tmp_path)
    assert found == (runtime / name if os.name != "nt" else profile / "working" / name)
    beside = profile / "working" / name
    mounts.write_text(f"1 0 0:1 / {runtime} rw - ext4 /dev/sda rw\n")
    assert working_folder(profile, b"a" * 16, env, tmp_path) == beside
    assert working_folder(profile, b"a" * 16, {}, tmp_path) == beside
    mounts.write_text(f"1 0 0:1 / {runtime} rw - tmpfs tmpfs rw\n")
    runtime.chmod(0o755)  # others may look in
    assert working_folder(profile, b"a" * 16, env, tmp_path) == beside


@pytest.mark.skipif(sys.platform != "linux", reason="a disk's encryption is only known there")
def test_without_a_folder_in_memory_an_encrypted_disk_comes_before_one_in_clear(tmp_path: Path) -> None:
    mounts = tmp_path / "proc" / "self" / "mountinfo"
    mounts.parent.mkdir(parents=True)
    runtime, profile = tmp_path / "run", tmp_path / "profile"
    runtime.mkdir(mode=0o700)
    env, beside = {"XDG_RUNTIME_DIR": str(runtime)}, profile / "working"

    def found(of_runtime: str, of_profile: str) -> Path:
        lines = [f"1 0 0:1 / {runtime} rw - {of_runtime} x rw", f"2 0 0:2 / {profile} rw - {of_profile} x rw", ""]
        mounts.write_text("\n".join(lines))
        return working_folder(profile, b"a" * 16, env, tmp_path).parent

    assert found("ecryptfs", "ext4") == runtime
    assert found("ecryptfs", "ecryptfs") == beside
    assert found("ext4", "ext4") == beside
    assert found("tmpfs", "ecryptfs") == runtime
    runtime.chmod(0o755)
    assert found("ecryptfs", "ext4") == beside
