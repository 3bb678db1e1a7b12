# SPDX-License-Identifier: EUPL-1.2
"""A Debian system that runs under its own systemd, beside this machine's: own mounts, processes, network, host name and
control groups. What it changes lies in memory over a minimal root and is gone when it is switched off.

Needs root and a kernel that gives such namespaces; `why_not` says what is missing.
"""

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator, Sequence
from pathlib import Path

from roots import Root

from tests.memory import memory_folder

PROGRAMS = ("debootstrap", "unshare", "nsenter", "setpriv")
READY_S = 60
COMMAND_S = 120
MEMORY_BYTES = 2 * 1024**3
"""What a system may write in memory; with less there, it lies on the disk."""
_CLONE_NEWNET = 0x40000000
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "TERM": "dumb",
    "DEBIAN_FRONTEND": "noninteractive",
    "SYSTEMD_PAGER": "",
}

# In a control group of its own, so that systemd has nothing of this machine's below it.
_GROUP = 'mount -t cgroup2 cgroup2 "$M" && mkdir "$M/$G" && echo $$ >"$M/$G/cgroup.procs" && umount "$M"'
_GROUP_ENDS = 'mount -t cgroup2 cgroup2 "$M" && find "$M/$G" -depth -type d -exec rmdir {} +'
_SYSTEM = """
set -e
mount -t overlay -o "lowerdir=$LOWER,upperdir=$W/upper,workdir=$W/work" overlay "$M"
cd "$M"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -o remount,bind,ro sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
for node in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"; done
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
for fd in fd: stdin:/0 stdout:/1 stderr:/2; do ln -s "/proc/self/fd${fd#*:}" "dev/${fd%:*}"; done
mkdir -p .before
pivot_root . .before
umount -l /.before
[ "$1" = try ] && exit
exec env -i container=kansli-tests PATH="$PATH" setpriv --bounding-set "$KEPT" /lib/systemd/systemd
"""
"""/sys and /proc/sys are read-only: this machine's settings are the kernel's, which both share."""
_KEPT = "-sys_module,-sys_time,-sys_boot,-sys_rawio,-syslog,-mac_admin,-mac_override,-wake_alarm"
"""The capabilities that systemd has there: none by which root there changes this machine's kernel or clock."""


def _unshared(*words: str) -> list[str]:
    """The command that runs $S as the first process of a new system; it dies with the thread that starts it."""
    inner = "exec unshare --cgroup --pid --fork --kill-child --net --uts --ipc"
    command = f'{_GROUP} && {inner} sh -c "$S" sh "$@"'
    return ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "sh", "-c", command, "sh", *words]


class Booted:
    """Switched on by `boot`. Paths of its files, seen from here, are `path(...)`."""

    port = 443

    def __init__(self, root: Root) -> None:
        self._lower = root.path
        memory = memory_folder(MEMORY_BYTES)
        self.home = Path(tempfile.mkdtemp(prefix="k-", dir=memory))
        for name in ("upper", "work", "merged"):
            (self.home / name).mkdir()
        self._group = f"kansli-{uuid.uuid4().hex[:8]}"
        self._unshare: subprocess.Popen[str] | None = None
        self._lends_network = False
        self.pid = 0

    def _start(self, *words: str) -> subprocess.Popen[str]:
        places = {
            "LOWER": self._lower,
            "W": self.home,
            "M": self.home / "merged",
            "G": self._group,
            "S": _SYSTEM,
            "KEPT": _KEPT,
        }
        env = {**_ENVIRONMENT, **{name: str(value) for name, value in places.items()}}
        return subprocess.Popen(
            _unshared(*words), env=env, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, text=True
        )

    def why_not(self) -> str:
        """What this machine refuses, in its own words, or nothing: everything is tried but the start of systemd."""
        tried = self._start("try")
        said, _ = tried.communicate(timeout=30)
        self._end_group()
        return said.strip() or (f"status {tried.returncode}" if tried.returncode else "")

    def boot(self) -> None:
        """Returns when systemd has started everything that it starts by itself. AssertionError after READY_S."""
        upper = self.home / "upper/etc"
        upper.mkdir(exist_ok=True)
        upper.chmod(0o755)
        (upper / "machine-id").write_text(uuid.uuid4().hex + "\n", encoding="utf-8")
        (upper / "hostname").write_text("kansli\n", encoding="utf-8")
        (upper / "hosts").write_text("127.0.0.1 localhost kansli\n", encoding="utf-8")
        self._unshare = self._start("boot")
        end = time.monotonic() + READY_S
        state = ""
        while state not in ("running", "degraded"):
            assert self._unshare.poll() is None, f"systemd ended: {self._unshare.communicate()[0]}"
            assert time.monotonic() < end, f"systemd is not ready after {READY_S} s: {state or 'no answer'}"
            self.pid = self.pid or self._first_process()
            state = self.do("systemctl is-system-running", check=False).strip() if self.pid else ""
            time.sleep(0.1)

    def boot_another(self, kept: Sequence[str]) -> None:
        """Switches it off and boots another one in its place, in which those folders alone are as they were."""
        self._end()
        old, upper = self.home / "old", self.home / "upper"
        upper.rename(old)
        shutil.rmtree(self.home / "work")
        for folder in (upper, self.home / "work"):
            folder.mkdir()
        for name in kept:
            if (old / name).exists():
                (upper / name).parent.mkdir(parents=True, exist_ok=True)
                subprocess.run(["cp", "-a", old / name, upper / name], check=True)
        shutil.rmtree(old)
        self._group = f"kansli-{uuid.uuid4().hex[:8]}"
        self.boot()
        if self._lends_network:
            self._enter_network()

    def _first_process(self) -> int:
        """The pid here of the process that is 1 there; 0 as long as it is not systemd."""
        assert self._unshare is not None
        pid = self._unshare.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        if len(children) != 1:
            return 0
        try:
            name = Path(f"/proc/{children[0]}/comm").read_text(encoding="utf-8").strip()
        except (FileNotFoundError, ProcessLookupError):  # a program of the shell's that has ended meanwhile
            return 0
        return int(children[0]) if name == "systemd" else 0

    def path(self, name: str) -> Path:
        """A file of the running system, e.g. "/etc/kansli"."""
        return Path(f"/proc/{self.pid}/root") / name.lstrip("/")

    def _entered(self, command: str) -> list[str]:
        spaces = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")
        return ["nsenter", "--target", str(self.pid), *spaces, "bash", "-ec", f"cd\n{command}"]

    def do(self, command: str, *, check: bool = True) -> str:
        """Both outputs of a command of bash that root types there; AssertionError if it fails."""
        done = subprocess.run(
            self._entered(command), env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=PIPE, stderr=STDOUT, text=True,
            check=False, timeout=COMMAND_S,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{self._journal()}"
        return done.stdout

    async def run(self, command: str) -> str:
        """The standard output of what a guide says to type; AssertionError if it fails."""
        process = await asyncio.create_subprocess_exec(
            *self._entered(command), env=_ENVIRONMENT, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), COMMAND_S)
        text = out.decode()
        assert process.returncode == 0, f"{command}: {process.returncode}\n{text}{err.decode()}{self._journal()}"
        return text

    def _journal(self) -> str:
        return self.do("journalctl --no-pager --lines 40 || true", check=False)

    @contextlib.contextmanager
    def network(self) -> Iterator[None]:
        """This thread, and threads and programs that it starts meanwhile, use the system's network, or that of the one
        that is booted in its place."""
        with Path("/proc/thread-self/ns/net").open("rb") as ours:
            self._enter_network()
            self._lends_network = True
            try:
                yield
            finally:
                self._lends_network = False
                _set_network(ours.fileno())

    def _enter_network(self) -> None:
        with Path(f"/proc/{self.pid}/ns/net").open("rb") as theirs:
            _set_network(theirs.fileno())

    def off(self) -> None:
        """Ends every process of it and removes what it wrote; also twice."""
        self._end()
        shutil.rmtree(self.home, ignore_errors=True)

    def _end(self) -> None:
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # the first process of a namespace takes the others along
        if self._unshare is not None:
            self._unshare.kill()
            self._unshare.communicate()
            self._unshare, self.pid = None, 0
            self._end_group()

    def _end_group(self) -> None:
        env = {**_ENVIRONMENT, "M": str(self.home / "merged"), "G": self._group}
        command = ["unshare", "--mount", "sh", "-c", _GROUP_ENDS]
        end = time.monotonic() + 10
        while subprocess.run(command, env=env, capture_output=True, check=False).returncode:
            if time.monotonic() > end:  # killed processes leave their groups one after the other
                return
            time.sleep(0.05)


def _set_network(fd: int) -> None:
    """setns(2), which Python has from 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
