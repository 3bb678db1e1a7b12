# SPDX-License-Identifier: EUPL-1.2
"""Files that commands of the server make."""

import os
from pathlib import Path


def create_private(path: Path, data: bytes) -> None:
    """Creates the file `path` with the content `data`, which only its owner may read. The content is on the disk when
    it returns; for its name to outlast a crash, its folder must be flushed too (`sync_folder`). FileExistsError if
    there is one of that name; after any other error (an OSError) there is none."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sync_folder(path: Path) -> None:
    """Flushes the folder `path` to the disk, so that files which were created or renamed in it keep their names after a
    crash. OSError if that is not possible; on Windows it never is."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
