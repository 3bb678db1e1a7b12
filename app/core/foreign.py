# SPDX-License-Identifier: EUPL-1.2
"""Marks a file as one that came from somebody else (Mark of the Web), so that other programs open it with care."""

import os
import sys
from contextlib import suppress
from pathlib import Path

XATTR = "user.xdg.origin.url"
ORIGIN = "about:internet"
"""▲ The same for all files: the mark names neither the room nor the sender nor the server."""
_STREAM = f"[ZoneTransfer]\r\nZoneId=3\r\nHostUrl={ORIGIN}\r\n"


def mark_foreign(path: Path) -> None:
    """Marks the file at `path`. Windows: the stream Zone.Identifier with the Internet's zone, by which Office opens the
    file in Protected View and the system warns of programs. Elsewhere: the extended attribute `user.xdg.origin.url`.
    The mark stays if the file is renamed. Raises nothing: on a disk that has neither streams nor attributes the file
    stays unmarked."""
    with suppress(OSError, ValueError):
        if sys.platform == "win32":
            Path(f"{path}:Zone.Identifier").write_text(_STREAM, encoding="ascii", newline="")
        else:
            os.setxattr(path, XATTR, ORIGIN.encode(), follow_symlinks=False)
