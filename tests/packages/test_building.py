# SPDX-License-Identifier: EUPL-1.2
"""Tests how the builder runs the tests of deb and rpm beside the build of the MSI, and how the MSI's tests wait for the
build's end. Nothing is built here."""

import fcntl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from types import ModuleType

import building
import pytest
from places import OUT, PACKAGING


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the lock that is not the checkout's, where a build may be running."""
    monkeypatch.setattr(building, "WORK", tmp_path)
    return tmp_path


@pytest.fixture
def builder(work: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The builder's program. Its steps do nothing and end at once."""
    spec = spec_from_file_location("builder_program", PACKAGING / "builder/__main__.py")
    assert spec is not None
    assert spec.loader is not None
    program = module_from_spec(spec)
    spec.loader.exec_module(program)
    monkeypatch.setattr(program, "ProcessPoolExecutor", ThreadPoolExecutor)
    monkeypatch.setattr(program, "PROGRAMS", {})
    monkeypatch.setattr(program.freezing, "build_root", lambda: None)
    monkeypatch.setattr(program.sums, "write", lambda: OUT / "SHA256SUMS")
    monkeypatch.setattr(program.signing, "sign_sums", lambda path: None)
    monkeypatch.setattr(program, "linux", str)
    monkeypatch.setattr(program, "windows_client", lambda: "MSI")
    return program


def held(work: Path) -> bool:
    """Whether a build is running."""
    with (work / "building.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def has_come(path: Path) -> Callable[[], str]:
    """A part that is built when the file is there; TimeoutError if nobody makes it beside the build."""

    def part() -> str:
        end = time.monotonic() + 60
        while not path.exists():
            if time.monotonic() > end:
                raise TimeoutError(path)
            time.sleep(0.01)
        return "MSI"

    return part


def run(builder: ModuleType, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["builder", *words])
    return int(builder.main())


def test_waiting_ends_when_the_build_has_ended(work: Path) -> None:
    said: list[str] = []

    def waiting() -> None:
        building.wait()
        said.append("waited")

    waits = Thread(target=waiting)
    with building.going_on():
        waits.start()
        blocked = f":{(work / 'building.lock').stat().st_ino} "
        while waits.is_alive():
            locks = Path("/proc/locks").read_text(encoding="ascii").splitlines()
            if any(" -> " in line and blocked in line for line in locks):
                break
        said.append("built")
    waits.join()
    assert said == ["built", "waited"]


def test_a_build_ends_although_its_processes_go_on(work: Path) -> None:
    with ProcessPoolExecutor(max_workers=1) as pool:
        with building.going_on():
            assert pool.submit(int).result() == 0
            assert held(work)
        assert not held(work)


def test_the_command_given_by_meanwhile_runs_before_the_msi_is_built_and_gives_its_status(
    builder: ModuleType, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "windows_client", has_come(work / "begun"))
    assert run(builder, monkeypatch, "--meanwhile", f"touch '{work}/begun'; exit 3") == 3
    assert run(builder, monkeypatch) == 0


def test_the_command_does_not_start_before_deb_and_rpm_are_built(
    builder: ModuleType, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "linux", lambda name: str((work / name).write_text("built", encoding="ascii")))
    both = f"[ -e '{work}/kansli' ] && [ -e '{work}/kansli-server' ]"
    assert run(builder, monkeypatch, "--meanwhile", both) == 0


def test_a_failed_msi_fails_the_build_once_the_command_has_ended(
    builder: ModuleType, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> str:
        raise SystemExit("packages: no MSI")

    monkeypatch.setattr(builder, "windows_client", fails)
    with pytest.raises(SystemExit, match="no MSI"):
        run(builder, monkeypatch, "--meanwhile", f"touch '{work}/ran'")
    assert (work / "ran").exists()
    assert not held(work)
