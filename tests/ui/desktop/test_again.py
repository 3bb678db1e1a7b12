# SPDX-License-Identifier: EUPL-1.2
"""The program is started again in place of its process, with nothing of its memory, files or keys."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import ProfileInUse
from app.profile import Profile
from ui import main as program
from ui.desktop.again import Restart
from ui.desktop.resident import Desktop

ROOT = Path(__file__).parents[3]
LINK = "kansli://enrol?server=a&code=--data"
TWICE = """
import json, os, sys
from pathlib import Path
from ui.desktop import again

files = again.inherited()
if sys.argv[1] == "first":
    left = os.dup(1)
    os.set_inheritable(left, True)
    print(json.dumps([os.getpid(), left]), flush=True)
    again.start([*again.command(), "second", "å b"], os.environ, files)
names = [name for name in os.environ if name.startswith("KANSLI")]
print(json.dumps([os.getpid(), sys.argv[1:], names, sorted(files), again.inherited() == files]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Windows has no such call")
def test_it_keeps_its_number_and_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "twice.py").write_text(TWICE, encoding="utf-8")
    ours, theirs = os.pipe()
    done = subprocess.run(
        [sys.executable, str(tmp_path / "twice.py"), "first"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KANSLI_RAW_KEY": "ab" * 32, "KANSLI_DATA": "/å"},
        pass_fds=[theirs],
        capture_output=True,
        text=True,
        check=True,
    )
    os.close(ours)
    os.close(theirs)
    first, second = map(json.loads, done.stdout.splitlines())
    pid, left = first
    assert second == [pid, ["second", "å b"], ["KANSLI_DATA"], [theirs], True]
    assert left not in second[3]


@pytest.mark.parametrize("link", [LINK, "--purge-machine", ""])
def test_what_it_begins_with_is_read_as_it_was_meant(link: str) -> None:
    read = program._parser().parse_args(Restart(locked=True, background=True, link=link).arguments())
    assert (read.locked, read.background, read.link, read.data, read.purge_machine) == (True, True, link, None, False)
    assert Restart(locked=False, background=False, link="").arguments() == []


def test_the_profile_and_its_folder_are_the_same(tmp_path: Path) -> None:
    given = ["--profile", "andra", "--data", str(tmp_path), "--insecure-loopback", LINK]
    read = program._parser().parse_args(given)
    assert program._same(read) == given[:-1]


@pytest.mark.usefixtures("process_kept")
def test_a_program_that_is_gone_ends_in_order_and_says_so_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: object
) -> None:
    class Locked:
        restart = Restart(locked=True, background=False, link="")

        def __init__(self, office: object, link: str, *, background: bool, locked: bool, desktop: Desktop) -> None: ...

        async def run(self) -> None: ...

    monkeypatch.setattr(program, "Program", Locked)
    assert program.main(["--data", str(tmp_path)], [str(tmp_path / "kansli-gone")]) == 1
    (log,) = (tmp_path / "profiles/default/logs").iterdir()
    assert "not-started-again" in log.read_text(encoding="utf-8")
    Profile.open(root=tmp_path).close()  # nobody has it any more


@pytest.mark.parametrize("ends", [True, False])
def test_a_start_while_another_is_ending_has_the_profile_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    held = Profile.open(root=tmp_path)
    arguments = program._parser().parse_args(["--data", str(tmp_path), LINK])
    monkeypatch.setattr(program, "OTHER_S", 0.0 if not ends else 60.0)

    def ends_unheard(_arguments: object) -> bool:
        if ends:
            held.close()
        return False

    monkeypatch.setattr(program, "_handed_over", ends_unheard)
    if ends:
        found = program._opened(arguments, quiet=False)
        assert found is not None
        found.close()
    else:
        with pytest.raises(ProfileInUse):
            program._opened(arguments, quiet=False)
        held.close()
