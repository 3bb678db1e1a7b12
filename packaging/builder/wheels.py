# SPDX-License-Identifier: EUPL-1.2
"""The wheels of a build: exactly those of packaging/locked, by version and SHA-256. `lock` makes a new choice."""

import hashlib
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename
from places import PACKAGING, ROOT, WORK, run

_HEAD = """\
# SPDX-License-Identifier: EUPL-1.2
# Every wheel of a build for {name}, Python {python}. Written by `python packaging/builder lock`; not edited by hand.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What wheels are for: `extra` are requirements beside pyproject.toml's, `dropped` names not used there."""

    name: str
    python: str
    """Its minor version, e.g. "3.11"."""
    platforms: tuple[str, ...]
    """Tags of wheels that run there, the best first."""
    extra: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()

    @property
    def locked(self) -> Path:
        """The list of its wheels, as `pip --require-hashes` reads it."""
        return PACKAGING / "locked" / f"{self.name}.txt"


LINUX = Target(
    name="linux",
    python="3.11",
    platforms=(*(f"manylinux_2_{minor}_x86_64" for minor in range(36, 16, -1)), "manylinux2014_x86_64"),
)
WINDOWS = Target(
    name="windows",
    python="3.13",
    platforms=("win_amd64",),
    extra=("pywin32-ctypes", "colorama", "pefile"),  # pip asks this machine which markers hold, and names none of them
    dropped=frozenset({"jeepney", "secretstorage"}),
)


def requirements() -> list[str]:
    """What pyproject.toml asks for at run time, and PyInstaller as the developers have it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    builder = [line for line in project["optional-dependencies"]["dev"] if line.startswith("pyinstaller")]
    return [*project["dependencies"], *builder]


def download(target: Target) -> Path:
    """The folder with the locked wheels, filled if it is not. SystemExit if one cannot be had or has another hash."""
    folder, asked = WORK / f"wheels-{target.name}", target.locked.read_text(encoding="utf-8")
    stamp = folder / "locked.txt"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == asked:
        return folder
    _pip_download(target, folder, "--require-hashes", "--no-deps", "-r", target.locked)
    stamp.write_text(asked, encoding="utf-8")
    return folder


def lock(target: Target) -> Path:
    """Writes the list of the newest wheels that pyproject.toml allows, nothing to be compiled."""
    folder = WORK / f"wheels-{target.name}-new"
    _pip_download(target, folder, *requirements(), *target.extra)
    lines = []
    for path in sorted(folder.glob("*.whl"), key=lambda p: p.name.lower()):
        name, number, _, _ = parse_wheel_filename(path.name)
        if name not in target.dropped:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(f"{name}=={number} --hash=sha256:{digest}\n")
    target.locked.parent.mkdir(exist_ok=True)
    head = _HEAD.format(name=target.name, python=target.python)
    target.locked.write_text(head + "".join(lines), encoding="utf-8")
    shutil.rmtree(folder)
    return target.locked


def hashes(target: Target) -> dict[str, tuple[str, str]]:
    """Of each locked wheel, by its distribution's normalised name: the version and the SHA-256 in hex."""
    found = {}
    for line in target.locked.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            pinned, _, digest = line.partition(" --hash=sha256:")
            name, _, number = pinned.partition("==")
            found[name] = (number, digest)
    return found


def _pip_download(target: Target, folder: Path, *wanted: str | Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command: list[str | Path] = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--implementation", "cp", "--python-version", target.python]
    for platform in target.platforms:
        command += ["--platform", platform]
    run([*command, "--dest", folder, *wanted], log=folder.name)
