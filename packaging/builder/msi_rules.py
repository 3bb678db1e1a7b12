# SPDX-License-Identifier: EUPL-1.2
"""What an MSI decides and runs, as rows of its tables: what is remembered, conditions, upgrades, and PURGE.

wixl leaves out or refuses these parts of its source, so the rows are put into the tables that it has written.
packaging/windows/kansli.wxs says the same for the WiX Toolset; tests/packages/test_msi_source.py compares the two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msi_source import CONDITIONS, INSTALLER_KEY, PROGRAM_ID, SETUP_KEY, UPGRADE_CODE
from places import HOMEPAGE

PUBLIC = ("SERVERURL", "AUTOSTART", "DESKTOPSHORTCUT", "STARTMENU", "CONFIGFILE", "INSTALLDIR", "PURGE")
"""The properties that may be given on the command line."""
REMEMBERED = {
    "SERVERURL": (INSTALLER_KEY, "Server"),
    "CONFIGFILE": (INSTALLER_KEY, "ConfigFile"),
    "AUTOSTART": (SETUP_KEY, "Autostart"),
    "STARTMENU": (SETUP_KEY, "StartMenu"),
    "DESKTOPSHORTCUT": (SETUP_KEY, "DesktopShortcut"),
    "INSTALLDIR": (SETUP_KEY, "InstallDir"),
}
"""Where an installation finds what a former one was given. The command line counts before it."""
OLDER, NEWER = "OLDERVERSION", "NEWERVERSION"
NEWER_IS_HERE = "A newer version of Kansli is already installed. Remove it first. / En nyare Kansli finns redan."
_LAUNCH = {
    f"Installed OR NOT {NEWER}": NEWER_IS_HERE,
    "Installed OR VersionNT64": "Kansli needs 64-bit Windows 10 or later.",
    "Installed OR Privileged": "Kansli is installed for the whole computer, by an administrator.",
}
_SET_PROPERTY, _PROGRAM_HERE, _DEFERRED_AS_SYSTEM = 51, 18, 1024 + 2048
_MIGRATE_FEATURES, _ONLY_DETECT = 1, 2
_REG_VALUE_64 = 2 + 16
_HKLM = 2
_COMPONENT_64, _REGISTRY_KEY_PATH, _TRANSITIVE = 256, 4, 64

Row = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`rows` to be added to tables, in their columns' order; `components`: new Attributes and Condition by name."""

    rows: Mapping[str, list[Row]]
    components: Mapping[str, tuple[int, str]]


def changes(number: str, size_bytes: int) -> Changes:
    """For this version, with so much to be installed."""
    return Changes(
        rows={
            "Property": [*_properties(size_bytes)],
            "RegLocator": [(f"find{p}", _HKLM, key, name, _REG_VALUE_64) for p, (key, name) in REMEMBERED.items()],
            "AppSearch": [(f"REMEMBERED{p}", f"find{p}") for p in REMEMBERED],
            "CustomAction": [*_actions()],
            "LaunchCondition": [*_LAUNCH.items()],
            "Upgrade": [
                (UPGRADE_CODE, "", number, "", _MIGRATE_FEATURES, "", OLDER),
                (UPGRADE_CODE, number, "", "", _ONLY_DETECT, "", NEWER),
            ],
            "InstallExecuteSequence": [
                *_before(),
                ("SetInstallLocation", "", 1010),
                ("RemoveExistingProducts", "", 1510),
                ("Purge", 'REMOVE = "ALL" AND PURGE = "1" AND NOT UPGRADINGPRODUCTCODE', 1520),
            ],
            "InstallUISequence": [*_before()],
        },
        components={
            name: (_COMPONENT_64 | _REGISTRY_KEY_PATH | _TRANSITIVE, condition)
            for name, condition in CONDITIONS.items()
        },
    )


def _properties(size_bytes: int) -> Iterable[Row]:
    yield ("SecureCustomProperties", ";".join([*PUBLIC, OLDER, NEWER]))
    yield ("ARPPRODUCTICON", "kansli.ico")
    yield ("ARPURLINFOABOUT", HOMEPAGE)
    yield ("ARPHELPLINK", HOMEPAGE)
    yield ("ARPNOMODIFY", "1")  # there is one feature
    yield ("ARPSIZE", str(size_bytes // 1024))
    # an older file of the bundle replaces a newer one of the former version, which is gone by then
    yield ("REINSTALLMODE", "amus")


def _actions() -> Iterable[Row]:
    for name in REMEMBERED:
        yield (f"Remember{name}", _SET_PROPERTY, name, f"[REMEMBERED{name}]", "")
    yield ("SetInstallLocation", _SET_PROPERTY, "ARPINSTALLLOCATION", "[INSTALLDIR]", "")
    yield ("Purge", _PROGRAM_HERE + _DEFERRED_AS_SYSTEM, PROGRAM_ID, "--purge-machine", "")


def _before() -> Iterable[Row]:
    """What comes before costs are counted."""
    yield ("FindRelatedProducts", "", 25)
    yield ("AppSearch", "", 50)
    for at, name in enumerate(REMEMBERED):
        yield (f"Remember{name}", f"NOT {name} AND REMEMBERED{name}", 51 + at)
    yield ("LaunchConditions", "", 100)
