# SPDX-License-Identifier: EUPL-1.2
"""Profiles: one process each, safe names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import BadProfileName, ProfileInUse, StoreCorrupt, StoreUnwritable
from app.profile import Profile, data_root, profiles

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, pathlib
from app.profile import Profile
profile = Profile.open("test", pathlib.Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def hold(root: Path) -> subprocess.Popen[str]:
    """Another process that has the profile open."""
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    return other


def test_a_second_process_on_one_profile_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with hold(tmp_path) as other:
        with pytest.raises(ProfileInUse) as e:
            Profile.open("test", tmp_path)
        assert e.value.code == "profile-in-use"
        Profile.open("another", tmp_path).close()
        other.communicate()
    Profile.open("test", tmp_path).close()


def test_a_lock_of_a_killed_process_is_not_stale(tmp_path: Path) -> None:
    with hold(tmp_path) as other:
        other.kill()
        other.communicate()
    Profile.open("test", tmp_path).close()


def test_one_process_cannot_open_a_profile_twice(tmp_path: Path) -> None:
    first = Profile.open("test", tmp_path)
    with pytest.raises(ProfileInUse):
        Profile.open("test", tmp_path)
    first.close()
    first.close()
    Profile.open("test", tmp_path).close()


@pytest.mark.skipif(sys.platform == "win32", reason="a process there inherits no file by itself")
def test_a_closed_profile_is_free_although_a_process_that_is_being_started_has_its_file(tmp_path: Path) -> None:
    """Between fork and exec a process has every open file of its parent, also the locked one."""
    profile = Profile.open("test", tmp_path)
    lock = next(profile.folder.glob("lock")).stat()
    (file,) = (int(fd.name) for fd in Path("/dev/fd").iterdir() if _is_file(int(fd.name), lock))
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[file])
    try:
        profile.close()
        Profile.open("test", tmp_path).close()
    finally:
        child.communicate(b"\n")


def _is_file(fd: int, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), wanted)
    except OSError:  # that of the list itself
        return False


def test_a_profile_keeps_its_id_and_is_listed(tmp_path: Path) -> None:
    first = Profile.open("test", tmp_path)
    assert first.is_new
    first.close()
    again = Profile.open("test", tmp_path)
    assert again.id == first.id
    assert len(again.id) == 16
    assert profiles(tmp_path) == ["test"]
    again.close()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "å", "con", "NUL", "lpt1.x", "a\0", "x" * 41, "a.", " a"]
)
def test_a_name_that_is_no_folders_name_everywhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadProfileName):
        Profile.open(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_profile_file_is_reported_and_left_alone(tmp_path: Path) -> None:
    profile = Profile.open("test", tmp_path)
    profile.close()
    (profile.folder / "profile.json").write_text("{")
    with pytest.raises(StoreCorrupt):
        Profile.open("test", tmp_path)
    assert (profile.folder / "profile.json").read_text() == "{"


def test_a_profile_file_that_cannot_be_read_or_made_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Profile.open("test", tmp_path)
    made.close()
    (made.folder / "profile.json").unlink()

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("app.profile.write_atomic", full)
        with pytest.raises(StoreUnwritable):
            Profile.open("new", tmp_path)
    (made.folder / "profile.json").mkdir()
    with pytest.raises(StoreUnwritable):
        Profile.open("test", tmp_path)


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "profiles").touch()
    with pytest.raises(StoreUnwritable):
        Profile.open("test", tmp_path)


def test_the_data_root_is_the_argument_then_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANSLI_DATA", str(tmp_path / "env"))
    assert data_root(tmp_path) == tmp_path
    assert data_root() == tmp_path / "env"
    monkeypatch.delenv("KANSLI_DATA")
    assert data_root().name == "Kansli"


@pytest.mark.skipif(os.name == "nt", reason="access lists are inherited there")
def test_attack_a_folder_that_was_open_to_others_is_closed_at_the_start(tmp_path: Path) -> None:
    """Audit finding 16: a folder of before with 0755 stayed so, and new files were 0644."""
    Profile.open("test", tmp_path).close()
    folder = tmp_path / "profiles" / "test"
    folder.chmod(0o755)
    (folder / "store.db").touch(mode=0o644)
    (folder / "store.db").chmod(0o644)
    Profile.open("test", tmp_path).close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "store.db").stat().st_mode & 0o777 == 0o600
