# SPDX-License-Identifier: EUPL-1.2
"""What lies in a frozen folder and where each file and module of it came from, by PyInstaller's own tables."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PureWindowsPath

from places import ROOT
from wheels import Target

from app.licences import normal

_VC_RUNTIME = re.compile(r"(?i)(msvcp|vcruntime|concrt|ucrtbase|api-ms-win)[\w-]*\.dll$")
"""Microsoft's, whoever brings them along."""
PYTHON, OURS, BOOTLOADER, VC_RUNTIME = "python", "kansli", "pyinstaller", "vcruntime"
"""Whose a file is, beside distributions' normalised names and Debian packages' names."""

PAGE, TEXT = "lib/resources/licences.json", "lib/THIRD-PARTY-LICENCES.txt"
"""What the bill of materials adds to a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A folder that PyInstaller made: `kansli` or `kansli-server`, the program at its top and the rest in lib/.

    `tables` is the folder below PyInstaller's work path that has its .toc files. A source path in them is one of the
    build system's: of the Debian in `root`, else (under wine) of this machine's drive Z:. `site` is where its
    distributions lie, as a path here, `python` where its interpreter lies if that is no Debian package.
    """

    name: str
    target: Target
    folder: Path
    tables: Path
    site: Path
    root: Path | None = None
    python: Path | None = None

    def here(self, source: str) -> Path:
        """A source path of the tables as one of this machine."""
        if self.root is None:
            return Path("/", *PureWindowsPath(source).parts[1:]) if "\\" in source else Path(source)
        if source.startswith("/src/"):
            return ROOT / source[5:]
        return self.tables.parent / source[6:] if source.startswith("/work/") else self.root / source.lstrip("/")


@dataclass(slots=True)
class Share:
    """What one maker has in the folder: `files` below it, and whether modules are in the program's own archive."""

    files: set[str] = field(default_factory=set)
    archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Shares by distribution (normalised name), by Debian package, and of PYTHON, OURS, BOOTLOADER and VC_RUNTIME."""

    distributions: dict[str, Share]
    packages: dict[str, Share]
    rest: dict[str, Share]


def read(frozen: Frozen) -> Contents:
    """SystemExit if a file is in the folder and not in the tables, the other way round, or if it is nobody's."""
    collected = _table(frozen, "COLLECT")[0]
    modules = _table(frozen, "PYZ")[1]
    _compare(frozen, collected)
    distributions, packages = _owners(frozen.site), _debian(frozen.root)
    shares: dict[str, dict[str, Share]] = {k: defaultdict(Share) for k in ("distributions", "packages", "rest")}
    unowned = []

    def share(source: str) -> Share | None:
        path = frozen.here(source)
        if _VC_RUNTIME.match(path.name):
            return shares["rest"][VC_RUNTIME]
        if str(path).lower() in distributions:
            return shares["distributions"][distributions[str(path).lower()]]
        if source in packages:
            return shares["packages"][packages[source]]
        whose = _whose(frozen, path)
        return shares["rest"][whose] if whose else None

    for name, source, kind in [*collected, *modules]:
        if kind == "SYMLINK" or source in ("-", ""):
            continue
        found = share(source)
        if found is None:
            unowned.append(source)
        elif kind == "PYMODULE":
            found.archived = True
        else:
            found.files.add(_place(frozen, name, kind))
    if unowned:
        raise SystemExit(f"packages: of unknown origin in {frozen.name}: {', '.join(sorted(unowned)[:20])}")
    return Contents(**{kind: dict(sorted(found.items())) for kind, found in shares.items()})


def _table(frozen: Frozen, name: str) -> tuple[list[tuple[str, str, str]], ...]:
    value = ast.literal_eval((frozen.tables / f"{name}-00.toc").read_text(encoding="utf-8"))
    return tuple(value)


def _place(frozen: Frozen, name: str, kind: str) -> str:
    """Where an entry of the table lies below the folder."""
    plain = name.replace("\\", "/")
    return plain if kind == "EXECUTABLE" else f"lib/{plain}"


def _compare(frozen: Frozen, collected: list[tuple[str, str, str]]) -> None:
    said = {_place(frozen, name, kind) for name, _, kind in collected}
    files = (p for p in frozen.folder.rglob("*") if p.is_symlink() or not p.is_dir())
    there = {p.relative_to(frozen.folder).as_posix() for p in files}
    differ = sorted(said ^ there - {PAGE, TEXT})
    if differ:
        raise SystemExit(f"packages: {frozen.name} is not what PyInstaller's table says: {', '.join(differ[:20])}")


def _owners(site: Path) -> dict[str, str]:
    """The distribution of each installed file, by its path here in small letters: Windows knows no others."""
    return {
        str(Path(str(file.locate())).resolve()).lower(): normal(distribution.name)
        for distribution in metadata.distributions(path=[str(site)])
        for file in distribution.files or []
    }


def _debian(root: Path | None) -> dict[str, str]:
    """The package of each file of a Debian, by its path there, with /usr and without where the two are one."""
    found: dict[str, str] = {}
    for listed in sorted((root / "var/lib/dpkg/info").glob("*.list")) if root else []:
        package = listed.stem.partition(":")[0]
        for line in listed.read_text(encoding="utf-8").splitlines():
            found[line] = package
            found[line.removeprefix("/usr") if line.startswith("/usr/lib/") else f"/usr{line}"] = package
    return found


def _whose(frozen: Frozen, path: Path) -> str | None:
    if path.is_relative_to(frozen.tables.parent):
        return {"base_library.zip": PYTHON, "version.txt": OURS}.get(path.name, BOOTLOADER)
    if frozen.python is not None and path.is_relative_to(frozen.python):
        return PYTHON
    if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
        return OURS
    return None
