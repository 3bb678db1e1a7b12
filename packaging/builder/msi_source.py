# SPDX-License-Identifier: EUPL-1.2
"""The WiX source of the MSI's files, registry values and links, as wixl and the WiX Toolset both read it.

Every file is a component of its own, with an identifier made of its path: the same file is the same component in every
version and by both tools, which is what Windows Installer counts on. What decides and runs is in msi_rules.py.
"""

import hashlib
import uuid
import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath

from places import HOMEPAGE, version

NAMESPACE = uuid.UUID("2f0a1c7e-6a54-5b0e-9d3b-6f1f5b8f9a01")
"""What all identifiers are derived from. Never changed: upgrades would not find what they replace."""
UPGRADE_CODE = "{6E0F6B0C-3C0B-4C58-9C11-5B0B7E3A4D21}"
"""Kansli's, in every version."""
PROGRAM = "kansli.exe"
PROGRAM_ID = "KansliExe"
MANUFACTURER = "Kansli"
INSTALLER_KEY = r"SOFTWARE\Kansli"
"""What app/policy.py reads as the installer's proposals."""
SETUP_KEY = rf"{INSTALLER_KEY}\Setup"
"""What the next installation remembers, and inventories may read: InstallDir, Version and the answers as texts."""
RUN_KEY = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
LINK_KEY = r"SOFTWARE\Classes\kansli"

WIXL = "http://schemas.microsoft.com/wix/2006/wi"
WIX = "http://wixtoolset.org/schemas/v4/wxs"

CONDITIONS = {
    "ServerUrl": "SERVERURL",
    "ConfigFile": "CONFIGFILE",
    "Autostart": 'AUTOSTART = "1"',
    "StartMenu": 'STARTMENU <> "0"',
    "Desktop": 'DESKTOPSHORTCUT = "1"',
}
"""Components that are only installed when asked for."""
_VALUES: dict[str, list[tuple[str, str, str, str]]] = {
    "Setup": [
        (SETUP_KEY, "InstallDir", "string", "[INSTALLDIR]"),
        (SETUP_KEY, "Version", "string", "[ProductVersion]"),
        (SETUP_KEY, "Autostart", "string", "[AUTOSTART]"),
        (SETUP_KEY, "StartMenu", "string", "[STARTMENU]"),
        (SETUP_KEY, "DesktopShortcut", "string", "[DESKTOPSHORTCUT]"),
    ],
    "ServerUrl": [(INSTALLER_KEY, "Server", "string", "[SERVERURL]")],
    "ConfigFile": [(INSTALLER_KEY, "ConfigFile", "string", "[CONFIGFILE]")],
    "Autostart": [
        (INSTALLER_KEY, "Autostart", "integer", "1"),
        (RUN_KEY, "Kansli", "string", f'"[INSTALLDIR]{PROGRAM}" --autostart'),
    ],
    "Links": [
        (LINK_KEY, "", "string", "URL:Kansli"),
        (LINK_KEY, "URL Protocol", "string", ""),
        (rf"{LINK_KEY}\DefaultIcon", "", "string", f'"[INSTALLDIR]{PROGRAM}",0'),
        (rf"{LINK_KEY}\shell\open\command", "", "string", f'"[INSTALLDIR]{PROGRAM}" --link "%1"'),
    ],
    "StartMenu": [(SETUP_KEY, "StartMenuLink", "string", "1")],
    "Desktop": [(SETUP_KEY, "DesktopLink", "string", "1")],
}
"""Component: (key, name, type, value), the first its key path. All in HKLM."""
_SHORTCUTS = {"StartMenu": "ProgramMenuFolder", "Desktop": "DesktopFolder"}


def guid(what: str) -> str:
    """An identifier as Windows Installer writes it, the same for the same text."""
    return f"{{{uuid.uuid5(NAMESPACE, what)}}}".upper()


def product_code(number: str = "") -> str:
    """Of a version: another one is another product, and the former is replaced."""
    return guid(f"product {number or version()}")


def wixl(bundle: Path, icon: Path, number: str) -> ET.ElementTree:
    """The whole source for wixl."""
    root = ET.Element("Wix", xmlns=WIXL)
    product = ET.SubElement(
        root,
        "Product",
        Id=product_code(number),
        Name="Kansli",
        Language="1033",
        Version=number,
        Manufacturer=MANUFACTURER,
        UpgradeCode=UPGRADE_CODE,
    )
    ET.SubElement(
        product,
        "Package",
        InstallerVersion="500",
        Compressed="yes",
        InstallScope="perMachine",
        Description="Kansli",
        Manufacturer=MANUFACTURER,
        Comments=HOMEPAGE,
    )
    ET.SubElement(product, "Media", Id="1", Cabinet="kansli.cab", EmbedCab="yes")
    ET.SubElement(product, "Icon", Id="kansli.ico", SourceFile=str(icon))
    target = ET.SubElement(product, "Directory", Id="TARGETDIR", Name="SourceDir")
    programs = ET.SubElement(target, "Directory", Id="ProgramFiles64Folder")
    install = ET.SubElement(programs, "Directory", Id="INSTALLDIR", Name="Kansli")
    for folder in _SHORTCUTS.values():
        ET.SubElement(target, "Directory", Id=folder)
    components = [*_files(install, bundle), *_registry(install)]
    feature = ET.SubElement(product, "Feature", Id="Core", Title="Kansli", Level="1")
    for name in components:
        ET.SubElement(feature, "ComponentRef", Id=name)
    ET.indent(root)
    return ET.ElementTree(root)


def wix_files(bundle: Path) -> ET.ElementTree:
    """The bundle's files and the registry as a fragment for the WiX Toolset 5: ComponentGroup "Bundle"."""
    root = ET.Element("Wix", xmlns=WIX)
    fragment = ET.SubElement(root, "Fragment")
    install = ET.SubElement(fragment, "DirectoryRef", Id="INSTALLDIR")
    components = [*_files(install, bundle), *_registry(install, conditions=True)]
    group = ET.SubElement(fragment, "ComponentGroup", Id="Bundle")
    for name in components:
        ET.SubElement(group, "ComponentRef", Id=name)
    ET.indent(root)
    return ET.ElementTree(root)


def file_id(path: PurePosixPath) -> str:
    """Of a file, by its path in the bundle."""
    return PROGRAM_ID if str(path) == PROGRAM else f"f{_digest(str(path))}"


def _files(install: ET.Element, bundle: Path) -> list[str]:
    folders, components = {PurePosixPath("."): install}, []
    for path in sorted(p for p in bundle.rglob("*") if p.is_file()):
        inside = PurePosixPath(path.relative_to(bundle).as_posix())
        for parent in reversed(inside.parents):
            if parent not in folders:
                above = folders[parent.parent]
                folders[parent] = ET.SubElement(above, "Directory", Id=f"d{_digest(str(parent))}", Name=parent.name)
        component = _component(folders[inside.parent], f"c{_digest(str(inside))}", f"file {inside}")
        ET.SubElement(component, "File", Id=file_id(inside), Name=inside.name, Source=str(path), KeyPath="yes")
        components.append(component.attrib["Id"])
    return components


def _registry(install: ET.Element, *, conditions: bool = False) -> list[str]:
    for name, values in _VALUES.items():
        component = _component(install, name, f"component {name}")
        if conditions and name in CONDITIONS:
            component.attrib |= {"Condition": CONDITIONS[name], "Transitive": "yes"}
        for at, (key, value_name, kind, value) in enumerate(values):
            written = ET.SubElement(component, "RegistryValue", Root="HKLM", Key=key, Type=kind, Value=value)
            written.attrib |= {"Name": value_name} if value_name else {}
            written.attrib |= {"KeyPath": "yes"} if at == 0 else {}
        if name in _SHORTCUTS:
            ET.SubElement(
                component,
                "Shortcut",
                Id=f"{name}Link",
                Directory=_SHORTCUTS[name],
                Name="Kansli",
                Target=f"[INSTALLDIR]{PROGRAM}",
                WorkingDirectory="INSTALLDIR",
                Icon="kansli.ico",
            )
    return list(_VALUES)


def _component(folder: ET.Element, name: str, what: str) -> ET.Element:
    return ET.SubElement(folder, "Component", Id=name, Guid=guid(what))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
