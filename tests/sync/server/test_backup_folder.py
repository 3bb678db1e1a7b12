# SPDX-License-Identifier: EUPL-1.2
"""The folder of a backup: which folders are refused, and what the next backup removes from it and mends in it."""

import json
import os
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.operator.upkeep.manifest import Manifest, read_manifest
from tests.sync.server.test_backup import back_up, files, problems, put_back
from tests.sync.server.test_files import killed
from tests.sync.server.wire import new_data


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def refused(data: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The complaint of a backup that must fail and change nothing in its folder."""
    before = contents(target)
    assert main(["backup", "--data", str(data), str(target)]) == 1
    assert contents(target) == before
    return capsys.readouterr().err


def test_a_folder_that_is_not_empty_and_no_backup_is_refused(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as the data folder of another server, in which none runs: a backup would replace its agency.pub and remove
    every part of its files."""
    other, home = new_data(tmp_path / "other"), tmp_path / "home"
    (other / "blobs" / "ab").mkdir(parents=True)
    (other / "blobs" / "ab" / "part").write_bytes(b"Protokoll \xc3\xa5")
    home.mkdir()
    (home / "server-kopia.sqlite3").write_bytes(b"mine")
    for folder in (other, home):
        assert "is not empty and has no backup: name an empty folder" in refused(copied, folder, capsys)
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    assert main(["backup", "--data", str(copied), str(tmp_path / "disk")]) == 0


def test_databases_of_others_in_a_backups_folder_are_left_alone(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    back_up(copied, target)
    others = ["server-before.sqlite3", ".bashrc.new", ".note.newest"]
    for name in others:
        (target / name).write_bytes(b"mine")
    back_up(copied, target)
    assert all((target / name).read_bytes() == b"mine" for name in others)


def test_a_first_backup_that_was_cut_off_goes_on_in_its_folder(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "backup"

    def fail(self: Manifest, folder: Path) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as once:
        once.setattr(Manifest, "write", fail)
        assert main(["backup", "--data", str(copied), str(target)]) == 1
        capsys.readouterr()
    assert "another agency" in refused(new_data(tmp_path / "other"), target, capsys)
    assert main(["backup", "--data", str(copied), str(target)]) == 0
    assert {f for f in files(target) if not f.startswith("blobs")} == {
        *("agency.pub", "agency.where", "ca.pem", "escrow.cert", "manifest.json", "server.cert", "tls.pem"),
        read_manifest(target).database,
    }


def test_a_power_cut_at_the_very_beginning_spoils_no_folder(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    target.mkdir()
    killed("fsync", "replace_file", target / "begun")
    assert [f.name for f in target.iterdir()] == [".begun.part"]
    back_up(copied, target)
    assert not {f for f in files(target) if "begun" in f}


def test_a_manifest_says_that_there_are_no_keys_when_they_are_gone(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a backup that is cut off there would be given away with its keys."""
    target, write = tmp_path / "backup", Manifest.write
    back_up(copied, target)
    there: list[set[str]] = []

    def noted(self: Manifest, folder: Path) -> None:
        there.append({f for f in files(folder) if f.startswith("keys")})
        write(self, folder)

    monkeypatch.setattr(Manifest, "write", noted)
    assert not back_up(copied, target, with_keys=False).keys
    assert there == [set()]


def test_a_backup_without_keys_removes_those_of_an_earlier_one(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    assert back_up(copied, target).keys
    (target / "keys" / "server.key.new").write_bytes(b"left by a backup that was cut off")
    assert not back_up(copied, target, with_keys=False).keys
    assert not [f for f in files(target) if f.startswith("keys")]


def test_a_backup_keeps_the_copy_of_a_key_that_the_server_has_lost(copied: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    back_up(copied, target)
    (copied / "server.key").unlink()
    assert back_up(copied, target, with_keys=False).keys
    assert [f for f in files(target) if f.startswith("keys")] == ["keys/server.key"]
    assert put_back(target, tmp_path / "restored") == []


def test_a_part_that_is_damaged_in_the_backup_alone_is_copied_again(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "backup"
    command = ["backup", "--verify", "--data", str(copied), str(target)]
    assert main(command) == 0
    (part,) = [p for p in (target / "blobs").rglob("*") if p.is_file()]
    content = part.read_bytes()
    part.write_bytes(bytes(len(content)))
    capsys.readouterr()
    assert main(command) == 1
    found = json.loads(capsys.readouterr().out.splitlines()[1])
    assert (found["code"], target / "blobs" / found["where"][:2] / found["where"]) == ("blob-hash", part)
    assert main(command) == 0
    assert part.read_bytes() == content
    assert problems(target, target / read_manifest(target).database) == []


def test_a_restore_flushes_every_folder_before_it_is_in_place(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a power cut after a restore that reported success could lose files."""
    target, back = tmp_path / "backup", tmp_path / "restored"
    flushed: list[Path] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(fd: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{fd}").readlink())
        real_fsync(fd)

    def replace(self: Path, to: Path) -> Path:
        if to == back:
            folders = {self, *(p for p in self.rglob("*") if p.is_dir())}
            assert len(folders) == 5
            assert folders <= set(flushed)
            flushed.clear()
        return real_replace(self, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    back_up(copied, target)
    assert {target, target / "keys", *(p for p in (target / "blobs").rglob("*") if p.is_dir())} <= set(flushed)
    assert put_back(target, back) == []
    assert flushed == [tmp_path]


def test_one_backup_at_a_time_works_in_a_folder(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A nightly backup and one by hand: each would remove what the other's manifest is about to name."""
    target, write = tmp_path / "backup", Manifest.write
    second: list[int] = []

    def meanwhile(self: Manifest, folder: Path) -> None:
        second.append(main(["backup", "--data", str(copied), str(target)]))
        write(self, folder)

    monkeypatch.setattr(Manifest, "write", meanwhile)
    made = back_up(copied, target)
    assert second == [1]
    assert "another backup is at work" in capsys.readouterr().err
    assert (target / made.database).exists()


def test_a_folder_of_another_agency_and_the_data_folder_are_no_place_for_a_backup(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, other = tmp_path / "backup", ["--data", str(tmp_path / "other")]
    made = back_up(copied, target)
    assert (
        main(["init", *other, "--keys", str(tmp_path / "keys")])
        == main(["invite", *other, "--name", "Registrator"])
        == 0
    )
    before = files(target), files(copied) - {"server.sqlite3-shm", "server.sqlite3-wal"}
    assert main(["backup", *other, str(target)]) == 1
    assert "another agency" in capsys.readouterr().err
    assert main(["backup", "--data", str(copied), str(copied)]) == 1
    assert "the data folder itself" in capsys.readouterr().err
    assert (files(target), files(copied)) == before
    assert read_manifest(target) == made


def test_a_folder_that_cannot_be_written_is_reported(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--data", str(copied), "/proc/self/backup"]) == 1  # not even by root
    assert "'/proc/self/backup'" in capsys.readouterr().err
