# SPDX-License-Identifier: EUPL-1.2
"""The bills of materials that `make packages` wrote, beside the packages that they are of."""

import hashlib
import io
import json
import subprocess
import tarfile
from typing import Any

import contents
import pytest
import sbom
import sums
from places import OUT, version

from app import licences

pytestmark = pytest.mark.packages
LINUX = ("kansli", "kansli-server")


def bill(name: str, system: str = "linux") -> dict[str, Any]:
    path = OUT / f"{name}-{version()}-{system}-x86_64.cdx.json"
    if not path.exists():
        pytest.skip(f"{path.name} is not built here (make packages)")
    text = path.read_text(encoding="utf-8")
    assert sbom.broken_rule(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def every(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for top in found["components"] for c in [top, *top.get("components", [])]]


@pytest.fixture(scope="module")
def unpacked() -> dict[str, bytes]:
    """The client's deb: its files in lib/, by their place in the frozen folder."""
    path = OUT / f"kansli_{version()}_amd64.deb"
    if not path.exists():
        pytest.skip(f"{path.name} is not built here (make packages)")
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        prefix = "./usr/lib/kansli/"
        files = [m for m in archive.getmembers() if m.isfile() and m.name.startswith(prefix)]
        return {m.name.removeprefix(prefix): (archive.extractfile(m) or io.BytesIO()).read() for m in files}


@pytest.mark.parametrize("name", LINUX)
def test_every_part_has_a_known_licence_and_an_address(name: str) -> None:
    rows = every(bill(name))
    assert not [c["name"] for c in rows if "unknown" in c["licenses"][0]["expression"]]
    assert not [c["name"] for c in rows if "purl" not in c]
    assert not [c["name"] for c in rows if c["purl"].startswith("pkg:pypi/") and "hashes" not in c]
    names = {c["name"] for c in rows}
    wanted = {"Python", "OpenSSL", "libssl3", "PyInstaller bootloader", "cryptography"}
    own = {"Qt", "ICU", "SQLCipher", "SQLite", "Inter", "Lucide"} if name == "kansli" else {"SQLAlchemy"}
    assert wanted | own <= names
    assert ("SQLAlchemy" in names) == (name == "kansli-server"), "the client's store uses the driver itself"


@pytest.mark.parametrize("name", ["OpenSSL", "Qt", "SQLCipher", "SQLite"])
def test_what_matters_most_for_advisories_has_its_version(name: str) -> None:
    found = [c for c in every(bill("kansli")) if c["name"] == name]
    assert found
    assert all(c.get("version") for c in found)


def test_each_file_of_the_deb_is_in_the_bill_and_the_other_way_round(unpacked: dict[str, bytes]) -> None:
    found = bill("kansli")
    rows = [*every(found), found["metadata"]["component"]]
    said = {o["location"] for c in rows for o in c.get("evidence", {}).get("occurrences", [])}
    assert said == unpacked.keys() - {contents.PAGE}


def test_attack_the_deb_brings_no_readers_of_pictures_but_those_for_jpeg_and_svg(unpacked: dict[str, bytes]) -> None:
    plugins = {name.rpartition("/")[2] for name in unpacked if "/imageformats/" in name}
    assert plugins == {"libqjpeg.so", "libqsvg.so"}
    assert any(name.endswith("/iconengines/libqsvgicon.so") for name in unpacked)


def test_the_debs_own_list_of_licences_names_the_same_parts(unpacked: dict[str, bytes]) -> None:
    listed = licences.decode(unpacked[contents.PAGE])
    assert {c.name for c in listed} == {c["name"] for c in every(bill("kansli"))} | {"Kansli"}


@pytest.mark.usefixtures("whole")
def test_the_checksums_are_those_of_what_lies_there() -> None:
    listed = OUT / sums.NAME
    if not listed.exists():
        pytest.skip("nothing is built here (make packages)")
    lines = {line[66:]: line[:64] for line in listed.read_text(encoding="utf-8").splitlines()}
    there = {p.relative_to(OUT).as_posix() for p in OUT.rglob("*") if p.is_file()} - {sums.NAME, sums.SIGNATURE}
    assert lines.keys() == there
    wrong = [name for name, said in lines.items() if hashlib.sha256((OUT / name).read_bytes()).hexdigest() != said]
    assert not wrong
