# SPDX-License-Identifier: EUPL-1.2
"""Settings on screen, auto-lock and notifications."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.core.i18n import language, tr
from app.lock_settings import ALLOW_CARD
from app.session import Session
from app.setting import AnySetting, Value
from app.settings import (
    ALLOW_KEYRING,
    ALLOW_PASSPHRASE,
    AUTOSTART,
    PROXY_ADDRESS,
    SETTINGS,
    THEME,
    Settings,
)
from app.unlocking import SlotKind
from tests.ui.finding import timer_of
from tests.ui.shell.opened_office import open_session
from tests.ui.shell.unlock_methods import has_key_store, unlock_methods
from tests.ui.walking import check, check_tab
from ui.kit import theme
from ui.kit.translate import change_language
from ui.shell.settings.setting_rows import managed
from ui.shell.settings.settings_view import SettingsView
from ui.shell.window.auto_lock import AutoLock
from ui.shell.window.main_window import MainWindow

MANAGED = "Hanteras av din organisation"


def box_of(view: SettingsView, name: str) -> QComboBox:
    """The choice of that name."""
    return next(b for b in view.findChildren(QComboBox) if b.accessibleName() == name)


def test_a_choice_takes_effect_at_once(qtbot: QtBot, session: Session) -> None:
    view = SettingsView(session)
    qtbot.addWidget(view)
    box = box_of(view, "Tema")
    box.setCurrentIndex(box.findData("dark"))
    box.activated.emit(box.currentIndex())
    assert session.settings.get(THEME) == "dark"
    session.settings.set(THEME, "light")
    assert box.currentData() == "light"


def test_what_policy_has_fixed_is_shown_and_says_so(qtbot: QtBot, tmp_path: Path) -> None:
    view = SettingsView(open_session(tmp_path, {"theme": "contrast"}))
    qtbot.addWidget(view)
    box = box_of(view, "Tema")
    assert not box.isEnabled()
    assert box.currentText() == "Hög kontrast"
    assert MANAGED in [x.text() for x in view.findChildren(QLabel)]


OTHER: dict[str, Value] = {
    "language": "en",
    "theme": "dark",
    "text-size": 150,
    "density": "compact",
    "lock": "close",
    "auto-lock-minutes": 60,
    "allow-pin": False,
    "pin-length": 8,
    "notifications": "none",
    "notification-content": "shown",
    "notification-sound": False,
    "notification-window": False,
    "working-days": "weekdays",
    "working-from": 6,
    "working-to": 17,
    "notify-reactions": True,
    "announce": False,
    "room-in-title": False,
    "show-presence": False,
    "show-typing": False,
    "show-reading": False,
    "autostart": True,
    "close-to-tray": False,
    "proxy-mode": "manual",
    "proxy-address": "proxy.example:8080",
    "received-files-mb": 500,
    "log-level": "debug",
    "servers": "a.example",
    "ca-file": "/etc/ssl/agency.pem",
    "egress": "*.example",
    "data-root": "/srv/kansli",
    "offline-days": 30,
    "allow-keyring": False,
    "allow-passphrase": False,
    "allow-card": False,
    "card-module": "/usr/lib/opensc-pkcs11.so",
    "passphrase-length": 20,
    "passphrase-strength": "strong",
    "allow-export": False,
    "allow-print": False,
    "ask-before-rooms": False,
}
"""Another value than the default for each setting that policy may fix."""


def value_of(control: QWidget) -> object:
    """What a row shows."""
    match control:
        case QComboBox():
            return control.currentData()
        case QCheckBox():
            return control.isChecked()
        case QLineEdit():
            return control.text()
    raise AssertionError(control)


def test_this_file_knows_another_value_for_each_setting_that_policy_may_fix() -> None:
    assert set(OTHER) == {setting.key for setting in SETTINGS if setting.fixable}
    assert all(s.accepts(OTHER[s.key]) and OTHER[s.key] != s.default for s in SETTINGS if s.fixable)


@pytest.mark.parametrize("locked", [False, True])
def test_each_setting_has_a_row_and_a_fixed_one_is_shown_and_says_so(
    qtbot: QtBot, tmp_path: Path, locked: bool
) -> None:
    view = SettingsView(open_session(tmp_path, OTHER if locked else {}))
    qtbot.addWidget(view)
    for setting in SETTINGS:
        if setting.seen:
            control = view.rows.controls[setting.key]
            assert control.isEnabled() is not locked
            assert value_of(control) == (OTHER[setting.key] if locked else setting.default)
            row = control.parentWidget()
            assert row is not None
            assert (MANAGED in [x.text() for x in row.findChildren(QLabel)]) is locked
            assert control.accessibleName()
            assert control.accessibleDescription()
    if locked:
        view.show()
        check(view)
        check_tab(view)


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.fixable and not s.seen], ids=lambda s: s.key)
def test_what_only_policy_sets_is_shown_where_it_is_fixed(qtbot: QtBot, tmp_path: Path, setting: AnySetting) -> None:
    assert managed(Settings(tmp_path / "none.json")) is None
    card = managed(Settings(tmp_path / "none.json", {setting.key: OTHER[setting.key]}))
    if setting in (ALLOW_KEYRING, ALLOW_PASSPHRASE, ALLOW_CARD):  # the ways of unlocking have a card of their own
        assert card is None
        return
    assert card is not None
    qtbot.addWidget(card)
    sentence = {x.text() for x in card.findChildren(QLabel)}
    other = OTHER[setting.key]
    word = ("På" if other else "Av") if isinstance(other, bool) else tr(dict(setting.choices).get(other, str(other)))
    assert {tr(setting.label), word} <= sentence


def test_a_switch_and_a_line_change_their_settings_and_follow_them(qtbot: QtBot, session: Session) -> None:
    view = SettingsView(session)
    qtbot.addWidget(view)
    switch, field = view.rows.controls["autostart"], view.rows.controls["proxy-address"]
    assert isinstance(switch, QCheckBox)
    assert isinstance(field, QLineEdit)
    switch.click()
    assert session.settings.get(AUTOSTART) is True
    session.settings.set(AUTOSTART, False)
    assert not switch.isChecked()
    field.setText(" proxy.example:8080 ")
    field.editingFinished.emit()
    assert session.settings.get(PROXY_ADDRESS) == "proxy.example:8080"
    field.setText("not a proxy")
    field.editingFinished.emit()
    assert session.settings.get(PROXY_ADDRESS) == "proxy.example:8080"
    assert field.text() == "proxy.example:8080"


def test_a_fault_of_ours_while_a_setting_is_changed_is_not_taken_for_a_refusal(
    qtbot: QtBot, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("å 🖍")

    view = SettingsView(session)
    qtbot.addWidget(view)
    switch = view.rows.controls["autostart"]
    assert isinstance(switch, QCheckBox)
    monkeypatch.setattr(session.settings, "set", fail)
    before = switch.isChecked()
    with qtbot.captureExceptions() as caught:
        switch.click()
    assert [kind for kind, _, _ in caught] == [RuntimeError], "the hook of kit/errors.py gets it"
    assert switch.isChecked() == before, "it shows what is stored"


def test_an_unlock_method_that_policy_forbids_offers_nothing(
    qtbot: QtBot, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_key_store(monkeypatch)
    keys = unlock_methods(tmp_path, [SlotKind.PASSPHRASE], forbidden=SlotKind.KEYRING)
    view = SettingsView(session, keys)
    qtbot.addWidget(view)
    view.keys.refresh()
    assert MANAGED in [x.text() for x in view.keys.findChildren(QLabel)]
    offered = [x.accessibleName() for x in view.keys.findChildren(QPushButton) if not x.isHidden()]
    assert "Lägg till: Datorns nyckelring" not in offered


@pytest.fixture
def as_before(qapp: QApplication) -> Iterator[None]:
    """Language and theme are put back."""
    yield
    change_language("sv")
    theme.apply(qapp, "light")


@pytest.mark.usefixtures("as_before")
def test_a_policy_that_came_since_takes_effect_in_the_window(qtbot: QtBot, session: Session) -> None:
    window = MainWindow(session, [])
    qtbot.addWidget(window)
    session.settings.renew({"theme": "contrast", "language": "en", "auto-lock-minutes": 5}, {})
    assert (theme.current().id, language(), window.auto_lock.minutes()) == ("contrast", "en", 5)
    session.settings.renew({"auto-lock-minutes": 0}, {})
    assert (language(), window.auto_lock.minutes()) == ("sv", 0)


def test_the_time_to_lock_is_policys_from_the_first_window_on(qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"auto-lock-minutes": 0}')
    window = MainWindow(open_session(tmp_path, {"auto-lock-minutes": 5}), [])
    qtbot.addWidget(window)
    assert window.auto_lock.minutes() == 5


def test_a_theme_that_policy_has_fixed_is_offered_by_no_command(qtbot: QtBot, tmp_path: Path) -> None:
    for policy, offered in (({}, 4), ({"theme": "dark"}, 0)):
        window = MainWindow(open_session(tmp_path / str(offered), dict(policy)), [])
        qtbot.addWidget(window)
        assert sum(c.id.startswith("theme-") for c in window.commands.shown()) == offered


def test_silence_locks_and_a_key_begins_again(qtbot: QtBot, qapp: QApplication) -> None:
    owner, now_s = QWidget(), [0.0]
    qtbot.addWidget(owner)
    lock = AutoLock(1, owner, lambda: now_s[0])
    timer_of(lock).setInterval(50)
    with qtbot.waitSignal(lock.idle, timeout=2000):
        lock._begin()
    assert lock.minutes() == 0
    locked: list[bool] = []
    lock.idle.connect(lambda: locked.append(True))
    lock.set_minutes(1)
    for second, idle in ((50, []), (100, []), (150, []), (211, [True])):
        now_s[0], before = second, timer_of(lock).timerId()
        qapp.sendEvent(owner, QKeyEvent(QEvent.Type.KeyPress, 0x41, Qt.KeyboardModifier.NoModifier))
        assert locked == idle
        assert timer_of(lock).timerId() != before  # it begins again, or has ended
    lock.set_minutes(1)
    lock.set_minutes(0)
    assert not timer_of(lock).isActive()
