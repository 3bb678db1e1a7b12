# SPDX-License-Identifier: EUPL-1.2
"""The files of keys and certificates in a data folder: damaged ones get a sentence, and what is written is kept."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.config import ConfigError
from sync.server.host.identity import keys_folder, read_escrow, read_identity
from sync.server.host.key_file import STDIN
from sync.server.rules.certificates import days_left
from sync.server.rules.handshake import now_ms
from tests.sync.server.wire import config, keys_of

HEX = "ab" * 32
DAMAGED = {
    "cut off": f"kansli/1\n{HEX[:20]}\n",
    "one more value": f"kansli/1\n{HEX}\n{HEX}\n{HEX}\n",
    "another file": "Protokoll 2026 å\n",
}


@pytest.mark.parametrize("content", DAMAGED)
@pytest.mark.parametrize("name", ["server.key", "server.cert", "escrow.cert", "agency.pub", "agency.where"])
def test_a_file_that_is_damaged_is_named(
    data: Path, capsys: pytest.CaptureFixture[str], name: str, content: str
) -> None:
    (data / name).write_text(DAMAGED[content], encoding="utf-8")
    capsys.readouterr()
    command = ["invite", "--name", "Registrator"] if name == "agency.where" else ["serve", "--check"]
    if (name, content) == ("agency.where", "cut off"):
        (data / name).write_text("kansli/1\nff\n", encoding="utf-8")  # no text in UTF-8
    assert main([*command, "--data", str(data)]) == 1
    printed = capsys.readouterr()
    assert (printed.out, f"{name} cannot be read" in printed.err) == ("", True)


@pytest.mark.parametrize("content", ["cut off", "one more value"])
def test_status_leaves_a_damaged_certificate_out_and_verify_reports_it(
    copied: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    (copied / "server.cert").write_text(DAMAGED[content])
    assert set(days_left(config(copied))) == {"tls"}
    assert main(["verify", "--data", str(copied)]) == 1
    assert "server.cert" in capsys.readouterr().out


def test_days_are_left_out_also_for_a_certificate_whose_content_is_none(data: Path) -> None:
    (data / "server.cert").write_text(f"kansli/1\n{HEX}\n{HEX}\n")
    assert set(days_left(config(data))) == {"tls"}


@pytest.mark.skipif(os.name != "posix", reason="rights of Unix")
@pytest.mark.parametrize(("mode", "taken"), [(0o600, True), (0o640, True), (0o644, False), (0o602, False)])
def test_an_escrow_key_that_everybody_on_the_machine_may_read_is_refused(data: Path, mode: int, taken: bool) -> None:
    path = keys_of(data) / "escrow.key"
    path.chmod(mode)
    if taken:
        read_escrow(path)
        return
    with pytest.raises(ConfigError, match="by everybody on this machine"):
        read_escrow(path)


def test_a_wrong_escrow_key_on_standard_input_is_called_so(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (keys_of(data) / "agency.key").open(encoding="utf-8") as given:
        monkeypatch.setattr(sys, "stdin", given)
        with pytest.raises(ConfigError, match=r"^standard input is not an escrow key: it must hold 2 values of 32"):
            read_escrow(STDIN)


def test_the_folder_of_a_new_key_or_certificate_is_flushed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a crash could leave the database of an agency whose keys have no name in the folder."""
    real, flushed = os.fsync, list[int]()

    def noted(fd: int) -> None:
        flushed.append(os.fstat(fd).st_ino)
        real(fd)

    monkeypatch.setattr(os, "fsync", noted)

    def flushes(run: Callable[[], object]) -> set[int]:
        flushed.clear()
        run()
        return set(flushed)

    renew = ["renew-certificate", "--data", str(data), "--agency-key", str(keys_of(data) / "agency.key")]
    assert data.stat().st_ino in flushes(lambda: main(renew))
    read_identity(data, now_ms())
    assert (data / "server.cert").stat().st_mode & 0o777 == 0o600
    safe, new = tmp_path / "safe", tmp_path / "new"
    found = flushes(lambda: main(["init", "--data", str(new), "--keys", str(safe)]))
    assert {safe.stat().st_ino, new.stat().st_ino} <= found
    assert keys_folder(new) == safe
    shutil.rmtree(safe)
