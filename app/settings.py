# SPDX-License-Identifier: EUPL-1.2
"""Every setting, declared once: key, type, default, label, choices. Stored in the profile; machine policy may lock one.

Labels are English msgids, translated where they are shown. No setting holds a secret or anything that was written.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from app.core import log
from app.core.files import write_atomic
from app.core.signal import Signal
from app.errors import BadSetting, SettingLocked, StoreUnwritable

Value = str | int | bool
V = TypeVar("V", str, int, bool)

POLICY_FOLDER = Path("/etc/kansli/policies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[V]):
    """One setting. `choices`: (value, label) pairs; empty for free values. `low`/`high` bound numbers."""

    key: str
    default: V
    label: str
    choices: tuple[tuple[V, str], ...] = ()
    low: int | None = None
    high: int | None = None

    def accepts(self, value: object) -> bool:
        """Whether the value has the right type and is one of the choices or within the bounds."""
        if type(value) is not type(self.default):
            return False
        if self.choices:
            return any(value == choice for choice, _ in self.choices)
        if isinstance(value, int):
            return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        return isinstance(value, str) and len(value) <= 4096


LANGUAGE = Setting(key="language", default="sv", label="Language", choices=(("sv", "Swedish"), ("en", "English")))
THEME = Setting(
    key="theme",
    default="system",
    label="Theme",
    choices=(
        ("system", "Follow the system"),
        ("light", "Light"),
        ("dark", "Dark"),
        ("contrast", "High contrast"),
        ("contrast-dark", "High contrast, dark"),
    ),
)
AUTO_LOCK_MINUTES = Setting(
    key="auto-lock-minutes",
    default=15,
    label="Lock after",
    choices=(
        (0, "Never"),
        (5, "5 minutes"),
        (15, "15 minutes"),
        (30, "30 minutes"),
        (60, "1 hour"),
    ),
)
NOTIFICATIONS = Setting(
    key="notifications",
    default="all",
    label="Notify about",
    choices=(("all", "All messages"), ("mentions", "Only mentions"), ("none", "Nothing")),
)
NOTIFICATION_CONTENT = Setting(
    key="notification-content",
    default="hidden",
    label="In notifications",
    choices=(("hidden", "That something came"), ("shown", "Room and message")),
)
"""Hidden by default: a notification also stands on a locked screen, and the desktop may keep it."""
SERVER = Setting(key="server", default="", label="Server address")
CA_FILE = Setting(key="ca-file", default="", label="File with the agency's certificates")
ALLOW_KEYRING = Setting(key="allow-keyring", default=True, label="Unlock with the computer's key store")
ALLOW_PASSPHRASE = Setting(key="allow-passphrase", default=True, label="Unlock with a passphrase")
LOG_LEVEL = Setting(
    key="log-level",
    default="info",
    label="Log",
    choices=(("warning", "Only faults"), ("info", "Normal"), ("debug", "Detailed")),
)
SHEET_REMINDER = Setting(key="sheet-reminder", default=True, label="Remind of the recovery sheet")
WINDOW_GEOMETRY = Setting(key="window-geometry", default="", label="Window size and place")
"""What the main window saved of itself, as base64."""
SIDEBAR_WIDTH = Setting(key="sidebar-width", default=260, label="Width of the room list", low=180, high=600)

SETTINGS: tuple[Setting[str] | Setting[int] | Setting[bool], ...] = (
    LANGUAGE,
    THEME,
    AUTO_LOCK_MINUTES,
    NOTIFICATIONS,
    NOTIFICATION_CONTENT,
    SERVER,
    CA_FILE,
    ALLOW_KEYRING,
    ALLOW_PASSPHRASE,
    LOG_LEVEL,
    SHEET_REMINDER,
    WINDOW_GEOMETRY,
    SIDEBAR_WIDTH,
)
_BY_KEY = {s.key: s for s in SETTINGS}


def machine_policy(folder: Path = POLICY_FOLDER) -> dict[str, Value]:
    """What the machine's administrators have fixed: all *.json there, in order of names. A damaged file is left out.

    Windows' group policy is read by the program's start and given to `Settings` the same way.
    """
    fixed: dict[str, Value] = {}
    if sys.platform == "win32" or not folder.is_dir():
        return fixed
    for file in sorted(folder.glob("*.json")):
        fixed |= _read(file)
    return fixed


class Settings:
    """The settings of one profile. Reading is a dictionary look-up; writing is durable when `set` returns."""

    def __init__(self, path: Path, policy: Mapping[str, Value] | None = None) -> None:
        """`policy` fixes values by key; those that the setting does not accept are left out and logged."""
        self._path = path
        self._values = _read(path)
        self._policy = _accepted(policy or {})
        self.changed: Signal[str] = Signal()
        """A setting's key: its value is another now."""

    def get(self, setting: Setting[V]) -> V:
        """The policy's value, else the stored one, else the default."""
        fixed = self._policy.get(setting.key)
        if fixed is not None:
            return fixed  # type: ignore[return-value]  # accepted: has the setting's type
        value = self._values.get(setting.key)
        return value if setting.accepts(value) else setting.default  # type: ignore[return-value]  # as above

    def locked(self, setting: Setting[V]) -> bool:
        """Whether the machine's policy has fixed it: shown, but not to be changed."""
        return setting.key in self._policy

    def set(self, setting: Setting[V], value: V) -> None:
        """Stores a value; SettingLocked, BadSetting, StoreUnwritable."""
        if self.locked(setting):
            raise SettingLocked()
        if not setting.accepts(value):
            raise BadSetting()
        if self.get(setting) == value:
            return
        values = {**self._values, setting.key: value}
        try:
            write_atomic(self._path, json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True).encode())
        except OSError as e:
            raise StoreUnwritable() from e
        self._values = values
        self.changed.emit(setting.key)

    def unlock_kinds(self) -> tuple[str, ...]:
        """The kinds of key slots that may be used; never none: with both forbidden the passphrase stays."""
        kinds = [("keyring", ALLOW_KEYRING), ("passphrase", ALLOW_PASSPHRASE)]
        return tuple(kind for kind, setting in kinds if self.get(setting)) or ("passphrase",)


def _read(path: Path) -> dict[str, Value]:
    """A JSON object's plain values; {} if the file is missing or damaged: settings never keep anybody out."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        log.store.warning("settings-unreadable")
        return {}
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str | int | bool)}


def _accepted(policy: Mapping[str, Value]) -> dict[str, Value]:
    good: dict[str, Value] = {}
    for key, value in policy.items():
        setting = _BY_KEY.get(key)
        if setting is not None and setting.accepts(value):
            good[key] = value
        else:
            log.store.warning("policy-ignored", key=key)
    return good
