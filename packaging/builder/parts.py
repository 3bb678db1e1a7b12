# SPDX-License-Identifier: EUPL-1.2
"""The components of a frozen folder: distributions and what is compiled into them, Python, Debian's libraries, ours."""

import json
import re
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import contents
import wheels
from contents import OURS, Contents, Frozen, Share
from packageurl import PackageURL
from places import version

from app import licences
from app.licences import WITHIN, Component, normal

_NUMBERS = {
    "OpenSSL": re.compile(rb"OpenSSL (\d+\.\d+\.\d+) \d+ \w+ 20\d\d"),
    "SQLCipher": re.compile(rb"\0(4\.\d+\.\d+)\0"),
    "SQLite": re.compile(rb"(?<![\d.])(3\.[3-9]\d\.\d+)(?![\d.])"),
    "Qt": re.compile(rb"Qt (\d+\.\d+\.\d+) \("),
    "ICU": re.compile(rb"\0icudt(\d+)l?\0|libicudata\.so\.(\d+)"),
    "libpng": re.compile(rb"libpng version (\d+\.\d+\.\d+)"),
    "libjpeg-turbo": re.compile(rb"libjpeg-turbo version (\d+\.\d+\.\d+)"),
    "LibTIFF": re.compile(rb"LIBTIFF, Version (\d+\.\d+\.\d+)"),
    "zlib": re.compile(rb"(?:in|de)flate (\d+\.\d+\.\d+(?:\.\d+)?) Copyright"),
}
"""How a library says its version in a binary that contains it; those that do not say it are listed without."""
_FILES = {"ICU": "icu", "libjpeg-turbo": "qjpeg", "LibTIFF": "qtiff", "libwebp": "qwebp"}
"""What is only there if a file of the distribution has this in its name."""
_NAME = re.compile(r"[\w.-]+")
"""Of the distribution at the beginning of a requirement."""
_FILE_VERSION = re.compile(re.escape("FileVersion".encode("utf-16-le")) + rb"\0+((?:[0-9.]\0)+)")
"""In the version resource of a Windows binary."""
_DEBIAN_LICENCES = {
    "bzip2": "bzip2-1.0.6",
    "expat": "MIT",
    "libffi": "MIT",
    "libzstd": "BSD-3-Clause",
    "mpdecimal": "BSD-2-Clause",
    "openssl": "Apache-2.0",
    "python3.11": "PSF-2.0",
    "sqlite3": "blessing",
    "util-linux": "BSD-3-Clause",
    "xz-utils": "LicenseRef-public-domain",
    "zlib": "Zlib",
}
"""Of the library in each source package; its copyright file covers programs and build scripts besides, which differ."""
_MISSING_LICENCES = {"libXau": "MIT-open-group"}
"""The licences of libraries in wheels whose bills of materials name them without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component with what a bill of materials says beyond the licences page.

    `sha256` is that of the wheel or source archive, "" where there is none; `files` lie below the frozen folder.
    """

    component: Component
    purl: PackageURL
    kind: str = "library"
    sha256: str = ""
    files: tuple[str, ...] = ()
    within: tuple["Part", ...] = ()
    needs: tuple[str, ...] = ()
    """Normalised names of distributions that it asks for."""


def of(frozen: Frozen, there: Contents) -> tuple[Part, ...]:
    """Every component, by name. SystemExit if a distribution is not the one that is locked."""
    found = [_distribution(frozen, name, share) for name, share in there.distributions.items()]
    found += [_package(frozen.root, name, share) for name, share in there.packages.items() if frozen.root]
    found += [_rest(frozen, whose, share) for whose, share in there.rest.items() if whose != OURS]
    resources = there.rest[OURS].files
    for component, folder in zip(licences.own()[1:], ("lib/resources/fonts/", "lib/resources/icons/"), strict=True):
        files = tuple(sorted(name for name in resources if name.startswith(folder)))
        if files:  # the server has fonts for its letters, and no icons
            found.append(Part(component=component, purl=_generic(component), kind="data", files=files))
    return tuple(sorted(found, key=lambda part: (part.component.name.lower(), part.purl.to_string())))


def ours(frozen: Frozen, there: Contents) -> Part:
    """The program itself."""
    component = replace(licences.own()[0], name=frozen.name, version=version())
    files = tuple(sorted(there.rest[OURS].files))
    return Part(component=component, purl=_generic(component), kind="application", files=files)


def _distribution(frozen: Frozen, name: str, share: Share) -> Part:
    distribution = next(iter(metadata.distributions(name=name, path=[str(frozen.site)])))
    number, sha256 = wheels.hashes(frozen.target).get(name, ("", ""))
    if number != distribution.version:
        raise SystemExit(f"packages: {name} {distribution.version} is built in, {number or 'none'} is locked")
    component = Component(
        name=distribution.name,
        version=number,
        licence=licences.licence_of(distribution),
        texts=licences.texts_of(distribution),
    )
    asked = [line for line in distribution.requires or [] if "extra ==" not in line]
    return Part(
        component=component,
        purl=PackageURL("pypi", name=name, version=number),
        sha256=sha256,
        files=_files(frozen, share),
        within=_within(frozen, distribution, share),
        needs=tuple(sorted({normal(_NAME.findall(line)[0]) for line in asked})),
    )


def _within(frozen: Frozen, distribution: metadata.Distribution, share: Share) -> tuple[Part, ...]:
    """What its makers' own bills say (PEP 770), and what is known to be in its binaries."""
    found = _listed_in_boms(distribution)
    binaries = [frozen.folder / name for name in sorted(share.files) if Path(name).suffix != ".py"]
    for known in WITHIN:
        there = any(_FILES.get(known.name, "") in path.name for path in binaries)
        if known.distribution == normal(distribution.name) and there:
            told = next((part for part in found if _is_library(part.purl, known.name)), None)
            number = told.component.version if told else _number(known.name, binaries)
            component = known.component(number, distribution.name)
            found = [part for part in found if part is not told]
            found.append(Part(component=component, purl=told.purl if told else _generic(component)))
    return tuple(sorted(found, key=lambda part: (part.component.name.lower(), part.component.version)))


def _is_library(purl: PackageURL, name: str) -> bool:
    """Whether it is the library itself, and not a crate of the same name that binds it."""
    return purl.type == "generic" and purl.name.lower() == name.lower()


def _listed_in_boms(distribution: metadata.Distribution) -> list[Part]:
    """The parts that the bills of materials in a wheel list with an address, without the distribution itself and its
    own modules."""
    found = []
    for file in distribution.files or []:
        if "sboms" in file.parts and file.suffix == ".json":
            for row in json.loads(Path(str(file.locate())).read_text(encoding="utf-8")).get("components", []):
                if "purl" not in row:
                    continue
                purl = PackageURL.from_string(row["purl"])
                if (purl.type, normal(purl.name)) == ("pypi", normal(distribution.name)):
                    continue
                said = row.get("licenses", [{}])[0]
                licence = said.get("expression") or said.get("license", {}).get("id")
                licence = licence or _MISSING_LICENCES.get(row["name"], "LicenseRef-unknown")
                component = Component(
                    name=row["name"], version=row.get("version", ""), licence=licence, within=distribution.name
                )
                found.append(Part(component=component, purl=purl._replace(qualifiers=None, subpath=None)))
    return found


def _number(name: str, binaries: list[Path]) -> str:
    """The version that a binary tells, "" if none or if two differ."""
    pattern = _NUMBERS.get(name)
    said = {
        next(g for g in m.groups() if g)
        for p in binaries
        for m in (pattern.finditer(p.read_bytes()) if pattern else ())
    }
    return said.pop().decode() if len(said) == 1 else ""


def _package(root: Path, name: str, share: Share) -> Part:
    """A Debian package: the status file says which, its copyright file under which licence."""
    stanzas = (root / "var/lib/dpkg/status").read_text(encoding="utf-8").split("\n\n")
    stanza = next(s for s in stanzas if s.startswith(f"Package: {name}\n"))
    fields = dict(line.split(": ", 1) for line in stanza.splitlines() if re.match(r"[\w-]+: ", line))
    source = fields.get("Source", name).partition(" ")[0]
    copyright_file = root / "usr/share/doc" / name / "copyright"
    text = copyright_file.read_text(encoding="utf-8") if copyright_file.exists() else ""
    release = re.search(r'VERSION_ID="(\d+)"', (root / "etc/os-release").read_text(encoding="utf-8"))
    component = Component(
        name=name,
        version=fields["Version"],
        licence=_DEBIAN_LICENCES.get(source, "LicenseRef-debian-copyright"),
        texts=(text,) if text else (),
    )
    qualifiers = {"arch": fields["Architecture"], "distro": f"debian-{release.group(1)}" if release else "debian"}
    purl = PackageURL("deb", "debian", name, fields["Version"], qualifiers)
    return Part(component=component, purl=purl, files=tuple(sorted(share.files)))


def _rest(frozen: Frozen, whose: str, share: Share) -> Part:
    match whose:
        case contents.PYTHON:
            return _python(frozen, share)
        case contents.VC_RUNTIME:
            return _vc_runtime(frozen, share)
        case _:
            return _bootloader(frozen, share)


def _python(frozen: Frozen, share: Share) -> Part:
    """The interpreter; outside of Debian with the libraries that its makers ship, whose licences its own file has."""
    library, number = _interpreter(frozen)
    component = licences.python(library, number)
    within = []
    for start, name, licence in (("libcrypto", "OpenSSL", "Apache-2.0"), ("libffi", "libffi", "MIT")):
        binaries = [frozen.folder / file for file in sorted(share.files) if Path(file).name.startswith(start)]
        if binaries:
            inner = Component(name=name, version=_number(name, binaries), licence=licence, within=component.name)
            within.append(Part(component=inner, purl=_generic(inner)))
    purl, files = _generic(component, "cpython"), tuple(sorted(share.files))
    return Part(component=component, purl=purl, kind="platform", files=files, within=tuple(within))


def _vc_runtime(frozen: Frozen, share: Share) -> Part:
    files = tuple(sorted(share.files))
    data = (frozen.folder / files[-1]).read_bytes()
    match = _FILE_VERSION.search(data)
    number = match.group(1).decode("utf-16-le") if match else ""
    component = Component(
        name="Microsoft Visual C++ Runtime", version=number, licence="LicenseRef-Microsoft-Visual-Cpp-Redistributable"
    )
    return Part(component=component, purl=_generic(component, "vcruntime"), files=files)


def _bootloader(frozen: Frozen, share: Share) -> Part:
    distribution = next(iter(metadata.distributions(name="pyinstaller", path=[str(frozen.site)])))
    number, sha256 = wheels.hashes(frozen.target)["pyinstaller"]
    component = Component(
        name="PyInstaller bootloader",
        version=number,
        licence=licences.licence_of(distribution),
        texts=licences.texts_of(distribution),
    )
    purl = PackageURL("pypi", name="pyinstaller", version=number, subpath="PyInstaller/bootloader")
    return Part(component=component, purl=purl, sha256=sha256, files=tuple(sorted(share.files)))


def _interpreter(frozen: Frozen) -> tuple[Path, str]:
    """Where the standard library lies, and its version: that of Debian's package, else as the headers say."""
    if frozen.python is not None:
        said = (frozen.python / "include/patchlevel.h").read_text(encoding="utf-8")
        match = re.search(r'#define PY_VERSION\s+"([^"]+)"', said)
        return frozen.python / "Lib", match.group(1) if match else frozen.target.python
    if frozen.root is None:
        raise AssertionError("a folder is frozen in a Debian or by a Python of its own")
    part = _package(frozen.root, f"python{frozen.target.python}", Share())
    return frozen.root / f"usr/lib/python{frozen.target.python}", part.component.version.partition("-")[0]


def _files(frozen: Frozen, share: Share) -> tuple[str, ...]:
    """The share's files; modules in the program's archive are said to lie in the program."""
    program = f"{frozen.name}.exe" if frozen.target is wheels.WINDOWS else frozen.name
    return tuple(sorted(share.files | ({program} if share.archived else set())))


def _generic(component: Component, name: str = "") -> PackageURL:
    return PackageURL("generic", name=name or component.name.lower(), version=component.version or None)
