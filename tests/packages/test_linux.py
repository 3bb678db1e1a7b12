# SPDX-License-Identifier: EUPL-1.2
"""The built deb and rpm in minimal systems: they install, the programs work, an upgrade keeps, a purge cleans.

A system is a folder made by debootstrap; what is installed runs by chroot in it, with no more than its own packages.
"""

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import WORK, version
from roots import NEWEST, OLDEST, Root

from tests.packages.built import later, offer, package
from tests.packages.guides import PACKAGING, blocks

pytestmark = [pytest.mark.packages, pytest.mark.slow]

MAX_INSTALLED_BYTES = 175_000_000
"""12 MB of it are the libraries of the viewer, for PDF and for pictures; 32 MB are Qt's ICU."""
APT = """\
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dpkg::Options:: "--force-confold";
"""
"""An answer to each question, and nothing that a package does not depend on."""
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen", "HOME": "/root"}


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """What these tests cannot do without."""
    missing = [name for name in ("debootstrap", "dpkg-deb", "rpm", "rpm2cpio", "cpio") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")


@pytest.fixture(scope="module", params=[OLDEST, NEWEST])
def system(request: pytest.FixtureRequest) -> Iterator[Root]:
    """A minimal system of its own for the module, that has its packages' list and nothing more."""
    suite = str(request.param)
    root = Root.copy_of(Root.make(WORK / f"root-{suite}-plain", suite), WORK / f"root-{suite}-tried")
    root.on_line()
    (root.path / "etc/apt/apt.conf.d/90tried").write_text(APT, encoding="ascii")
    root.run("apt-get", "update", "-q")
    yield root
    root.remove()


def install(root: Root, path: Path) -> str:
    """By apt, which brings what the package depends on; what it said."""
    offer(path, root.path / "root")
    return typed(root, f"apt install ./{path.name}")


def typed(root: Root, command: str) -> str:
    """Both outputs of what root types into a shell."""
    return root.run("bash", "-ec", f"cd\n{command}", env=OFFSCREEN).stdout


def guided(root: Root, kind: str) -> list[str]:
    """Follows the blocks of packaging/README.md that are marked `run=<kind>`; what each command said."""
    return [typed(root, line) for block in blocks(PACKAGING) if block.kind == kind for line in block.commands]


def test_the_client_installs_works_is_managed_and_is_purged(system: Root, built: Path, tmp_path: Path) -> None:
    offer(package(built, "kansli_*.deb"), system.path / "root")
    said = guided(system, "client")
    assert any(text.rstrip().endswith("Everything works.") for text in said), said
    assert (system.path / "root/report.zip").exists()

    policies = system.path / "etc/kansli/policies"
    (policies / "10-agency.json").write_text(json.dumps({"theme": "dark", "servers": ["kansli.example"], "x": 1}))
    system.run("kansli", "--diagnose", "/root/report.zip", "--yes", env=OFFSCREEN)
    with zipfile.ZipFile(system.path / "root/report.zip") as report:
        assert "theme = dark, by policy" in report.read("settings.txt").decode()
        assert "x from 10-agency.json: left out" in report.read("policy.txt").decode()
        assert "kansli.example" not in "".join(report.read(name).decode() for name in report.namelist())

    for name in ("usr/share/applications/se.kansli.Kansli.desktop", "usr/share/man/man1/kansli.1.gz"):
        assert (system.path / name).exists(), name
    taken = sum(p.lstat().st_size for p in (system.path / "usr/lib/kansli").rglob("*") if p.is_file())
    assert taken < MAX_INSTALLED_BYTES

    data = system.path / "root/.local/share/Kansli/profiles/default"
    assert (data / "profile.json").exists()
    install(system, later(package(built, "kansli_*.deb"), tmp_path))
    assert (policies / "10-agency.json").exists()
    assert system.run("kansli", "--version").stdout.strip()
    system.run("dpkg", "--purge", "kansli")
    assert not (system.path / "usr/lib/kansli").exists()
    assert (data / "profile.json").exists(), "a person's data is nobody's to remove"


def test_the_server_installs_serves_keeps_its_settings_and_is_purged(system: Root, built: Path, tmp_path: Path) -> None:
    install(system, package(built, "kansli-server_*.deb"))
    config = system.path / "etc/kansli/server.toml"
    as_server = ("setpriv", "--reuid=kansli-server", "--regid=kansli-server", "--clear-groups", "kansli-server")
    assert version() in system.run("kansli-server", "--version").stdout
    keys = system.path / "safe"
    system.run("install", "-d", "-o", "kansli-server", "-m", "0700", "/safe")
    system.run(*as_server, "init", "--keys", "/safe", "--demo-ca", "localhost")
    assert {path.name for path in keys.iterdir()} == {"agency.key", "escrow.key"}
    assert system.run(*as_server, "serve", "--check").returncode == 0
    assert (system.path / "var/lib/kansli").stat().st_mode & 0o777 == 0o700
    code = system.run(*as_server, "invite", "--name", "Handläggare").stdout
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code), code

    config.write_text(config.read_text(encoding="utf-8") + "\n# ours\n", encoding="utf-8")
    system.run("install", "-o", "kansli-server", "-g", "kansli-server", "/dev/null", "/var/backups/kansli/kept")
    system.run("install", "-g", "kansli-server", "-m", "0640", "/dev/null", "/etc/kansli/tls.key")
    system.run("usermod", "--append", "--groups", "kansli-server", "www-data")
    install(system, later(package(built, "kansli-server_*.deb"), tmp_path))
    assert config.read_text(encoding="utf-8").endswith("# ours\n")
    assert (system.path / "var/lib/kansli/server/server.key").exists()

    system.run("dpkg", "--remove", "kansli-server")
    assert config.exists()
    assert (system.path / "var/lib/kansli/server/server.key").exists(), "removing the program removes no data"
    system.run("dpkg", "--purge", "kansli-server")
    assert not (system.path / "var/lib/kansli").exists()
    assert not config.exists()
    assert (system.path / "var/backups/kansli/kept").exists(), "backups are never ours to remove"
    for file in ("passwd", "group"):
        assert "kansli-server" not in (system.path / "etc" / file).read_text()
    assert left_to_numbers(system) == []

    shutil.rmtree(keys)
    system.run("groupadd", "kansli-server")
    install(system, package(built, "kansli-server_*.deb"))
    assert system.run("id", "-gn", "kansli-server").stdout.strip() == "kansli-server"
    assert (system.path / "var/backups/kansli/kept").stat().st_uid != 0, "the service takes its backups back"
    system.run("dpkg", "--purge", "kansli-server")


def left_to_numbers(root: Root) -> list[str]:
    """Paths whose user or group has no name any more: the next one that is made may get them."""
    return root.run("find", "/etc", "/usr", "/var", "-nouser", "-o", "-nogroup").stdout.split()


@pytest.mark.parametrize("name", ["kansli", "kansli-server"])
def test_an_rpm_holds_what_the_deb_holds_and_asks_for_libraries_by_name(name: str, built: Path) -> None:
    deb, rpm = package(built, f"{name}_*.deb"), package(built, f"{name}-[0-9]*.rpm")
    listed = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True).stdout
    of_deb = {line.split()[5].lstrip(".").partition(" ")[0] for line in listed.splitlines() if line[0] in "-l"}
    of_rpm = set(query(rpm, "-l"))
    assert of_deb - of_rpm == set()
    needs = query(rpm, "--requires")
    assert any(line.startswith("libc.so.6(GLIBC_") for line in needs)
    assert name == "kansli-server" or "libxkbcommon.so.0()(64bit)" in needs
    assert not [line for line in needs if "libQt6" in line]


def query(rpm: Path, what: str) -> list[str]:
    said = subprocess.run(["rpm", "-qp", "--nosignature", what, rpm], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()


def test_an_rpm_unpacked_into_a_system_works_and_its_scripts_run(system: Root, built: Path) -> None:
    """Not a system of rpm's own: Debian's libraries, in the place of those that the rpm asks for by name."""
    install(system, package(built, "kansli_*.deb"))  # brings the libraries
    system.run("dpkg", "--remove", "kansli")
    system.run("groupadd", "kansli-server")  # as configuration management may do beforehand
    for name in ("kansli", "kansli-server"):
        rpm = package(built, f"{name}-[0-9]*.rpm")
        put = ["rpm", f"--root={system.path}", "--install", "--nodeps", "--nosignature", "--noverify", str(rpm)]
        done = subprocess.run(put, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    said = system.run("kansli", "--selftest", env=OFFSCREEN).stdout
    assert said.rstrip().endswith("Everything works."), said
    assert "kansli-server" in (system.path / "etc/passwd").read_text()
    assert version() in system.run("kansli-server", "--version").stdout
    (system.path / "etc/kansli/server.toml").write_text("# ours\n")
    for name in ("kansli", "kansli-server"):
        out = ["rpm", f"--root={system.path}", "--erase", "--nodeps", name]
        assert subprocess.run(out, capture_output=True, check=False).returncode == 0
    assert not (system.path / "usr/lib/kansli").exists()
    assert (system.path / "etc/kansli/server.toml.rpmsave").read_text() == "# ours\n"
    assert "kansli-server" in (system.path / "etc/passwd").read_text(), "erasing the program removes no data"
    guided(system, "rpm")
    assert not (system.path / "var/lib/kansli").exists()
    assert (system.path / "var/backups/kansli").exists()
    assert left_to_numbers(system) == []
