# SPDX-License-Identifier: EUPL-1.2
"""The operator's file, /etc/kansli/server.toml: every key that it may have, and which values are allowed.

An unknown key, and a value of the wrong type or outside its bounds, is refused with the file, the key and what would be
right. packaging/server/server.toml shows every key with its default.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sync.protocol.programs import Release, release
from sync.server.config import LOOPBACK, Config, ConfigError, Limits
from sync.server.load.origins import UNIX, network

DEFAULT_FILE = Path("/etc/kansli/server.toml")
DEFAULT_DATA = Path("/var/lib/kansli/server")

_KIB = 1024
_MIB = 1024 * _KIB
_TIB = 1024 * 1024 * _MIB
_ADDRESS = re.compile(r"(\[[0-9a-f:]+\]|[a-z0-9.-]+):\d{1,5}")

Check = Callable[[Any], Any]
"""Converts a value to Config's form. ValueError with what is allowed, if the value is not."""


def _whole(least: int, most: int) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def _number(least: float, most: float) -> Check:
    def check(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def _one_of(*words: str) -> Check:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError("one of " + ", ".join(f'"{w}"' for w in words))
        return str(value)

    return check


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _host(value: Any) -> str:
    if not isinstance(value, str) or not value or any(c.isspace() for c in value):
        raise ValueError('an address to listen on, as "0.0.0.0" or "::"')
    return value


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise ValueError("an absolute path")
    return Path(value)


def _addresses(value: Any) -> tuple[str, ...]:
    found = [a.lower() for a in value if isinstance(a, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(found) != len(value) or not all(map(_ADDRESS.fullmatch, found)):
        raise ValueError('a list of host:port, as ["kansli.example.se:443"]')
    return tuple(found)


def _proxies(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and (v == UNIX or network(v)) for v in value):
        raise ValueError('a list of addresses and networks, and "unix" for the unix socket')
    return tuple(value)


def _release(value: Any) -> Release:
    found = release(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a release of Kansli, as "0.2.0"')
    return found


def _loopback(value: Any) -> str:
    host, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if host.strip("[]") not in LOOPBACK or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError('host:port on this machine, as "127.0.0.1:9464"')
    return str(value)


SETTINGS: Mapping[str, Check] = {
    "data": _path,
    "host": _host,
    "port": _whole(1, 65535),
    "unix": _path,
    "cert": _path,
    "key": _path,
    "behind_proxy": _truth,
    "addresses": _addresses,
    "trusted_proxies": _proxies,
    "min_client": _release,
    "metrics": _loopback,
    "disk_reserve_bytes": _whole(0, _TIB),
    "log_level": _one_of("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": _one_of("text", "json"),
    "log_file": _path,
    "log_file_bytes": _whole(64 * _KIB, 1024 * _MIB),
    "log_files_kept": _whole(1, 1000),
}

LIMITS: Mapping[str, Check] = {
    "room_bytes": _whole(_MIB, 1024 * _TIB),
    "device_bytes_a_day": _whole(_MIB, 1024 * _TIB),
    "unsigned_connections": _whole(16, 100_000),
    "unsigned_bytes": _whole(4 * _MIB, 1024 * _MIB),
    "address_unsigned_connections": _whole(8, 100_000),
    "address_connections": _whole(8, 1_000_000),
    "address_requests_per_s": _number(1, 1_000_000),
    "address_requests_burst": _whole(10, 1_000_000),
    "address_processor_per_s": _number(0.001, 1000),
    "address_processor_burst_s": _number(0.1, 3600),
    "device_connections": _whole(1, 1000),
    "device_files": _whole(1, 1000),
    "device_uploads": _whole(1, 1000),
    "upload_s": _number(60, 30 * 86_400),
    "rooms_a_person": _whole(100, 10_000),
    "unanswered_adds": _whole(5, 10_000),
    "log_entries": _whole(100, 100_000),
    "log_entries_a_day": _whole(10, 100_000),
    "processor_per_s": _number(0.001, 1000),
    "processor_burst_s": _number(0.1, 3600),
    "waiting_share": _number(0.01, 1),
    "frames_per_s": _number(10, 1_000_000),
    "frames_burst": _whole(10, 1_000_000),
    "requests_at_once": _whole(1, 1024),
    "ephemeral_presence_per_s": _number(0.1, 10_000),
    "ephemeral_presence_burst": _whole(1, 100_000),
    "ephemeral_typing_per_s": _number(0.1, 10_000),
    "ephemeral_typing_burst": _whole(1, 100_000),
    "ephemeral_caret_per_s": _number(0.1, 10_000),
    "ephemeral_caret_burst": _whole(1, 100_000),
    "ephemeral_call_per_s": _number(0.1, 10_000),
    "ephemeral_call_burst": _whole(1, 100_000),
    "ephemeral_live_per_s": _number(0.1, 10_000),
    "ephemeral_live_burst": _whole(1, 100_000),
    "ephemeral_other_per_s": _number(0.1, 10_000),
    "ephemeral_other_burst": _whole(1, 100_000),
    "subscriptions": _whole(100, 1_000_000),
    "send_queue_bytes": _whole(_MIB, 1024 * _MIB),
    "stall_s": _number(1, 600),
    "handshake_s": _number(1, 600),
    "head_s": _number(1, 600),
    "bearer_s": _number(60, 86_400),
    "rooms_in_memory": _whole(8, 1_000_000),
    "logs_in_memory": _whole(100, 10_000_000),
}
"""The limits that an operator may set. The others are promises of the protocol."""


def read_config(file: Path | None, overrides: Mapping[str, Any]) -> Config:
    """The server's configuration. A value comes from `overrides` (the command line) if it is there, otherwise from the
    TOML file `file`, otherwise from the defaults.

    If `file` is None, DEFAULT_FILE is read if it exists. ConfigError, which names the file, if the file is missing,
    cannot be read or is not TOML. ConfigError, which names the file and the key, for an unknown key and a value that is
    not allowed. `overrides` are not checked.
    """
    path = file or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    found = _read(path) if path is not None else {}
    return Config(**{"data": DEFAULT_DATA, **found, **overrides})


def _read(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # an editor on Windows puts a mark before it
    except OSError as e:
        raise ConfigError(f"{path}: {e.strerror}") from e
    except ValueError as e:  # no TOML, or no UTF-8
        raise ConfigError(f"{path}: {e}") from e
    limits = table.pop("limits", {})
    if not isinstance(limits, dict):
        raise ConfigError(f"{path}: limits: a table is needed, [limits]")
    found = _checked(path, "", SETTINGS, table)
    return {**found, "limits": Limits(**_checked(path, "limits.", LIMITS, limits))}


def _checked(path: Path, within: str, known: Mapping[str, Check], table: Mapping[str, Any]) -> dict[str, Any]:
    out = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{path}: {within}{key} is no setting; known are {', '.join(known)}")
        try:
            out[key] = known[key](value)
        except ValueError as e:
            raise ConfigError(f"{path}: {within}{key} = {value!r} is not allowed; needed is {e}") from e
    return out
