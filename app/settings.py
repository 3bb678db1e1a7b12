# SPDX-License-Identifier: EUPL-1.2
"""Every setting, declared once: key, type, default, label, choices. Stored in the profile; machine policy may lock one.

Labels are English msgids, translated where they are shown. No setting holds a secret or anything that was written.
What a person is used to (`follows`) is theirs on all their devices; what the computer, its screen or its place asks for
is this computer's alone, such as the text size or when it locks.
The templates for policies (packaging/policies/) and docs/POLICIES.md are made from these declarations.
"""

from collections.abc import Mapping
from pathlib import Path

from app.core.signal import Signal
from app.errors import BadSetting, SettingLocked
from app.lock_settings import ALLOW_CARD, ALLOW_PIN, CARD_MODULE, LOCK, PIN_LENGTH
from app.notification_settings import (
    NOTIFICATION_CONTENT,
    NOTIFICATION_SOUND,
    NOTIFICATION_WINDOW,
    NOTIFICATIONS,
    NOTIFY_REACTIONS,
    WORKING_DAYS,
    WORKING_FROM,
    WORKING_TO,
)
from app.setting import AnySetting, Setting, V, Value, are_patterns, are_servers, is_proxy
from app.settings_file import read_values, write_values

LANGUAGE = Setting(
    key="language",
    default="sv",
    label="Language",
    about="The language of Kansli's own texts.",
    choices=(("sv", "Swedish"), ("en", "English")),
    follows=True,
)
THEME = Setting(
    key="theme",
    default="system",
    label="Theme",
    about="Light or dark, and with how much contrast.",
    choices=(
        ("system", "Follow the system"),
        ("light", "Light"),
        ("dark", "Dark"),
        ("contrast", "High contrast"),
        ("contrast-dark", "High contrast, dark"),
    ),
    follows=True,
)
TEXT_SIZE = Setting(
    key="text-size",
    default=100,
    label="Text size",
    about="How large all text is shown, in per cent of the usual size; Ctrl with + and - changes it, Ctrl with 0 takes "
    "it back.",
    choices=(
        (80, "80 %"),
        (90, "90 %"),
        (100, "100 %"),
        (110, "110 %"),
        (125, "125 %"),
        (150, "150 %"),
        (175, "175 %"),
        (200, "200 %"),
    ),
)
DENSITY = Setting(
    key="density",
    default="normal",
    label="Density",
    about="How much air there is between rows and in controls.",
    choices=(("airy", "Airy"), ("normal", "Usual"), ("compact", "Compact")),
)
AUTO_LOCK_MINUTES = Setting(
    key="auto-lock-minutes",
    default=15,
    label="Lock after",
    about="After how many minutes without keyboard or mouse Kansli locks itself.",
    choices=(
        (0, "Never"),
        (5, "5 minutes"),
        (15, "15 minutes"),
        (30, "30 minutes"),
        (60, "1 hour"),
    ),
)
ANNOUNCE = Setting(
    key="announce",
    default=True,
    label="Read out what happens",
    about="Whether a screen reader is told of new messages, of what was done and of the connection.",
    follows=True,
)
ROOM_IN_TITLE = Setting(
    key="room-in-title",
    default=True,
    label="The room's name in the window's title",
    about="Whether the window's title, which the desktop and a screen reader show, has the name of the open room.",
)
SHOW_PRESENCE = Setting(
    key="show-presence",
    default=True,
    label="Show my status",
    about="Whether colleagues see if the person is available, busy or away, and their words about it.",
    follows=True,
)
SHOW_TYPING = Setting(
    key="show-typing",
    default=True,
    label="Show when I write",
    about="Whether colleagues see that the person is writing a message.",
    follows=True,
)
SHOW_READING = Setting(
    key="show-reading",
    default=True,
    label="Show where I read",
    about="Whether colleagues see which document the person has open, and where in it they are.",
    follows=True,
)
AUTOSTART = Setting(
    key="autostart",
    default=False,
    label="Start when I sign in to the computer",
    about="Kansli starts without a window when the person signs in to the computer.",
)
"""Off by default: Kansli adds nothing to the system's start unasked. An installer may change the default."""
CLOSE_TO_TRAY = Setting(
    key="close-to-tray",
    default=True,
    label="Keep running when the window is closed",
    about="Closing the window leaves Kansli in the tray, where there is one, so that messages are still told of.",
)
PROXY_MODE = Setting(
    key="proxy-mode",
    default="system",
    label="Proxy",
    about="Which way Kansli takes to the server.",
    choices=(
        ("system", "As the system says"),
        ("none", "No proxy"),
        ("manual", "The address below"),
        ("pac", "The PAC script below"),
    ),
)
PROXY_ADDRESS = Setting(
    key="proxy-address",
    default="",
    label="Proxy address",
    about="The proxy as host:port, or the address of a PAC script.",
    fits=is_proxy,
)
SERVERS = Setting(
    key="servers",
    default="",
    label="Allowed servers",
    about="The servers, as host or host:port, that Kansli may use; empty means any, and the first is proposed at first "
    "start.",
    fits=are_servers,
    several=True,
    seen=False,
    stored=False,
)
SERVER = Setting(key="server", default="", label="Server address", seen=False, fixable=False)
"""The account's server. The installer's value is proposed at the first start."""
CA_FILE = Setting(
    key="ca-file",
    default="",
    label="File with the agency's certificates",
    about="A PEM file: servers whose certificates it vouches for are trusted, beside those that the system trusts.",
    seen=False,
)
EGRESS = Setting(
    key="egress",
    default="",
    label="Allowed connections",
    about="The addresses, as host, host:port or *.domain, that Kansli may connect to; empty means the account's server "
    "alone.",
    fits=are_patterns,
    several=True,
    seen=False,
    stored=False,
)
DATA_ROOT = Setting(
    key="data-root",
    default="",
    label="Folder for all content",
    about="The folder on this computer under which Kansli keeps everything; variables of the environment and ~ are "
    "resolved.",
    seen=False,
    stored=False,
)
OFFLINE_DAYS = Setting(
    key="offline-days",
    default=0,
    label="Days without the server",
    about="After so many days without the server nothing is shown until the server has let the device in; 0 means no "
    "limit.",
    low=0,
    high=3650,
    seen=False,
    stored=False,
)
ALLOW_KEYRING = Setting(
    key="allow-keyring",
    default=True,
    label="Unlock with the computer's key store",
    about="Whether the key to the content may be kept in the computer's key store.",
    seen=False,
    stored=False,
)
ALLOW_PASSPHRASE = Setting(
    key="allow-passphrase",
    default=True,
    label="Unlock with a passphrase",
    about="Whether the key to the content may be kept under a passphrase; with no other way it stays allowed.",
    seen=False,
    stored=False,
)
PASSPHRASE_LENGTH = Setting(
    key="passphrase-length",
    default=12,
    label="Shortest passphrase",
    about="So many characters a new passphrase has at least.",
    low=12,
    high=64,
    seen=False,
    stored=False,
)
PASSPHRASE_STRENGTH = Setting(
    key="passphrase-strength",
    default="fair",
    label="Weakest passphrase",
    about="How strong a new passphrase is at least, by an estimate of how many guesses it takes: a million, a hundred "
    "million, ten thousand million.",
    choices=(("fair", "Fair"), ("good", "Good"), ("strong", "Strong")),
    seen=False,
    stored=False,
)
ALLOW_EXPORT = Setting(
    key="allow-export",
    default=True,
    label="Save files outside Kansli",
    about="Whether files and content may be saved outside Kansli.",
    seen=False,
    stored=False,
)
ALLOW_PRINT = Setting(
    key="allow-print",
    default=True,
    label="Print",
    about="Whether anything may be printed or saved as PDF; without it a recovery sheet is copied by hand.",
    seen=False,
    stored=False,
)
ASK_UNKNOWN = Setting(
    key="ask-before-rooms",
    default=True,
    label="Ask before unknown colleagues' rooms",
    about="Whether a room waits for an answer when somebody adds a person who does not know them; without it "
    "every room opens at once.",
    seen=False,
    stored=False,
)
RECEIVED_FILES_MB = Setting(
    key="received-files-mb",
    default=2000,
    label="Space for received files",
    about="How much of received files Kansli has on this computer, encrypted as they came; the oldest leave first.",
    choices=(
        (0, "Nothing"),
        (500, "500 MB"),
        (2000, "2 GB, at most 5 % of the free disk"),
        (5000, "5 GB"),
        (20000, "20 GB"),
    ),
)
LOG_LEVEL = Setting(
    key="log-level",
    default="info",
    label="Log",
    about="How much the program's log says of its own work; it never holds content or names.",
    choices=(("warning", "Only faults"), ("info", "Normal"), ("debug", "Detailed")),
)
RECOVERY_SHEET_REMINDER = Setting(
    key="recovery-sheet-reminder", default=True, label="Remind of the recovery sheet", seen=False, fixable=False
)
TRAY_EXPLAINED = Setting(
    key="tray-explained", default=False, label="It was said that Kansli stays in the tray", seen=False, fixable=False
)
WINDOW_GEOMETRY = Setting(key="window-geometry", default="", label="Window size and place", seen=False, fixable=False)
"""What the main window saved of itself, as base64."""
SIDEBAR_WIDTH = Setting(
    key="sidebar-width", default=272, label="Width of the room list", low=180, high=600, seen=False, fixable=False
)

SETTINGS: tuple[AnySetting, ...] = (
    LANGUAGE,
    THEME,
    TEXT_SIZE,
    DENSITY,
    LOCK,
    AUTO_LOCK_MINUTES,
    NOTIFICATIONS,
    NOTIFICATION_CONTENT,
    NOTIFY_REACTIONS,
    NOTIFICATION_SOUND,
    NOTIFICATION_WINDOW,
    WORKING_DAYS,
    WORKING_FROM,
    WORKING_TO,
    ANNOUNCE,
    ROOM_IN_TITLE,
    SHOW_PRESENCE,
    SHOW_TYPING,
    SHOW_READING,
    AUTOSTART,
    CLOSE_TO_TRAY,
    SERVERS,
    SERVER,
    CA_FILE,
    PROXY_MODE,
    PROXY_ADDRESS,
    EGRESS,
    DATA_ROOT,
    OFFLINE_DAYS,
    ALLOW_KEYRING,
    ALLOW_PASSPHRASE,
    PASSPHRASE_LENGTH,
    PASSPHRASE_STRENGTH,
    ALLOW_CARD,
    CARD_MODULE,
    ALLOW_PIN,
    PIN_LENGTH,
    ALLOW_EXPORT,
    ALLOW_PRINT,
    ASK_UNKNOWN,
    RECEIVED_FILES_MB,
    LOG_LEVEL,
    RECOVERY_SHEET_REMINDER,
    TRAY_EXPLAINED,
    WINDOW_GEOMETRY,
    SIDEBAR_WIDTH,
)


class Settings:
    """The values of the settings of one profile. Reading is a dictionary look-up; writing is durable when `set`
    returns."""

    def __init__(
        self, path: Path, policy: Mapping[str, Value] | None = None, defaults: Mapping[str, Value] | None = None
    ) -> None:
        """`path`: the file with this profile's values. `policy` fixes values by key; `defaults` are the installer's
        (None: there are none). Unknown keys, and values that a setting does not accept, are ignored; so is a missing or
        damaged file."""
        self._path = path
        self._values = read_values(path)
        self._policy = _accepted(policy or {})
        self._defaults = _accepted(defaults or {})
        self.changed: Signal[str] = Signal()
        """The key of a setting whose value has changed."""
        self.chosen: Signal[str] = Signal()
        """The key of a setting that the person has changed here: not by policy, and not on another device."""

    def get(self, setting: Setting[V]) -> V:
        """The policy's value; where there is none the stored value, then the installer's, then the default."""
        return self.value(setting)  # type: ignore[return-value]  # accepted: has the setting's type

    def value(self, setting: AnySetting) -> Value:
        """The value in force of any setting: policy's; if there is none the profile's stored one, then the installer's,
        then the setting's own default."""
        if setting.fixable and setting.key in self._policy:
            return self._policy[setting.key]
        stored = self._values.get(setting.key)
        if setting.stored and stored is not None and setting.accepts(stored):
            return stored
        return self._defaults.get(setting.key, setting.default)

    def locked(self, setting: AnySetting) -> bool:
        """Whether the machine's policy has fixed it: shown, but not to be changed."""
        return setting.fixable and setting.key in self._policy

    def renew(self, policy: Mapping[str, Value], defaults: Mapping[str, Value]) -> None:
        """Replaces the policy and the installer's defaults, which were read again, and emits `changed` for each setting
        whose value changes."""
        before = {s.key: self.value(s) for s in SETTINGS}
        self._policy, self._defaults = _accepted(policy), _accepted(defaults)
        for setting in SETTINGS:
            if self.value(setting) != before[setting.key]:
                self.changed.emit(setting.key)

    def set(self, setting: Setting[V], value: V) -> None:
        """Stores a value in this profile's file and emits `changed`; one that is in force already is not stored. Raises
        SettingLocked if policy fixes the setting or the profile does not store it, BadSetting if the setting does not
        accept the value, StoreUnwritable if the disk refuses: then the former value stays in force."""
        if self.locked(setting):
            raise SettingLocked()
        if not setting.accepts(value):
            raise BadSetting()
        if not setting.stored:
            raise SettingLocked()
        if self.get(setting) == value:
            return
        values = {**self._values, setting.key: value}
        write_values(self._path, values)
        self._values = values
        self.changed.emit(setting.key)
        self.chosen.emit(setting.key)

    def follow(self, setting: AnySetting, value: object) -> None:
        """Takes the value that the person has chosen on another of their devices, and emits `changed` if it comes into
        force. Nothing happens if the setting does not follow or does not accept it, as with one of a newer version of
        Kansli. Where policy fixes the setting, the value is stored and counts once policy no longer does.
        StoreUnwritable if the disk refuses: then it is in force until the program ends."""
        if not setting.follows or not setting.accepts(value) or self._values.get(setting.key) == value:
            return
        before = self.value(setting)
        self._values = {**self._values, setting.key: value}  # type: ignore[dict-item]  # accepted: has the type
        if self.value(setting) != before:
            self.changed.emit(setting.key)
        write_values(self._path, self._values)

    def unlock_kinds(self) -> tuple[str, ...]:
        """The unlock methods that policy allows: "keyring" (the computer's key store), "passphrase", and "card" (a
        smart card). If policy forbids both the key store and passphrases, passphrases stay allowed: a card is added to
        a store that another method opens."""
        kinds = [("keyring", ALLOW_KEYRING), ("passphrase", ALLOW_PASSPHRASE)]
        found = tuple(kind for kind, setting in kinds if self.get(setting)) or ("passphrase",)
        return (*found, "card") if self.get(ALLOW_CARD) else found


def _accepted(values: Mapping[str, Value]) -> dict[str, Value]:
    return {s.key: values[s.key] for s in SETTINGS if s.key in values and s.accepts(values[s.key])}
