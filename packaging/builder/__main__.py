# SPDX-License-Identifier: EUPL-1.2
"""`python packaging/builder`: what is handed to IT, into build/packages. `make packages` calls it.

Run as a folder, since a package called `packaging` would hide the one that pip and PyInstaller use.
"""

import argparse
import shutil
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import building
import deb
import freezing
import msi
import rpm
import signing
import sums
import trees
import wheels
import windows
from places import OUT, size_bytes
from roots import OLDEST

PROGRAMS = {"debootstrap": "debootstrap", "objdump": "binutils", "dpkg-deb": "dpkg", "rpmbuild": "rpm"}


def main() -> int:
    """Builds everything, or chooses wheels (`lock`). Returns the status of the command given by --meanwhile, 0 without
    one. SystemExit with what is missing or failed."""
    parser = argparse.ArgumentParser(prog="packaging/builder", description=__doc__.splitlines()[0])
    parser.add_argument("--meanwhile", metavar="COMMAND", help="run by the shell as soon as deb and rpm are built")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("lock", help="choose the newest wheels that pyproject.toml allows, for packaging/locked")
    asked = parser.parse_args()
    if asked.command == "lock":
        for target in (wheels.LINUX, wheels.WINDOWS):
            print(wheels.lock(target).relative_to(OUT.parents[1]))
        return 0
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if missing:
        raise SystemExit(f"packages: needs the Debian packages {' '.join(sorted(missing))}")
    started: list[subprocess.Popen[bytes]] = []

    def meanwhile() -> None:
        if asked.meanwhile:
            started.append(subprocess.Popen(["sh", "-c", asked.meanwhile]))

    try:
        with building.going_on():
            build(meanwhile)
    finally:  # also after a failed build: nothing is left running
        statuses = [command.wait() for command in started]
    return max(statuses, default=0)


def build(linux_built: Callable[[], None]) -> None:
    """Builds everything. Calls `linux_built` as soon as deb and rpm are finished: the MSI takes longer."""
    # By processes, since Qt draws the icons and belongs to one thread; two, since a build is for two cores.
    with ProcessPoolExecutor(max_workers=2) as pool:
        trial = pool.submit(windows_client)
        freezing.build_root()
        for part in [pool.submit(linux, name) for name in ("kansli", "kansli-server")]:
            print(part.result(), flush=True)
        linux_built()
        print(trial.result(), flush=True)
    listed = sums.write()
    signed = "signed" if signing.sign_sums(listed) else "unsigned: KANSLI_SIGN_GPG_KEY names no key"
    print(f"{listed.relative_to(OUT.parents[1])}, {signed}", flush=True)


def linux(name: str) -> str:
    """Builds deb and rpm of the client or the server; what was built and how long it took."""
    started = time.monotonic()
    tree = trees.client() if name == "kansli" else trees.server()
    said = f"{tree.name}: {_mb(size_bytes(tree.files))} MB installed, glibc {tree.glibc} (of {OLDEST}) or newer"
    for path in (deb.build(tree, freezing.build_root()), rpm.build(tree)):
        said += f"\n  {path.relative_to(OUT.parents[1])}  {_mb(path.stat().st_size)} MB"
    return f"{said}\n  {time.monotonic() - started:.0f} s"


def windows_client() -> str:
    """Builds the MSI of the client, where Wine and what else it needs are here; what was built or what it lacks."""
    lacking = sorted({*windows.missing(), *msi.missing()})
    if lacking:
        return f"no MSI: needs the Debian packages {' '.join(lacking)}"
    started = time.monotonic()
    bundle = windows.freeze()
    signing.sign_folder(bundle)
    path = msi.build(bundle, windows.icon())
    return (
        f"kansli for Windows (a trial, made under Wine): {_mb(size_bytes(bundle))} MB installed, {signing.how()}\n"
        f"  {path.relative_to(OUT.parents[1])}  {_mb(path.stat().st_size)} MB\n  {time.monotonic() - started:.0f} s"
    )


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
