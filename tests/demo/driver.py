# SPDX-License-Identifier: EUPL-1.2
"""Starts a client in a process of its own and works it through its pilot. Imports nothing of the program."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ANSWER_LIMIT_S = 240.0
"""The process has hung. A command that waits for something gives up before, and says for what."""
STOP_LIMIT_S = 60.0


class Failed(Exception):
    """The client did not do what was asked; the message has its window's accessibility tree."""


class Answer:
    """A command that is under way; `result` waits for it."""

    def __init__(self, client: "Client", what: str) -> None:
        self._client = client
        self._what = what

    def result(self) -> Any:
        return self._client.take_answer(self._what)


def named(name: str, role: str = "", within: str = "", *, part: bool = False, nth: int = -1) -> dict[str, Any]:
    """An element by its accessible name; see seeing.Target."""
    return {"name": name, "role": role, "within": within, "part": part, "nth": nth}


Name = str | dict[str, Any]


def _target(name: Name) -> dict[str, Any]:
    return named(name) if isinstance(name, str) else name


class Client:
    """One desktop: a process with its own profile. Commands wait by themselves for what they need."""

    def __init__(self, label: str, folder: Path, arguments: list[str], environment: Mapping[str, str]) -> None:
        self.label = label
        self.folder = folder
        self.by_keyboard = True
        self.not_reached: list[str] = []
        self._arguments = arguments
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._unread = b""
        self.log = folder / "output.log"

    # -- process ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Starts the process, unless that is done; the first command waits for its window. Begun a step early, its
        imports cost nobody's time: as on a real desk, where computers start side by side."""
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "tests.demo.pilot", str(theirs.fileno()), *self._arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        theirs.close()
        ours.settimeout(ANSWER_LIMIT_S)
        self._line, self._unread = ours, b""

    def stop(self) -> None:
        """Closes it as a user does and waits; Failed if it does not end well."""
        process = self._running()
        self.send("keys", sequence="Ctrl+Q")
        try:
            status = process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired as fault:
            self.kill()
            raise Failed(f"{self.label} did not stop in {STOP_LIMIT_S} s") from fault
        self._drop()
        if status:
            raise Failed(f"{self.label} stopped with status {status}: {self.tail()}")

    def kill(self) -> None:
        """SIGKILL: nothing is closed, nothing is written."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._drop()

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = self._process = None

    @property
    def running(self) -> bool:
        return self._line is not None

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise Failed(f"{self.label} is not running")
        return self._process

    @property
    def pid(self) -> int:
        return self._running().pid

    def tail(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])

    # -- commands ---------------------------------------------------------------------------------------------------

    def send(self, do: str, **arguments: Any) -> Answer:
        """Begins a command; a client does one at a time, two clients do theirs at once."""
        if self._line is None:
            raise Failed(f"{self.label} is not running")
        try:
            self._line.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        except OSError as fault:
            raise self._ended(do) from fault
        return Answer(self, do)

    def _ended(self, what: str) -> Failed:
        status = self._running().wait()
        self._drop()
        return Failed(f"{self.label} ended with status {status} during {what}\n{self.tail()}")

    def take_answer(self, what: str) -> Any:
        assert self._line is not None
        while b"\n" not in self._unread:
            try:
                received = self._line.recv(65536)
            except TimeoutError as fault:
                raise Failed(f"{self.label}: no answer to {what}\n{self.tail()}") from fault
            except OSError as fault:
                raise self._ended(what) from fault
            if not received:
                raise self._ended(what)
            self._unread += received
        line, self._unread = self._unread.split(b"\n", 1)
        answer = json.loads(line)
        if not answer["ok"]:
            raise Failed(f"{self.label}, {what}: {answer['error']}\n{answer['tree']}")
        return answer["value"]

    def do(self, do: str, **arguments: Any) -> Any:
        return self.send(do, **arguments).result()

    def restart(self, do: str, **arguments: Any) -> None:
        """Sends a command after which the program starts again, such as locking, and waits until it has."""
        self.do(do, restarts=True, **arguments)

    def wait(self, name: Name, **condition: Any) -> str:
        """Waits for an element; conditions: text, contains, enabled, focused, selected, gone."""
        return str(self.do("wait", target=_target(name), **condition))

    def wait_part(self, part: str, role: str = "", within: str = "", **condition: Any) -> str:
        """Waits for something with `part` in its name."""
        return self.wait(named(part, role, within, part=True, nth=0), **condition)

    def wait_any(self, *names: Name) -> int:
        """Waits for one of several elements; gives which."""
        return int(self.do("wait_any", targets=[_target(name) for name in names]))

    def exists(self, name: Name) -> bool:
        return bool(self.do("exists", target=_target(name)))

    def keys(self, sequence: str) -> None:
        self.do("keys", sequence=sequence)

    def type(self, text: str, pace_ms: int = 0) -> None:
        self.do("type", text=text, pace_ms=pace_ms)

    def _noted(self, name: Name, do: str, **arguments: Any) -> None:
        """Does something at an element; what only a mouse would reach is noted in `not_reached`."""
        if not self.do(do, target=_target(name), **arguments):
            self.not_reached.append(str(_target(name)["name"]))

    def focus(self, name: Name) -> None:
        """Tabs to an element."""
        self._noted(name, "focus")

    def press(self, name: Name) -> None:
        """Tabs to a button and presses it with Space."""
        self._noted(name, "press")

    def enter(self, name: Name, text: str, then: str = "", *, over: bool = True) -> None:
        """Tabs to a field, writes (`over` what stands in it), and presses `then`."""
        self._noted(name, "enter", text=text, then=then, over=over)

    def click(self, name: Name, **how: Any) -> None:
        self.do("click", target=_target(name), **how)

    def drag(self, start: Name, end: Name, to: tuple[float, float] = (0.5, 0.5)) -> None:
        self.do("drag", start=_target(start), end=_target(end), to=list(to))

    def pick(self, name: Name, item: str, then: str = "Return") -> None:
        """Moves a list's current row to an item by keyboard and takes it."""
        self.do("pick", target=_target(name), item=item)
        if then:
            self.keys(then)

    def choose(self, name: Name, item: str) -> None:
        """Chooses in a combo box and waits until it says so."""
        self.do("choose", target=_target(name), item=item)
        self.wait(name, text=item)

    def text(self, name: Name) -> str:
        return str(self.do("text", target=_target(name)))

    def names(self, role: str, within: str = "") -> list[str]:
        return list(self.do("names", role=role, within=within))

    def rows(self, name: Name) -> list[list[str]]:
        return list(self.do("rows", target=_target(name)))

    def wait_row(self, name: Name, part: str, *, gone: bool = False) -> str:
        """Waits until a list's model has a row with `part` in it, or none."""
        return str(self.do("wait_row", target=_target(name), part=part, gone=gone))

    def menu(self, entry: str) -> None:
        """Goes down the open menu to an entry and chooses it."""
        self.do("menu", entry=entry)

    def tree(self, name: Name) -> Any:
        return self.do("tree", target=_target(name))

    def document(self, name: Name) -> list[dict[str, Any]]:
        return list(self.do("document", target=_target(name)))

    def select_text(self, name: Name, start: int, end: int) -> None:
        self.do("select_text", target=_target(name), start=start, end=end)

    def choose_file(self, path: Path) -> None:
        self.do("choose_file", path=str(path))

    def palette(self, title: str, field: str, suggestions: str) -> None:
        """Ctrl+K, the title of a room or command, Return when it is suggested."""
        names = {"field": named(field), "suggestions": named(suggestions)}
        self.do("palette", **names, text=title.rstrip(" …"), title=title)

    def size(self, width: int, height: int) -> None:
        self.do("size", width=width, height=height)

    def pass_time(self, minutes: int) -> None:
        """Sets the program's clock so many minutes ahead; 0: to the computer's time."""
        self.do("pass_time", minutes=minutes)

    def shot(self, path: Path) -> None:
        self.do("shot", path=str(path))


def side_by_side(*actions: Callable[[], object]) -> None:
    """Several people work at the same time, each at a client of their own; ends when all have."""
    with ThreadPoolExecutor(len(actions)) as pool:
        under_way = [pool.submit(action) for action in actions]
    for one in under_way:
        one.result()


def together(*answers: Answer) -> list[Any]:
    """Waits for commands that several clients do at the same time."""
    return [answer.result() for answer in answers]
