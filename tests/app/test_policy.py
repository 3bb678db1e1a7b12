# SPDX-License-Identifier: EUPL-1.2
"""Reading what administrators have fixed: files and a registry, damaged ones too."""

import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from app import diagnosis, policy, profile
from app.policy import Finding, Policy, from_files, from_registry
from app.settings import SETTINGS

HKLM, HKCU = ("HKLM", policy.POLICY_KEY), ("HKCU", policy.POLICY_KEY)
INSTALLED = ("HKLM", policy.INSTALLER_KEY)


class FakeRegistry:
    """Values by hive and path."""

    def __init__(self, keys: Mapping[tuple[str, str], Mapping[str, object]]) -> None:
        self._keys = keys

    def values(self, hive: str, path: str) -> Mapping[str, object]:
        return self._keys.get((hive, path), {})


def machine(monkeypatch: pytest.MonkeyPatch, read: Policy) -> None:
    """This machine has this policy."""
    monkeypatch.setattr(policy, "machine", lambda: read)


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "20.json").write_text(json.dumps({"language": "sv"}))
    (tmp_path / "10.json").write_text(json.dumps({"language": "en", "log-level": "debug", "auto-lock-minutes": 5}))
    (tmp_path / "30.txt").write_text(json.dumps({"language": "en"}))
    read = from_files(tmp_path, tmp_path / "none")
    assert read.fixed == {"language": "sv", "log-level": "debug", "auto-lock-minutes": 5}
    assert [entry.source for entry in read.found] == ["10.json"] * 3 + ["20.json"]
    assert from_files(tmp_path / "missing", tmp_path / "none") == Policy()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\0", '"x"', "[" * 100_000, " " * 1_000_001 + "{}"])
def test_a_damaged_file_is_ignored_and_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "10.json").write_text(json.dumps({"language": "en"}))
    (tmp_path / "20.json").write_text(text)
    read = from_files(tmp_path, tmp_path / "none")
    assert read.fixed == {"language": "en"}
    assert read.found[-1] == Finding(key="", source="20.json", accepted=False)


def test_a_file_with_a_byte_order_mark_and_a_path_with_emoji_are_read(tmp_path: Path) -> None:
    path = "/srv/å b/🙂"
    (tmp_path / "10.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"data-root": path}).encode())
    (tmp_path / "20.json").write_text(json.dumps({"ca-file": path}), encoding="utf-16")
    assert from_files(tmp_path, tmp_path / "none").fixed == {"data-root": path, "ca-file": path}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("offline-days", -1),
        ("offline-days", "7"),
        ("offline-days", True),
        ("allow-print", 0),
        ("servers", ["a.example", 3]),
        ("servers", "http://a.example"),
        ("data-root", "relative/folder"),
        ("data-root", "$NO_SUCH_VARIABLE/kansli"),
        ("data-root", "//server/share"),
        ("data-root", "/srv/kansli\0"),
        ("data-root", "/srv/kansli\ud800"),
        ("ca-file", "/etc/ca.pem\0"),
        ("ca-file", "/etc/ca\udfff.pem"),
        ("sidebar-width", 300),
        ("server", "a.example"),
        ("no-such-thing", True),
        ("log-level", None),
    ],
)
def test_a_value_that_does_not_suit_is_ignored_and_reported(tmp_path: Path, key: str, value: object) -> None:
    (tmp_path / "10.json").write_text(json.dumps({key: value, "language": "en"}))
    read = from_files(tmp_path, tmp_path / "none")
    assert read.fixed == {"language": "en"}
    assert Finding(key=key, source="10.json", accepted=False) in read.found


def test_what_is_left_out_is_logged_by_its_key_without_its_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "10.json").write_text(json.dumps({"theme": "secret-pink", "nothing like a key": 1}))
    with caplog.at_level(logging.WARNING):
        from_files(tmp_path, tmp_path / "none").log_findings()
    assert [record.getMessage() for record in caplog.records] == [
        "policy-ignored key=theme source=10.json line=1 column=2",
        "policy-ignored key=? source=10.json line=1 column=26",
    ]


def test_the_log_names_a_file_and_writes_none_of_its_odd_signs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "10 röst\x1b[2J.json").write_text('{"theme": "dark",\n}')
    with caplog.at_level(logging.WARNING):
        from_files(tmp_path, tmp_path / "none").log_findings()
        from_registry(FakeRegistry({HKLM: {"Theme": 3}})).log_findings()
    assert [record.getMessage() for record in caplog.records] == [
        "policy-ignored key= source=10_röst__2J.json line=1 column=17".replace("key=", "key=?"),
        r"policy-ignored key=theme source=HKLM\SOFTWARE\Policies\Kansli",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="the registry is read there")
def test_a_folder_that_may_not_be_read_keeps_nobody_out_and_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: object, *more: object) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "policies").mkdir()
    monkeypatch.setattr("os.listdir", refused)  # root, who may run these tests, is refused nothing
    monkeypatch.setattr(Path, "stat", refused)
    read = from_files(tmp_path / "policies", tmp_path / "defaults.json")
    monkeypatch.undo()
    assert read.found == tuple(Finding(key="", source=name, accepted=False) for name in ("policies", "defaults.json"))


def test_a_list_in_json_is_taken_as_one(tmp_path: Path) -> None:
    (tmp_path / "10.json").write_text(json.dumps({"servers": ["a.example", "b.example:8443"]}))
    assert from_files(tmp_path, tmp_path / "none").fixed == {"servers": "a.example, b.example:8443"}


def test_the_machines_registry_counts_over_the_persons() -> None:
    read = from_registry(
        FakeRegistry(
            {
                HKCU: {"Language": "en", "AutoLockMinutes": 60, "AllowExport": 1},
                HKLM: {"AutoLockMinutes": 5, "allowexport": 0, "Servers": ["a.example", "b.example"]},
            }
        )
    )
    assert read.fixed == {
        "language": "en",
        "auto-lock-minutes": 5,
        "allow-export": False,
        "servers": "a.example, b.example",
    }
    assert read.defaults == {}


@pytest.mark.parametrize(
    ("name", "raw", "taken"),
    [
        ("AllowPrint", 0, False),
        ("AllowPrint", 1, True),
        ("AllowPrint", "0", False),
        ("AllowPrint", 2, None),
        ("AllowPrint", "", None),
        ("AllowPrint", b"\x00", None),
        ("OfflineDays", 30, 30),
        ("OfflineDays", "30", 30),
        ("OfflineDays", "٣", None),
        ("OfflineDays", 4_294_967_295, None),
        ("OfflineDays", "3" * 5000, None),
        ("AutoLockMinutes", 7, None),
        ("Theme", "dark", "dark"),
        ("Theme", 1, None),
        ("Egress", ["*.example:443"], "*.example:443"),
        ("Egress", "a.example, b.example", "a.example, b.example"),
        ("Egress", ["/"], None),
        ("SidebarWidth", 300, None),
        ("Nothing", 1, None),
    ],
)
def test_registry_values_of_every_type(name: str, raw: object, taken: object) -> None:
    read = from_registry(FakeRegistry({HKLM: {name: raw}}))
    assert list(read.fixed.values()) == ([] if taken is None else [taken])
    assert [entry.accepted for entry in read.found] == [taken is not None]
    assert read.found[0].source == r"HKLM\SOFTWARE\Policies\Kansli"


def test_a_bad_value_of_the_machine_leaves_the_persons_in_force() -> None:
    read = from_registry(FakeRegistry({HKCU: {"Theme": "dark"}, HKLM: {"Theme": "pink"}}))
    assert read.fixed == {"theme": "dark"}
    assert [entry.accepted for entry in read.found] == [True, False]


@pytest.mark.parametrize("name", ["ConfigFile", "configfile", "CONFIGFILE"])
def test_what_the_windows_installer_wrote_is_a_default_and_no_lock(tmp_path: Path, name: str) -> None:
    config = tmp_path / "kansli.json"
    config.write_text(json.dumps({"language": "en", "server": "old.example"}))
    installed = {"Server": "kansli.example", "Autostart": "1", "Theme": "", name: str(config)}
    read = from_registry(FakeRegistry({INSTALLED: installed}))
    assert read.fixed == {}
    assert read.defaults == {"language": "en", "server": "kansli.example", "autostart": True}
    assert all(entry.accepted for entry in read.found)


def test_a_missing_configuration_file_is_reported() -> None:
    read = from_registry(FakeRegistry({INSTALLED: {"ConfigFile": r"C:\nowhere.json"}}))
    assert read.found == (Finding(key="", source="ConfigFile", accepted=False),)


def test_defaults_of_linux_are_read_beside_the_policies(tmp_path: Path) -> None:
    (tmp_path / "defaults.json").write_text(json.dumps({"server": "a.example", "autostart": True}))
    read = from_files(tmp_path / "policies", tmp_path / "defaults.json")
    assert (read.fixed, read.defaults) == ({}, {"server": "a.example", "autostart": True})


def test_support_reads_keys_and_places_and_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, from_registry(FakeRegistry({HKLM: {"Servers": "a.example", "Theme": "pink"}})))
    place = r"HKLM\SOFTWARE\Policies\Kansli"
    assert list(diagnosis._policy()) == [
        f"servers from {place}: in force",
        f"theme from {place}: left out",
    ]


@pytest.mark.parametrize("wrong", ["http://a.example", "kansli/åäö", "a.example:99999", "-", "//[", "user@a.example"])
@pytest.mark.parametrize("key", ["servers", "egress"])
def test_an_address_that_is_no_host_is_named_and_the_rest_stays_in_force(tmp_path: Path, key: str, wrong: str) -> None:
    """Left out as a whole, the list would mean: any server."""
    (tmp_path / "10.json").write_text(json.dumps({key: ["a.example", wrong, "b.example:8443"], "language": "en"}))
    read = from_files(tmp_path, tmp_path / "none")
    assert read.fixed == {key: "a.example, b.example:8443", "language": "en"}
    output = [found.sentence for found in read.found]
    assert f"{key} from 10.json: entry 2 of the list is no address and is left out, the other entries count" in output
    assert wrong not in " ".join(output) or wrong == "-"


def test_a_list_without_any_address_is_left_out_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "10.json").write_text(json.dumps({"servers": ["http://a.example", "?"], "language": "en"}))
    read = from_files(tmp_path, tmp_path / "none")
    assert read.fixed == {"language": "en"}
    assert read.found[0].sentence == "servers from 10.json: left out"


def test_a_wrong_entry_of_a_list_is_logged_by_its_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "10.json").write_text(json.dumps({"servers": "a.example, http://hemlig.example"}))
    with caplog.at_level(logging.WARNING):
        from_files(tmp_path, tmp_path / "none").log_findings()
    assert [record.getMessage() for record in caplog.records] == [
        "policy-ignored key=servers source=10.json line=1 column=2 entry=2"
    ]


def test_names_in_the_registry_are_the_keys_in_capitals() -> None:
    names = [setting.value_name for setting in SETTINGS]
    assert "AutoLockMinutes" in names
    assert len({name.lower() for name in names}) == len(names)


# -- the data root ----------------------------------------------------------------------------------------------------


def test_policys_data_root_comes_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANSLI_DATA", str(tmp_path / "environment"))
    monkeypatch.setenv("SOMEWHERE", str(tmp_path))
    machine(monkeypatch, Policy(fixed={"data-root": "$SOMEWHERE/fixed"}, defaults={"data-root": "/proposed"}))
    assert profile.data_root(tmp_path / "argument") == tmp_path / "fixed"
    opened = profile.Profile.open(root=tmp_path / "argument")
    opened.close()
    assert opened.folder == tmp_path / "fixed/profiles/default"


def test_the_other_data_roots_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(monkeypatch, Policy(defaults={"data-root": str(tmp_path / "proposed")}))
    monkeypatch.setenv("KANSLI_DATA", str(tmp_path / "environment"))
    assert profile.data_root(tmp_path / "argument") == tmp_path / "argument"
    assert profile.data_root() == tmp_path / "environment"
    monkeypatch.delenv("KANSLI_DATA")
    assert profile.data_root() == tmp_path / "proposed"
    machine(monkeypatch, Policy())
    assert profile.data_root().name == "Kansli"
