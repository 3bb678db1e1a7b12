# SPDX-License-Identifier: EUPL-1.2
"""Runs the real client in this process and works it as its driver says, over a socket, one JSON line a command.

    python -m tests.demo.pilot FD [arguments of the client …]

A command with "restarts" makes the program start again, as locking does; the new process sends the answer to it.

A command is {"do": name, …}; the answer {"ok": true, "value": …} or {"ok": false, "error": …, "tree": …}. Every command
waits until what it needs is on screen; what a person does is in acting.py. Only Qt and the client's entry are imported.
"""

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier, Qt, QTimer
from PySide6.QtGui import QAccessible, QImage, QTextBlock, QTextCharFormat
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget

from tests.demo.acting import COMMANDS, POLL_MS, as_list, seek, texts_of, until
from tests.demo.seeing import Missing, Seen, Target, dump, find, find_all, tree, walk, windows
from ui.__main__ import run as run_client

Steps = Generator[int, None, Any]
RESTARTED = ","
"""Behind FD on the command line."""


class Pilot(QObject):
    """Takes one command at a time; `_steps` is the one that is under way."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__()
        self._line = line
        self._unread = b""
        self._steps: Steps | None = None
        self._restarts = False
        self._notifier = QSocketNotifier(line.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_bytes)
        self._commands: dict[str, Callable[..., Steps]] = COMMANDS | {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    def _on_bytes(self) -> None:
        received = self._line.recv(65536)
        if not received:  # the driver is gone: so is our work
            os._exit(3)
        self._unread += received
        while b"\n" in self._unread:
            line, self._unread = self._unread.split(b"\n", 1)
            command = json.loads(line)
            self._restarts = command.pop("restarts", False)
            self._steps = self._commands[command.pop("do")](**command)
            QTimer.singleShot(0, self._step)

    def _step(self) -> None:
        assert self._steps is not None
        try:
            QTimer.singleShot(next(self._steps), self._step)
        except StopIteration as end:
            if not self._restarts:
                self.answer({"ok": True, "value": end.value})
        except Exception as fault:
            self.answer({"ok": False, "error": f"{type(fault).__name__}: {fault}", "tree": _seen()})

    def answer(self, answer: dict[str, Any]) -> None:
        self._steps = None
        self._line.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    # -- waiting ----------------------------------------------------------------------------------------------------

    def do_wait(self, target: dict[str, Any], **condition: Any) -> Steps:
        """Waits for an element; `text`, `contains`, `enabled`, `focused`, `selected` or `gone` say in which state."""
        wanted = Target(**target)

        def look() -> str:
            if condition.get("gone"):
                if find_all(wanted):
                    raise Missing(f"{wanted} is still there")
                return ""
            seen = find(wanted)
            _check(seen, wanted, condition)
            return seen.text

        return until(look)

    def do_wait_any(self, targets: list[dict[str, Any]]) -> Steps:
        """Waits until one of several elements is there; gives which."""
        wanted = [Target(**target) for target in targets]

        def look() -> int:
            for at, one in enumerate(wanted):
                if find_all(one):
                    return at
            raise Missing(f"none is on screen: {'; '.join(map(str, wanted))}")

        return until(look)

    def do_exists(self, target: dict[str, Any]) -> Steps:
        """Whether it is on screen now."""
        yield 0
        return bool(find_all(Target(**target)))

    # -- reading ----------------------------------------------------------------------------------------------------

    def do_text(self, target: dict[str, Any]) -> Steps:
        seen = yield from seek(target, enabled=False)
        return seen.text

    def do_tree(self, target: dict[str, Any]) -> Steps:
        seen = yield from seek(target, enabled=False)
        return tree(seen)

    def do_names(self, role: str, within: str = "") -> Steps:
        """Names of everything with a role, in the order of the tree; of a menu only what arrow keys stop at."""
        root = (yield from seek({"name": within}, enabled=False)) if within else None
        elements = walk(windows()[0]) if root is None else walk(root.widget)
        return [seen.name for _, seen in elements if seen.role == role and (seen.enabled or role != "MenuItem")]

    def do_rows(self, target: dict[str, Any]) -> Steps:
        """Every row of a list's model: its texts for eyes and ears."""
        seen = yield from seek(target, enabled=False)
        return texts_of(as_list(seen))

    def do_wait_row(self, target: dict[str, Any], part: str, gone: bool = False) -> Steps:
        """Waits until a row of a list has `part` in one of its texts (or none has); the row's first text."""
        wanted = Target(**target)

        def look() -> str:
            rows = texts_of(as_list(find(wanted)))
            fitting = [row[0] for row in rows if any(part in text for text in row)]
            if bool(fitting) is gone:
                raise Missing(f"{part!r} is {'still' if gone else 'not'} in {wanted}: {[row[:1] for row in rows[-6:]]}")
            return fitting[-1] if fitting else ""

        return until(look)

    def do_document(self, target: dict[str, Any]) -> Steps:
        """A text editor's document, paragraph by paragraph, with its formatting."""
        seen = yield from seek(target, enabled=False)
        if not isinstance(seen.widget, QTextEdit):
            raise Missing(f"{seen.name!r} is no text editor")
        return _blocks(seen.widget)

    def do_dump(self) -> Steps:
        yield 0
        return dump()

    def do_size(self, width: int, height: int) -> Steps:
        """Gives the main window a size, and waits until the desktop has given it one."""
        window = yield from until(_main_window)
        window.resize(width, height)

        def settled() -> None:
            handle = window.windowHandle()
            if handle is None or not handle.isExposed() or handle.size() != window.size():
                raise Missing(f"the window has not got its size of {width} × {height}")

        yield from until(settled)

    def do_pass_time(self, minutes: int) -> Steps:
        """Sets the program's clock ahead, as if so much time had passed, and has it look at the clock; 0: as it was."""
        from app.core import clock

        clock.set_clock(None)
        if minutes:
            clock.set_clock(lambda: time.time_ns() // 1_000_000 + minutes * 60_000)
        window = yield from until(_main_window)
        window.session.alarms.look()  # type: ignore[attr-defined] # the program's own window

    def do_shot(self, path: str) -> Steps:
        """A picture of the window in front, once two in a row are the same."""
        window = yield from until(_main_window)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        pictures = [window.grab().toImage()]

        def still() -> QImage:
            pictures.append(window.grab().toImage())
            if pictures[-1] != pictures.pop(0):
                raise Missing("the picture still changes")
            return pictures[-1]

        yield POLL_MS
        picture = yield from until(still)
        if not picture.save(path):
            raise Missing(f"cannot write {path}")


def _check(seen: Seen, wanted: Target, condition: dict[str, Any]) -> None:
    """Missing unless the element is in that state."""
    if (text := condition.get("text")) is not None and seen.text != text:
        raise Missing(f"{wanted} says {seen.text!r}, not {text!r}")
    if (part := condition.get("contains")) is not None and part not in seen.text:
        raise Missing(f"{wanted} says {seen.text!r}, without {part!r}")
    if "enabled" in condition and seen.enabled is not condition["enabled"]:
        raise Missing(f"{wanted} is {'enabled' if seen.enabled else 'disabled'}")
    if condition.get("focused") and not seen.widget.hasFocus():
        raise Missing(f"{wanted} has not the focus")
    if (selected := condition.get("selected")) is not None and _selected(seen) != selected:
        raise Missing(f"in {wanted} {_selected(seen)!r} is selected, not {selected!r}")


def _selected(seen: Seen) -> str:
    if not isinstance(seen.widget, QTextEdit):
        raise Missing(f"{seen.name!r} is no text editor")
    return seen.widget.textCursor().selectedText()


def _seen() -> str:
    """The dump, or why there is none: an answer comes in any case."""
    try:
        return dump()
    except Exception as fault:
        return f"no tree: {type(fault).__name__}: {fault}"


def _main_window() -> QWidget:
    shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
    if not shown:
        raise Missing("no window is shown")
    return max(shown, key=lambda window: window.width() * window.height())


def _blocks(editor: QTextEdit) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    block = editor.document().begin()
    while block.isValid():
        style = block.blockFormat()
        numbering = block.textList()
        found.append(
            {
                "text": block.text(),
                "heading": style.headingLevel(),
                "list": numbering.format().style().name if numbering is not None else "",
                "indent": numbering.format().indent() if numbering is not None else style.indent(),
                "quote": style.leftMargin() > 0 and numbering is None,
                "runs": _runs(block),
            }
        )
        block = block.next()
    return found


def _runs(block: QTextBlock) -> list[list[Any]]:
    """[text, marks] of each stretch with one look; neighbours with the same marks are one."""
    runs: list[list[Any]] = []
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        marks = _marks(fragment.charFormat())
        if runs and runs[-1][1] == marks:
            runs[-1][0] += fragment.text()
        else:
            runs.append([fragment.text(), marks])
        iterator += 1
    return runs


def _marks(look: QTextCharFormat) -> list[str]:
    marks = {
        "bold": look.fontWeight() >= 600,
        "italic": look.fontItalic(),
        "underline": look.fontUnderline() and not look.isAnchor(),
        "strike": look.fontStrikeOut(),
        f"link {look.anchorHref()}": look.isAnchor(),
    }
    return [mark for mark, has in marks.items() if has]


def main() -> int:
    number, _, restarted = sys.argv[1].partition(RESTARTED)
    line = socket.socket(fileno=int(number))
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    application = QApplication(["kansli"])
    QAccessible.setActive(True)
    pilot = Pilot(line)
    if restarted:
        pilot.answer({"ok": True, "value": None})
    status = run_client(sys.argv[2:], [sys.executable, "-m", "tests.demo.pilot", f"{number}{RESTARTED}yes"])
    del pilot, application
    return status


if __name__ == "__main__":
    sys.exit(main())
