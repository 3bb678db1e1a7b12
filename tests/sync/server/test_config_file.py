# SPDX-License-Identifier: EUPL-1.2
"""The operator's file: the sample has the defaults, mistakes are named, and the command line overrides the file."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.config import Config, ConfigError, Limits
from sync.server.operator.command_line import configured, make_parser
from sync.server.operator.config_file import DEFAULT_DATA, LIMITS, SETTINGS, read_config

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "packaging" / "server" / "server.toml"
PROMISED = {
    "ephemeral_bytes", "staged_seals_bytes", "staged_seals_s", "reseals_kept", "part_bytes", "veto_s", "seen_s",
    "revocations_a_day",
}  # fmt: skip
"""Limits that clients rely on."""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "server.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sample_is_the_defaults() -> None:
    assert read_config(SAMPLE, {}) == Config(data=DEFAULT_DATA)


def test_the_sample_shows_every_key_and_what_it_proposes_is_allowed(tmp_path: Path) -> None:
    text = SAMPLE.read_text(encoding="utf-8")
    proposed = written(tmp_path, re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE))
    config = read_config(proposed, {})
    shown = set(re.findall(r"^#?(\w+) = ", text, flags=re.MULTILINE))
    assert shown == {*SETTINGS, *LIMITS}
    assert config.metrics == "127.0.0.1:9464"


def test_a_file_that_an_editor_on_windows_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "å b" / "server.toml"
    path.parent.mkdir()
    path.write_bytes("\ufeffport = 443\r\n".encode())
    assert read_config(path, {}).port == 443


def test_every_field_can_be_set_but_what_is_promised() -> None:
    assert {f.name for f in fields(Config)} - {"limits", "insecure_loopback"} == set(SETTINGS)
    assert {f.name for f in fields(Limits)} - PROMISED == set(LIMITS)


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("prot = 1", "prot", "known are data, host, port"),
        ("port = 0", "port", "a whole number from 1 to 65535"),
        ("port = 65536", "port", "a whole number from 1 to 65535"),
        ('port = "8443"', "port", "a whole number"),
        ("port = true", "port", "a whole number"),
        ("port = 8443.0", "port", "a whole number"),
        ('data = "kansli"', "data", "an absolute path"),
        ("data = 1", "data", "an absolute path"),
        ('host = ""', "host", "an address to listen on"),
        ("behind_proxy = 1", "behind_proxy", "true or false"),
        ('addresses = "kansli.example.se:443"', "addresses", "a list of host:port"),
        ('addresses = ["kansli.example.se"]', "addresses", "a list of host:port"),
        ("addresses = [443]", "addresses", "a list of host:port"),
        ('trusted_proxies = ["proxy.example"]', "trusted_proxies", "a list of addresses and networks"),
        ('trusted_proxies = "127.0.0.1"', "trusted_proxies", "a list of addresses and networks"),
        ('min_client = "1"', "min_client", 'a release of Kansli, as "0.2.0"'),
        ('min_client = "0.2.x"', "min_client", "a release of Kansli"),
        ('min_client = "0.2.0 "', "min_client", "a release of Kansli"),
        ('min_client = "٠.٢.٠"', "min_client", "a release of Kansli"),
        ("min_client = 0.2", "min_client", "a release of Kansli"),
        ('metrics = "0.0.0.0:9464"', "metrics", "on this machine"),
        ('metrics = "127.0.0.1"', "metrics", "on this machine"),
        ('log_level = "LOUD"', "log_level", '"DEBUG", "INFO"'),
        ('log_format = "xml"', "log_format", '"text", "json"'),
        ("log_file_bytes = 1", "log_file_bytes", "from 65536"),
        ("limits = 1", "limits", "a table"),
        ("[limits]\nstall_s = 0", "limits.stall_s", "a number from 1 to 600"),
        ("[limits]\nstall_s = nan", "limits.stall_s", "a number from 1 to 600"),
        ("[limits]\nroom_bytes = 1.5", "limits.room_bytes", "a whole number"),
        ("[limits]\nveto_s = 1.0", "limits.veto_s", "known are room_bytes"),
        ("port = ", "", "Invalid value"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, key: str, allowed: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as e:
        read_config(path, {})
    assert str(e.value).startswith(f"{path}: {key}")
    assert allowed in str(e.value)


def test_proxies_are_addresses_networks_and_the_unix_socket(tmp_path: Path) -> None:
    path = written(tmp_path, 'trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1", "unix"]')
    assert read_config(path, {}).trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "::1", "unix")


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.toml: No such file"):
        read_config(tmp_path / "server.toml", {})
    (tmp_path / "server.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"server\.toml: "):
        read_config(tmp_path / "server.toml", {})


def test_the_command_line_beats_the_file_and_the_file_the_defaults(tmp_path: Path) -> None:
    path = written(tmp_path, f'data = "{tmp_path}"\nport = 1\nhost = "::1"\naddresses = ["A.example:1"]')
    expected = ["serve", "--config", str(path), "--port", "2", "--insecure-loopback"]
    config = configured(make_parser().parse_args(expected))
    assert (config.port, config.host, config.addresses) == (2, "::1", ("a.example:1",))
    assert config.insecure_loopback
    assert (config.log_level, config.data) == ("INFO", tmp_path)
    more = [*expected, "--address", "B.example:443", "--address", "c.example:443", "--data", str(tmp_path / "other")]
    config = configured(make_parser().parse_args(["--log", "DEBUG", *more]))
    assert config.addresses == ("b.example:443", "c.example:443")
    assert (config.log_level, config.data) == ("DEBUG", tmp_path / "other")


def test_the_default_file_is_read_if_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "server.toml"
    monkeypatch.setattr("sync.server.operator.config_file.DEFAULT_FILE", path)
    assert read_config(None, {}).port == 8443
    path.write_text("port = 443")
    assert read_config(None, {}).port == 443


def test_check_reports_whether_a_server_would_start(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, f'data = "{data}"')
    assert main(["serve", "--check", "--config", str(path)]) == 0
    assert "The configuration is sound: TLS on 127.0.0.1:8443" in capsys.readouterr().out
    path.write_text(f'data = "{data}"\nbehind_proxy = true')
    assert main(["serve", "--check", "--config", str(path)]) == 1
    assert "behind_proxy needs what clients dial" in capsys.readouterr().err
    path.write_text(f'data = "{data}"\nbehind_proxy = true\nhost = "0.0.0.0"\naddresses = ["a.example:443"]')
    assert main(["serve", "--check", "--config", str(path)]) == 1
    assert "loopback address only" in capsys.readouterr().err
    path.write_text(f'data = "{data}"\nunix = "/run/kansli/server.sock"')
    assert main(["serve", "--check", "--config", str(path)]) == 1
    assert "behind_proxy = true" in capsys.readouterr().err
    path.write_text(f'data = "{data}"\nlog_file = "{tmp_path}/missing/server.log"')
    assert main(["serve", "--check", "--config", str(path)]) == 1
    assert "missing is not there" in capsys.readouterr().err


def test_check_looks_at_the_certificate(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["serve", "--check", "--config", str(written(tmp_path, f'data = "{data}"'))]
    (data / "tls.key").write_bytes((data / "ca.key").read_bytes())
    assert main(check) == 1
    assert "cannot be used: the key is not that of the certificate" in capsys.readouterr().err
    (data / "tls.pem").write_text("none")
    assert main(check) == 1
    assert "tls.pem with" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve --check", "users", "backup /nowhere"])
def test_a_folder_of_somebody_else_is_left_alone(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: data.stat().st_uid + 1)
    assert main([*command.split(), "--data", str(data)]) == 1
    assert f"run this as its owner: sudo -u {data.owner()} python -m sync.server" in capsys.readouterr().err


def test_a_folder_that_may_not_even_be_seen_is_reported_with_its_owner(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        if path.is_relative_to(data):
            raise PermissionError(13, "Permission denied", str(path))
        return seen(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)  # root, who may run these tests, sees everything
    assert main(["status", "--data", str(data / "server")]) == 1
    expected = f"{data.parent} belongs to somebody else; run this as its owner: sudo -u {data.parent.owner()} "
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("command", ["init --keys /nowhere", "restore /nowhere"])
def test_root_makes_no_folder_in_one_of_somebody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Otherwise the server could not read what is in it."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    above, seen = tmp_path / "lib", Path.stat
    above.mkdir()

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = seen(path, follow_symlinks=follow_symlinks)
        return os.stat_result([*found[:4], 12345, *found[5:]]) if path == above else found

    monkeypatch.setattr(Path, "stat", stat)  # only root, who may not run these tests, may give a folder away
    assert main([*command.split(), "--data", str(above / "deeper" / "server")]) == 1
    assert f"{above} belongs to somebody else; run this as its owner: sudo -u 12345 " in capsys.readouterr().err
    assert list(above.iterdir()) == []


def test_it_is_called_what_it_was_started_as(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_parser().prog == "python -m sync.server"
    monkeypatch.setattr("sys.argv", ["/usr/bin/kansli-server", "status"])
    assert make_parser().prog == "kansli-server"


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--port", "70000"], "port 70000 is none"),
        (["--address", "kansli"], "'kansli' is no address"),
        (["--metrics", "9464"], "'9464' is no address"),
        (["--metrics", "0.0.0.0:9464"], "metrics must be on a loopback address"),
    ],
)
def test_options_of_the_command_line_are_checked_too(
    data: Path, capsys: pytest.CaptureFixture[str], more: list[str], sentence: str
) -> None:
    assert main(["serve", "--check", "--data", str(data), *more]) == 1
    assert sentence in capsys.readouterr().err


def test_only_serve_loads_the_web_server_and_the_figures() -> None:
    expected = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "sync.server", "users", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in expected.stderr.splitlines()}
    assert "sync.server.operator.listing" in loaded
    assert not loaded & {"uvicorn", "starlette", "prometheus_client", "sync.server.rules.service"}
