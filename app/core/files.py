# SPDX-License-Identifier: EUPL-1.2
"""Writing a small file so that it is there whole or not at all, also after a power cut."""

import os
from pathlib import Path

from app.core.ids import new_id


def write_atomic(path: Path, data: bytes) -> None:
    """Replaces the file with `data`, durably. OSError as it comes; nothing is left behind then."""
    draft = path.with_name(f".{path.name}.{new_id().hex()[:8]}")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes new names in a folder durable (not needed, nor possible, on Windows)."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
