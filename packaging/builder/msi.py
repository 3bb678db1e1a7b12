# SPDX-License-Identifier: EUPL-1.2
"""The MSI, by wixl from the bundle; what wixl cannot say is put into its tables afterwards (msi_rules.py)."""

import hashlib
import shutil
import subprocess
from pathlib import Path, PurePosixPath

import msi_rules
import msi_source
import msi_times
import signing
from places import OUT, WORK, run, size_bytes, version

NEEDS = {"wixl": "wixl", "msibuild": "msitools", "msiinfo": "msitools"}
"""Programs, and the Debian packages that have them."""
LEAST_BYTES = 1_000_000
"""msibuild makes an empty MSI of a file that is not there, on which msiexec never returns."""
_BUILD_S, _EXPORT_S = 300.0, 60.0


def missing() -> list[str]:
    """The Debian packages that are not here."""
    return sorted({package for program, package in NEEDS.items() if shutil.which(program) is None})


def build(bundle: Path, icon: Path, *, number: str = "", out: Path = OUT) -> Path:
    """The MSI's file, signed if a certificate is named. `number`: another version than the project's, for tests."""
    number = number or version()
    work = WORK / f"msi-{number}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    source, draft = work / "kansli.wxs", work / "draft.msi"
    msi_source.wixl(bundle, icon, number).write(source, encoding="utf-8", xml_declaration=True)
    run(["wixl", "--arch", "x64", "--output", draft, source], log="wixl", timeout_s=_BUILD_S)
    _check_size(draft)
    _complete(draft, bundle, number, work)
    msi_times.settle(draft)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"kansli-{number}-x64.msi"
    shutil.copyfile(draft, path)
    signing.sign(path)
    shutil.rmtree(work)
    return path


def table(path: Path, name: str) -> list[list[str]]:
    """The rows of an MSI's table, as text; [] if it has no such table."""
    return [line.split("\t") for line in _export(path, name)[3:]]


def _complete(draft: Path, bundle: Path, number: str, work: Path) -> None:
    """Puts the rules into the tables, in one go, and sees that they are there."""
    changes = msi_rules.changes(number, size_bytes(bundle))
    versions = _file_versions(bundle)
    files = []
    for name in (*changes.rows, "Component", "File", "MsiFileHash"):
        head, rows = (lines := _export(draft, name))[:3], [line.split("\t") for line in lines[3:]]
        match name:
            case "Component":
                rows = [_conditioned(row, changes) for row in rows]
            case "File":
                rows = [[*row[:4], versions.get(row[0], ""), *row[5:]] for row in rows]
            case "MsiFileHash":
                rows = [row for row in rows if row[0] not in versions]  # is for files without a version
            case _:
                added = [[str(cell) for cell in row] for row in changes.rows[name]]
                rows = [row for row in rows if row[0] not in {new[0] for new in added}] + added
        file = work / f"{name}.idt"
        file.write_bytes("\r\n".join([*head, *("\t".join(row) for row in rows), ""]).encode("cp1252"))
        files.append(file)
    summary = ["-s", "Kansli", msi_source.MANUFACTURER, "x64;1033", _package_code(bundle, number)]
    for arguments in (["-i", *files], summary):  # it takes one kind of change at a time
        run(["msibuild", draft, *arguments], log="msibuild", timeout_s=_BUILD_S)
    _check_size(draft)
    for file in files:
        wanted = sorted(file.read_bytes().decode("cp1252").splitlines()[3:])
        if sorted("\t".join(row) for row in table(draft, file.stem)) != wanted:
            raise SystemExit(f"packages: msibuild did not take the table {file.stem}")


def _conditioned(row: list[str], changes: msi_rules.Changes) -> list[str]:
    """Columns: Component, ComponentId, Directory_, Attributes, Condition, KeyPath."""
    if row[0] not in changes.components:
        return row
    attributes, condition = changes.components[row[0]]
    return [*row[:3], str(attributes), condition, row[5]]


def _file_versions(bundle: Path) -> dict[str, str]:
    """The versions of the files that have one, by their ids: without them Windows keeps what is there."""
    found = {}
    for path in bundle.rglob("*"):
        if path.suffix.lower() in (".exe", ".dll", ".pyd"):
            number = file_version(path.read_bytes())
            if number:
                found[msi_source.file_id(PurePosixPath(path.relative_to(bundle).as_posix()))] = number
    return found


def file_version(program: bytes) -> str:
    """Of a PE file, from the VS_FIXEDFILEINFO of its version resource, e.g. "6.11.3.0"; "" if it has none.

    https://learn.microsoft.com/windows/win32/api/verrsrc/ns-verrsrc-vs_fixedfileinfo
    """
    at = program.find("VS_VERSION_INFO".encode("utf-16-le"))
    at = program.find(b"\xbd\x04\xef\xfe", at) if at >= 0 else -1
    if at < 0 or len(program) < at + 16:
        return ""
    high, low = (int.from_bytes(program[at + offset : at + offset + 4], "little") for offset in (8, 12))
    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"


def _package_code(bundle: Path, number: str) -> str:
    """Another one for another content, as Windows Installer wants it."""
    found = hashlib.sha256(number.encode())
    for path in sorted(p for p in bundle.rglob("*") if p.is_file()):
        found.update(path.read_bytes())
    return msi_source.guid(f"package {found.hexdigest()}")


def _export(path: Path, name: str) -> list[str]:
    command = ["msiinfo", "export", str(path), name]
    done = subprocess.run(command, capture_output=True, check=False, timeout=_EXPORT_S)
    return done.stdout.decode("cp1252").replace("\r\n", "\n").splitlines() if done.returncode == 0 else []


def _check_size(path: Path) -> None:
    if not path.is_file() or path.stat().st_size < LEAST_BYTES:
        raise SystemExit(f"packages: {path.name} is no MSI")
