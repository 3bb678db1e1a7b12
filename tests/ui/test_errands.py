# SPDX-License-Identifier: EUPL-1.2
"""What the program does instead of opening its window, as IT starts it: a process of its own, without a screen."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.profile import Profile

ROOT = Path(__file__).parents[2]
NO_SCREEN = "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'"


def kansli(*arguments: str, home: Path, spoil: str = "") -> subprocess.CompletedProcess[str]:
    """Runs it to its end; `spoil` is Python that runs first, in the same process."""
    program = f"import sys; {spoil or 'pass'}; from ui.main import main; sys.exit(main(sys.argv[1:]))"
    env = {**os.environ, "HOME": str(home), "XDG_DATA_HOME": str(home / "share"), "LC_ALL": "C.UTF-8"}
    env.pop("QT_QPA_PLATFORM", None)
    env.pop("KANSLI_DATA", None)
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_start_brings_no_server_and_no_self_test() -> None:
    program = "import sys, ui.main; print([m for m in sys.modules if m.startswith(('sync.server', 'app.trial'))])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_start_imports_nothing_that_most_starts_do_not_use() -> None:
    """It would take 4 MB of memory as long as the program runs."""
    spared = {"segno", "zxingcpp", "PySide6.QtPrintSupport", "html.parser", "ui.shell.settings.settings_view"}
    program = f"import sys, ui.main; print({spared!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_start_reads_no_sources() -> None:
    """PySide would read that of every module; the gaps that this leaves in memory stay."""
    program = "import linecache; from ui import __main__; __main__.run(['--version'])"
    shown = "import atexit; atexit.register(lambda: print([f for f in linecache.cache if 'main.py' in f]));"
    code = f"{shown} {program}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.slow
def test_a_self_test_tries_everything_and_leaves_nothing(tmp_path: Path) -> None:
    done = kansli("--selftest", "--report", str(tmp_path / "said.txt"), home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    sentence = (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert sentence == done.stdout
    assert sentence.endswith("Everything works.\n")
    assert [line for line in sentence.splitlines() if "views: " in line]
    assert not list((tmp_path / "share").rglob("store.db")), "no profile is made"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        ("import ui.kit.qr as q; q.read = lambda picture: []", "a QR code was not read back"),
        ("import app.documents.service as s; s.DocumentService.create = None", "NoneType"),
    ],
)
def test_a_self_test_fails_when_a_part_does_not_work(tmp_path: Path, spoil: str, sentence: str) -> None:
    done = kansli("--selftest", home=tmp_path, spoil=spoil)
    assert done.returncode == 1
    assert "FAILED" in done.stdout
    assert sentence in done.stdout


@pytest.mark.slow
def test_a_report_is_written_without_a_screen_also_while_the_program_runs(tmp_path: Path) -> None:
    running = Profile.open(root=tmp_path / "data")
    try:
        target = tmp_path / "report.zip"
        done = kansli("--data", str(tmp_path / "data"), "--diagnose", str(target), "--yes", home=tmp_path)
    finally:
        running.close()
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(target) as report:
        assert {"program.txt", "settings.txt", "policy.txt", "store.txt"} <= set(report.namelist())


@pytest.mark.slow
def test_a_report_that_cannot_be_written_raises(tmp_path: Path) -> None:
    done = kansli("--data", str(tmp_path), "--diagnose", "/proc/none/report.zip", "--yes", home=tmp_path)
    assert done.returncode == 1
    assert "file-unreadable" in done.stdout


def test_a_self_test_whose_report_cannot_be_written_says_so_and_ends(tmp_path: Path) -> None:
    done = kansli("--selftest", "--report", "/proc/none/said.txt", home=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert "--report cannot be written" in done.stdout


def test_a_profile_that_cannot_be_used_is_reported_without_a_terminal(tmp_path: Path) -> None:
    """As on Windows, where a program with a window has no standard error."""
    assert kansli("--data", "/proc/none", home=tmp_path, spoil=f"{NO_SCREEN}; sys.stderr = None").returncode == 2


def test_links_in_a_ring_are_a_profile_that_cannot_be_used(tmp_path: Path) -> None:
    """A user who may write in a shared data root could make such links in another user's folder."""
    (tmp_path / "ring").symlink_to("ring")
    done = kansli("--data", str(tmp_path / "ring"), home=tmp_path, spoil=NO_SCREEN)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
