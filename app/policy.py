# SPDX-License-Identifier: EUPL-1.2
"""The settings that a machine's administrators have fixed, and those that its installer proposes. Read, never written.

Linux: all /etc/kansli/policies/*.json in the order of their names, later ones first; /etc/kansli/defaults.json.
Windows: HKLM\\SOFTWARE\\Policies\\Kansli over HKCU\\SOFTWARE\\Policies\\Kansli; HKLM\\SOFTWARE\\Kansli as defaults,
over those of the JSON file that its value ConfigFile names. docs/POLICIES.md is made from the same declarations.

A value that is damaged, unknown or out of range is ignored and reported: one mistake in a policy keeps nobody out.
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from app import policy_json
from app.core import log
from app.setting import AnySetting, Value, entries
from app.settings import DATA_ROOT, SERVER, SETTINGS

if sys.platform == "win32":
    import winreg

POLICY_FOLDER = Path("/etc/kansli/policies")
DEFAULTS_FILE = Path("/etc/kansli/defaults.json")
POLICY_KEY = r"SOFTWARE\Policies\Kansli"
INSTALLER_KEY = r"SOFTWARE\Kansli"
CONFIG_FILE = "ConfigFile"
_ENTRY_LEFT_OUT = "entry {} of the list is no address and is left out, the other entries count"
_DIGITS = re.compile(r"[0-9]{1,10}")
"""As many digits as a REG_DWORD can have."""

_FIXED = {s.key: s for s in SETTINGS if s.fixable}
_PROPOSED = {**_FIXED, SERVER.key: SERVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One value of a setting that was found in the machine's policy or defaults. `key`: of the setting, or as it was
    written if there is no such setting, "" for a file that cannot be read. `source`: a file's name or the place in the
    registry. `accepted`: whether the value is valid. `entry`: the number (from 1) of the list's entry that the finding
    is about, 0 for the whole value.

    The other fields are for the administrator (app/policy_check.py): the value as it was written, whether it is only a
    proposed default, the file's whole path, line and column from 1 (0: not known), and in words why it does not count.
    """

    key: str
    source: str
    accepted: bool
    entry: int = 0
    value: object = field(default=None, compare=False, repr=False)
    proposed: bool = field(default=False, compare=False)
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)
    fault: str = field(default="", compare=False)

    @property
    def sentence(self) -> str:
        """The finding in words, without the value, for support: the setting, the source and whether the value
        counts."""
        whole = "in force" if self.accepted else "left out"
        sentence = _ENTRY_LEFT_OUT.format(self.entry) if self.entry else whole
        return f"{self.key or '(unreadable)'} from {self.source}: {sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the machine's administrators have set: `fixed` values that nobody can change, and proposed `defaults`, by
    the settings' keys. `found`: every value that was read, in order; of several valid ones for one key the last
    counts."""

    fixed: Mapping[str, Value] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    found: tuple[Finding, ...] = ()

    def log_findings(self) -> None:
        """Logs a warning for each value of the policy, or file, that was ignored: its key and place, never the value.
        Call it once the log is open."""
        for entry in self.found:
            if not entry.accepted:
                place = {"line": entry.line, "column": entry.column} if entry.line else {}
                which = {"entry": entry.entry} if entry.entry else {}
                log.store.warning("policy-ignored", key=entry.key, source=log.Place(entry.source), **place, **which)


class Registry(Protocol):
    """The part of Windows' registry that reading a policy needs."""

    def values(self, hive: str, path: str) -> Mapping[str, object]:
        """The values of the registry key at `path`, by name: int of REG_DWORD, str of REG_SZ, list[str] of
        REG_MULTI_SZ. `hive`: "HKLM" or "HKCU". {} if there is no such key or it cannot be read."""
        ...


def machine() -> Policy:
    """Reads the policy of this machine, from files or the registry. It is empty if there is none. Raises nothing: what
    cannot be read or is invalid becomes a finding in it."""
    if sys.platform == "win32":
        return from_registry(WindowsRegistry())
    return from_files()


def from_files(folder: Path = POLICY_FOLDER, defaults: Path = DEFAULTS_FILE) -> Policy:
    """Reads the policy of a Linux machine: the JSON files in `folder` in the order of their names, and the file with
    proposed `defaults`. Missing ones are no fault. Raises nothing: what cannot be read becomes a finding."""
    fixed, proposed = _Reading(_FIXED), _Reading(_PROPOSED, proposed=True)
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))  # noqa: PTH208 - says why it fails
        for name in names:
            fixed.file(folder / name, name)
    except FileNotFoundError:
        pass  # there is no policy
    except OSError as e:
        fixed.unreadable(folder.name, str(folder), policy_json.Damaged(f"the folder cannot be read: {e.strerror}"))
    try:
        defaults.stat()
        proposed.file(defaults, defaults.name)
    except FileNotFoundError:
        pass
    except OSError as e:
        fault = policy_json.Damaged(f"the file cannot be read: {e.strerror}")
        proposed.unreadable(defaults.name, str(defaults), fault)
    return _policy(fixed, proposed)


def from_file(path: Path, *, proposed: bool) -> Policy:
    """Reads one JSON file alone, as if it were a policy; or if `proposed`, as if it were the file with defaults. A file
    that is missing or cannot be read becomes a finding; nothing is raised."""
    fixed, defaults = _Reading(_FIXED), _Reading(_PROPOSED, proposed=True)
    (defaults if proposed else fixed).file(path, path.name)
    return _policy(fixed, defaults)


def from_registry(registry: Registry) -> Policy:
    """Reads the policy of a Windows machine: the fixed values of the machine (HKLM) over those of the user (HKCU), and
    the installer's defaults over those of the JSON file that the installer names. Lists are REG_MULTI_SZ or text with
    commas; numbers, 0 and 1 are REG_DWORD or its digits."""
    fixed, proposed = _Reading(_FIXED), _Reading(_PROPOSED, proposed=True)
    for hive in ("HKCU", "HKLM"):
        fixed.tree(registry.values(hive, POLICY_KEY), rf"{hive}\{POLICY_KEY}")
    installed = dict(registry.values("HKLM", INSTALLER_KEY))
    for name in [name for name in installed if name.lower() == CONFIG_FILE.lower()]:  # the registry ignores case
        config = installed.pop(name)
        if isinstance(config, str) and config:
            proposed.file(Path(config), CONFIG_FILE)
    proposed.tree({name: value for name, value in installed.items() if value != ""}, rf"HKLM\{INSTALLER_KEY}")
    return _policy(fixed, proposed)


def data_root(values: Mapping[str, Value]) -> Path | None:
    """The data folder that a policy's values name, with ~ and variables resolved; None if they name none."""
    return _resolved(str(values.get(DATA_ROOT.key, "")))


class _Reading:
    """Collects the settings from several sources, with a finding about each value. Of several valid values for one
    setting the last counts."""

    def __init__(self, known: Mapping[str, AnySetting], *, proposed: bool = False) -> None:
        self._known, self._proposed = known, proposed
        self._by_name = {s.value_name.lower(): s for s in known.values()}
        self.values: dict[str, Value] = {}
        self.found: list[Finding] = []

    def file(self, path: Path, source: str) -> None:
        """Collects the settings of the JSON file at `path`. `source`: its name in the findings. A file that is missing
        or cannot be read becomes a finding; nothing is raised."""
        try:
            entries = policy_json.read(path)
        except policy_json.Damaged as e:
            self.unreadable(source, str(path), e)
            return
        for entry in entries:
            at = Finding(
                key=entry.key,
                source=source,
                accepted=False,
                value=entry.value,
                proposed=self._proposed,
                path=str(path),
                line=entry.line,
                column=entry.column,
            )
            if entry.again:
                self.found.append(replace(at, fault="the key is given again further down, and that one counts"))
            else:
                self._take(at, self._known.get(entry.key), _joined(entry.value))

    def unreadable(self, source: str, path: str, why: policy_json.Damaged) -> None:
        """Adds a finding about the file or folder `path`, which exists and cannot be read. `source`: the name that
        findings use for it; `why`: the reason, with its line and column."""
        self.found.append(
            Finding(
                key="",
                source=source,
                accepted=False,
                proposed=self._proposed,
                path=path,
                line=why.line,
                column=why.column,
                fault=f"{why.fault}. Nothing in it counts",
            )
        )

    def tree(self, values: Mapping[str, object], source: str) -> None:
        """Collects `values`, those of a registry key. Their names are compared in any case; one that is no setting's
        becomes a finding. `source`: the key's name in the findings."""
        for name, raw in values.items():
            setting = self._by_name.get(name.lower())
            at = Finding(key=name, source=source, accepted=False, value=raw, proposed=self._proposed)
            self._take(at, setting, _plain(setting, raw) if setting is not None else None)

    def _take(self, at: Finding, setting: AnySetting | None, value: object) -> None:
        """Keeps the value of a setting if it is valid on this machine, and adds a finding about it either way. Of a
        list, invalid entries are left out first. `at`: what was written, and where; `setting`: None if there is no such
        setting; `value`: the value in the setting's type."""
        if setting is not None and setting.several and isinstance(value, str):
            value = self._without_wrong_ones(at, setting, value)
        if setting is None:
            self.found.append(replace(at, fault="there is no such setting for a policy; the keys are in POLICIES.md"))
        elif not setting.accepts(value):
            self.found.append(replace(at, key=setting.key, fault=f"needed is {setting.needs}"))
        elif not _holds(setting, value):
            fault = "needed is an absolute folder of this computer, after ~ and variables are resolved"
            self.found.append(replace(at, key=setting.key, fault=fault))
        else:
            assert isinstance(value, str | int | bool)  # noqa: S101 - it is accepted
            self.values[setting.key] = value
            self.found.append(replace(at, key=setting.key, accepted=True))

    def _without_wrong_ones(self, at: Finding, setting: AnySetting, text: str) -> str:
        """▲ Returns the list `text`, a value of `setting`, without its invalid entries, and adds a finding for each of
        those, made from `at`. Otherwise one invalid entry would drop a whole list of allowed servers, and an empty list
        allows every server. A list without a valid entry is returned unchanged."""
        written = entries(text)
        wrong = {n: None for n, entry in enumerate(written, start=1) if not setting.accepts(entry)}
        if not wrong or len(wrong) == len(written):
            return text
        self.found += [replace(at, key=setting.key, entry=n, fault=_ENTRY_LEFT_OUT.format(n)) for n in wrong]
        return ", ".join(entry for n, entry in enumerate(written, start=1) if n not in wrong)


def _policy(fixed: _Reading, proposed: _Reading) -> Policy:
    return Policy(fixed=fixed.values, defaults=proposed.values, found=(*fixed.found, *proposed.found))


def _joined(raw: object) -> object:
    """A list of texts as one text."""
    return ", ".join(raw) if isinstance(raw, list) and all(isinstance(x, str) for x in raw) else raw


def _plain(setting: AnySetting, raw: object) -> object:
    """A value of the registry, converted to the setting's type. One that cannot be converted is returned as it is, or
    as None, for `accepts` to refuse."""
    if isinstance(setting.default, str):
        return _joined(raw)
    if isinstance(raw, str) and _DIGITS.fullmatch(raw.strip()):
        raw = int(raw)
    if isinstance(setting.default, bool):
        return {0: False, 1: True}.get(raw) if type(raw) is int else None
    return raw


def _holds(setting: AnySetting, value: object) -> bool:
    """Whether a valid value can be used on this machine: a data folder must be an absolute path."""
    return setting.key != DATA_ROOT.key or value == "" or _resolved(str(value)) is not None


def _resolved(text: str) -> Path | None:
    """The folder that `text` names, with ~ and variables resolved; None if it names no folder of this machine:
    relative, on another computer, or with a $ or % left, as of a variable that is not set."""
    full = os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111 - before it is a path
    if "$" in full or "%" in full or full.startswith(("\\\\", "//")):
        return None
    path = Path(full)
    return path if path.is_absolute() else None


if sys.platform == "win32":

    class WindowsRegistry:
        """The registry of this machine, in the 64-bit view."""

        def values(self, hive: str, path: str) -> Mapping[str, object]:
            try:
                with self._open(hive, path) as key:
                    return dict(_values(key))
            except OSError:
                return {}

        def keys(self, hive: str, path: str) -> list[str]:
            """The names of the keys inside the key at `path`; `hive` may be "HKU" too. [] if there is no such key."""
            try:
                with self._open(hive, path) as key:
                    return [winreg.EnumKey(key, at) for at in range(winreg.QueryInfoKey(key)[0])]
            except OSError:
                return []

        def _open(self, hive: str, path: str) -> winreg.HKEYType:
            roots = {"HKLM": winreg.HKEY_LOCAL_MACHINE, "HKU": winreg.HKEY_USERS}
            root = roots.get(hive, winreg.HKEY_CURRENT_USER)
            return winreg.OpenKey(root, path, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)

    def _values(key: winreg.HKEYType) -> Iterator[tuple[str, object]]:
        for at in range(winreg.QueryInfoKey(key)[1]):
            name, value, _ = winreg.EnumValue(key, at)
            yield name, value
