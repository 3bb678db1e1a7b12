# SPDX-License-Identifier: EUPL-1.2
"""What a server's package brings beside its program: units that start what exists, hardened; user, folders, manual."""

import argparse
import ctypes
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.server.operator.command_line import make_parser
from tests.sync.server.process import serve
from tests.sync.server.wire import Person, new_data

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "packaging" / "server"
UNITS = sorted(path for path in SERVER.iterdir() if path.suffix in (".service", ".socket", ".timer"))
SERVICES = [path for path in UNITS if path.suffix == ".service"]
EXPOSED_AT_MOST = 20
"""Tenths, as `systemd-analyze security` counts: below 2 is what it calls OK or SAFE."""
_PR_SET_MDWE, _REFUSE_EXEC_GAIN = 65, 1


def settings(unit: Path) -> dict[str, list[str]]:
    """A unit's settings, each with all its values."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        key, is_set, value = line.partition("=")
        if is_set and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


# -- units


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_starts_what_the_program_understands(unit: Path) -> None:
    for line in settings(unit)["ExecStart"]:
        program, *words = line.split()
        assert program == "/usr/bin/kansli-server"
        assert make_parser().parse_args(words).command in ("serve", "backup", "verify")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_has_a_user_of_its_own_and_writes_only_its_folders(unit: Path) -> None:
    found = settings(unit)
    assert found["User"] == ["kansli-server"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["StateDirectory"] == ["kansli"]
    assert found["NoNewPrivileges"] == found["PrivateTmp"] == found["MemoryDenyWriteExecute"] == ["yes"]
    assert found["CapabilityBoundingSet"] in ([""], ["CAP_NET_BIND_SERVICE"])


def test_the_server_is_tried_again_until_an_address_that_comes_late_is_there_and_not_for_ever() -> None:
    found = settings(SERVER / "kansli-server.service")
    every, within, times = (int(found[key][0]) for key in ("RestartSec", "StartLimitIntervalSec", "StartLimitBurst"))
    assert every * times >= 120
    assert (every + 3) * times < within  # 3: a start on a slow machine; more, and the limit would never be reached


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """The units, with a program that is on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/usr/bin/kansli-server", "/bin/true")
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return tmp_path


def test_systemd_finds_nothing_wrong(here: Path) -> None:
    command = ["systemd-analyze", "verify", "--man=no", *(str(here / unit.name) for unit in UNITS)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in told.stderr.splitlines() if "kansli" in line]
    assert (told.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_is_little_exposed(here: Path, unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSED_AT_MOST}"]
    told = subprocess.run([*command, str(here / unit.name)], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


def deny_writable_code() -> None:
    """What MemoryDenyWriteExecute= asks of the kernel (prctl(2), Linux 6.3). OSError where it has no such thing."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_MDWE")


def can_deny() -> bool:
    """Tried in a process that is thrown away: it cannot be taken back."""
    try:
        subprocess.run(["true"], preexec_fn=deny_writable_code, check=True)
    except subprocess.SubprocessError:
        return False
    return True


@pytest.mark.slow
async def test_the_server_needs_no_memory_that_can_be_written_and_executed(tmp_path: Path) -> None:
    if not can_deny():
        pytest.skip("this kernel cannot refuse it")
    data = new_data(tmp_path / "server")
    served = await serve(data, before=deny_writable_code)
    anna = await Person("Handläggare").enrol(served.url, data)
    await anna.push(await anna.create(), "Hej å ä ö 🙂")
    await anna.wire.close()
    assert await served.stop() == 0
    assert [line for line in served.log().splitlines() if " sync.server.admin INFO " not in line] == []


def test_everything_that_can_be_enabled_is_stopped_and_disabled_at_removal() -> None:
    script = (ROOT / "packaging/linux/server/prerm").read_text(encoding="utf-8")
    (line,) = re.findall(r"^ *systemctl disable --now (.*) \|\| true$", script, re.MULTILINE)
    assert sorted(line.split()) == [unit.name for unit in UNITS if "[Install]" in unit.read_text(encoding="utf-8")]


def scripted(name: str, word: str, system: Path, *, starts: bool = True) -> str:
    """Runs a maintainer script as dpkg does, on folders below `system` and with stand-ins for what makes users; what it
    complains of. `starts`: whether systemd can start the server."""
    programs = system / "bin"
    programs.mkdir(exist_ok=True)
    restarts = "" if starts else '[ "$1" != try-restart ]'
    for stub, says in {"getent": "", "userdel": "", "systemctl": restarts}.items():
        (programs / stub).write_text(f"#!/bin/sh\n{says}\n")
        (programs / stub).chmod(0o755)
    gives = f'[ "$2" = kansli-server:kansli-server ] && echo "$@" >>{system}/given'
    (programs / "install").write_text('#!/bin/sh\nmkdir -p "$4"\n')
    (programs / "chown").write_text(f'#!/bin/sh\n{gives} || exec /usr/bin/chown "$@"\n')
    for stub in ("install", "chown"):
        (programs / stub).chmod(0o755)
    text = (ROOT / "packaging/linux/server" / name).read_text(encoding="utf-8")
    text = text.replace(" /var/", f" {system}/var/").replace("/etc/kansli", f"{system}/etc/kansli")
    text = text.replace("/run/systemd/system", f"{system}/run")
    (system / name).write_text(text, encoding="utf-8")
    environment = {"PATH": f"{programs}:/usr/bin:/bin"}
    command = ["sh", str(system / name), word]
    return subprocess.run(command, env=environment, check=True, stderr=subprocess.PIPE, text=True).stderr


@pytest.fixture(params=["", "server"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, mounted where the server's data is."""
    where = tmp_path / "var/lib/kansli" / request.param
    where.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield where
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


def test_purging_empties_a_disk_of_its_own_and_ends_well(disk: Path, tmp_path: Path) -> None:
    (disk / "blobs/å b").mkdir(parents=True)
    for name in ("server.key", "blobs/å b/1"):
        (disk / name).write_text("")
    os.chown(tmp_path / "var/lib/kansli", 12345, 12345)
    scripted("postrm", "purge", tmp_path)
    assert list(disk.iterdir()) == []
    assert (tmp_path / "var/lib/kansli").stat().st_uid == 0, "the next installation's user has another number"


def test_purging_goes_through_roots_link_to_a_disk_and_through_no_other(tmp_path: Path) -> None:
    big, kept, service = tmp_path / "big/kansli", tmp_path / "kept", tmp_path / "var/lib/kansli"
    for folder in (big / "server", kept, service.parent, tmp_path / "var/log"):
        folder.mkdir(parents=True)
    for file in (big / "server/server.key", kept / "file"):
        file.write_text("")
    service.symlink_to(big)
    (big / "server/link").symlink_to(kept)
    (tmp_path / "var/log/kansli").symlink_to(kept)
    scripted("postrm", "purge", tmp_path)
    assert list(big.iterdir()) == []
    assert not service.is_symlink()
    assert not (tmp_path / "var/log/kansli").is_symlink()
    assert (kept / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders of root's")
def test_a_disk_that_was_mounted_before_the_package_came_is_given_to_the_server(tmp_path: Path) -> None:
    ours = tmp_path / "var/lib/kansli"
    ours.mkdir(parents=True)
    kept = tmp_path / "var/backups/kansli"
    kept.mkdir(parents=True)
    os.chown(kept, 12345, 12345)
    scripted("postinst", "configure", tmp_path)
    given = [line.rpartition(" ") for line in (tmp_path / "given").read_text().splitlines()]
    assert [Path(folder) for _, _, folder in given] == [ours, tmp_path / "var/log/kansli"]
    assert {how for how, _, _ in given} == {"-hR kansli-server:kansli-server"}


def test_attack_a_link_in_the_logs_folder_gives_nothing_to_the_server(tmp_path: Path) -> None:
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/kansli").symlink_to("/etc")
    scripted("postinst", "configure", tmp_path)
    assert str(tmp_path / "var/log") not in (tmp_path / "given").read_text()


def test_an_upgrade_is_whole_though_the_server_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert "was not started again" in scripted("postinst", "configure", tmp_path, starts=False)
    assert scripted("postinst", "configure", tmp_path) == ""


def test_the_services_user_and_folders_are_declared() -> None:
    user = (SERVER / "sysusers.conf").read_text(encoding="utf-8")
    folders = (SERVER / "tmpfiles.conf").read_text(encoding="utf-8")
    assert re.search(r"^u kansli-server - ", user, re.MULTILINE)
    declared = re.findall(r"^d (\S+) 0700 kansli-server kansli-server -$", folders, re.MULTILINE)
    assert declared == ["/var/lib/kansli", "/var/log/kansli", "/var/backups/kansli"]
    installed = (ROOT / "packaging/linux/server/postinst").read_text(encoding="utf-8")
    assert all(folder in installed for folder in declared)


# -- the manual


def commands() -> dict[str, argparse.ArgumentParser]:
    (found,) = (a for a in make_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


def manual() -> str:
    """The page without its marks."""
    text = (ROOT / "packaging/man/kansli-server.1").read_text(encoding="utf-8")
    return re.sub(r"\\f[BIRP]|^\.\w+ |\"", "", text.replace("\\-", "-"), flags=re.MULTILINE)


@pytest.mark.parametrize("name", commands())
def test_the_manual_has_every_command_and_option(name: str) -> None:
    page = manual()
    assert re.search(rf"^(TP\n)?{re.escape(name)}\b", page, re.MULTILINE)
    options = {o for a in commands()[name]._actions for o in a.option_strings if o.startswith("--")}
    assert [o for o in options if not re.search(rf"{re.escape(o)}\b", page)] == []


def test_the_manual_has_nothing_that_is_not_there() -> None:
    known = {o for c in [make_parser(), *commands().values()] for a in c._actions for o in a.option_strings}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", manual())) <= known


def test_the_manual_is_well_formed() -> None:
    if shutil.which("groff") is None:
        pytest.skip("no groff")
    page = ROOT / "packaging/man/kansli-server.1"
    told = subprocess.run(["groff", "-man", "-Tutf8", "-ww", str(page)], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
