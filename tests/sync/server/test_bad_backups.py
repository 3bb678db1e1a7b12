# SPDX-License-Identifier: EUPL-1.2
"""A backup of a different agency, half copied, owned by another user, or too large for the disk: each gets a sentence,
and nothing is put in place."""

import errno
import shutil
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.host.folder_hold import held
from sync.server.operator.upkeep import restore as restoring
from sync.server.operator.upkeep.manifest import copy_file, read_manifest
from tests.sync.server.wire import new_data


@pytest.fixture
def backed_up(copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A backup without keys. The keys are in `copied`."""
    assert main(["backup", "--data", str(copied), str(tmp_path / "backup")]) == 0
    capsys.readouterr()
    return tmp_path / "backup"


def refused(backup: Path, keys: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The complaint of a restore that must fail and leave nothing."""
    before = {str(p): p.stat().st_size for p in backup.rglob("*")}
    there = backup.parent / "there" / "server"
    assert main(["restore", "--data", str(there), "--keys", str(keys), str(backup)]) == 1
    assert not there.parent.exists() or list(there.parent.iterdir()) == []
    assert {str(p): p.stat().st_size for p in backup.rglob("*")} == before
    return capsys.readouterr().err


def test_a_backup_of_another_agency_is_not_restored_with_this_servers_key(
    copied: Path, backed_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = new_data(tmp_path / "other")
    complaint = refused(backed_up, other, capsys)
    assert f"{other / 'server.key'} is not the key of the server in {backed_up}" in complaint


def test_a_backup_without_its_manifest_its_database_or_the_end_of_it_is_not_whole(
    copied: Path, backed_up: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = backed_up / read_manifest(backed_up).database
    content = database.read_bytes()
    database.write_bytes(content[: len(content) // 2])
    assert "is not what the manifest says: the backup was not copied whole" in refused(backed_up, copied, capsys)
    database.unlink()
    assert f"{database} is missing: the backup was not copied whole" in refused(backed_up, copied, capsys)
    (backed_up / "manifest.json").unlink()
    assert "is no backup: it has no manifest.json" in refused(backed_up, copied, capsys)


def test_a_backup_whose_files_were_not_all_copied_is_restored_only_when_asked(
    copied: Path, backed_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(backed_up / "blobs")
    complaint = refused(backed_up, copied, capsys)
    assert "problems: 1. Nothing was put in place: copy the backup again, or use --damaged" in complaint
    there = ["--data", str(tmp_path / "elsewhere"), "--keys", str(copied), str(backed_up)]
    assert main(["restore", "--damaged", *there]) == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_restore_on_a_full_disk_leaves_nothing(
    copied: Path,
    backed_up: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    real = copy_file

    def full(source: Path, target: Path) -> str:
        if source.is_relative_to(backed_up / "blobs"):
            raise OSError(number, "No space left on device", str(target))
        return real(source, target)

    monkeypatch.setattr(restoring, "copy_file", full)
    assert "there: the disk is full; nothing was put in place" in refused(backed_up, copied, capsys)


def test_a_backup_that_root_copied_is_refused_with_its_needed_owner(
    copied: Path, backed_up: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root runs the tests and may read everything, so the test raises the system's refusal itself."""

    def forbidden(source: Path, target: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(source))

    monkeypatch.setattr(restoring, "copy_file", forbidden)
    complaint = refused(backed_up, copied, capsys)
    assert "may not be read or written by" in complaint
    assert "chown -R" in complaint


def test_what_a_killed_restore_has_left_is_removed_by_the_next_one(
    copied: Path, backed_up: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has the secret keys."""
    there, killed = tmp_path / "there" / "server", tmp_path / "there" / "server.0a1b2c3d.new"
    at_work, others = tmp_path / "there" / "server.11223344.new", tmp_path / "there" / "server.kopia.new"
    for folder in (killed, at_work, others):
        folder.mkdir(parents=True)
        (folder / "server.key").write_bytes(b"nyckel")
    with held(at_work, "another restore"):
        assert main(["restore", "--data", str(there), "--keys", str(copied), str(backed_up)]) == 0
    assert not killed.exists()
    assert at_work.exists()
    assert others.exists()
