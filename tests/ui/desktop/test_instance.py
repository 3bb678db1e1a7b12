# SPDX-License-Identifier: EUPL-1.2
"""A second start is handed to the first over a real socket; strangers and noise get nowhere."""

import json
import os
import select
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtNetwork import QLocalSocket
from PySide6.QtWidgets import QApplication

from ui.desktop import instance
from ui.desktop.instance import MAX_BYTES, MAX_CALLERS, Instance, hand_over, line_name

ROOT = Path(__file__).parents[3]
ID = b"i" * 16
LINK = "kansli://enrol?server=kansli.example&code=ÅÄÖ-🖋"
SECOND = """
import json, sys
from PySide6.QtCore import QCoreApplication
from ui.desktop.instance import hand_over
application = QCoreApplication([])
for line in sys.stdin:
    name, profile_id, text = json.loads(line)
    print(hand_over(name, bytes.fromhex(profile_id), text), flush=True)
"""
FIRST = """
import sys
from PySide6.QtCore import QCoreApplication
from ui.desktop.instance import Instance
application = QCoreApplication([])
first = Instance(sys.argv[1], bytes.fromhex(sys.argv[2]))
print(first.listening, flush=True)
sys.exit(application.exec())
"""

others: "list[subprocess.Popen[str]]" = []


@pytest.fixture(scope="module", autouse=True)
def no_process_is_left() -> Iterator[None]:
    yield
    for process in others:
        process.communicate("")
    others.clear()


@pytest.fixture
def name() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:  # a test's own folder has too long a name
        yield line_name(ID, Path(folder), {"XDG_RUNTIME_DIR": folder})


@pytest.fixture
def first(qapp: QApplication, name: str) -> Iterator[Instance]:
    found = Instance(name, ID)
    assert found.listening
    yield found
    found.close()


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def until(qapp: QApplication, look: Callable[[], bool], patience_s: float = 20.0) -> None:
    end = time.monotonic() + patience_s
    while not look():
        assert time.monotonic() < end, "not so in time"
        qapp.processEvents()
        time.sleep(0.005)


def second(qapp: QApplication, name: str, profile_id: bytes, text: str) -> bool:
    """Another start, as it were: one other process plays all of them."""
    if not others:
        others.append(start(SECOND))
    process = others[0]
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps([name, profile_id.hex(), text]) + "\n")
    process.stdin.flush()
    number = process.stdout.fileno()
    until(qapp, lambda: bool(select.select([number], [], [], 0)[0]))
    return process.stdout.readline() == "True\n"


def test_the_first_receives_what_the_second_was_given(qapp: QApplication, first: Instance, name: str) -> None:
    emitted: list[str] = []
    first.called.connect(emitted.append)
    assert second(qapp, name, ID, LINK)
    assert second(qapp, name, ID, "")
    until(qapp, lambda: len(emitted) == 2)
    assert emitted == [LINK, ""]


def test_another_profile_is_not_served(qapp: QApplication, first: Instance, name: str) -> None:
    emitted: list[str] = []
    first.called.connect(emitted.append)
    assert not second(qapp, name, b"j" * 16, LINK)
    assert emitted == []


def test_only_the_user_may_use_the_socket(first: Instance, name: str) -> None:
    assert stat.S_IMODE(Path(name).stat().st_mode) & 0o077 == 0


def test_a_socket_that_a_killed_process_left_is_replaced(qapp: QApplication, name: str) -> None:
    process = start(FIRST, name, ID.hex())
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert Path(name).exists()
    assert not hand_over(name, ID, LINK)
    again = Instance(name, ID)
    assert again.listening
    assert second(qapp, name, ID, "")
    again.close()


def test_nobody_listens(qapp: QApplication, name: str) -> None:
    assert not hand_over(name, ID, LINK)
    assert not hand_over("", ID, LINK)


def test_a_program_that_cannot_prove_that_it_is_the_first_receives_nothing(
    qapp: QApplication, first: Instance, name: str
) -> None:
    first._key_ = instance._key(b"another profile ")  # somebody who sits on the name
    notified: list[bytes] = []
    take = instance._Caller._take
    instance._Caller._take = lambda self, received: notified.append(received)  # type: ignore[method-assign]
    try:
        assert not second(qapp, name, ID, LINK)
    finally:
        instance._Caller._take = take  # type: ignore[method-assign]
    assert notified == []


@pytest.mark.parametrize(
    "noise",
    [b"", b"\x00" * 31, b"GET / HTTP/1.1\r\n\r\n" * 3, os.urandom(200), b"x" * (MAX_BYTES + 100), b"x" * 1_000_000,
     b"n" * 32 + b"m" * 32 + b"\xff\xff" + b"t" * 100, b"n" * 32 + b"m" * 32 + b"\x00\x00"],
)  # fmt: skip
def test_noise_is_dropped_and_the_next_is_served(
    qapp: QApplication, first: Instance, name: str, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance, "ANSWER_MS", 200)
    emitted: list[str] = []
    first.called.connect(emitted.append)
    caller = QLocalSocket()
    caller.connectToServer(name)
    assert caller.waitForConnected(2000)
    caller.write(noise)
    until(qapp, lambda: caller.state() is QLocalSocket.LocalSocketState.UnconnectedState)
    assert emitted == []
    assert second(qapp, name, ID, LINK)
    until(qapp, lambda: emitted == [LINK])


def test_many_silent_connections_do_not_fill_the_memory(qapp: QApplication, first: Instance, name: str) -> None:
    callers = [QLocalSocket() for _ in range(3 * MAX_CALLERS)]
    for caller in callers:
        caller.connectToServer(name)
        qapp.processEvents()
    until(qapp, lambda: len(first._callers) == MAX_CALLERS)
    for caller in callers:
        caller.abort()
    until(qapp, lambda: not first._callers)


def test_what_is_too_long_is_cut_and_harms_nobody(qapp: QApplication, first: Instance, name: str) -> None:
    emitted: list[str] = []
    first.called.connect(emitted.append)
    assert second(qapp, name, ID, "å" * 40_000)
    until(qapp, lambda: len(emitted) == 1)
    assert len(emitted[0].encode()) <= MAX_BYTES + 3


def test_profiles_sessions_and_long_folders(name: str) -> None:
    tmp_path = Path(name).parent
    here = {"XDG_RUNTIME_DIR": str(tmp_path), "DISPLAY": ":0"}
    name = line_name(ID, tmp_path, here)
    assert line_name(ID, tmp_path, here | {"DISPLAY": ":0.0"}) == name
    assert line_name(ID, tmp_path, here | {"DISPLAY": ":1"}) != name
    assert line_name(b"j" * 16, tmp_path, here) != name
    assert Path(line_name(ID, tmp_path, {})).parent == tmp_path
    long = tmp_path / ("å" * 60)
    long.mkdir()
    assert line_name(ID, long, {"XDG_RUNTIME_DIR": str(long)}) == ""
    open_to_all = tmp_path / "o"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    assert line_name(ID, long, {"XDG_RUNTIME_DIR": str(open_to_all)}) == ""
