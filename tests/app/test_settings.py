# SPDX-License-Identifier: EUPL-1.2
"""Settings: declared once, stored whole, locked by policy."""

import json
from pathlib import Path

import pytest

from app import settings as s
from app.errors import BadSetting, SettingLocked, StoreUnwritable
from app.lock_settings import CARD_MODULE
from app.setting import Setting, entries
from app.settings import AUTOSTART, Settings


def test_defaults_hold_until_something_is_set(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    assert settings.get(s.LANGUAGE) == "sv"
    emitted: list[str] = []
    settings.changed.connect(emitted.append)
    settings.set(s.LANGUAGE, "en")
    settings.set(s.LANGUAGE, "en")
    settings.set(s.AUTO_LOCK_MINUTES, 5)
    assert emitted == ["language", "auto-lock-minutes"]
    again = Settings(tmp_path / "settings.json")
    assert (again.get(s.LANGUAGE), again.get(s.AUTO_LOCK_MINUTES), again.get(s.THEME)) == ("en", 5, "system")


def test_a_value_that_a_setting_does_not_take_is_refused(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json")
    with pytest.raises(BadSetting):
        settings.set(s.THEME, "pink")
    with pytest.raises(BadSetting):
        settings.set(s.SIDEBAR_WIDTH, 5)
    with pytest.raises(BadSetting):
        settings.set(s.ALLOW_KEYRING, 1)  # type: ignore[misc]  # the wrong type is the point
    assert not (tmp_path / "settings.json").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"language": 3, "theme": "pink", "x": {}}', "\0"])
def test_a_damaged_file_gives_the_defaults(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    settings = Settings(tmp_path / "settings.json")
    assert (settings.get(s.LANGUAGE), settings.get(s.THEME)) == ("sv", "system")


@pytest.mark.parametrize("damage", ['"new": "a\\ud800"', '"\\udfff": 1', '"language": "\\ud800"'])
def test_half_a_surrogate_in_the_file_keeps_no_setting_from_being_stored(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(f'{{{damage}, "newer": "å 🙂"}}', encoding="utf-8")
    on = not AUTOSTART.default
    Settings(path).set(AUTOSTART, on)
    assert Settings(path).get(AUTOSTART) == on
    assert "å 🙂" in path.read_text(encoding="utf-8")


def test_what_policy_fixes_cannot_be_changed(tmp_path: Path) -> None:
    policy: dict[str, str | int | bool] = {"servers": "kansli.example", "allow-keyring": False, "theme": "pink"}
    settings = Settings(tmp_path / "settings.json", policy)
    assert settings.get(s.SERVERS) == "kansli.example"
    assert settings.locked(s.SERVERS)
    assert not settings.locked(s.THEME)
    with pytest.raises(SettingLocked):
        settings.set(s.SERVERS, "elsewhere.example")
    assert settings.unlock_kinds() == ("passphrase", "card")


def test_one_unlock_method_always_stays(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json", {"allow-keyring": False, "allow-passphrase": False})
    assert settings.unlock_kinds() == ("passphrase", "card")
    settings.renew({"allow-keyring": False, "allow-passphrase": False, "allow-card": False}, {})
    assert settings.unlock_kinds() == ("passphrase",)


def test_only_a_whole_path_on_this_computer_names_the_library_for_cards(tmp_path: Path) -> None:
    for path in ("opensc-pkcs11.so", "./x.so", "//server/share/x.so", "\\\\server\\share\\x.dll", "x\0.so"):
        settings = Settings(tmp_path / "settings.json", {CARD_MODULE.key: path})
        assert settings.get(CARD_MODULE) == "", path
    whole = str(tmp_path / "opensc-pkcs11.so")
    assert Settings(tmp_path / "settings.json", {CARD_MODULE.key: whole}).get(CARD_MODULE) == whole
    (tmp_path / "settings.json").write_text(json.dumps({CARD_MODULE.key: whole}), encoding="utf-8")
    assert Settings(tmp_path / "settings.json").get(CARD_MODULE) == ""  # a person cannot choose it


def test_the_installers_defaults_yield_to_the_person_and_both_to_policy(tmp_path: Path) -> None:
    defaults: dict[str, str | int | bool] = {"server": "a.example", "autostart": True, "theme": "pink"}
    settings = Settings(tmp_path / "settings.json", {}, defaults)
    assert (settings.get(s.SERVER), settings.get(s.AUTOSTART), settings.get(s.THEME)) == ("a.example", True, "system")
    assert not settings.locked(s.AUTOSTART)
    settings.set(s.AUTOSTART, False)
    assert Settings(tmp_path / "settings.json", {}, defaults).get(s.AUTOSTART) is False
    assert Settings(tmp_path / "settings.json", {"autostart": True}, {"autostart": False}).get(s.AUTOSTART) is True


def test_a_policy_that_is_read_again_emits_the_changed_settings(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json", {"log-level": "debug", "theme": "dark"})
    emitted: list[str] = []
    settings.changed.connect(emitted.append)
    settings.renew({"theme": "dark", "allow-print": False}, {"autostart": True})
    assert set(emitted) == {"log-level", "allow-print", "autostart"}
    assert (settings.get(s.LOG_LEVEL), settings.locked(s.LOG_LEVEL), settings.locked(s.ALLOW_PRINT)) == (
        "info",
        False,
        True,
    )


def test_an_unwritable_file_keeps_the_former_value(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "missing" / "settings.json")
    with pytest.raises(StoreUnwritable):
        settings.set(s.LANGUAGE, "en")
    assert settings.get(s.LANGUAGE) == "sv"


def test_every_setting_has_its_own_key_and_a_default_that_it_accepts() -> None:
    assert len({setting.key for setting in s.SETTINGS}) == len(s.SETTINGS)
    assert all(setting.accepts(setting.default) for setting in s.SETTINGS)


def test_what_only_policy_sets_is_not_read_from_the_profile_nor_written_there(tmp_path: Path) -> None:
    only = [setting for setting in s.SETTINGS if not setting.stored]
    assert s.ALLOW_EXPORT in only
    (tmp_path / "settings.json").write_text(json.dumps({"allow-export": False, "servers": "x.example"}))
    settings = Settings(tmp_path / "settings.json")
    assert (settings.get(s.ALLOW_EXPORT), settings.get(s.SERVERS)) == (True, "")
    with pytest.raises(SettingLocked):
        settings.set(s.ALLOW_EXPORT, False)
    assert Settings(tmp_path / "settings.json", {"allow-export": False}).get(s.ALLOW_EXPORT) is False


def test_what_the_program_remembers_is_not_fixed_by_policy(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.json", {"sidebar-width": 300, "server": "x.example"})
    assert not settings.locked(s.SIDEBAR_WIDTH)
    settings.set(s.SERVER, "y.example")
    assert settings.get(s.SERVER) == "y.example"


@pytest.mark.parametrize(
    ("setting", "good", "bad"),
    [
        (s.SERVERS, "a.example, b.example:8443;https://c.example/ [::1]:99", "http://a.example"),
        (s.SERVERS, "10.0.0.1", "a.example/path"),
        (s.EGRESS, "*.myndighet.example, proxy.example:8080", "https://a.example"),
        (s.PROXY_ADDRESS, "proxy.example:8080", "proxy example"),
        (s.PROXY_ADDRESS, "http://wpad.example/proxy.pac", "http://user:secret@proxy.example:8080"),
        (s.PROXY_ADDRESS, "file:///C:/proxy.pac", "socks5://x"),
    ],
)
def test_a_text_must_make_sense(setting: Setting[str], good: str, bad: str) -> None:
    assert setting.accepts("")
    assert setting.accepts(good)
    assert not setting.accepts(bad)


def test_entries_are_separated_by_commas_semicolons_and_space() -> None:
    assert entries(" a.example,b.example ;\n c.example ") == ("a.example", "b.example", "c.example")
    assert entries("") == ()


def test_each_setting_that_policy_may_fix_describes_itself_in_a_sentence() -> None:
    silent = [setting.key for setting in s.SETTINGS if setting.fixable and not setting.about.endswith(".")]
    assert not silent
