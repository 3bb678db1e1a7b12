# SPDX-License-Identifier: EUPL-1.2
"""Removing every profile of a computer: all of them, no other files, and through no link."""

import os
import pwd
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from app import policy, purging
from app.core.held_folder import HeldFolder
from app.policy import Policy
from app.profile import Profile
from app.purging import MAX_DEPTH, PROFILE_LIST, Purged, User, purge, purge_working_folders, users_of_windows
from app.store.slot_file import MAGIC
from ui.__main__ import run


@pytest.fixture(autouse=True)
def runtimes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that has a folder in memory for each user. It does not exist at first. Otherwise a test that runs as
    root would empty the working folders of the people at this computer."""
    found = tmp_path / "in memory"
    monkeypatch.setattr(purging, "RUNTIMES", found)
    return found


def person(home: Path, *, roots: Sequence[str] = ()) -> User:
    """Somebody with a home folder, as Linux has them."""
    home.mkdir(parents=True, exist_ok=True)
    variables = {"HOME": str(home), "USER": home.name}
    return User(home=home, data=home / ".local/share/Kansli", variables=variables, roots=tuple(roots))


def profile(root: Path, name: str = "default") -> Path:
    """With a slot, a part of a file and a log."""
    made = Profile.open(name, root)
    for path, content in {
        made.slots_folder / "passphrase.slot": MAGIC + b"sealed",
        made.db_path: b"sealed",
        made.blobs_folder / "ab" / "cd": b"sealed",
        made.logs_folder / "kansli.log": b"",
        made.settings_path: b"{}",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    made.close()
    return made.folder


def test_every_profile_of_everybody_goes_and_the_folders_with_them(tmp_path: Path) -> None:
    people = [person(tmp_path / "home" / name) for name in ("asta", "bo")]
    folders = [profile(p.data, name) for p in people for name in ("default", "second")]
    (people[0].home / "brev.txt").write_text("kvar")
    done = purge(people)
    assert sorted(done.removed) == sorted(folders)
    assert not done.left
    assert not any(p.data.exists() for p in people)
    assert (people[0].home / ".local/share").is_dir()
    assert (people[0].home / "brev.txt").exists()
    assert purge(people).removed == []


def test_what_is_no_profile_stays(tmp_path: Path) -> None:
    someone = person(tmp_path / "asta")
    other = someone.data / "profiles" / "browser"
    (other / "keys").mkdir(parents=True)
    (other / "profile.json").write_text('{"id": "default", "name": "somebody else\'s"}')
    (other / "keys" / "a.slot").write_bytes(b"something else")
    (someone.data / "profiles" / "note.txt").write_text("")
    gone = profile(someone.data)
    assert purge([someone]).removed == [gone]
    assert (other / "profile.json").exists()
    assert (someone.data / "profiles" / "note.txt").exists()


@pytest.mark.parametrize("text", ["", "{", "[" * 4000, '{"id": 3}'])
def test_a_damaged_profile_goes_by_its_slots(tmp_path: Path, text: str) -> None:
    someone = person(tmp_path / "asta")
    folder = profile(someone.data)
    (folder / "profile.json").write_text(text)
    assert purge([someone]).removed == [folder]


def test_no_link_leads_out_of_a_profile(tmp_path: Path) -> None:
    someone = person(tmp_path / "asta")
    folder = profile(someone.data)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "kept").write_text("")
    (folder / "blobs" / "away").symlink_to(precious)
    (folder / "logs" / "one").symlink_to(precious / "kept")
    assert purge([someone]).removed == [folder]
    assert (precious / "kept").exists()


def test_a_folder_that_is_a_link_is_not_gone_into(tmp_path: Path) -> None:
    victim = profile(tmp_path / "elsewhere")
    someone = person(tmp_path / "asta")
    (someone.home / ".local").mkdir()
    (someone.home / ".local" / "share").symlink_to(tmp_path)
    (tmp_path / "Kansli").symlink_to(tmp_path / "elsewhere")
    other = person(tmp_path / "bo")
    (other.data).mkdir(parents=True)
    (other.data / "profiles").symlink_to(victim.parent)
    third = person(tmp_path / "cia")
    (third.data / "profiles").mkdir(parents=True)
    (third.data / "profiles" / "default").symlink_to(victim)
    assert purge([someone, other, third]).removed == []
    assert (victim / "store.db").exists()


def test_slots_go_first_and_what_cannot_be_removed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    someone = person(tmp_path / "asta")
    folder = profile(someone.data)
    deep = folder.joinpath(*["blobs"] * (MAX_DEPTH + 2))
    deep.mkdir(parents=True)
    real, order = os.unlink, []

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        order.append(name)
        if name == "store.db":
            raise PermissionError(13, "in use")
        real(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    done = purge([someone])
    assert order[0] == "passphrase.slot"
    assert not done.removed
    assert (folder / "store.db", "in use") in done.left
    assert any(why == "too deep" for _, why in done.left)
    assert not (folder / "keys").exists()


def test_data_roots_of_the_machine_and_of_people_are_looked_in(tmp_path: Path) -> None:
    asta = person(tmp_path / "home/asta", roots=[str(tmp_path / "own")])
    bo = person(tmp_path / "home/bo")
    folders = [
        profile(tmp_path / "own"),
        profile(tmp_path / "shared/asta/Kansli"),
        profile(tmp_path / "shared/bo/Kansli"),
        profile(bo.home / "here"),
    ]
    done = purge([asta, bo], [f"{tmp_path}/shared/$USER/Kansli", "~/here", "", "relative", "$NOBODY_SETS_THIS/x"])
    assert sorted(done.removed) == sorted(folders)
    assert done.unknown == ["relative", "$NOBODY_SETS_THIS/x"]


class FakeRegistry:
    """Values and keys by hive and path."""

    def __init__(self, tree: Mapping[str, Mapping[str, object]]) -> None:
        self._tree = tree

    def values(self, hive: str, path: str) -> Mapping[str, object]:
        return self._tree.get(rf"{hive}\{path}", {})

    def keys(self, hive: str, path: str) -> Sequence[str]:
        start = rf"{hive}\{path}" + "\\"
        return [name.removeprefix(start) for name in self._tree if name.startswith(start)]


def test_windows_users_are_those_of_its_list_of_profiles(tmp_path: Path) -> None:
    homes = {"S-1-5-18": tmp_path / "system", "S-1-5-21-1": tmp_path / "asta", "S-1-5-21-2": tmp_path / "gone"}
    tree: dict[str, Mapping[str, object]] = {
        rf"HKLM\{PROFILE_LIST}\{sid}": {"ProfileImagePath": str(home)} for sid, home in homes.items()
    }
    tree[rf"HKLM\{PROFILE_LIST}\S-1-5-21-3"] = {"Flags": 0}
    tree[rf"HKU\S-1-5-21-1\{policy.POLICY_KEY}"] = {"dataroot": str(tmp_path / "own")}
    found = users_of_windows(FakeRegistry(tree))
    assert [user.home for user in found] == list(homes.values())
    assert [user.roots for user in found] == [(), (str(tmp_path / "own"),), ()]
    folders = [profile(homes["S-1-5-21-1"] / "AppData/Local/Kansli"), profile(tmp_path / "own")]
    assert sorted(purge(found).removed) == sorted(folders)


def test_a_name_that_is_not_known_stands_for_every_folder(tmp_path: Path) -> None:
    someone = person(tmp_path / "asta")
    user = User(home=someone.home, data=someone.data, variables={"USER": "\0"})
    folders = [profile(tmp_path / "shared" / name / "k[1]") for name in ("asta", "never-seen")]
    kept = profile(tmp_path / "shared" / "asta" / "k1")
    done = purge([user], [f"{tmp_path}/shared/$USER/k[1]"])
    assert sorted(done.removed) == sorted(folders)
    assert kept.exists()


def refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Root too may not look into a folder of this name: its owner has mounted a file system of their own on it."""
    real, looked = os.open, Path.stat

    def opened(path: str | Path, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if Path(path).name == name:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return looked(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(Path, "stat", stat)


def test_what_one_does_with_their_folder_keeps_no_others_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = person(tmp_path / "home" / "someone")
    user = User(home=someone.home, data=someone.data, variables={"USER": "\0"})
    shared = tmp_path / "shared"
    folders = [profile(shared / name) for name in ("asta", "evil", "zoe")]
    (shared / "evil").rename(shared / "mounted")
    (shared / "ring").symlink_to("ring")
    refused(monkeypatch, "mounted")
    done = purge([user, person(tmp_path / "home" / "ring")], [f"{shared}/$USER"])
    assert sorted(done.removed) == sorted(f for f in folders if "evil" not in f.parts)
    assert done.left == [(shared / "mounted", "Permission denied")]
    assert set(done.links) == {shared / "ring"}


def test_links_in_a_ring_and_names_that_none_can_have_keep_nobody_elses_profile(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to("ring")
    someone = person(tmp_path / "home" / "asta")
    folder = profile(someone.data)
    done = purge([person(tmp_path / "home" / "bo"), someone], [f"{tmp_path}/ring", f"{tmp_path}/\ud800"])
    assert done.removed == [folder]
    assert [path for path, _ in done.left] == [tmp_path / "ring", tmp_path / "\ud800"]


def test_a_link_in_the_place_of_a_users_folder_is_reported_and_not_followed(tmp_path: Path) -> None:
    kept = profile(tmp_path / "private")
    (tmp_path / "disk").mkdir()
    (tmp_path / "shared").symlink_to("disk")  # the administrator's own
    (tmp_path / "disk" / "asta").symlink_to(tmp_path / "private")
    asta, bo = person(tmp_path / "home" / "asta"), person(tmp_path / "home" / "bo")
    gone = profile(tmp_path / "shared" / "bo")
    moved = tmp_path / "moved"
    profile(moved)
    bo.data.parent.mkdir(parents=True)
    bo.data.symlink_to(moved)
    done = purge([asta, bo], [f"{tmp_path}/shared/$USER"])
    assert done.removed == [gone.resolve()]
    assert kept.exists()
    assert set(done.links) == {tmp_path / "disk" / "asta", bo.data}
    assert f"not followed: link {bo.data}" in list(done.lines())
    assert done.left == []


def test_what_a_running_program_takes_away_meanwhile_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    someone = person(tmp_path / "asta")
    folder, real = profile(someone.data), os.unlink

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        real(name, dir_fd=dir_fd)
        if name == "store.db":
            raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "unlink", unlink)
    done = purge([someone])
    assert (done.removed, done.left) == ([folder], [])


def test_the_program_logs_what_it_removed(
    tmp_path: Path, runtimes: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    someone = person(tmp_path / "asta")
    folder = profile(someone.data)
    rooted = profile(tmp_path / "rooted")
    (working := runtimes / "1000" / ("kansli-" + "6f" * 16)).mkdir(parents=True)
    monkeypatch.setattr(policy, "machine", lambda: Policy(fixed={"data-root": str(tmp_path / "rooted")}))
    monkeypatch.setattr(purging, "users", lambda: [someone])
    monkeypatch.setattr(purging, "_is_administrator", lambda: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["--purge-machine"]) == 0
    written = next(tmp_path.glob("kansli-purge-*.log")).read_text()
    assert f"removed {folder}\n" in written
    assert f"removed {rooted}\n" in written
    assert f"removed {working}\n" in written
    assert not working.exists()
    assert written.endswith("3 removed, 0 left\n")
    assert written in capsys.readouterr().out


def test_a_path_that_is_no_text_is_shown_and_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    someone = person(tmp_path / os.fsdecode(b"\xff"))
    profile(someone.data)
    monkeypatch.setattr(policy, "machine", Policy)
    monkeypatch.setattr(purging, "users", lambda: [someone])
    monkeypatch.setattr(purging, "_is_administrator", lambda: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["--purge-machine"]) == 0
    assert "1 removed, 0 left" in capsys.readouterr().out


def test_only_an_administrator_may(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(purging, "_is_administrator", lambda: False)
    monkeypatch.setattr(purging, "users", lambda: pytest.fail("looked for users"))
    assert run(["--purge-machine"]) == 2
    assert "administrators" in capsys.readouterr().err


def test_linux_users_are_those_listed_and_those_of_home() -> None:
    found = purging.users()
    assert len({user.home for user in found}) == len(found)
    assert Path("/root") in [user.home for user in found]


def test_a_folder_that_root_may_not_look_into_hides_no_others_and_a_device_is_nobodys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = tmp_path / "home"
    for name in ("asta", "evil", "zoe"):
        (homes / name).mkdir(parents=True)
    (homes / "quota").write_text("")
    refused(monkeypatch, "evil")
    monkeypatch.setattr(purging, "HOMES", homes)
    monkeypatch.setattr(pwd, "getpwall", lambda: [pwd.struct_passwd(("tss", "x", 59, 59, "", "/dev/null", "/bin/sh"))])
    found = purging.users()
    assert [user.home for user in found] == [homes / "asta", homes / "evil", homes / "zoe"]
    assert purge(found).left == [(homes / "evil", "Permission denied")]


def test_a_fault_is_reported_and_never_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[User]:
        raise RuntimeError("no list")

    monkeypatch.setattr(purging, "_is_administrator", lambda: True)
    monkeypatch.setattr(purging, "users", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(["--purge-machine"]) == 1
    assert "RuntimeError: no list" in next(tmp_path.glob("*.log")).read_text()


@pytest.mark.skipif(os.name == "nt", reason="there is no such folder")
def test_working_folders_in_memory_are_removed_too_and_open_files_are_reported(tmp_path: Path) -> None:
    runtimes = tmp_path / "user"
    working = runtimes / "1000" / ("kansli-" + "6f" * 16)
    for name in ("a", "b"):
        (copy := working / name).mkdir(parents=True)
        (copy / "Skrivskyddad kopia 1.docx").write_bytes(b"plain")
    (working / "lock").touch()
    other = runtimes / "1000" / "kansli-something-else"
    other.mkdir()
    (runtimes / "1001").symlink_to(tmp_path)
    done = Purged()
    purge_working_folders(runtimes, done)
    assert done.removed == [working]
    assert "lost in" in "\n".join(done.lines())
    assert done.lost == [(working, 2)]
    assert not working.exists()
    assert other.exists()
    purge_working_folders(tmp_path / "nothing", done)
    assert done.left == []


@pytest.mark.skipif(os.name == "nt", reason="there is no such folder")
@pytest.mark.parametrize("fault", [PermissionError(13, "as of a mounted folder"), FileNotFoundError(2, "gone")])
def test_attack_one_users_working_folder_keeps_no_other_users_from_being_purged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: OSError
) -> None:
    first, second = (tmp_path / user / f"kansli-{'ab' * 16}" for user in ("1000", "1001"))
    for working in (first, second):
        (working / "copy").mkdir(parents=True)
    emptied = purging._empty

    def empty(folder: HeldFolder, out: Purged, depth: int = 0) -> None:
        if folder.path == first:
            raise fault
        emptied(folder, out, depth)

    monkeypatch.setattr(purging, "_empty", empty)
    done = Purged()
    purge_working_folders(tmp_path, done)
    assert done.removed == [second]
    assert [path for path, _ in done.left] == ([first] if isinstance(fault, PermissionError) else [])
