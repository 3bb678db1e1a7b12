# SPDX-License-Identifier: EUPL-1.2
"""Network drives are known by what the kernel says of mounts; a profile is not opened on one."""

from pathlib import Path

import pytest

from app import profile
from app.core.volumes import is_remote
from app.errors import DataOnNetwork
from app.profile import Profile

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /home rw,relatime shared:20 - nfs4 server:/home rw,vers=4.2
31 30 8:2 / /home/lokal rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/g\\040drive rw - cifs //server/g rw
33 22 0:42 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
34 22 0:43 / /over rw - tmpfs tmpfs rw
35 34 0:44 / /over rw - nfs server:/x rw
damaged line
"""


@pytest.mark.parametrize(
    ("folder", "remote"),
    [
        ("/var/lib", False),
        ("/home/anna/.local/share/Kansli", True),
        ("/home/lokal/anna", False),
        ("/homework", False),
        ("/mnt/g drive/Kansli", True),
        ("/run/user/1000/gvfs/smb-share:server=x", True),
        ("/over/there", True),
    ],
)
def test_the_mount_above_a_folder_decides_where_it_is(tmp_path: Path, folder: str, remote: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS, encoding="utf-8")
    assert is_remote(Path(folder), mounts) is remote


def test_a_system_without_mount_information_counts_as_local(tmp_path: Path) -> None:
    assert not is_remote(tmp_path, tmp_path / "nothing")
    assert not is_remote(tmp_path)


def test_a_profile_on_a_network_drive_is_neither_made_nor_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "is_remote", lambda folder: True)
    with pytest.raises(DataOnNetwork):
        Profile.open(root=tmp_path)
    assert not list(tmp_path.iterdir())
