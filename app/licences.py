# SPDX-License-Identifier: EUPL-1.2
"""The works that the program contains, with their licences: the list that the licences page shows.

A frozen program reads it from resources/licences.json, which the build made together with its bill of materials. A
program that runs from source makes the list from the installed distributions. No network; `load` reads some hundred
files: call it in a thread.
"""

import platform
import re
import sysconfig
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from app.core.later import Later
from resources import path
from sync.protocol.version import PROGRAM

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = Later("importlib.metadata")  # with email 1 MB; only the thread that reads the licences uses it

__all__ = [
    "FILE", "PROGRAM", "WITHIN", "Component", "decode", "encode", "licence_of", "load", "matching", "normal",
    "ordered", "own", "python", "texts_of",
]  # fmt: skip

FILE = "licences.json"
"""The file's name among the other resources; it is in a frozen program only."""
_QT = "LGPL-3.0-only OR GPL-2.0-only OR GPL-3.0-only"
_KNOWN = {
    "pyside6-essentials": _QT,
    "shiboken6": _QT,
    "sqlcipher3": "Zlib",
    "pypdfium2": "BSD-3-Clause OR Apache-2.0",
    "defusedxml": "PSF-2.0",
    "pyinstaller": "GPL-2.0-or-later WITH Bootloader-exception",
}
"""Where a distribution's metadata name no licence, or not by its SPDX identifier."""
_TROVE = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
}
_FREE_TEXT = {*_TROVE.values(), "0BSD", "BSD-2-Clause", "MIT-0", "Unlicense", "Zlib"}
"""The SPDX identifiers that are believed in the old field "License", in which people write what they like."""
_EXPRESSION = re.compile(r"[\w.+-]+( (OR|AND|WITH) [\w.+-]+)*")
_NOTICE = re.compile(r"(?i)^(LICEN[CS]E|COPYING|NOTICE|AUTHORS)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One work of others that the program contains, or Kansli itself. `licence` is an SPDX expression; `within` the
    name of the work that contains it, "" for none. `version` is "" where the binary does not show it; `texts` are the
    licences in full, as the work's makers wrote them."""

    name: str
    version: str
    licence: str
    texts: tuple[str, ...] = ()
    within: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """A library that is compiled into the binaries of a Python distribution. `texts`: the names of its licences' files
    in resources/licences."""

    distribution: str
    name: str
    licence: str
    texts: tuple[str, ...]

    def component(self, version: str = "", within: str = "") -> Component:
        """This library's entry for the list of licences. `version`: the library's; `within`: the name of the work that
        contains it."""
        texts = tuple(_resource(f"licences/{name}.txt") for name in self.texts)
        return Component(name=self.name, version=version, licence=self.licence, texts=texts, within=within)


def _within(distribution: str, *rows: tuple[str, str, str]) -> tuple[Within, ...]:
    return tuple(
        Within(distribution=distribution, name=name, licence=licence, texts=tuple(texts.split()))
        for name, licence, texts in rows
    )


WITHIN = (
    *_within("sqlcipher3", ("SQLCipher", "BSD-3-Clause", "SQLCipher"), ("SQLite", "blessing", "SQLite")),
    *_within("sqlcipher3", ("OpenSSL", "Apache-2.0", "Apache-2.0")),
    *_within("cryptography", ("OpenSSL", "Apache-2.0", "Apache-2.0")),
    *_within("lxml", ("libxml2", "MIT", "libxml2"), ("libxslt", "MIT", "libxslt"), ("zlib", "Zlib", "zlib")),
    *_within(
        "pypdfium2",
        ("PDFium", "BSD-3-Clause AND Apache-2.0", "PDFium Apache-2.0"),
        ("AGG", "AGG-2.3", "AGG"),
        ("FreeType", "FTL", "FreeType"),
        ("HarfBuzz", "MIT-Modern-Variant", "HarfBuzz"),
        ("ICU", "Unicode-DFS-2016", "ICU"),
        ("Little CMS", "MIT", "LittleCMS"),
        ("libjpeg-turbo", "IJG AND BSD-3-Clause", "libjpeg-turbo"),
        ("libpng", "libpng-2.0", "libpng"),
        ("LibTIFF", "libtiff", "libtiff"),
        ("OpenJPEG", "BSD-2-Clause", "OpenJPEG"),
        ("zlib", "Zlib", "zlib"),
    ),
    *_within(
        "pillow",
        ("libjpeg-turbo", "IJG AND BSD-3-Clause", "libjpeg-turbo"),
        ("LibTIFF", "libtiff", "libtiff"),
        ("OpenJPEG", "BSD-2-Clause", "OpenJPEG"),
        ("zlib", "Zlib", "zlib"),
    ),
    *_within(
        "pyside6-essentials",
        ("Qt", _QT, "LGPL-3.0 GPL-3.0"),
        ("ICU", "Unicode-DFS-2016", "ICU"),
        ("FreeType", "FTL", "FreeType"),
        ("HarfBuzz", "MIT-Modern-Variant", "HarfBuzz"),
        ("PCRE2", "BSD-3-Clause", "PCRE2"),
        ("libjpeg-turbo", "IJG AND BSD-3-Clause", "libjpeg-turbo"),
        ("libpng", "libpng-2.0", "libpng"),
        ("LibTIFF", "libtiff", "libtiff"),
        ("libwebp", "BSD-3-Clause", "libwebp"),
        ("zlib", "Zlib", "zlib"),
    ),
)
"""Qt's own smaller parts are listed at https://doc.qt.io/qt-6/licenses-used-in-qt.html; these are the libraries."""


class _Row(msgspec.Struct, frozen=True):
    name: str
    version: str
    licence: str
    texts: tuple[int, ...]
    within: str


class _File(msgspec.Struct, frozen=True):
    components: tuple[_Row, ...]
    texts: tuple[str, ...]


def encode(components: tuple[Component, ...]) -> bytes:
    """Encodes the list of components as JSON, for the file in a frozen program: every licence text once, which the
    components name by number."""
    numbers: dict[str, int] = {}
    rows = tuple(
        _Row(c.name, c.version, c.licence, tuple(numbers.setdefault(t, len(numbers)) for t in c.texts), c.within)
        for c in components
    )
    return msgspec.json.format(msgspec.json.encode(_File(rows, tuple(numbers))), indent=1)


def decode(data: bytes) -> tuple[Component, ...]:
    """Decodes the list of components from the bytes of `encode`; ValueError for other bytes."""
    try:
        file = msgspec.json.decode(data, type=_File)
        texts = dict(enumerate(file.texts))
        return tuple(
            Component(
                name=r.name, version=r.version, licence=r.licence, texts=tuple(texts[n] for n in r.texts),
                within=r.within,
            )
            for r in file.components
        )  # fmt: skip
    except (msgspec.MsgspecError, KeyError) as e:
        raise ValueError(f"no list of licences: {e}") from e


def load() -> tuple[Component, ...]:
    """The list of this program's components: Kansli first, then by name, each followed by the works that it contains. A
    frozen program reads it from a file (ValueError if that is damaged); from source it is made of the installed
    distributions, which is slow: call it in a thread."""
    frozen = path(FILE)
    if frozen.exists():
        return decode(frozen.read_bytes())
    found = [*own(), python(Path(sysconfig.get_path("stdlib")))]
    for distribution in _installed():
        component = Component(
            name=distribution.name,
            version=distribution.version,
            licence=licence_of(distribution),
            texts=texts_of(distribution),
        )
        key = normal(distribution.name)
        found.append(component)
        parts = (part for part in WITHIN if part.distribution == key)
        found += [p.component(distribution.version if p.name == "Qt" else "", distribution.name) for p in parts]
    return ordered(found)


def ordered(components: list[Component]) -> tuple[Component, ...]:
    """Sorts components: Kansli first, then by name, each followed by the works that it contains."""
    return tuple(
        sorted(
            components, key=lambda c: (c.name != "Kansli", (c.within or c.name).lower(), c.within != "", c.name.lower())
        )
    )


def matching(components: tuple[Component, ...], words: str) -> tuple[Component, ...]:
    """The components that have every word of `words` in their name, their licence or the name of the work that contains
    them, in any case; all if `words` is empty."""
    wanted = words.lower().split()
    return tuple(c for c in components if all(w in f"{c.name} {c.licence} {c.within}".lower() for w in wanted))


def own() -> tuple[Component, ...]:
    """Kansli itself, and the works among its resources (font, icons)."""
    return (
        Component(name="Kansli", version=PROGRAM, licence="EUPL-1.2", texts=(_resource("../LICENSE"),)),
        Component(name="Inter", version="4.001", licence="OFL-1.1", texts=(_resource("fonts/OFL.txt"),)),
        Component(name="Lucide", version="", licence="ISC", texts=(_resource("icons/LICENSE"),)),
    )


def python(library: Path, version: str = "") -> Component:
    """The Python interpreter as a component. `library`: the folder of its standard library, in or above which its
    licence's text is (no text if it is nowhere). `version`: the running interpreter's if ""."""
    number = version or platform.python_version()
    minor = ".".join(number.split(".")[:2])
    places = (library / "LICENSE.txt", library.parent / "LICENSE.txt", Path(f"/usr/share/doc/python{minor}/copyright"))
    texts = tuple(p.read_text(encoding="utf-8") for p in places if p.exists())[:1]
    return Component(name="Python", version=number, licence="PSF-2.0", texts=texts)


def licence_of(distribution: "metadata.Distribution") -> str:
    """The licence of a Python distribution as an SPDX expression, from our own table or its metadata;
    "LicenseRef-unknown" if neither gives it."""
    known = _KNOWN.get(normal(distribution.name))
    about = distribution.metadata
    expression = known or about.get_all("License-Expression", [""])[0]
    if _EXPRESSION.fullmatch(expression):
        return expression
    free = about.get_all("License", [""])[0]
    if _EXPRESSION.fullmatch(free) and set(re.split(" (?:OR|AND|WITH) ", free)) <= _FREE_TEXT:
        return free
    trove = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    return " AND ".join(_TROVE[name] for name in trove if name in _TROVE) or "LicenseRef-unknown"


def texts_of(distribution: "metadata.Distribution") -> tuple[str, ...]:
    """The texts of the licence files that a distribution brings, without those of code that it copied for its own use.
    For Qt's distributions, which bring none, the texts among our resources."""
    if licence_of(distribution) == _QT:
        return tuple(_resource(f"licences/{name}.txt") for name in ("LGPL-3.0", "GPL-3.0"))
    own = [
        file
        for file in distribution.files or []
        if (_NOTICE.match(file.name) or file.parent.name == "LICENSES") and file.parts[0].endswith(".dist-info")
    ]  # fmt: skip
    texts = (Path(str(file.locate())).read_text(encoding="utf-8", errors="replace") for file in sorted(own, key=str))
    return tuple(text for text in texts if text.strip())


def normal(name: str) -> str:
    """A distribution's name as indexes compare it (PyPA's name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed() -> "Iterator[metadata.Distribution]":
    """The distributions that the program needs at run time and that are installed: those in pyproject.toml, and those
    that they require in turn, in no order. Those that are not installed, as they are for another system, are left
    out."""
    project = tomllib.loads(path("../pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting, seen = list(project["dependencies"]), set()
    while waiting:
        match = re.match(r"[\w.-]+", waiting.pop())
        key = normal(match.group()) if match else ""
        if not key or key in seen:
            continue
        seen.add(key)
        try:
            distribution = metadata.distribution(key)
        except metadata.PackageNotFoundError:
            continue  # for another system
        yield distribution
        waiting += [line for line in distribution.requires or [] if "extra ==" not in line]


def _resource(name: str) -> str:
    return path(name).read_text(encoding="utf-8")
