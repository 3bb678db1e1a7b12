# SPDX-License-Identifier: EUPL-1.2
"""The file of a profile's settings: JSON, value by key."""

import json
from collections.abc import Mapping
from pathlib import Path

from app.core import log
from app.core.files import write_atomic
from app.errors import StoreUnwritable
from app.setting import Value, is_text


def write_values(path: Path, values: Mapping[str, Value]) -> None:
    """Replaces the file by one with these values; it is on the disk when the call returns. StoreUnwritable if the disk
    refuses: then the file is as it was."""
    try:
        write_atomic(path, json.dumps(values, ensure_ascii=False, indent=1, sort_keys=True).encode())
    except OSError as e:
        raise StoreUnwritable() from e


def read_values(path: Path) -> dict[str, Value]:
    """The values in the settings file by key, without those that are no text, whole number or boolean, and without
    halves of surrogate pairs, which no file could be written with again. {} if the file is missing or damaged: settings
    never keep anybody out."""
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        log.store.warning("settings-unreadable")
        return {}
    if not isinstance(found, dict):
        return {}
    kept = {k: v for k, v in found.items() if isinstance(v, str | int | bool)}
    return {k: v for k, v in kept.items() if is_text(k) and (not isinstance(v, str) or is_text(v))}
