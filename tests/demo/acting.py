# SPDX-License-Identifier: EUPL-1.2
"""What a person does on screen: the pilot's acts. Each waits for the state that it needs, never for a time; PATIENCE_S
is only the bound after which it fails and names what it waited for. Knows Qt and nothing of the program.

An act is a generator that yields how many ms until its next step, so that the program's loop turns meanwhile.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QApplication, QComboBox, QFileDialog, QLineEdit, QMenu, QWidget

from tests.demo import hands
from tests.demo.seeing import Missing, Seen, Target, find, windows
from tests.patience import PATIENCE_S

T = TypeVar("T")
Act = Generator[int, None, T]
POLL_MS = 10
REST = 3
"""After a look there is a rest of three times as long: a walk through a window's tree takes 5 to 20 ms, and who looks
all the time keeps the program that it waits for, and every other one on the machine, from its work."""
AGAIN_MS = 100
"""Between two looks that cost the program something, such as a question of its index."""
TEXT_ROLES = (
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.AccessibleTextRole,
    Qt.ItemDataRole.AccessibleDescriptionRole,
)


def until(look: Callable[[], T], each_ms: int = POLL_MS) -> Act[T]:
    """What `look` gives once it does not raise Missing."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        began = time.monotonic()
        try:
            return look()
        except Missing as fault:
            if time.monotonic() > deadline:
                raise Missing(f"{fault} (waited {PATIENCE_S:g} s)") from fault
        yield max(each_ms, round(REST * 1000 * (time.monotonic() - began)))


def seek(target: dict[str, Any], *, enabled: bool = True) -> Act[Seen]:
    """The element, once it is on screen and (`enabled`) can be used."""
    wanted = Target(**target)

    def look() -> Seen:
        seen = find(wanted)
        if enabled and not seen.enabled:
            raise Missing(f"{wanted} is disabled")
        return seen

    return until(look)


# -- keys and fields ------------------------------------------------------------------------------------------------


def keys(sequence: str) -> Act[None]:
    """Key combinations, to whatever has the focus."""
    yield from hands.press_keys(sequence)


def type_(text: str, pace_ms: int = 0) -> Act[None]:
    """Text, to whatever has the focus."""
    yield from hands.type_text(text, pace_ms)


def focus(target: dict[str, Any]) -> Act[bool]:
    """Tabs there; gives whether the keyboard alone did it."""
    seen = yield from seek(target)
    reached = yield from hands.tab_to(seen)
    return reached


def press(target: dict[str, Any]) -> Act[bool]:
    """As `focus`, and Space in the same turn: nothing else can have taken the focus in between."""
    reached = yield from focus(target)
    yield from hands.press_keys("Space")
    return reached


def enter(target: dict[str, Any], text: str, then: str = "", *, over: bool = True) -> Act[bool]:
    """As `focus`, then types into it (`over`: in place of what stands there) and presses `then`."""
    seen = yield from seek(target)
    reached = yield from hands.tab_to(seen)
    field = QApplication.focusWidget()
    if over:
        yield from hands.press_keys("Ctrl+A")
    yield from hands.type_text(text, into=field)
    if then:
        yield from hands.press_keys(then)
    return reached


def select_text(target: dict[str, Any], start: int, end: int) -> Act[None]:
    """Selects in a text editor by keyboard: Ctrl+Home, then the arrow keys."""
    yield from focus(target)
    yield from hands.press_keys("Ctrl+Home")
    for _ in range(start):
        yield from hands.press_keys("Right")
    for _ in range(end - start):
        yield from hands.press_keys("Shift+Right")


# -- the mouse ------------------------------------------------------------------------------------------------------


def click(target: dict[str, Any], **how: Any) -> Act[None]:
    seen = yield from seek(target)
    yield from hands.click(seen, **how)


def drag(start: dict[str, Any], end: dict[str, Any], to: tuple[float, float] = (0.5, 0.5)) -> Act[None]:
    yield from seek(end)
    first = yield from seek(start)
    yield from hands.drag(first, find(Target(**end)), (to[0], to[1]))


# -- lists, menus, dialogs ------------------------------------------------------------------------------------------


def texts_of(view: QAbstractItemView) -> list[list[str]]:
    """Every row of a list's model: its texts for eyes and ears."""
    model = view.model()
    indexes = [model.index(row, 0, view.rootIndex()) for row in range(model.rowCount(view.rootIndex()))]
    return [[str(value) for role in TEXT_ROLES if (value := index.data(role)) is not None] for index in indexes]


def as_list(seen: Seen) -> QAbstractItemView:
    if not isinstance(seen.widget, QAbstractItemView):
        raise Missing(f"{seen.name!r} is no list")
    return seen.widget


def pick(target: dict[str, Any], item: str) -> Act[None]:
    """Moves a list's current row to the one whose name has `item` in it, by Home and Down."""
    seen = yield from seek(target)
    yield from hands.tab_to(seen)
    view = as_list(seen)

    def there() -> None:
        first = [row[0] for row in texts_of(view) if row]
        if not any(item in text for text in first):
            raise Missing(f"no row of {seen.name!r} has {item!r}: {first[-12:]}")

    yield from until(there)
    yield from hands.press_keys("Home")
    yield from _walk(lambda: _row_of(view), lambda text: item in text)


def choose(target: dict[str, Any], item: str) -> Act[None]:
    """Chooses in a combo box by Space, arrow keys and Return."""
    seen = yield from seek(target)
    yield from hands.tab_to(seen)
    box = seen.widget
    if not isinstance(box, QComboBox):
        raise Missing(f"{seen.name!r} is no combo box")

    def offered() -> None:
        if item not in (names := [box.itemText(i) for i in range(box.count())]):
            raise Missing(f"{seen.name!r} does not offer {item!r}: {names}")

    def open_() -> None:
        if not box.view().isVisible():
            raise Missing(f"{seen.name!r} has not opened")

    yield from until(offered)
    yield from hands.press_keys("Space")
    yield from until(open_)
    yield from hands.press_keys("Home")
    yield from _walk(lambda: _row_of(box.view()), lambda text: text == item)
    yield from hands.press_keys("Return")


def menu(entry: str) -> Act[None]:
    """Goes down the open menu to an entry and chooses it."""

    def look() -> QMenu:
        popup = QApplication.activePopupWidget()
        if not isinstance(popup, QMenu):
            raise Missing(f"no menu is open that has {entry!r}")
        offered = [_plain(action.text()) for action in popup.actions() if action.isEnabled()]
        if entry not in offered:
            raise Missing(f"the menu does not offer {entry!r}: {offered}")
        return popup

    opened = yield from until(look)

    def current() -> Place:
        active = opened.activeAction()
        return active, _plain(active.text()) if active is not None else ""

    yield from _walk(current, lambda text: text == entry)
    yield from hands.press_keys("Return")


Place = tuple[object, str]
"""Where a list or menu stands, and the text there: two rows may have the same."""


def _walk(current: Callable[[], Place], is_it: Callable[[str], bool], back: str = "Home") -> Act[None]:
    """Presses Down until the current text is the wanted one; at the end it goes `back` and on: rows come and go."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_it((now := current())[1]):
        if time.monotonic() > deadline:
            raise Missing(f"Down came to {now[1]!r} and not to what was wanted (waited {PATIENCE_S:g} s)")
        yield from hands.press_keys("Down")
        if current() == now:
            yield from hands.press_keys(back)
            yield POLL_MS


def _row_of(view: QAbstractItemView) -> Place:
    return view.currentIndex().row(), str(view.currentIndex().data())


def _plain(text: str) -> str:
    return text.split("\t")[0].replace("&&", "\0").replace("&", "").replace("\0", "&")


def palette(field: dict[str, Any], suggestions: dict[str, Any], text: str, title: str) -> Act[None]:
    """Ctrl+K, then the title of a room or command, typed again until it is suggested (a room may be on its way yet);
    Down to it, and Return."""
    edit: QWidget | None = None

    def offered() -> QAbstractItemView:
        view = as_list(find(Target(**suggestions)))
        if not any(title in row for row in texts_of(view)):
            raise Missing(f"{title!r} is not suggested: {[row[0] for row in texts_of(view) if row]}")
        return view

    deadline = time.monotonic() + PATIENCE_S
    while True:
        if edit is None or QApplication.focusWidget() is not edit:
            yield from hands.press_keys("Ctrl+K")
            edit = (yield from seek(field)).widget
        yield from hands.press_keys("Ctrl+A")
        yield from hands.type_text(text, into=edit)
        try:
            view = offered()
            break
        except Missing as fault:
            if time.monotonic() > deadline:
                raise Missing(f"{fault} (waited {PATIENCE_S:g} s)") from fault
        yield AGAIN_MS
    yield from _walk(lambda: _row_of(view), lambda now: now == title, back="Down")
    yield from hands.press_keys("Return")


def choose_file(path: str) -> Act[None]:
    """Answers the file dialog that is open, and ends when it has closed.

    The path comes in one piece, as from the clipboard: of one that is typed Qt selects each folder on the way that it
    knows already, and where several files may be chosen it keeps them selected and opens the folder instead.
    """

    def look() -> tuple[QFileDialog, QLineEdit]:
        for window in windows():
            if isinstance(window, QFileDialog) and (field := window.findChild(QLineEdit)) is not None:
                return window, field
        raise Missing("no file dialog is open")

    dialog, field = yield from until(look)
    gone: list[bool] = []
    dialog.finished.connect(lambda _result: gone.append(True))

    deadline = time.monotonic() + PATIENCE_S
    while not gone:
        if time.monotonic() > deadline:
            raise Missing(f"the file dialog stays open with {path!r} (waited {PATIENCE_S:g} s)")
        if QApplication.activePopupWidget() is not None:  # the names that would complete it: they may come late
            yield from hands.press_keys("Escape")
        elif field.text() == path:
            yield from hands.press_keys("Return")
        else:
            field.setFocus()
            field.selectAll()
            hands.commit(field, path)
        yield POLL_MS


COMMANDS: dict[str, Callable[..., Act[Any]]] = {
    act.__name__.rstrip("_"): act
    for act in (keys, type_, focus, press, enter, select_text, click, drag, pick, choose, menu, palette, choose_file)
}
