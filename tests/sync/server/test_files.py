# SPDX-License-Identifier: EUPL-1.2
"""Files that commands make are whole, durable and named at the end: a killed command leaves none."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync.server.host import files
from sync.server.host.files import create_private, is_created, part_of, replace_file, sync_folder
from tests.sync.server.process import ROOT

CONTENT = "Handläggare Å 🙂".encode()
KILLED = """
import os, signal, sys
from pathlib import Path
from sync.server.host import files
real = getattr(os, sys.argv[1])
def dies(*given):
    if len(sys.argv) > 4:
        real(*given)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(os, sys.argv[1], dies)
getattr(files, sys.argv[2])(Path(sys.argv[3]), b"half")
"""


def killed(at: str, function: str, path: Path, *, after: bool = False) -> None:
    """Calls `function` of host/files.py in another process, which is killed when it calls `at` of the system, or
    `after` that call."""
    command = [sys.executable, "-c", KILLED, at, function, str(path), *(["after"] if after else [])]
    died = subprocess.run(command, cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at", ["fsync", "link"])
def test_a_killed_process_leaves_no_file_and_the_next_one_makes_it(tmp_path: Path, at: str) -> None:
    path = tmp_path / "inbjudningar"
    killed(at, "create_private", path)
    assert not path.exists()
    create_private(path, CONTENT)
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("again", ["is_created", "create_private"])
def test_a_process_killed_once_the_file_is_named_leaves_nothing_beside_it_for_the_next(
    tmp_path: Path, again: str
) -> None:
    path = tmp_path / "folk.letters.pdf"
    killed("link", "create_private", path, after=True)
    assert part_of(path).exists()
    if again == "is_created":
        assert is_created(path)
    else:
        with pytest.raises(FileExistsError):
            create_private(path, CONTENT)
    assert path.read_bytes() == b"half"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_what_is_not_named_yet_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "folk.letters.pdf"
    killed("link", "create_private", path)
    assert not is_created(path)
    assert not path.exists()


def test_a_killed_process_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "tls.pem"
    path.write_bytes(b"former")
    killed("fsync", "replace_file", path)
    assert path.read_bytes() == b"former"
    replace_file(path, CONTENT)
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_is_there_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    if not links:  # as on a stick with FAT

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "agency.key"
    create_private(path, CONTENT)
    with pytest.raises(FileExistsError):
        create_private(path, b"other")
    assert path.read_bytes() == CONTENT
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_folder_that_cannot_be_flushed_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(folder))

    monkeypatch.setattr(files, "sync_folder", fail)
    with pytest.raises(OSError, match="Input/output error"):
        create_private(tmp_path / "agency.key", CONTENT)
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_that_cannot_flush_folders_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = errno.EINVAL

    def fail(fd: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    sync_folder(tmp_path)
    number = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        sync_folder(tmp_path)
