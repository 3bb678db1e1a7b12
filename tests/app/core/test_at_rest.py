# SPDX-License-Identifier: EUPL-1.2
"""Whether a folder's disk is encrypted, as /proc and /sys say it: made up for each kind of disk, and real where this
computer lets a test make one."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.core.at_rest import AtRest, at_rest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc and /sys")

LUKS = "CRYPT-LUKS2-0123456789abcdef-hem"


class Computer:
    """A made-up computer: its folder has proc/, sys/ and dev/. sda has three partitions; sdb has none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("proc/self", "sys/dev/block", "sys/class/block", "dev/mapper", "mnt"):
            (folder / name).mkdir(parents=True)
        self.numbers = dict[str, str]()
        for disk in ("sda", "sdb"):
            (self.device(disk) / "device").mkdir()
        for part in ("sda1", "sda2", "sda3"):
            self.device(part, "sda")
        self.swaps()

    def device(self, name: str, disk: str = "", *, below: Sequence[str] = (), uuid: str = "") -> Path:
        """Makes a block device, a partition of `disk` if that is named, on top of the devices `below`."""
        home = self.folder / "sys/devices/block" / disk / name
        (home / "slaves").mkdir(parents=True)
        if disk:
            (home / "slaves").rmdir()
            (home / "partition").touch()
        for each in below:
            (home / "slaves" / each).symlink_to((self.folder / "sys/class/block" / each).resolve())
        if uuid:
            (home / "dm").mkdir()
            (home / "dm/uuid").write_text(f"{uuid}\n", encoding="ascii")
        self.numbers[name] = f"8:{len(self.numbers)}"
        (self.folder / "sys/dev/block" / self.numbers[name]).symlink_to(home)
        (self.folder / "sys/class/block" / name).symlink_to(home)
        (self.folder / "dev" / name).touch()
        return home

    def mapped(self, name: str, uuid: str, *below: str) -> None:
        """Makes a device of the device mapper, with a link to it in /dev/mapper."""
        self.device(name, below=below, uuid=uuid)
        (self.folder / "dev/mapper" / f"hem-{name}").symlink_to(f"../{name}")

    def swaps(self, *lines: str) -> None:
        text = "\n".join(("Filename Type Size Used Priority", *lines, ""))
        (self.folder / "proc/swaps").write_text(text, encoding="utf-8")

    def mounted(self, device: str, kind: str, source: str = "none", at: Path = Path("/")) -> AtRest:
        """What holds for a new folder in a file system of that kind on the device."""
        number = self.numbers.get(device, "0:40")
        line = f"30 1 {number} / {at} rw,relatime shared:1 - {kind} {source} rw\n"
        (self.folder / "proc/self/mountinfo").write_text(line, encoding="utf-8")
        return at_rest(self.folder / "mnt" / "ny mapp", self.folder)


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path / "dator å")


def test_a_disk_of_the_computers_own_is_in_clear(computer: Computer) -> None:
    assert computer.mounted("sdb", "xfs") is AtRest.CLEAR
    assert computer.mounted("sda1", "ext4", "/dev/sda1") is AtRest.CLEAR


@pytest.mark.parametrize("uuid", [LUKS, "CRYPT-LUKS1-0-hem", "CRYPT-PLAIN-hem", "CRYPT-BITLK-0-hem"])
def test_a_device_that_the_kernel_encrypts_is_encrypted(computer: Computer, uuid: str) -> None:
    computer.mapped("dm-0", uuid, "sda2")
    assert computer.mounted("dm-0", "ext4", "/dev/mapper/hem-dm-0") is AtRest.ENCRYPTED


@pytest.mark.parametrize("uuid", ["CRYPT-VERITY-0-usr", "CRYPT-INTEGRITY-0-hem", "CRYPT-SUBDEV-0-hem"])
def test_a_device_that_only_checks_its_data_is_in_clear(computer: Computer, uuid: str) -> None:
    """Their ids begin with CRYPT- too, since cryptsetup makes them."""
    computer.mapped("dm-0", uuid, "sda2")
    assert computer.mounted("dm-0", "ext4") is AtRest.CLEAR


def test_volumes_and_raid_are_what_is_below_them(computer: Computer) -> None:
    computer.mapped("dm-0", LUKS, "sda2")
    computer.mapped("dm-1", "LVM-abc", "dm-0")
    computer.mapped("dm-2", "LVM-def", "dm-0", "sdb")
    computer.mapped("dm-3", LUKS, "sdb")
    computer.device("md0", below=["dm-0", "dm-3"])
    computer.device("md0p1", "md0")
    assert computer.mounted("dm-1", "ext4") is AtRest.ENCRYPTED
    assert computer.mounted("dm-2", "ext4") is AtRest.CLEAR, "a part of it may be on the disk in clear"
    assert computer.mounted("md0p1", "xfs") is AtRest.ENCRYPTED


def test_what_the_system_does_not_say_is_not_known(computer: Computer) -> None:
    computer.device("loop0")
    computer.mapped("dm-0", "LVM-abc", "loop0")
    assert computer.mounted("loop0", "ext4") is AtRest.UNKNOWN
    assert computer.mounted("dm-0", "ext4") is AtRest.UNKNOWN
    assert computer.mounted("", "zfs", "rpool/home") is AtRest.UNKNOWN
    assert computer.mounted("", "nfs4", "server:/home") is AtRest.UNKNOWN
    assert computer.mounted("", "overlay", "overlay") is AtRest.UNKNOWN
    assert computer.mounted("", "btrfs", "/dev/gone") is AtRest.UNKNOWN
    assert computer.mounted("sda1", "ext4", at=Path("/another")) is AtRest.UNKNOWN
    (computer.folder / "proc/self/mountinfo").unlink()
    assert at_rest(computer.folder, computer.folder) is AtRest.UNKNOWN


def test_btrfs_is_what_all_its_devices_are(computer: Computer) -> None:
    """Its number in the table of mounts stands for no device, and its source is only one of them."""
    computer.mapped("dm-0", LUKS, "sda2")
    devices = computer.folder / "sys/fs/btrfs/0123-4567/devices"
    devices.mkdir(parents=True)
    (computer.folder / "sys/fs/btrfs/features").mkdir()
    (devices / "dm-0").symlink_to((computer.folder / "sys/class/block/dm-0").resolve())
    assert computer.mounted("", "btrfs", "/dev/mapper/hem-dm-0") is AtRest.ENCRYPTED
    (devices / "sdb").symlink_to((computer.folder / "sys/class/block/sdb").resolve())
    assert computer.mounted("", "btrfs", "/dev/mapper/hem-dm-0") is AtRest.CLEAR


@pytest.mark.parametrize("kind", ["ecryptfs", "fuse.gocryptfs", "fuse.encfs"])
def test_a_file_system_that_encrypts_is_encrypted(computer: Computer, kind: str) -> None:
    assert computer.mounted("", kind, "/home/.hemlig") is AtRest.ENCRYPTED


def test_memory_is_as_safe_as_where_the_system_writes_it(computer: Computer) -> None:
    computer.mapped("dm-0", LUKS, "sda2")
    zram = computer.device("zram0")
    (zram / "backing_dev").write_text("none\n", encoding="ascii")
    assert computer.mounted("", "tmpfs") is AtRest.MEMORY
    computer.swaps("/dev/dm-0 partition 1 0 -2", "/dev/zram0 partition 1 0 100")
    assert computer.mounted("", "tmpfs") is AtRest.MEMORY
    computer.swaps("/dev/dm-0 partition 1 0 -2", "/dev/sda3 partition 1 0 -3")
    assert computer.mounted("", "tmpfs") is AtRest.SWAPPED
    computer.swaps("/swap\\040file file 1 0 -2")
    assert computer.mounted("", "tmpfs") is AtRest.SWAPPED
    computer.swaps("/dev/zram0 partition 1 0 100")
    (zram / "backing_dev").write_text("/dev/sda3\n", encoding="ascii")
    assert computer.mounted("", "tmpfs") is AtRest.SWAPPED
    (computer.folder / "proc/swaps").unlink()
    assert computer.mounted("", "tmpfs") is AtRest.UNKNOWN


# -- on this computer itself


def ran(*command: str) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


@contextmanager
def mounted(source: Path, folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir()
    if not ran("mount", *options, str(source), str(folder)):
        pytest.skip("needs to mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    with path.open("wb") as file:
        file.truncate(48 << 20)
    return path


def test_a_folder_that_ext4_encrypts_is_encrypted_on_this_computer(image: Path, tmp_path: Path) -> None:
    if not ran("mkfs.ext4", "-q", "-O", "encrypt", str(image)):
        pytest.skip("needs mkfs.ext4")
    with mounted(image, tmp_path / "m", "-o", "loop") as folder:
        (folder / "hem å").mkdir()
        assert at_rest(folder / "hem å") is AtRest.UNKNOWN, "a disk in a file is what the disk of the file is"
        fd = os.open(folder / "hem å", os.O_RDONLY)
        try:
            fcntl.ioctl(fd, 0x800C6613, bytes([0, 1, 4, 0]) + b"nyckel 1")  # a policy; its key need not be here
        except OSError:
            pytest.skip("the kernel has no encryption of folders")
        finally:
            os.close(fd)
        assert at_rest(folder / "hem å" / "ny mapp") is AtRest.ENCRYPTED


def test_a_luks_disk_is_encrypted_on_this_computer(image: Path, tmp_path: Path) -> None:
    key, name = tmp_path / "key", f"kansli-test-{os.getpid()}"
    key.write_bytes(os.urandom(32))
    with_key = ("--batch-mode", "--key-file", str(key))
    if not ran("cryptsetup", "luksFormat", *with_key, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", str(image)):  # fmt: skip  # noqa: E501
        pytest.skip("needs cryptsetup")
    if not ran("cryptsetup", "open", *with_key, str(image), name):
        pytest.skip("needs the kernel's device mapper")
    try:
        device = Path("/dev/mapper") / name
        assert ran("mkfs.ext4", "-q", str(device))
        with mounted(device, tmp_path / "m") as folder:
            assert at_rest(folder / "ny mapp") is AtRest.ENCRYPTED
    finally:
        subprocess.run(["cryptsetup", "close", name], check=True)
