# SPDX-License-Identifier: EUPL-1.2
"""The same tree gives the same package, byte for byte, whenever and by whomever it is built. Small stand-in trees."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import deb
import msi
import places
import pytest
import rpm
from roots import Root
from trees import Tree

EPOCH = 1_767_225_600
UTC = {"TZ": "UTC", "PATH": "/usr/bin:/bin"}
pytestmark = pytest.mark.slow
needs_dpkg = pytest.mark.skipif(not Path("/usr/bin/dpkg-deb").exists(), reason="needs dpkg-deb")
needs_rpmbuild = pytest.mark.skipif(
    not Path("/usr/bin/rpmbuild").exists(), reason="needs rpmbuild, Debian's package rpm"
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is built in the checkout, and the time is a fixed one."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH))
    places.epoch.cache_clear()
    monkeypatch.setattr(places, "WORK", tmp_path / "work")
    for module in (deb, rpm, msi):
        monkeypatch.setattr(module, "WORK", tmp_path / "work")
        monkeypatch.setattr(module, "OUT", tmp_path / "out")
    yield
    places.epoch.cache_clear()


def tree(folder: Path, *, backwards: bool, mtime: int, mask: int) -> Tree:
    """A program, a link to it, a configuration and scripts, written in another order, at another time and umask."""
    old = os.umask(mask)
    try:
        names = [
            "usr/lib/kansli/kansli",
            "usr/lib/kansli/lib/b.so",
            "usr/lib/kansli/lib/a.so",
            "etc/kansli/server.toml",
        ]
        for name in reversed(names) if backwards else names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(name.encode() * 1000)
        (folder / "usr/lib/kansli/kansli").chmod(0o700 if backwards else 0o755)
        (folder / "usr/bin").mkdir(parents=True)
        (folder / "usr/bin/kansli").symlink_to("../lib/kansli/kansli")
        scripts = folder.with_name(folder.name + "-scripts")
        scripts.mkdir()
        (scripts / "postinst").write_text("#!/bin/sh\nset -e\nexit 0\n", encoding="utf-8")
    finally:
        os.umask(old)
    for path in folder.rglob("*"):
        os.utime(path, (mtime, mtime), follow_symlinks=False)
    places.settle(folder)
    return Tree(
        name="kansli", summary="A test", description="Of a test.", files=folder, sonames=[], glibc="2.34",
        conffiles=("/etc/kansli/server.toml",), scripts=scripts,
    )  # fmt: skip


def two(tmp_path: Path) -> tuple[Tree, Tree]:
    """The same content from two builders."""
    return (
        tree(tmp_path / "one", backwards=False, mtime=1_000_000_000, mask=0o022),
        tree(tmp_path / "two", backwards=True, mtime=1_700_000_000, mask=0o077),
    )


def small_bundle(folder: Path, *, backwards: bool) -> Path:
    """What an MSI is made of, without a program that would start."""
    names = ["kansli.exe", "lib/a.dll", "lib/b.pyd", "lib/kansli.ico", "lib/resources/x.svg"]
    for name in reversed(names) if backwards else names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Random(name).randbytes(300_000))  # msi.build takes an MSI below a megabyte for none
    return folder


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_dpkg
def test_a_deb_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    first, second = (digest(deb.build(made, Root(tmp_path))) for made in two(tmp_path))
    assert first == second


@needs_dpkg
def test_a_debs_files_carry_the_one_time_and_no_owner_of_this_machine(tmp_path: Path) -> None:
    path = deb.build(two(tmp_path)[1], Root(tmp_path))
    said = subprocess.run(["dpkg-deb", "-c", str(path)], capture_output=True, text=True, check=True, env=UTC)
    lines = said.stdout.splitlines()
    assert lines
    assert all(line.split()[1] == "root/root" and "2026-01-01 00:00" in line for line in lines)


@needs_rpmbuild
def test_an_rpm_is_the_same_byte_for_byte(tmp_path: Path) -> None:
    first, second = (digest(rpm.build(made)) for made in two(tmp_path))
    assert first == second


@needs_dpkg
def test_a_deb_is_compressed_with_zstd(tmp_path: Path) -> None:
    path = deb.build(two(tmp_path)[0], Root(tmp_path))
    said = subprocess.run(["ar", "t", str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["debian-binary", "control.tar.zst", "data.tar.zst"]


@needs_rpmbuild
def test_an_rpm_is_compressed_with_zstd(tmp_path: Path) -> None:
    query = ["rpm", "-qp", "--nosignature", "--queryformat", "%{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS}"]
    path = rpm.build(two(tmp_path)[0])
    said = subprocess.run([*query, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["zstd", str(places.ZSTD_LEVEL)]


@pytest.mark.packages
@pytest.mark.skipif(bool(msi.missing()), reason="needs wixl and msitools")
def test_an_msi_is_the_same_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KANSLI_SIGN_CERT", raising=False)
    found = []
    for name in ("one", "two"):
        bundle = small_bundle(tmp_path / name, backwards=name == "two")
        places.settle(bundle)
        found.append(msi.build(bundle, bundle / "lib/kansli.ico", out=tmp_path / f"out-{name}"))
    assert digest(found[0]) == digest(found[1])
    said = subprocess.run(["msiinfo", "suminfo", str(found[0])], capture_output=True, text=True, check=True, env=UTC)
    times = [line.partition(": ")[2] for line in said.stdout.splitlines() if line.startswith(("Created", "Last saved"))]
    assert times == ["Thu Jan  1 00:00:00 2026"] * 2, "not the clock's, which the two builds may share"


@needs_dpkg
def test_another_time_gives_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison can fail."""
    one, other = two(tmp_path)
    first = digest(deb.build(one, Root(tmp_path)))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(EPOCH + 60))
    places.epoch.cache_clear()
    assert digest(deb.build(other, Root(tmp_path))) != first
