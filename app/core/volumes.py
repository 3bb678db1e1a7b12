# SPDX-License-Identifier: EUPL-1.2
"""Whether a folder is on a disk of this computer, of another one, or in memory."""

import sys
from pathlib import Path

if sys.platform == "win32":
    import ctypes

MOUNTS = Path("/proc/self/mountinfo")
_REMOTE_DRIVE = 4
_REMOTE = {
    "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "glusterfs", "lustre",
    "gfs2", "ocfs2", "davfs", "fuse.sshfs", "fuse.davfs", "fuse.davfs2", "fuse.gvfsd-fuse", "fuse.ceph",
    "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.smbnetfs", "fuse.kio-fuse",
}  # fmt: skip


def is_remote(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the folder is on a network drive, or would be if it were made. `mounts`: the system's table of mounts.
    False where the system does not say."""
    if sys.platform == "win32":
        return _is_remote_on_windows(folder)
    try:
        return _type_of(folder.resolve(), mounts.read_text(encoding="utf-8", errors="surrogateescape")) in _REMOTE
    except (OSError, RuntimeError):  # RuntimeError: of links in a ring, before Python 3.13
        return False


def is_in_memory(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the folder is on a file system in memory (tmpfs, ramfs). `mounts`: the system's table of mounts. False on
    Windows, and if the table cannot be read."""
    try:
        text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
        return _type_of(folder.resolve(), text) in ("tmpfs", "ramfs")
    except (OSError, RuntimeError):
        return False


def _type_of(folder: Path, mounts: str) -> str:
    """The kind of the file system ("ext4") that the absolute `folder` is on; "" if no mount contains it. `mounts`: the
    text of the mount table. Of the mounts whose path contains the folder, the longest path counts, the last of equal
    ones."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        place = Path(_unescaped(fields[4]))
        if folder.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), right.split(" ", 1)[0]
    return kind


def _unescaped(path: str) -> str:
    """A path of the mount table, with the octal numbers for spaces and the like replaced by the characters."""
    for code in ("040", "011", "012", "134"):
        path = path.replace(f"\\{code}", chr(int(code, 8)))
    return path


if sys.platform == "win32":

    def _is_remote_on_windows(folder: Path) -> bool:
        whole = folder.resolve()
        if whole.drive.startswith("\\\\"):
            return True
        return bool(ctypes.windll.kernel32.GetDriveTypeW(f"{whole.drive}\\") == _REMOTE_DRIVE)
