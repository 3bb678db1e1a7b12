# SPDX-License-Identifier: EUPL-1.2
"""What a frozen program takes from the user's system: the shared libraries that its files name and do not bring."""

import re
import subprocess
from pathlib import Path

from places import binaries
from roots import Root

_LOADER = re.compile(r"ld-linux|libc\.so|libm\.so|libdl\.so|libpthread\.so|librt\.so|libutil\.so|libresolv\.so")


def libraries(folder: Path) -> list[str]:
    """Sonames, e.g. "libX11.so.6", in order, without glibc's own (`freezing.glibc` says which it must be)."""
    here = {path.name for path in folder.rglob("*.so*")}
    asked: set[str] = set()
    for path in binaries(folder):
        said = subprocess.run(["objdump", "-p", str(path)], capture_output=True, text=True, check=True).stdout
        asked |= {line.split()[1] for line in said.splitlines() if line.split()[:1] == ["NEEDED"]}
    return sorted(name for name in asked - here if not _LOADER.match(name))


def debian_packages(root: Root, sonames: list[str]) -> list[str]:
    """The packages of the build system that have them. SystemExit if one has none: the program could not start."""
    found: set[str] = set()
    for name in sonames:
        said = root.run("dpkg", "-S", f"*/{name}", check=False).stdout
        owners = {line.partition(":")[0] for line in said.splitlines() if ": /" in line and line.endswith(f"/{name}")}
        if not owners:
            raise SystemExit(f"packages: no package of the build system has {name}, which a bundled file asks for")
        found |= owners
    return sorted(found)
