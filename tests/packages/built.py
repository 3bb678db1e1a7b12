# SPDX-License-Identifier: EUPL-1.2
"""The packages that `make packages` built, and the same ones as a later version."""

import shutil
import subprocess
from pathlib import Path

from places import version

LATER = "99.0"


def package(built: Path, pattern: str) -> Path:
    """The one file of this version in `built`; AssertionError if it is not the only one."""
    found = [path for path in built.glob(pattern) if version() in path.name]
    assert len(found) == 1, f"not one {pattern} of version {version()} in build/packages: make packages"
    return found[0]


def offer(deb: Path, folder: Path) -> None:
    """Copies a package into a folder and removes the other debs there."""
    for old in folder.glob("*.deb"):
        old.unlink()
    shutil.copyfile(deb, folder / deb.name)


def later(path: Path, folder: Path) -> Path:
    """The same deb as version LATER, in `folder`."""
    tree, made = folder / "tree", folder / path.name.replace(version(), LATER)
    subprocess.run(["dpkg-deb", "-R", path, tree], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(control.read_text().replace(f"Version: {version()}", f"Version: {LATER}"))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, made], check=True, capture_output=True)
    shutil.rmtree(tree)
    return made
