# SPDX-License-Identifier: EUPL-1.2
"""What the IT department needs when something does not work, as texts that hold neither content nor names.

For a setting that is free text (a server, a folder) the report has only whether it is set. No path is in it: paths have
the account's name in them. The log is written so that anybody may read it (app/core/log.py).
"""

import io
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import policy
from app.core import clock, crashes, machine
from app.core.files import write_atomic
from app.errors import FileUnreadable
from app.profile import Profile
from app.setting import Setting, entries, host_port
from app.settings import SERVER, SERVERS, SETTINGS, Settings
from app.store import layout
from sync.protocol.version import PROGRAM

MAX_LOG_BYTES = 4_000_000
_LIBRARIES = ("PySide6_Essentials", "cryptography", "sqlcipher3", "pycrdt", "msgspec", "websockets")


def report(profile: Profile, settings: Settings) -> dict[str, str]:
    """The report for support: the texts of its files by name, in order (program, settings, policy, store, logs). It
    has no content that people wrote. Reads no key and opens no store."""
    found = {
        "program.txt": _program(),
        "settings.txt": "\n".join(_settings(settings)),
        "policy.txt": "\n".join([*_policy(), *_named(settings)]),
        "store.txt": "\n".join(_store(profile)),
    }
    for file in sorted(profile.logs_folder.glob("kansli.log*")):
        found[f"logs/{file.name}"] = _tail(file)
    if crashed := crashes.read(profile.logs_folder):
        found[f"logs/{crashes.NAME}"] = "\n".join(crashed)
    return {name: f"{text}\n" for name, text in found.items()}


def write(parts: Mapping[str, str], path: Path) -> None:
    """Writes the report's texts (`parts`, by file name) as a zip file. Raises FileUnreadable if it cannot be written;
    an existing file is then unchanged or replaced whole."""
    import zipfile  # every session imports this module; few ever write a report

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    try:
        write_atomic(path, packed.getvalue())
    except OSError as e:
        raise FileUnreadable from e


def _program() -> str:
    now = datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
    lines = [
        f"Kansli {PROGRAM}, {'installed' if getattr(sys, 'frozen', False) else 'from source'}",
        f"{machine.system()}, {platform.machine()}, Python {platform.python_version()}",
        f"{now.isoformat(timespec='seconds')}, {datetime.now().astimezone().tzname()}",
    ]
    return "\n".join([*lines, *_libraries()])


def _libraries() -> Iterator[str]:
    from importlib import metadata

    for name in _LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:  # a frozen program has the code and not always its record
            yield f"{name} version not recorded"


def _settings(settings: Settings) -> Iterator[str]:
    every: tuple[Setting[Any], ...] = SETTINGS
    for setting in every:
        value = settings.get(setting)
        shown = str(value) if setting.choices or not isinstance(value, str) else ("given" if value else "empty")
        yield f"{setting.key} = {shown}{', by policy' if settings.locked(setting) else ''}"


def _policy() -> Iterator[str]:
    for found in policy.machine().found:
        yield found.sentence


def _named(settings: Settings) -> Iterator[str]:
    """Yields a line for the report: whether the account's server is one of those that policy names. Yields nothing
    unless both are known."""
    server, servers = settings.get(SERVER), entries(settings.get(SERVERS))
    if server and servers:
        yield f"the account's server is {'' if host_port(server) in map(host_port, servers) else 'not '}one of servers"


def _store(profile: Profile) -> Iterator[str]:
    yield f"newest layout that this program knows {layout.VERSION}"
    yield f"database {_size(profile.db_path)} bytes, log of it {_size(profile.db_path.with_name('store.db-wal'))} bytes"
    blobs = [p for p in profile.blobs_folder.rglob("*") if p.is_file()]
    yield f"files {len(blobs)}, {sum(map(_size, blobs))} bytes"
    received = [p for p in profile.received_folder.glob("*") if p.is_file()]
    yield f"received parts of files {len(received)}, {sum(map(_size, received))} bytes"
    yield f"ways of unlocking: {', '.join(sorted(p.stem for p in profile.slots_folder.glob('*.slot'))) or 'none'}"
    yield f"unfinished enrolment: {'yes' if profile.enrolling_path.exists() else 'no'}"
    yield f"free on the disk {shutil.disk_usage(profile.folder).free} bytes"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _tail(file: Path) -> str:
    """The end of a log file, at most MAX_LOG_BYTES, in whole lines; "(cannot be read)" if it cannot. Invalid UTF-8 is
    replaced by U+FFFD."""
    try:
        data = file.read_bytes()
    except OSError:
        return "(cannot be read)"
    if len(data) > MAX_LOG_BYTES:
        data = data[-MAX_LOG_BYTES:].partition(b"\n")[2]
    return data.decode("utf-8", errors="replace").rstrip("\n")
