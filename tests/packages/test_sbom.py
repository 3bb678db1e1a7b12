# SPDX-License-Identifier: EUPL-1.2
"""Bills of materials: of a small stand-in for what PyInstaller leaves, through the same functions as the real ones."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import contents
import parts
import pytest
import sbom
import wheels
from contents import Frozen
from packageurl import PackageURL
from wheels import LINUX

from app import licences

HASH = "a" * 64
ELF = b"\x7fELF"


def write(path: Path, data: bytes | str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def install(site: Path, name: str, number: str, head: str, files: Mapping[str, bytes | str]) -> None:
    """A distribution as pip leaves it."""
    info = f"{name}-{number}.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {number}\n{head}\n"}
    for file, data in files.items():
        write(site / file, data)
    write(site / info / "RECORD", "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"]))


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Frozen:
    """A client of two distributions, Debian's Python and zlib, the typeface and the icons."""
    root, folder = tmp_path / "root", tmp_path / "frozen/kansli"
    site = root / "venv/lib/python3.11/site-packages"
    cipher = ELF + b"\0 4.19.0\0".replace(b" ", b"") + b"OpenSSL 3.6.0 1 Oct 2025\0SQLite 3.53.4\0"
    sealed: dict[str, bytes | str] = {
        "sqlcipher3/_sqlite3.so": cipher,
        "sqlcipher3/__init__.py": "",
        "sqlcipher3-0.6.4.dist-info/LICENSE": "zlib",
    }
    install(site, "sqlcipher3", "0.6.4", "Requires-Dist: click>=8\nRequires-Dist: pyinstaller; extra == 'odd'", sealed)
    rows = [
        {"name": name, "version": number, "purl": f"pkg:cargo/{name}@{number}?x=y", "licenses": [{"expression": "MIT"}]}
        for name, number in (("yrs", "0.28.0"), ("syn", "1.0.9"), ("syn", "2.0.1"))
    ]
    click = {"click/__init__.py": "", "click-8.5.1.dist-info/sboms/rust.json": json.dumps({"components": rows})}
    install(site, "click", "8.5.1", "License-Expression: BSD-3-Clause", click)
    install(site, "pyinstaller", "6.22.3", "", {"PyInstaller/bootloader/run": ELF})
    write(root / "lib/x86_64-linux-gnu/libz.so.1", ELF)
    write(root / "var/lib/dpkg/info/zlib1g:amd64.list", "/.\n/lib/x86_64-linux-gnu/libz.so.1\n")
    write(root / "var/lib/dpkg/info/libpython3.11-stdlib.list", "/usr/lib/python3.11/json/__init__.py\n")
    stanzas = [
        "Package: zlib1g\nArchitecture: amd64\nSource: zlib (1:1.2)\nVersion: 1:1.2.13",
        "Package: libpython3.11-stdlib\nArchitecture: amd64\nSource: python3.11\nVersion: 3.11.2-6",
        "Package: python3.11\nArchitecture: amd64\nVersion: 3.11.2-6",
    ]
    write(root / "var/lib/dpkg/status", "\n\n".join(stanzas))
    write(root / "usr/share/doc/zlib1g/copyright", "the text of zlib")
    write(root / "etc/os-release", 'VERSION_ID="12"\n')
    tables = tmp_path / "work/kansli"
    inside = "/venv/lib/python3.11/site-packages"
    collected = [
        ("kansli", "/work/kansli/kansli", "EXECUTABLE"),
        ("base_library.zip", "/work/kansli/base_library.zip", "DATA"),
        ("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1", "BINARY"),
        ("sqlcipher3/_sqlite3.so", f"{inside}/sqlcipher3/_sqlite3.so", "EXTENSION"),
        ("resources/fonts/Inter-Bold.ttf", "/src/resources/fonts/Inter-Bold.ttf", "DATA"),
        ("resources/icons/add.svg", "/src/resources/icons/add.svg", "DATA"),
    ]
    modules = [
        ("click", f"{inside}/click/__init__.py", "PYMODULE"),
        ("sqlcipher3", f"{inside}/sqlcipher3/__init__.py", "PYMODULE"),
        ("json", "/usr/lib/python3.11/json/__init__.py", "PYMODULE"),
        ("app", "/src/app/__init__.py", "PYMODULE"),
        ("namespace", "-", "PYMODULE"),
    ]
    write(tables / "COLLECT-00.toc", repr((collected,)))
    write(tables / "PYZ-00.toc", repr(("/work/kansli/PYZ-00.pyz", modules)))
    for name, source, kind in collected:
        place = folder / name if kind == "EXECUTABLE" else folder / "lib" / name
        write(place, cipher if "sqlite3" in source else ELF)
    locked = {"sqlcipher3": ("0.6.4", HASH), "click": ("8.5.1", HASH), "pyinstaller": ("6.22.3", HASH)}
    monkeypatch.setattr(wheels, "hashes", lambda target: locked)
    monkeypatch.setattr(sbom, "OUT", tmp_path / "packages")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    return Frozen(name="kansli", target=LINUX, folder=folder, tables=tables, site=site, root=root)


def bill(frozen: Frozen) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sbom.make(frozen).read_text(encoding="utf-8"))
    return found


def component(found: dict[str, Any], name: str) -> dict[str, Any]:
    rows = [c for top in found["components"] for c in [top, *top.get("components", [])] if c["name"] == name]
    assert len(rows) == 1, f"{name}: {len(rows)}"
    return dict(rows[0])


def test_every_part_has_its_version_licence_address_and_place(frozen: Frozen) -> None:
    found = bill(frozen)
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    cipher = component(found, "sqlcipher3")
    assert cipher["purl"] == "pkg:pypi/sqlcipher3@0.6.4"
    assert cipher["licenses"] == [{"expression": "Zlib"}]
    assert cipher["hashes"] == [{"alg": "SHA-256", "content": HASH}]
    assert [o["location"] for o in cipher["evidence"]["occurrences"]] == ["kansli", "lib/sqlcipher3/_sqlite3.so"]
    assert component(found, "zlib1g")["purl"] == "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12"
    assert component(found, "zlib1g")["licenses"] == [{"expression": "Zlib"}]
    assert component(found, "Python")["version"] == "3.11.2"
    assert component(found, "PyInstaller bootloader")["evidence"]["occurrences"] == [{"location": "kansli"}]
    assert component(found, "Inter")["licenses"] == [{"expression": "OFL-1.1"}]
    assert component(found, "Lucide")["licenses"] == [{"expression": "ISC"}]


def test_what_is_compiled_into_a_wheel_is_named_with_the_version_that_the_binary_tells(frozen: Frozen) -> None:
    inner = {c["name"]: c.get("version") for c in component(bill(frozen), "sqlcipher3")["components"]}
    assert inner == {"OpenSSL": "3.6.0", "SQLCipher": "4.19.0", "SQLite": "3.53.4"}


def test_what_a_wheels_own_bill_says_is_taken_over(frozen: Frozen) -> None:
    inner = component(bill(frozen), "yrs")
    assert (inner["version"], inner["purl"]) == ("0.28.0", "pkg:cargo/yrs@0.28.0")
    names = [(c["name"], c["version"]) for c in component(bill(frozen), "click")["components"]]
    assert sorted(names) == [("syn", "1.0.9"), ("syn", "2.0.1"), ("yrs", "0.28.0")]


def test_a_crate_that_binds_a_library_is_not_taken_for_the_library() -> None:
    """Both are called openssl in cryptography's own bills, in whatever order its record lists them."""
    assert parts._is_library(PackageURL("generic", name="openssl"), "OpenSSL")
    assert not parts._is_library(PackageURL("cargo", name="openssl"), "OpenSSL")


def test_who_needs_whom_is_told(frozen: Frozen) -> None:
    edges = {d["ref"]: d.get("dependsOn", []) for d in bill(frozen)["dependencies"]}
    assert edges["pkg:pypi/sqlcipher3@0.6.4"] == ["pkg:pypi/click@8.5.1"]
    assert "pkg:pypi/sqlcipher3@0.6.4" in edges[f"pkg:generic/kansli@{licences.PROGRAM}"]


def test_the_same_build_gives_the_same_bytes(frozen: Frozen) -> None:
    first = sbom.make(frozen).read_bytes()
    assert sbom.make(frozen).read_bytes() == first
    assert b"2026-01-01T00:00:00" in first


def test_another_content_has_another_serial_number(frozen: Frozen) -> None:
    there = contents.read(frozen)
    program, found = parts.ours(frozen, there), parts.of(frozen, there)
    numbers = {json.loads(sbom.document(program, f, "linux"))["serialNumber"] for f in (found, found, found[1:])}
    assert len(numbers) == 2


def test_the_licences_page_lists_the_same_parts_each_with_its_text_once(frozen: Frozen) -> None:
    found = bill(frozen)
    data = (frozen.folder / "lib/resources/licences.json").read_bytes()
    listed = licences.decode(data)
    assert listed[0].name == "Kansli"
    names = {c["name"] for top in found["components"] for c in [top, *top.get("components", [])]}
    assert {c.name for c in listed} == names | {"Kansli"}
    assert data.count(b"the text of zlib") == 1
    assert next(c for c in listed if c.name == "zlib1g").texts == ("the text of zlib",)


def test_the_server_carries_its_licences_as_text(frozen: Frozen) -> None:
    server = replace(frozen, name="kansli-server")
    sbom.make(server)
    text = (frozen.folder / "lib/THIRD-PARTY-LICENCES.txt").read_text(encoding="utf-8")
    assert "zlib1g 1:1.2.13: Zlib\n" in text
    assert "OpenSSL 3.6.0: Apache-2.0 (in sqlcipher3)\n" in text
    assert text.count("the text of zlib") == 1
    assert not (frozen.folder / "lib/resources/licences.json").exists()


def test_a_file_that_no_table_names_ends_the_build(frozen: Frozen) -> None:
    write(frozen.folder / "lib/smuggled.so", ELF)
    with pytest.raises(SystemExit, match=r"lib/smuggled\.so"):
        sbom.make(frozen)


def test_a_file_of_unknown_origin_ends_the_build(frozen: Frozen) -> None:
    table = frozen.tables / "COLLECT-00.toc"
    (collected,) = eval(table.read_text(encoding="utf-8"))  # noqa: S307 - written above
    write(table, repr(([*collected, ("odd.so", "/opt/odd.so", "BINARY")],)))
    write(frozen.folder / "lib/odd.so", ELF)
    with pytest.raises(SystemExit, match=r"unknown origin in kansli: /opt/odd\.so"):
        sbom.make(frozen)


def test_another_version_than_the_locked_one_ends_the_build(frozen: Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheels, "hashes", lambda target: {"sqlcipher3": ("0.6.5", HASH), "click": ("8.5.1", HASH)})
    with pytest.raises(SystemExit, match=r"sqlcipher3 0\.6\.4 is built in, 0\.6\.5 is locked"):
        sbom.make(frozen)


def test_paths_of_windows_are_found_here_in_any_case_of_letters(tmp_path: Path) -> None:
    frozen = Frozen(
        name="kansli", target=wheels.WINDOWS, folder=tmp_path, tables=tmp_path / "work/kansli", site=tmp_path
    )
    assert frozen.here(r"Z:\tmp\site\PySide6\MSVCP140.dll") == Path("/tmp/site/PySide6/MSVCP140.dll")  # noqa: S108
