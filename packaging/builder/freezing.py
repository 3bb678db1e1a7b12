# SPDX-License-Identifier: EUPL-1.2
"""The frozen programs for Linux: the locked wheels, PyInstaller in the oldest supported Debian."""

import re
import shutil
import subprocess
from pathlib import Path

import sbom
import sources
from contents import Frozen
from places import WORK, binaries, epoch, settle
from roots import OLDEST, QT_LIBRARIES, TOOLS, Root
from wheels import LINUX, download

FROZEN = WORK / "frozen"
"""`kansli/` and `kansli-server/`, as PyInstaller left them."""
_STAMP = "venv/made-of.txt"
_PACKAGES = "var/lib/dpkg/status"
"""In the system to build in: its wheels, and its Debian packages with their versions."""


def build_root() -> Root:
    """The system to build in, with everything installed that the programs need."""
    root = Root.make(WORK / f"root-{OLDEST}-build", OLDEST, (*TOOLS, *QT_LIBRARIES))
    found = download(LINUX)
    stamp, asked = root.path / _STAMP, "\n".join(sorted(p.name for p in found.glob("*.whl")))
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != asked:
        shutil.rmtree(root.path / "venv", ignore_errors=True)
        root.run("python3", "-m", "venv", "/venv")
        names = [f"/wheels/{p.name}" for p in sorted(found.glob("*.whl"))]
        root.run("/venv/bin/pip", "install", "--quiet", "--no-index", "--no-deps", *names, binds={found: "/wheels"})
        stamp.write_text(asked, encoding="utf-8")
    return root


def freeze(name: str) -> Path:
    """Builds `kansli` or `kansli-server` and its bill of materials, and gives its folder: a minute, or what was frozen
    of the very same sources."""
    root, work = build_root(), WORK / f"pyinstaller-{name}"
    made_with = (root.path / _STAMP).read_text(encoding="utf-8"), (root.path / _PACKAGES).read_text(encoding="utf-8")
    sources.unless_frozen(
        FROZEN / f"{name}.made-of", lambda: sources.digest(name, *made_with), lambda: _freeze(root, name, work)
    )
    sbom.make(
        Frozen(
            name=name,
            target=LINUX,
            folder=FROZEN / name,
            tables=work / name,
            site=root.path / f"venv/lib/python{LINUX.python}/site-packages",
            root=root.path,
        )
    )
    settle(FROZEN / name)
    return FROZEN / name


def _freeze(root: Root, name: str, work: Path) -> None:
    """PYTHONHASHSEED and the times make it the same twice."""
    FROZEN.mkdir(parents=True, exist_ok=True)
    for folder in (FROZEN / name, work):
        shutil.rmtree(folder, ignore_errors=True)
    work.mkdir(parents=True)
    said = root.run(
        *("/venv/bin/python", "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN"),
        *("--distpath", "/out", "--workpath", "/work", f"/src/packaging/{name}.spec"),
        binds={FROZEN: "/out", work: "/work"},
        env={"PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(epoch()), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    (WORK / f"freeze-{name}.log").write_text(said.stdout, encoding="utf-8")


def glibc(folder: Path) -> str:
    """The newest glibc version that a file below asks for, e.g. "2.34": what the program needs to start."""
    newest = (2, 0)
    for path in binaries(folder):
        said = subprocess.run(["objdump", "-T", str(path)], capture_output=True, text=True, check=False).stdout
        for number in re.findall(r"GLIBC_(2\.\d+)", said):
            newest = max(newest, (2, int(number[2:])))
    return f"{newest[0]}.{newest[1]}"
