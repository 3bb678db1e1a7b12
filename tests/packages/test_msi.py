# SPDX-License-Identifier: EUPL-1.2
"""The MSI under Wine, as IT uses it: installed silently, upgraded, refused, repaired, removed. `make packages` first.

What Wine cannot show is listed in packaging/README.md.
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msi
import msi_source
import pytest
import windows
import wine
from places import OUT, WORK, version

from app.profile import Profile
from tests.packages.windows_desktop import INSTALLED, LINKS, POLICIES, REFUSED, RUN, UNINSTALL, Desktop, files_below

pytestmark = [pytest.mark.packages, pytest.mark.slow, pytest.mark.usefixtures("whole")]

BUNDLE = windows.FROZEN / "kansli"
MSI = OUT / f"kansli-{version()}-x64.msi"
NEWER = "77.1.0"
MOST_BYTES = 60_000_000


def needed() -> str:
    """What is missing, or ""."""
    missing = sorted({*windows.missing(), *msi.missing()})
    if missing:
        return f"needs the Debian packages {' '.join(missing)}"
    return "" if MSI.is_file() and BUNDLE.is_dir() else "make packages has not built the MSI"


@pytest.fixture(scope="module")
def desktop() -> Iterator[Desktop]:
    """One for all tests of this file; each begins and ends without Kansli."""
    reason = needed()
    if reason:
        pytest.skip(reason)
    made = Desktop(WORK / f"wine-test-{os.environ.get('PYTEST_XDIST_WORKER', 'one')}")
    yield made
    made.close()


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same bundle as a later version."""
    if needed():
        pytest.skip(needed())
    folder = tmp_path_factory.mktemp("newer")
    yield msi.build(BUNDLE, windows.icon(), number=NEWER, out=folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clean(desktop: Desktop) -> Iterator[Desktop]:
    """Without Kansli, before and after."""
    yield desktop
    for number in (version(), NEWER):
        if msi_source.product_code(number) in desktop.registry(UNINSTALL):
            assert desktop.msiexec("/x", msi_source.product_code(number)) == 0
    desktop.forget(rf"HKLM\{POLICIES}")
    desktop.forget(rf"HKCU\{POLICIES}")
    shutil.rmtree(desktop.data, ignore_errors=True)


def profile(desktop: Desktop) -> Path:
    """A person's, as the program leaves it."""
    made = Profile.open("default", desktop.data)
    made.close()
    made.slots_folder.mkdir()
    for path in (made.db_path, made.slots_folder / "keyring.slot"):
        path.write_bytes(b"sealed")
    return made.folder


def test_it_is_small_enough() -> None:
    if needed():
        pytest.skip(needed())
    assert 20_000_000 < MSI.stat().st_size < MOST_BYTES


def test_a_silent_installation_is_whole_and_as_it_was_asked_for(clean: Desktop) -> None:
    assert clean.msiexec("/i", MSI, "SERVERURL=kansli.lanet.example") == 0
    assert files_below(clean.program) == files_below(BUNDLE)
    written = clean.registry(INSTALLED)
    assert written[""] == {"Server": "kansli.lanet.example"}
    assert written["Setup"]["Version"] == version()
    assert written["Setup"]["InstallDir"] == "C:\\Program Files\\Kansli\\"
    assert clean.links() == {"menu": ["Kansli.lnk"], "desktop": []}
    assert "Kansli" not in clean.registry(RUN).get("", {})
    handler = clean.registry(LINKS)
    assert handler[""]["URL Protocol"] == ""
    assert handler[r"shell\open\command"][""] == r'"C:\Program Files\Kansli\kansli.exe" --link "%1"'
    listed = clean.registry(UNINSTALL)[msi_source.product_code()]
    assert listed["DisplayName"] == "Kansli"
    assert listed["DisplayVersion"] == version()
    assert listed["InstallLocation"] == "C:\\Program Files\\Kansli\\"
    report = clean.wine.drive("selftest.txt")
    assert clean.start("--selftest", "--report", report) == 0, report.read_text(encoding="utf-8")
    told = report.read_text(encoding="utf-8")
    assert "key store of the computer: Windows" in told
    assert told.rstrip().endswith("Everything works.")


def test_links_and_autostart_are_as_asked_for_and_remembered_by_a_repair(clean: Desktop) -> None:
    asked = ("DESKTOPSHORTCUT=1", "STARTMENU=0", "AUTOSTART=1", r"CONFIGFILE=C:\kansli.json")
    assert clean.msiexec("/i", MSI, *asked) == 0
    for _ in range(2):
        assert clean.links() == {"menu": [], "desktop": ["Kansli.lnk"]}
        assert clean.registry(RUN)[""]["Kansli"] == r'"C:\Program Files\Kansli\kansli.exe" --autostart'
        assert clean.registry(INSTALLED)[""] == {"Autostart": "0x1", "ConfigFile": r"C:\kansli.json"}
        (clean.program / "lib" / "LICENSE").unlink()
        assert clean.msiexec("/i", MSI, "REINSTALL=ALL", "REINSTALLMODE=amus") == 0
        assert files_below(clean.program) == files_below(BUNDLE)


def test_an_upgrade_keeps_what_was_given_and_takes_what_is_given_anew(clean: Desktop, newer: Path) -> None:
    folder = profile(clean)
    asked = ("SERVERURL=old.example", "AUTOSTART=1", "DESKTOPSHORTCUT=1", r"CONFIGFILE=C:\kansli.json")
    assert clean.msiexec("/i", MSI, *asked) == 0
    assert clean.msiexec("/i", newer, "CONFIGFILE=D:\\other.json", "AUTOSTART=0") == 0
    written = clean.registry(INSTALLED)
    assert written[""] == {"Server": "old.example", "ConfigFile": r"D:\other.json"}
    assert written["Setup"]["Version"] == NEWER
    assert clean.links() == {"menu": ["Kansli.lnk"], "desktop": ["Kansli.lnk"]}
    assert "Kansli" not in clean.registry(RUN).get("", {})
    listed = clean.registry(UNINSTALL)
    assert msi_source.product_code(NEWER) in listed
    assert msi_source.product_code() not in listed
    assert files_below(clean.program) == files_below(BUNDLE)
    assert (folder / "store.db").exists()


def test_a_downgrade_is_refused_and_changes_nothing(clean: Desktop, newer: Path) -> None:
    assert clean.msiexec("/i", newer, "SERVERURL=new.example") == 0
    assert clean.msiexec("/i", MSI, "SERVERURL=old.example") == REFUSED
    written = clean.registry(INSTALLED)
    assert (written[""]["Server"], written["Setup"]["Version"]) == ("new.example", NEWER)
    assert files_below(clean.program) == files_below(BUNDLE)


def test_uninstalling_leaves_every_users_data_and_nothing_else(clean: Desktop) -> None:
    folder = profile(clean)
    assert clean.msiexec("/i", MSI, "SERVERURL=kansli.example", "AUTOSTART=1", "DESKTOPSHORTCUT=1") == 0
    assert clean.msiexec("/x", msi_source.product_code()) == 0
    assert not clean.program.exists()
    assert clean.links() == {"menu": [], "desktop": []}
    assert clean.registry(INSTALLED) == {}
    assert clean.registry(LINKS) == {}
    assert "Kansli" not in clean.registry(RUN).get("", {})
    assert sorted(p.name for p in folder.iterdir()) == ["keys", "lock", "profile.json", "store.db"]


def test_purge_removes_every_profile_before_the_program_goes(clean: Desktop) -> None:
    folder = profile(clean)
    rooted = Profile.open("second", clean.wine.drive("data", "somebody", "Kansli"))
    rooted.close()
    kept = clean.data / "profiles" / "not-ours"
    kept.mkdir()
    clean.write(rf"HKLM\{POLICIES}", {"DataRoot": r"C:\data\%USERNAME%\Kansli"})
    assert clean.msiexec("/i", MSI) == 0
    assert clean.msiexec("/x", msi_source.product_code(), "PURGE=1") == 0
    assert not clean.program.exists()
    assert not folder.exists()
    assert not rooted.folder.exists()
    assert kept.exists()
    logs = list(clean.wine.drive().rglob("kansli-purge-*.log"))
    assert [log.read_text(encoding="utf-8").splitlines()[-1] for log in logs] == ["2 removed, 0 left"]


def ask(desktop: Desktop, script: str, *arguments: Path) -> list[str]:
    """Runs a script by the Windows Python with our packages, from this checkout; the lines that it says."""
    paths = {"PYTHONPATH": f"{wine.windows_path(windows.site())};{wine.windows_path(Path(__file__).parents[2])}"}
    environment = {**windows.environment(), **paths}
    done = desktop.wine.run(windows.python(), "-c", script, *arguments, timeout_s=120, env=environment)
    assert done.returncode == 0, done.stdout
    return done.stdout.strip().splitlines()


READ = """
import json, sys
from pathlib import Path
from app import policy
from app.settings import SETTINGS, Settings
read = policy.machine()
settings = Settings(Path(sys.argv[1]), read.fixed, read.defaults)
print(json.dumps({s.key: [settings.get(s), settings.locked(s)] for s in SETTINGS}))
"""


def test_policies_of_machine_and_person_are_read_and_locked(clean: Desktop, tmp_path: Path) -> None:
    clean.write(
        rf"HKLM\{POLICIES}", {"Language": "en", "AutoLockMinutes": 5, "Servers": ["a.example", "b.example:8443"]}
    )
    clean.write(rf"HKCU\{POLICIES}", {"Language": "sv", "Theme": "dark", "LogLevel": "loud"})
    clean.write(INSTALLED, {"Server": "proposed.example", "Autostart": 1})
    said = ask(clean, READ, tmp_path / "none")
    found = json.loads(said[-1])
    assert found["language"] == ["en", True]
    assert found["auto-lock-minutes"] == [5, True]
    assert found["servers"] == ["a.example, b.example:8443", True]
    assert found["theme"] == ["dark", True]
    assert found["log-level"] == ["info", False]
    assert found["server"] == ["proposed.example", False]
    assert found["autostart"] == [True, False]
    clean.forget(INSTALLED)


def test_the_installed_program_reads_the_policies_of_the_registry(clean: Desktop) -> None:
    clean.write(rf"HKLM\{POLICIES}", {"Language": "en", "AllowPrint": 0})
    clean.write(rf"HKCU\{POLICIES}", {"Language": "sv", "Theme": "pink"})
    assert clean.msiexec("/i", MSI, "SERVERURL=kansli.example") == 0
    profile(clean)
    report = clean.wine.drive("report.zip")
    assert clean.start("--diagnose", report, "--yes") == 0
    with zipfile.ZipFile(report) as archive:
        settings, policy = (archive.read(name).decode().splitlines() for name in ("settings.txt", "policy.txt"))
    assert {"language = en, by policy", "allow-print = False, by policy", "theme = system"} <= set(settings)
    assert rf"language from HKLM\{POLICIES}: in force" in policy
    assert rf"theme from HKCU\{POLICIES}: left out" in policy
    assert rf"server from {INSTALLED}: in force" in policy


HOLD = """
import os, stat, sys, tempfile
from pathlib import Path
from app.core.held_folder import HeldFolder
with tempfile.TemporaryDirectory() as name:
    ours, file = Path(name, "ours"), Path(name, "ours", "store.db")
    ours.mkdir()
    file.write_bytes(b"sealed")
    file.chmod(stat.S_IREAD)
    with HeldFolder.at(ours) as held:
        try:
            ours.rename(Path(name, "moved"))
        except PermissionError:
            print("kept its name")
        print(held.names(), held.is_file("store.db"), held.read("store.db", 3))
        held.remove("store.db")
        print(held.names())
    ours.rename(Path(name, "moved"))
"""


def test_a_folder_that_is_being_purged_cannot_be_exchanged(clean: Desktop) -> None:
    assert ask(clean, HOLD)[-3:] == ["kept its name", "['store.db'] True b'sea'", "[]"]
