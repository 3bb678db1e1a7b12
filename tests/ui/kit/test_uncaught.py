# SPDX-License-Identifier: EUPL-1.2
"""An error that no code has caught is in the log with its places and is shown once, and no text that anybody wrote is
in either."""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.core import crashes
from ui.kit.errors import MINUTE_S, Counted

HERE = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    """A program that has ended: how, what it showed, and what it left behind."""

    status: int
    shown: Counter[str]
    output: str
    log: str
    left: dict[str, str]


def run_crashing(folder: Path, *what: str) -> Ended:
    command = [sys.executable, "-m", "tests.ui.kit.crashing", str(folder), *what]
    done = subprocess.run(command, capture_output=True, cwd=HERE, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"})
    left = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    shown = Counter(re.sub(r"\d+", "N", line) for line in done.stdout.decode().splitlines())
    return Ended(done.returncode, shown, done.stderr.decode(), left.get("kansli.log", ""), left)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def crashed(folder: Path) -> Ended:
    return run_crashing(folder, "end")


def test_what_anybody_wrote_is_in_no_log_after_a_real_crash(crashed: Ended) -> None:
    assert crashed.status < 0
    for text in (crashed.output, *crashed.left.values()):
        for word in ("Kanarie", "rende", "2026-1184", "🐤", "1F424"):
            assert word not in text
        assert "secret" not in text, "no line of source either"


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("slot", "ValueError"),
        ("slot", "LookupError"),
        ("thread", "BufferError"),
        ("unraisable", "RuntimeError"),
        ("task", "OSError"),
        ("callback", "ArithmeticError"),
    ],
)
def test_each_way_is_in_the_log_with_where_it_was(crashed: Ended, way: str, kind: str) -> None:
    head = rf" E ui uncaught shown=bug-crashing-\d+ way={way} missed=0 type={kind} code=none\n"
    assert re.search(rf"{head}(.* E ui     at [a-z]+\.py:\d+ \w+\n)*.*    at crashing\.py:\d+ ", crashed.log), (
        crashed.log
    )


def test_what_an_error_was_raised_from_is_in_the_log(crashed: Ended) -> None:
    assert "    from KeyError\n" in crashed.log


def test_the_same_fault_is_written_once_a_minute_and_shown_each_time(crashed: Ended) -> None:
    assert len(re.findall("way=slot missed=0 type=ValueError", crashed.log)) == 1
    assert crashed.shown["bug-crashing-N"] >= 7
    assert crashed.shown["disk-full"] == 1


def test_of_what_qt_says_only_the_method_is_written(crashed: Ended) -> None:
    assert "kind=QtWarningMsg category=default function=QWidget.setLayout missed=0" in crashed.log
    assert "kind=QtWarningMsg category=default function=none missed=0" in crashed.log


def test_a_crash_of_native_code_is_in_the_log_at_the_next_start(crashed: Ended, folder: Path) -> None:
    assert "Segmentation fault" in crashed.left[crashes.NAME]
    notified = crashes.read(folder)
    assert notified[0] == "Fatal Python error: Segmentation fault"
    assert any(re.fullmatch(r"    at crashing\.py:\d+ end", line) for line in notified)
    assert not [line for line in notified if "/" in line], "no folder: it may be called after a person"
    again = run_crashing(folder)
    assert again.status == 0
    assert again.left[crashes.NAME] == "", "it is emptied"
    for line in notified:
        assert line in again.log


def test_a_fault_is_counted_once_a_minute_with_how_often_it_came_since() -> None:
    now = [0.0]
    counted = Counted(lambda: now[0])
    assert [counted.add("a"), counted.add("a"), counted.add("b"), counted.add("a")] == [0, None, 0, None]
    now[0] = MINUTE_S
    assert [counted.add("a"), counted.add("a")] == [2, None]


SHOWN_BADLY = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from app.core import log
from ui.kit import errors, tasks

application = QApplication([])
folder = Path(sys.argv[1])
log.start(folder)
uncaught = errors.install(folder)
times = []

def show(owner, error, again):
    times.append(error)
    raise LookupError("Kanariefågel")

def fail():
    raise ValueError("Kanariefågel")

tasks.set_error_hook(show)
QTimer.singleShot(0, fail)
QTimer.singleShot(200, application.quit)
application.exec()
print(len(times))
"""


def test_an_error_in_showing_an_error_is_only_logged_and_not_shown_for_ever(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SHOWN_BADLY, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, cwd=HERE, timeout=60, env=os.environ | {"LC_ALL": "C.UTF-8"})
    assert done.stdout.decode().split() == ["1"], done.stderr.decode()
    text = (tmp_path / "kansli.log").read_text(encoding="utf-8")
    assert "ui not-shown type=LookupError" in text, text
    assert "Kanarie" not in text


IN_THE_PROGRAM = """
import asyncio, sys
from PySide6.QtCore import QTimer
import ui.main
from ui.program import Program

failed = asyncio.Event()

def fail():
    failed.set()
    raise ValueError("Kanariefågel")

async def run(self):
    QTimer.singleShot(0, fail)
    await failed.wait()
    raise LookupError("Kanariefågel")

Program.run = run
sys.exit(ui.main.main(["--data", sys.argv[1]]))
"""


@pytest.mark.slow
def test_the_program_itself_catches_what_escapes_and_ends_with_a_code(tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_THE_PROGRAM, str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, cwd=HERE, timeout=60, env=os.environ | {"LC_ALL": "C.UTF-8"})
    assert done.returncode == 1
    assert list(tmp_path.rglob("kansli.log")), done.stderr.decode()
    (log,) = tmp_path.rglob("kansli.log")
    text = log.read_text(encoding="utf-8")
    assert re.search(r"uncaught shown=bug--string--\d+ way=slot missed=0 type=ValueError", text), text
    assert re.search(r"ended shown=bug-[a-z_]+-\d+ type=LookupError", text), text
    output = done.stderr.decode()
    assert re.search(r"^kansli: .*\(bug-[a-z_]+-\d+\)$", output, re.MULTILINE)
    for what in (text, output, *(file.read_text() for file in tmp_path.rglob("crash.log"))):
        assert "Kanarie" not in what
