# SPDX-License-Identifier: EUPL-1.2
"""The real program, started twice on the same profile: the second hands over and ends, also after a kill."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]


class Desk:
    """Programs that share a data root and a session."""

    def __init__(self, data: Path, runtime: str) -> None:
        self.data, self.runtime = data, Path(runtime)
        self._environment = os.environ | {"XDG_RUNTIME_DIR": runtime, "QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":7"}
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "ui", "--data", str(self.data), *arguments]
        whole = self._environment | environment
        found = subprocess.Popen(command, cwd=ROOT, env=whole, stderr=subprocess.PIPE, text=True)
        self.running.append(found)
        return found

    def first(self) -> "subprocess.Popen[str]":
        """One that listens: somebody answers, for a killed one leaves its socket behind."""
        found = self.start()
        end = time.monotonic() + PATIENCE_S
        while not any(_answers(path) for path in self.sockets()):
            assert time.monotonic() < end, "it does not listen"
            assert found.poll() is None, found.communicate()[1]
            time.sleep(0.05)
        return found

    def sockets(self) -> list[Path]:
        return [p for p in self.runtime.iterdir() if p.is_socket()]

    def close(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        return line.connect_ex(str(path)) == 0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as runtime:
        found = Desk(tmp_path / "root", runtime)
        yield found
        found.close()


def end_of(process: "subprocess.Popen[str]") -> tuple[int, str]:
    error = process.communicate(timeout=PATIENCE_S)[1]
    return process.returncode, error


def test_the_second_ends_well_and_the_first_goes_on(desk: Desk) -> None:
    first = desk.first()
    assert end_of(desk.start("kansli://enrol?server=kansli.example&code=ABCD"))[0] == 0
    assert end_of(desk.start("--background"))[0] == 0
    assert end_of(desk.start("--", '--insecure-loopback" x'))[0] == 0  # whatever it is, it is only a link
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    assert end_of(first)[0] == 0
    assert desk.sockets() == []


def test_one_in_another_session_says_that_the_profile_is_in_use(desk: Desk) -> None:
    desk.first()
    status, error = end_of(desk.start(DISPLAY=":8"))
    assert status == 2
    assert "profile-in-use" in error


def test_after_a_kill_the_next_start_is_the_first(desk: Desk) -> None:
    killed = desk.first()
    killed.kill()
    killed.wait()
    assert desk.sockets()
    again = desk.first()
    assert end_of(desk.start())[0] == 0
    assert again.poll() is None
