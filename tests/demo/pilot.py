# SPDX-License-Identifier: EUPL-1.2
"""Runs the real client in this process and works it as its driver says, over a socket, one JSON line a command.

    python -m tests.demo.pilot FD [arguments of the client …]

A command is {"do": name, …}; the answer {"ok": true, "value": …} or {"ok": false, "error": …, "tree": …}. Every command
waits until what it needs is on screen. Only Qt and the client's entry are imported.
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
from PySide6.QtGui import QAccessible, QTextBlock, QTextCharFormat
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QFileDialog, QLineEdit, QTextEdit, QWidget

from tests.demo import hands
from tests.demo.seeing import Missing, Seen, Target, dump, find, find_all, tree, walk, windows
from ui.main import main as run_client

Steps = Generator[int, None, Any]
POLL_MS = 10
TIMEOUT_S = 10.0
TEXT_ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole,
)


class Pilot(QObject):
    """Takes one command at a time; `_steps` is the one that is under way."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__()
        self._line = line
        self._unread = b""
        self._steps: Steps | None = None
        self._notifier = QSocketNotifier(line.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_bytes)
        self._commands: dict[str, Callable[..., Steps]] = {
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
            self._steps = self._commands[command.pop("do")](**command)
            QTimer.singleShot(0, self._step)

    def _step(self) -> None:
        assert self._steps is not None
        try:
            QTimer.singleShot(next(self._steps), self._step)
        except StopIteration as end:
            self._answer({"ok": True, "value": end.value})
        except Exception as fault:
            self._answer({"ok": False, "error": f"{type(fault).__name__}: {fault}", "tree": _seen()})

    def _answer(self, answer: dict[str, Any]) -> None:
        self._steps = None
        self._line.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _until(self, look: Callable[[], Any], timeout_s: float) -> Steps:
        """What `look` gives once it does not raise Missing."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return look()
            except Missing as fault:
                if time.monotonic() > deadline:
                    raise Missing(f"{fault} (waited {timeout_s} s)") from fault
            yield POLL_MS

    def _seek(self, target: dict[str, Any], timeout_s: float = TIMEOUT_S, *, enabled: bool = True) -> Steps:
        wanted = Target(**target)

        def look() -> Seen:
            seen = find(wanted)
            if enabled and not seen.enabled:
                raise Missing(f"{wanted} is disabled")
            return seen

        return self._until(look, timeout_s)

    def do_wait(self, target: dict[str, Any], timeout_s: float = TIMEOUT_S, **condition: Any) -> Steps:
        """Waits for an element; `text`, `contains`, `enabled`, or `gone` say in which state."""
        wanted = Target(**target)

        def look() -> str:
            if condition.get("gone"):
                if find_all(wanted):
                    raise Missing(f"{wanted} is still there")
                return ""
            seen = find(wanted)
            if (text := condition.get("text")) is not None and seen.text != text:
                raise Missing(f"{wanted} says {seen.text!r}, not {text!r}")
            if (part := condition.get("contains")) is not None and part not in seen.text:
                raise Missing(f"{wanted} says {seen.text!r}, without {part!r}")
            if "enabled" in condition and seen.enabled is not condition["enabled"]:
                raise Missing(f"{wanted} is {'enabled' if seen.enabled else 'disabled'}")
            return seen.text

        return self._until(look, timeout_s)

    def do_exists(self, target: dict[str, Any]) -> Steps:
        """Whether it is on screen now."""
        yield 0
        return bool(find_all(Target(**target)))

    # -- acting -----------------------------------------------------------------------------------------------------

    def do_keys(self, sequence: str) -> Steps:
        yield from hands.press_keys(sequence)

    def do_type(self, text: str, pace_ms: int = 0) -> Steps:
        yield from hands.type_text(text, pace_ms)

    def do_focus(self, target: dict[str, Any], timeout_s: float = TIMEOUT_S) -> Steps:
        """Tabs there; the value is whether the keyboard alone did it."""
        seen = yield from self._seek(target, timeout_s)
        reached = yield from hands.tab_to(seen)
        return reached

    def do_click(self, target: dict[str, Any], timeout_s: float = TIMEOUT_S, **how: Any) -> Steps:
        seen = yield from self._seek(target, timeout_s)
        yield from hands.click(seen, **how)

    def do_drag(self, start: dict[str, Any], end: dict[str, Any], to: tuple[float, float] = (0.5, 0.5)) -> Steps:
        first = yield from self._seek(start)
        last = yield from self._seek(end)
        yield from hands.drag(first, last, (to[0], to[1]))

    def do_pick(self, target: dict[str, Any], item: str) -> Steps:
        """Moves a list's current row to the one whose name has `item` in it, by Home and Down."""
        seen = yield from self._seek(target)
        yield from hands.tab_to(seen)
        view = seen.widget
        if not isinstance(view, QAbstractItemView):
            raise Missing(f"{seen.name!r} is no list")

        def rows() -> list[str]:
            return [text for row in _rows(view) for text in row[:1]]

        yield from self._until(lambda: _one(rows(), item), TIMEOUT_S)
        yield from hands.press_keys("Home")
        for _ in range(len(rows())):
            if item in str(view.currentIndex().data()):
                return
            yield from hands.press_keys("Down")
        raise Missing(f"Down did not reach {item!r} in {seen.name!r}")

    def do_choose(self, target: dict[str, Any], item: str) -> Steps:
        """Chooses in a combo box by Space, arrow keys and Return."""
        seen = yield from self._seek(target)
        yield from hands.tab_to(seen)
        box = seen.widget
        if not isinstance(box, QComboBox):
            raise Missing(f"{seen.name!r} is no combo box")
        yield from self._until(lambda: _one([box.itemText(i) for i in range(box.count())], item), TIMEOUT_S)
        yield from hands.press_keys("Space Home")
        for _ in range(box.count()):
            if item == str(box.view().currentIndex().data()):
                break
            yield from hands.press_keys("Down")
        yield from hands.press_keys("Return")

    def do_choose_file(self, path: str) -> Steps:
        """Answers the file dialog that is open."""

        def look() -> QLineEdit:
            for window in windows():
                if isinstance(window, QFileDialog) and (field := window.findChild(QLineEdit)) is not None:
                    return field
            raise Missing("no file dialog is open")

        field = yield from self._until(look, TIMEOUT_S)
        field.setFocus()
        field.selectAll()
        yield from hands.type_text(path)
        if QApplication.activePopupWidget() is not None:  # the names that would complete it
            yield from hands.press_keys("Escape")
        yield from hands.press_keys("Return")

    def do_select_text(self, target: dict[str, Any], start: int, end: int) -> Steps:
        """Selects in a text editor by keyboard: Ctrl+Home, then the arrow keys."""
        seen = yield from self._seek(target)
        yield from hands.tab_to(seen)
        yield from hands.press_keys("Ctrl+Home")
        for _ in range(start):
            yield from hands.press_keys("Right")
        for _ in range(end - start):
            yield from hands.press_keys("Shift+Right")

    # -- reading ----------------------------------------------------------------------------------------------------

    def do_text(self, target: dict[str, Any]) -> Steps:
        seen = yield from self._seek(target, enabled=False)
        return seen.text

    def do_tree(self, target: dict[str, Any]) -> Steps:
        seen = yield from self._seek(target, enabled=False)
        return tree(seen)

    def do_names(self, role: str, within: str = "") -> Steps:
        """Names of everything with a role, in the order of the tree; of a menu only what arrow keys stop at."""
        root = (yield from self._seek({"name": within}, enabled=False)) if within else None
        elements = walk(windows()[0]) if root is None else walk(root.widget)
        return [seen.name for _, seen in elements if seen.role == role and (seen.enabled or role != "MenuItem")]

    def do_rows(self, target: dict[str, Any]) -> Steps:
        """Every row of a list's model: its texts for eyes and ears."""
        seen = yield from self._seek(target, enabled=False)
        if not isinstance(seen.widget, QAbstractItemView):
            raise Missing(f"{seen.name!r} is no list")
        return _rows(seen.widget)

    def do_wait_row(
        self, target: dict[str, Any], part: str, timeout_s: float = TIMEOUT_S, gone: bool = False, whole: bool = False
    ) -> Steps:
        """Waits until a row of a list has `part` in one of its texts (or none has); the row's first text.

        `whole`: one of its texts is `part` and no more.
        """
        wanted = Target(**target)

        def look() -> str:
            view = find(wanted).widget
            if not isinstance(view, QAbstractItemView):
                raise Missing(f"{wanted} is no list")
            rows = _rows(view)
            fitting = [row[0] for row in rows if any(part == text if whole else part in text for text in row)]
            if bool(fitting) is gone:
                raise Missing(f"{part!r} is {'still' if gone else 'not'} in {wanted}: {[row[:1] for row in rows[-6:]]}")
            return fitting[-1] if fitting else ""

        return self._until(look, timeout_s)

    def do_document(self, target: dict[str, Any]) -> Steps:
        """A text editor's document, paragraph by paragraph, with its formatting."""
        seen = yield from self._seek(target, enabled=False)
        if not isinstance(seen.widget, QTextEdit):
            raise Missing(f"{seen.name!r} is no text editor")
        return _blocks(seen.widget)

    def do_dump(self) -> Steps:
        yield 0
        return dump()

    def do_size(self, width: int, height: int) -> Steps:
        """Gives the main window a size."""
        window = yield from self._until(_main_window, TIMEOUT_S)
        window.resize(width, height)
        yield 50

    def do_shot(self, path: str) -> Steps:
        """A picture of the window in front."""
        yield 30
        window = yield from self._until(_main_window, TIMEOUT_S)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not window.grab().save(path):
            raise Missing(f"cannot write {path}")


def _seen() -> str:
    """The dump, or why there is none: an answer comes in any case."""
    try:
        return dump()
    except Exception as fault:
        return f"no tree: {type(fault).__name__}: {fault}"


def _one(names: list[str], part: str) -> None:
    if not any(part in name for name in names):
        raise Missing(f"no row has {part!r}: {names[:12]}")


def _main_window() -> QWidget:
    shown = [window for window in QApplication.topLevelWidgets() if window.isVisible()]
    if not shown:
        raise Missing("no window is shown")
    return max(shown, key=lambda window: window.width() * window.height())


def _rows(view: QAbstractItemView) -> list[list[str]]:
    model = view.model()
    indexes = [model.index(row, 0, view.rootIndex()) for row in range(model.rowCount(view.rootIndex()))]
    return [[str(value) for role in TEXT_ROLES if (value := index.data(role)) is not None] for index in indexes]


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
    line = socket.socket(fileno=int(sys.argv[1]))
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    application = QApplication(["kansli"])
    QAccessible.setActive(True)
    pilot = Pilot(line)
    status: int = run_client(sys.argv[2:])
    del pilot, application
    return status


if __name__ == "__main__":
    sys.exit(main())
