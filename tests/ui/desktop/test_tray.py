# SPDX-License-Identifier: EUPL-1.2
"""The sign in the tray: what it shows, what its menu offers, and that nothing stays hidden without it."""

from collections.abc import Hashable, Iterator

import pytest
from PySide6.QtCore import QObject, QSize
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from app.core.i18n import set_language
from ui.desktop.tray import SIZES, Tray, sign, tray
from ui.kit import plain
from ui.shell.window.desktop_toast import Toast
from ui.shell.window.tray_toasts import TrayToasts


@pytest.fixture
def found(qapp: QApplication) -> Iterator[Tray]:
    set_language("sv")
    made = Tray()
    yield made
    made.close()
    set_language("sv")


def pixels(count: int, size: int) -> bytes:
    image = sign(count).pixmap(QSize(size, size)).toImage()
    assert (image.width(), image.height()) == (size, size)
    return bytes(image.constBits())


def menu_texts(sign: Tray) -> list[str]:
    """The menu's entries that can be chosen now."""
    return [a.text() for a in sign.item.contextMenu().actions() if a.isEnabled() and not a.isSeparator()]


@pytest.mark.parametrize("size", SIZES)
def test_the_sign_shows_that_something_is_unread(qapp: QApplication, size: int) -> None:
    assert pixels(0, size) == pixels(0, size) != pixels(1, size)
    if size > 16:
        assert len({pixels(n, size) for n in (1, 12, 99, 100)}) == 4
        assert pixels(100, size) == pixels(5000, size)


def test_it_says_how_many_are_unread_and_nothing_while_locked(found: Tray) -> None:
    assert found.item.toolTip() == "Kansli är låst"
    found.set_locked(False)
    found.set_unread(1)
    assert found.item.toolTip() == "Kansli: 1 oläst"
    found.set_unread(12)
    assert found.item.toolTip() == "Kansli: 12 olästa"
    set_language("en")
    found.refresh()
    assert found.item.toolTip() == "Kansli: 12 unread"
    assert menu_texts(found) == ["Open Kansli", "Lock Kansli", "Quit"]


def test_a_notification_that_is_withdrawn_is_replaced_by_an_empty_one(
    found: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the curtain does with what is on the screen when it falls. Windows and Qt remove it then."""
    shown, chosen = list[tuple[str, str]](), list[Hashable]()
    monkeypatch.setattr(plain, "notify", lambda _item, heading, text, _icon: shown.append((heading, text)))
    toasts = TrayToasts(found, lambda key, _action: chosen.append(key))
    for key in ("ett", "två"):
        toasts(Toast(key=key, title="Enhetschef", text="Å 🙂", sounds=True))
    toasts.withdraw("ett")
    assert shown == [("Enhetschef", "Å 🙂")] * 2
    toasts.withdraw("två")
    toasts.withdraw("två")
    assert shown[2:] == [("", "")]
    found.item.messageClicked.emit()
    assert chosen == [None]


def test_its_menu_always_opens_and_quits_and_locks_what_is_open(found: Tray) -> None:
    asked: list[str] = []
    found.open_asked.connect(lambda: asked.append("open"))
    found.lock_asked.connect(lambda: asked.append("lock"))
    found.quit_asked.connect(lambda: asked.append("quit"))
    assert menu_texts(found) == ["Öppna Kansli", "Avsluta"]
    found.set_locked(False)
    assert menu_texts(found) == ["Öppna Kansli", "Lås Kansli", "Avsluta"]
    for action in found.item.contextMenu().actions():
        action.trigger()
    assert asked == ["open", "lock", "quit"]
    found.item.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    found.item.activated.emit(QSystemTrayIcon.ActivationReason.Context)
    assert asked == ["open", "lock", "quit", "open"]


def test_there_is_none_where_the_desktop_has_none(qapp: QApplication) -> None:
    owner = QObject()
    assert tray(owner, lambda: False) is None
    made = tray(owner, lambda: True)
    assert made is not None
    made.close()
