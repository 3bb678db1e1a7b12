# SPDX-License-Identifier: EUPL-1.2
"""Files that this process makes: for its user alone, whole or not at all, and by no name that others could guess."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.files import Draft, open_file, write_atomic
from app.errors import FileUnreadable
from app.objects import files
from ui.kit.pictures import decoded

ROOT = Path(__file__).parents[3]
MAKES = """
import os, pathlib, sys
from app.core.files import Draft, keep_private
os.umask(0o022)
keep_private()
folder = pathlib.Path(sys.argv[1])
(folder / "own").write_bytes(b"x")
draft = Draft(folder / "saved")
draft.file.write(b"y")
before = [path.stat().st_mode & 0o777 for path in folder.glob(".saved*")]
draft.keep()
after = [(folder / name).stat().st_mode & 0o777 for name in ("own", "saved")]
print(*map(oct, (*before, *after)))
"""


@pytest.mark.skipif(os.name == "nt", reason="access lists are inherited there")
def test_what_the_program_makes_is_its_users_alone_and_what_is_saved_is_ordinary(tmp_path: Path) -> None:
    made = subprocess.run([sys.executable, "-c", MAKES, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert made.stdout.split() == ["0o600", "0o600", "0o644"]


@pytest.mark.skipif(os.name == "nt", reason="needs a right there")
def test_attack_a_link_in_a_shared_folder_takes_nothing(tmp_path: Path) -> None:
    """The old name, `.name.part`, could be laid as a link to somebody's file."""
    victim = tmp_path / "viktig fil å"
    victim.write_bytes(b"kvar")
    (tmp_path / ".rapport.txt.part").symlink_to(victim)
    draft = Draft(tmp_path / "rapport.txt")
    draft.file.write(b"hemligt")
    draft.keep()
    assert victim.read_bytes() == b"kvar"
    assert (tmp_path / "rapport.txt").read_bytes() == b"hemligt"


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
def test_attack_a_link_in_the_place_of_a_draft_opens_no_private_file_to_others(tmp_path: Path) -> None:
    """In a folder that others write in they see the draft's name. The file that their link leads to got the rights of
    an ordinary file."""
    private = tmp_path / "nyckel å"
    private.write_bytes(b"hemligt")
    private.chmod(0o600)
    shared = tmp_path / "delad"
    shared.mkdir()
    draft = Draft(shared / "Beslut.pdf")
    draft.file.write(b"beslut")
    (made,) = shared.iterdir()
    made.unlink()
    made.symlink_to(private)
    draft.keep()
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.read_bytes() == b"hemligt"


@pytest.mark.skipif(os.name == "nt", reason="POSIX rights")
def test_attack_a_draft_has_a_name_that_cannot_be_guessed_and_is_its_users_alone(tmp_path: Path) -> None:
    """In a folder that others write in they could read a draft, or put a file of theirs in its place."""
    drafts = [Draft(tmp_path / "Beslut å.pdf") for _ in range(2)]
    found = sorted(tmp_path.iterdir())
    assert [path.stat().st_mode & 0o777 for path in found] == [0o600, 0o600]
    assert len({path.name for path in found}) == len(drafts)
    for draft in drafts:
        draft.drop()


@pytest.mark.skipif(os.name == "nt", reason="needs a right there")
def test_attack_a_draft_is_not_opened_through_a_link(tmp_path: Path) -> None:
    victim, link = tmp_path / "viktig fil å", tmp_path / ".rapport.txt.part"
    victim.write_bytes(b"kvar")
    for target in (victim, tmp_path / "ingenting"):
        link.symlink_to(target)
        with pytest.raises(FileExistsError):
            Draft(tmp_path / "rapport.txt", link)
        link.unlink()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"kvar"]


def test_what_was_dropped_leaves_nothing(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "rapport å 🙂.txt")
    draft.file.write(b"halv")
    draft.drop()
    draft.drop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="has no pipes in folders")
def test_attack_what_is_no_file_is_refused_at_once_also_in_place_of_one_that_was_looked_at(tmp_path: Path) -> None:
    """▲ Opened for reading, a pipe waits for somebody who writes: the thread would wait for ever."""
    pipe, link = tmp_path / "bild å.png", tmp_path / "länk.txt"
    os.mkfifo(pipe)
    link.symlink_to("/dev/zero")
    for path in (pipe, link, tmp_path, tmp_path / "ingenting"):
        with pytest.raises(OSError, match=r"no file|No such"):
            open_file(path)
    assert decoded(pipe)[0].isNull()
    with pytest.raises(FileUnreadable):
        files._read(pipe, 0, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc elsewhere")
def test_attack_what_the_kernel_makes_while_it_is_read_has_no_bytes(tmp_path: Path) -> None:
    """▲ Some of these wait, others have no end."""
    (tmp_path / "länk.png").symlink_to("/proc/self/environ")
    file, size = open_file(tmp_path / "länk.png")
    file.close()
    assert size == 0
    assert files._read(tmp_path / "länk.png", 0, 1) == b""


def test_a_file_that_grows_while_it_is_sealed_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "logg.txt"
    path.write_bytes(b"abc")
    assert files._read(path, 1, 2) == b"b"
    assert files._read(path, 1, 3) == b"bc"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no full device elsewhere")
def test_a_draft_that_a_full_disk_cut_off_leaves_nothing(tmp_path: Path) -> None:
    """Closing flushes once more, which fails once more: the hidden file with the plaintext stayed."""
    draft = Draft(tmp_path / "rapport å 🙂.txt")
    draft.file.write("halv å".encode())
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), draft.file.fileno())
    with pytest.raises(OSError, match="No space"):
        draft.file.flush()
    draft.drop()
    assert draft.file.closed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "å" * 120,
        "会" * 85,
        "🙂" * 63,
        pytest.param(
            "r\udce5d" * 80,  # as Python reads the bytes "r\xe5d"
            marks=pytest.mark.skipif(sys.platform != "linux", reason="any bytes are a name only there"),
            id="latin-1",
        ),
    ],
)
def test_a_file_with_the_longest_name_of_a_disk_can_be_written(tmp_path: Path, name: str) -> None:
    """The name of the file that is being written has more around it, and disks count bytes."""
    draft = Draft(tmp_path / name)
    draft.file.write(b"x")
    draft.keep()
    write_atomic(tmp_path / name, b"y")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"y")]
