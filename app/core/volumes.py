# SPDX-License-Identifier: EUPL-1.2
"""Whether a folder is on a disk of this computer, of another one, or in memory."""

import sys
from dataclasses import dataclass
from pathlib import Path

if sys.platform == "win32":
    import ctypes

MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = ("tmpfs", "ramfs")
"""The kinds of file systems that are in memory."""
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
        found = mount_of(folder, mounts)
        return found is not None and found.kind in _REMOTE
    except (OSError, RuntimeError):  # RuntimeError: of links in a ring, before Python 3.13
        return False


def is_in_memory(folder: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the folder is on a file system in memory (tmpfs, ramfs). `mounts`: the system's table of mounts. False on
    Windows, and if the table cannot be read."""
    try:
        found = mount_of(folder, mounts)
        return found is not None and found.kind in IN_MEMORY
    except (OSError, RuntimeError):
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mounted file system. `device`: the number of its block device ("8:1"), or a number of no device
    ("0:40"). `kind`: "ext4". `source`: where it was mounted from ("/dev/sda1"), in the file system's own words."""

    device: str
    kind: str
    source: str


def mount_of(folder: Path, mounts: Path = MOUNTS) -> Mount | None:
    """The mount that `folder` is on, or would be on if it were made; None if no mount contains it. `mounts`: the
    system's table of mounts. Of the mounts whose path contains the folder, the longest path counts, the last of equal
    ones. OSError if the table cannot be read; RuntimeError for links in a ring, before Python 3.13."""
    whole = f"{folder.resolve()}/"
    best, mount = -1, None
    for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        place = unescaped(fields[4]).rstrip("/") + "/"
        if whole.startswith(place) and len(place) >= best:
            kind, source = (*right.split(" "), "")[:2]
            best, mount = len(place), Mount(device=fields[2], kind=kind, source=unescaped(source))
    return mount


def unescaped(path: str) -> str:
    """A path of the kernel's tables, with the octal numbers for spaces and the like replaced by the characters."""
    for code in ("040", "011", "012", "134"):
        path = path.replace(f"\\{code}", chr(int(code, 8)))
    return path


if sys.platform == "win32":

    def _is_remote_on_windows(folder: Path) -> bool:
        whole = folder.resolve()
        if whole.drive.startswith("\\\\"):
            return True
        return bool(ctypes.windll.kernel32.GetDriveTypeW(f"{whole.drive}\\") == _REMOTE_DRIVE)
