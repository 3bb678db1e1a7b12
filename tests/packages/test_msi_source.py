# SPDX-License-Identifier: EUPL-1.2
"""The MSI's source: the same components in every version, and the WiX Toolset's description says what wixl's does."""

import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath

import drawing
import msi
import msi_rules
import msi_source
import pytest
from PySide6.QtWidgets import QApplication

from app import policy
from app.settings import AUTOSTART, SERVER

ROOT = Path(__file__).parents[2]
WIX = f"{{{msi_source.WIX}}}"
WIXL = f"{{{msi_source.WIXL}}}"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small one."""
    folder = tmp_path / "kansli"
    for name in ("kansli.exe", "lib/python313.dll", "lib/resources/a.svg", "lib/other/a.svg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def described() -> ET.Element:
    """packaging/windows/kansli.wxs."""
    root = ET.parse(ROOT / "packaging/windows/kansli.wxs").getroot()  # noqa: S314 - ours
    package = root.find(f"{WIX}Package")
    assert package is not None
    return package


def saved(tree: ET.ElementTree, path: Path) -> ET.Element:
    tree.write(path, encoding="utf-8", xml_declaration=True)
    return ET.parse(path).getroot()  # noqa: S314 - ours


def components(root: ET.Element, space: str) -> dict[str, tuple[str, str]]:
    """By id: the GUID, and the file's name or the registry values."""
    found = {}
    for component in root.iter(f"{space}Component"):
        values = [tuple(sorted(v.attrib.items())) for v in component.iter(f"{space}RegistryValue")]
        names = [f.attrib["Name"] for f in component.iter(f"{space}File")]
        found[component.attrib["Id"]] = (component.attrib["Guid"], str(names or values))
    return found


def test_both_tools_make_the_same_components(bundle: Path, tmp_path: Path) -> None:
    by_wixl = saved(msi_source.wixl(bundle, tmp_path / "x.ico", "1.2.3"), tmp_path / "a.wxs")
    by_wix = saved(msi_source.wix_files(bundle), tmp_path / "b.wxs")
    assert components(by_wixl, WIXL) == components(by_wix, WIX)
    assert len(components(by_wixl, WIXL)) == 4 + 7


def test_a_file_is_the_same_component_in_every_version(bundle: Path, tmp_path: Path) -> None:
    before = components(saved(msi_source.wixl(bundle, tmp_path / "x.ico", "1.2.3"), tmp_path / "a.wxs"), WIXL)
    (bundle / "aaa.new").write_bytes(b"")
    after = components(saved(msi_source.wixl(bundle, tmp_path / "x.ico", "1.3.0"), tmp_path / "b.wxs"), WIXL)
    assert before.items() < after.items()
    assert msi_source.product_code("1.2.3") != msi_source.product_code("1.3.0")
    assert msi_source.product_code("1.2.3") == msi_source.product_code("1.2.3")


def test_the_identifiers_are_those_of_the_first_release() -> None:
    """Whoever changes these leaves two Kansli on every computer."""
    assert msi_source.UPGRADE_CODE == "{6E0F6B0C-3C0B-4C58-9C11-5B0B7E3A4D21}"
    assert msi_source.guid("file kansli.exe") == "{4D8E0208-11AC-53BC-B90D-7503BC9E6CB8}"
    assert msi_source.product_code("0.1.0") == "{05A5CE1C-12A3-5AFC-9F9C-B59BE67BA126}"


def test_conditions_stand_in_both(bundle: Path, tmp_path: Path) -> None:
    by_wix = saved(msi_source.wix_files(bundle), tmp_path / "b.wxs")
    stated = {c.attrib["Id"]: c.attrib["Condition"] for c in by_wix.iter(f"{WIX}Component") if "Condition" in c.attrib}
    assert stated == msi_source.CONDITIONS
    patched = msi_rules.changes("1.2.3", 1).components
    assert {name: condition for name, (_, condition) in patched.items()} == msi_source.CONDITIONS


def test_the_description_for_the_wix_toolset_has_the_same_rules() -> None:
    package, rows = described(), msi_rules.changes("1.2.3", 1).rows
    assert package.attrib["UpgradeCode"] == msi_source.UPGRADE_CODE
    properties = {p.attrib["Id"]: p for p in package.iter(f"{WIX}Property")}
    assert {name for name, p in properties.items() if p.get("Secure") == "yes"} == set(msi_rules.PUBLIC)
    given = {name: p.attrib["Value"] for name, p in properties.items() if "Value" in p.attrib}
    ours = {str(name): str(value) for name, value in rows["Property"]}
    assert given.items() <= ours.items()
    assert ours.keys() - given.keys() == {"SecureCustomProperties", "ARPSIZE"}  # WiX and Windows make these
    searches = {
        name: (s.attrib["Key"], s.attrib["Name"])
        for name, p in properties.items()
        for s in p.iter(f"{WIX}RegistrySearch")
    }
    assert searches == {f"REMEMBERED{name}": place for name, place in msi_rules.REMEMBERED.items()}
    sets = {s.attrib["Action"]: (s.attrib["Id"], s.attrib["Value"]) for s in package.iter(f"{WIX}SetProperty")}
    assert sets == {a[0]: (a[2], a[3]) for a in rows["CustomAction"] if a[1] == 51}
    conditions = {str(action): condition for action, condition, _ in rows["InstallExecuteSequence"] if condition}
    written = {s.attrib["Action"]: s.get("Condition") for s in package.iter(f"{WIX}SetProperty") if s.get("Condition")}
    written |= {c.attrib["Action"]: c.attrib["Condition"] for c in package.iter(f"{WIX}Custom")}
    assert written == conditions
    launch = {c.attrib["Condition"]: c.attrib["Message"] for c in package.iter(f"{WIX}Launch")}
    upgrade = package.find(f"{WIX}MajorUpgrade")
    assert upgrade is not None
    launch[f"Installed OR NOT {msi_rules.NEWER}"] = upgrade.attrib["DowngradeErrorMessage"]
    assert launch == {str(condition): str(text) for condition, text in rows["LaunchCondition"]}


def test_the_program_reads_what_the_installer_writes() -> None:
    values = {(key, name) for rows in msi_source._VALUES.values() for key, name, _, _ in rows}
    assert msi_source.INSTALLER_KEY == policy.INSTALLER_KEY
    read = {name for key, name in values if key == msi_source.INSTALLER_KEY}
    assert read == {SERVER.value_name, AUTOSTART.value_name, policy.CONFIG_FILE}


def test_every_property_is_described() -> None:
    told = (ROOT / "packaging/README.md").read_text(encoding="utf-8")
    assert [name for name in msi_rules.PUBLIC if f"`{name}`" not in told] == []


def test_a_files_version_is_that_of_its_resource() -> None:
    fixed = struct.pack("<6I", 0xFEEF04BD, 0x10000, 6 << 16 | 11, 3 << 16 | 0, 0, 0)
    program = b"MZ" + b"\0" * 50 + "VS_VERSION_INFO".encode("utf-16-le") + b"\0" * 4 + fixed
    assert msi.file_version(program) == "6.11.3.0"
    for damaged in (b"", b"MZ", program[:-30], program.replace(b"\xbd\x04\xef\xfe", b"\0" * 4)):
        assert msi.file_version(damaged) == ""


def test_ids_fit_into_the_tables(bundle: Path) -> None:
    assert msi_source.file_id(PurePosixPath("kansli.exe")) == msi_source.PROGRAM_ID
    assert re.fullmatch(r"f[0-9a-f]{24}", msi_source.file_id(PurePosixPath("lib/å b.dll")))


def test_the_icon_has_every_size_that_windows_asks_for(qapp: QApplication) -> None:
    """With the application of all tests: one without widgets would stay, and break the next test of a window."""
    icon = drawing.ico(ROOT / "resources/icons/logo.svg")
    count = struct.unpack_from("<3H", icon)[2]
    entries = [struct.unpack_from("<4B2H2I", icon, 6 + 16 * at) for at in range(count)]
    assert [entry[0] or 256 for entry in entries] == list(drawing._WINDOWS_SIZES)
    assert all(icon[at : at + 4] == b"\x89PNG" for *_, at in entries)
    assert entries[-1][-1] + entries[-1][-2] == len(icon)
