# SPDX-License-Identifier: EUPL-1.2
"""What a setting is: its key, default and texts, and which values it takes. The settings are in app/settings.py."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from app.core.signal import Signal
from sync.protocol.addresses import address_name

Value = str | int | bool
V = TypeVar("V", str, int, bool)

_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])"
_PORT = r"(?::(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5]?[0-9]{1,4}))?"
_SERVER = re.compile(rf"(?:https://)?{_HOST}{_PORT}/?")
_PATTERN = re.compile(rf"(?:\*\.)?{_HOST}{_PORT}")
_PROXY = re.compile(rf"(?:http://)?{_HOST}{_PORT}/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[V]):
    """The declaration of one setting. `choices`: (value, label) pairs, empty for free values. `low` and `high` bound
    numbers. `fits` gets a free text that is not empty and returns whether it is valid. `several`: the text is a list.
    `seen`: the settings view shows the setting. `stored`: the profile's own value counts; otherwise only policy's and
    the installer's do. `fixable`: policy may fix it. `follows`: the value is the person's on all their devices. `about`
    is one sentence on what it does, "" for what the program remembers for itself."""

    key: str
    default: V
    label: str
    about: str = ""
    choices: tuple[tuple[V, str], ...] = ()
    low: int | None = None
    high: int | None = None
    fits: Callable[[str], bool] | None = None
    """Whether a free text is valid."""
    several: bool = False
    """The text is a list, which `entries` splits."""
    seen: bool = True
    """The settings view shows it."""
    stored: bool = True
    """The value in the profile's file counts. Otherwise only policy and the installer's defaults do."""
    fixable: bool = True
    """Policy may fix it."""
    follows: bool = False
    """What the person chooses on one device counts on all of theirs (app/own/)."""

    @property
    def value_name(self) -> str:
        """Its name in the registry: auto-lock-minutes is AutoLockMinutes."""
        return "".join(word.capitalize() for word in self.key.split("-"))

    @property
    def needs(self) -> str:
        """Describes in English, for an administrator, which values the setting accepts."""
        if self.choices:
            return "one of " + ", ".join(json.dumps(choice) for choice, _ in self.choices)
        if isinstance(self.default, bool):
            return "true or false (in the registry 1 or 0)"
        if isinstance(self.default, int):
            return f"a whole number from {self.low} to {self.high}"
        return f"{'a list of texts, or one text with commas' if self.several else 'a text'}: {self.about}"

    def accepts(self, value: object) -> bool:
        """Whether a value is valid for this setting: it has the right type and is one of the choices, within the bounds
        or of the right form. A free text has at most 4096 characters; "" is always valid for it."""
        if type(value) is not type(self.default):
            return False
        if self.choices:
            return any(value == choice for choice, _ in self.choices)
        if isinstance(value, int):
            return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        if not isinstance(value, str) or len(value) > 4096 or not is_text(value):
            return False
        return not value or self.fits is None or self.fits(value)


def is_text(value: str) -> bool:
    """Whether a text has no zero character and no half of a surrogate pair (JSON can write one): no path and no name
    has those."""
    return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)


AnySetting = Setting[str] | Setting[int] | Setting[bool]


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off, for a part of the program that knows no settings. `changed` is emitted when it was
    switched."""

    is_on: Callable[[], bool] = lambda: True
    changed: Signal[()] = field(default_factory=Signal[()])


def entries(text: str) -> tuple[str, ...]:
    """The entries of a text, in its order: separated by commas, semicolons or space."""
    return tuple(part for part in re.split(r"[\s,;]+", text) if part)


def host_port(server: str) -> str:
    """A server as "host:port", whichever form it was written in; the port is 443 if none was. "" if it is no server."""
    try:
        parts = urlsplit(server if "//" in server else f"https://{server}")
        return address_name(parts.hostname, parts.port or 443) if parts.hostname else ""
    except ValueError:
        return ""


def are_servers(text: str) -> bool:
    """Whether each entry is host, host:port or https://host[:port]."""
    return all(_SERVER.fullmatch(entry) for entry in entries(text))


def are_patterns(text: str) -> bool:
    """Whether each entry is host, host:port or *.domain[:port]."""
    return all(_PATTERN.fullmatch(entry) for entry in entries(text))


def is_proxy(text: str) -> bool:
    """Whether it is host:port, or the address or file of a PAC script."""
    return bool(_PROXY.fullmatch(text)) or re.match(r"(?:https?|file)://[^\s@]+$", text) is not None


def is_local_path(text: str) -> bool:
    """Whether it is the whole path of a file that is no network path: a library from another computer is not loaded."""
    there = Path(text)
    return there.is_absolute() and not text.startswith(("\\\\", "//"))
