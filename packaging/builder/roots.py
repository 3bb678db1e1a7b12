# SPDX-License-Identifier: EUPL-1.2
"""Minimal Debian systems in a folder: one to build in, others to install into. Needs root and debootstrap.

A program built here runs on this system's glibc and newer ones, so the oldest supported Debian is the one to build in.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from places import ROOT, WORK, run

OLDEST = "bookworm"
"""Debian 12, glibc 2.36: the oldest that has Python 3.11 of its own, and for which Debian's archive is served here."""
NEWEST = "trixie"
"""The newest Debian that packages are tried on."""
PYTHON = "3.11"
MIRROR = os.environ.get("KANSLI_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SECURITY_MIRROR = os.environ.get("KANSLI_DEBIAN_SECURITY_MIRROR", "http://deb.debian.org/debian-security")

TOOLS = ("python3", "python3-venv", f"libpython{PYTHON}", "binutils", "ca-certificates")
QT_LIBRARIES = (
    "libglib2.0-0",
    "libegl1",
    "libgl1",
    "libxkbcommon0",
    "libdbus-1-3",
    "libfontconfig1",
    "libgssapi-krb5-2",
    "libxkbcommon-x11-0",
    "libxcb-cursor0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
    "libxcb-image0",
    "libxcb-render-util0",
    "libxcb-util1",
    "libwayland-client0",
    "libwayland-cursor0",
    "libwayland-egl1",
    "libcups2",
    "libsm6",
    "libice6",
)
"""What Qt's platform plugins load: only to read which packages have them, nothing of it is bundled."""


class Root:
    """One such system. Programs run in it see `/src` (this checkout, read-only) and what `binds` adds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def make(cls, path: Path, suite: str, packages: tuple[str, ...] = ()) -> "Root":
        """Makes it, or takes the one that is there if it was made of the same packages. Of two processes that want the
        same one, the second waits."""
        stamp, wanted = path / ".made-of", " ".join([suite, MIRROR, *packages])
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(f"{path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
                cls._bootstrap(path, suite, packages)
                stamp.write_text(wanted, encoding="utf-8")
        return cls(path)

    @classmethod
    def _bootstrap(cls, path: Path, suite: str, packages: tuple[str, ...]) -> None:
        if os.geteuid() != 0:
            raise SystemExit("packages: a minimal Debian is made by debootstrap, which needs root")
        remove(path)
        cache = WORK / "debs" / suite
        cache.mkdir(parents=True, exist_ok=True)
        command: list[str | Path] = ["debootstrap", "--variant=minbase", f"--cache-dir={cache}"]
        if packages:
            command.append(f"--include={','.join(packages)}")
        for last in (False, True):  # an archive that does not answer once is asked again
            try:
                # in a namespace of its own: whatever debootstrap mounts is gone with it
                run(["unshare", "--mount", *command, suite, path, MIRROR], log=f"debootstrap-{path.name}", env=_quiet())
                break
            except SystemExit:
                if last:
                    raise
                remove(path)
        cls(path)._renew(suite)

    def _renew(self, suite: str) -> None:
        """Takes Debian's security updates: what is bundled must not be older than what a user's system has."""
        self.on_line()
        source = f"deb {SECURITY_MIRROR} {suite}-security main\n"
        (self.path / "etc/apt/sources.list.d/security.list").write_text(source, encoding="utf-8")
        (self.path / "etc/apt/apt.conf.d/90retries").write_text('Acquire::Retries "5";\n', encoding="utf-8")
        self.run("apt-get", "update", "-q")
        self.run("apt-get", "upgrade", "-q", "-y", "-o", "APT::Sandbox::User=root")

    @classmethod
    def copy_of(cls, other: "Root", path: Path) -> "Root":
        """A root to spoil."""
        remove(path)
        subprocess.run(["cp", "-a", "--reflink=auto", str(other.path), str(path)], check=True)
        return cls(path)

    def run(
        self, *command: str, binds: dict[Path, str] | None = None, env: dict[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program in it, /proc and /dev there, and gives what it said on both outputs, joined."""
        lines = ['mount -t proc proc "$R/proc"', 'mount --rbind /dev "$R/dev"']
        for source, target in {ROOT: "/src", **(binds or {})}.items():
            mode = ",ro" if source == ROOT else ""
            lines += [f'mkdir -p "$R{target}"', f'mount --bind "{source}" "$R{target}"']
            lines += [f'mount -o remount,bind{mode} "$R{target}"'] if mode else []
        script = " && ".join([*lines, 'exec chroot "$R" "$@"'])
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", script, "sh", *command],
            env={**_quiet(), "R": str(self.path), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=1800,
        )
        if check and done.returncode:
            raise SystemExit(f"{done.stdout[-4000:]}\npackages: {' '.join(command)[:200]} failed in {self.path.name}")
        return done

    def on_line(self) -> None:
        """Lets it look up names as this machine does, for apt."""
        for name in ("resolv.conf", "hosts"):
            if (Path("/etc") / name).exists():
                shutil.copyfile(Path("/etc") / name, self.path / "etc" / name)

    def remove(self) -> None:
        """Also twice."""
        remove(self.path)


def remove(path: Path) -> None:
    """Removes a root, but never through what is mounted in it."""
    if path.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", str(path)], check=True)


def _quiet() -> dict[str, str]:
    keep = {k: v for k, v in os.environ.items() if k in ("http_proxy", "https_proxy", "no_proxy")}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {**keep, "PATH": path, "LC_ALL": "C.UTF-8", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
