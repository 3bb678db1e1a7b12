# SPDX-License-Identifier: EUPL-1.2
"""Files that this process makes: for its user alone, whole or not at all, and by no name that others could guess."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.files import Draft

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


def test_what_was_dropped_leaves_nothing(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "rapport å 🙂.txt")
    draft.file.write(b"halv")
    draft.drop()
    draft.drop()
    assert list(tmp_path.iterdir()) == []
