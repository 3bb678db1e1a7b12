# SPDX-License-Identifier: EUPL-1.2
"""Where things lie and what is built: folders, the version, and the one time that every built file carries."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # the builder asks app/ what it ships; last, since this folder is called packaging
PACKAGING = ROOT / "packaging"
OUT = ROOT / "build" / "packages"
"""What is handed to IT: the packages, their bills of materials and checksums."""
WORK = ROOT / "build" / "packaging"
"""Build roots, downloaded wheels and what is half done; may be removed at any time."""

MAINTAINER = "Kansli <kansli@example.org>"
SUMMARY = "End-to-end encrypted office for public authorities"
SERVER_SUMMARY = "Sync server of Kansli: holds sealed content that it cannot read"
HOMEPAGE = "https://kansli.example.org"

ZSTD_LEVEL = 9
"""The level at which deb and rpm are compressed. One thread does it, so that the number of cores changes no byte.
Debian 12 and every rpm distribution that is supported read zstd. The client's 151 MB become 59 MB in 3 s at level 9, no
fewer in 8 s at level 12, and 53 MB in two minutes at level 19; with xz -6 it was 49 MB in two minutes."""


@cache
def version() -> str:
    """The project's version, from pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


@cache
def epoch() -> int:
    """Seconds since 1970 that files in packages carry: SOURCE_DATE_EPOCH, else the last commit's, else a fixed day.

    https://reproducible-builds.org/specs/source-date-epoch/
    """
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(answer.stdout) if answer.returncode == 0 and answer.stdout.strip() else 1_767_225_600


def settle(folder: Path) -> None:
    """Gives every file below the one time, and modes that do not depend on who builds."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def size_bytes(folder: Path) -> int:
    """Of all files below, each hard link and symbolic link counted as nothing."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def binaries(folder: Path) -> Iterator[Path]:
    """Every program and shared library below, each once: no symbolic links."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def run(command: list[str | Path], *, log: str, timeout_s: float = 1800, **rest: object) -> None:
    """Runs a program with its output in build/packaging/<log>.log; SystemExit with the output's end if it fails."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"{log}.log"
    with path.open("wb") as out:
        done = subprocess.run(
            [str(c) for c in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=timeout_s,
            **rest,  # type: ignore[call-overload]  # cwd and env of subprocess.run
        )
    if done.returncode:
        tail = path.read_bytes().decode(errors="replace").splitlines()[-25:]
        raise SystemExit("\n".join([*tail, f"packages: {Path(str(command[0])).name} failed ({log}.log)"]))
