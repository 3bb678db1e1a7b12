# SPDX-License-Identifier: EUPL-1.2
"""`python -m sync.server`: what it prints, what it returns, and what it refuses."""

import asyncio
import json
import socket
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.__main__ import main
from sync.trust.agency import SignInCode
from tests.sync.server.house import House
from tests.sync.server.wire import wired


def test_an_agency_is_founded_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "server"
    assert main(["init", "--data", str(data), "--demo-ca", "localhost"]) == 0
    key = (data / "agency.key").read_text()
    assert main(["init", "--data", str(data)]) == 1
    assert (data / "agency.key").read_text() == key
    assert "exists already" in capsys.readouterr().err


def test_an_agency_whose_key_was_moved_away_is_not_founded_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, moved = tmp_path / "server", tmp_path / "safe.key"
    assert main(["init", "--data", str(data)]) == 0
    (data / "agency.key").rename(moved)
    assert main(["invite", "--data", str(data), "--name", "Registrator"]) == 1
    assert "--agency-key" in capsys.readouterr().err
    assert main(["init", "--data", str(data)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert not (data / "agency.key").exists()
    assert main(["invite", "--data", str(data), "--name", "Registrator", "--agency-key", str(moved)]) == 0


def test_an_invitation_prints_a_code_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data]) == 0
    capsys.readouterr()
    assert main(["invite", *data, "--name", "Handläggare Å 🙂", "--title", "Handläggare", "--unit", "Bygglov"]) == 0
    SignInCode.parse(capsys.readouterr().out)
    assert main(["status", *data]) == 0
    assert json.loads(capsys.readouterr().out)["invites_open"] == 1


async def test_somebody_is_invited_back_with_the_record_that_they_have(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    anna = await house.person("Handläggare Å")
    data = ["--data", str(house.data)]
    assert await asyncio.to_thread(main, ["invite", *data, "--person", anna.uid.hex()]) == 0
    code = SignInCode.parse(capsys.readouterr().out)
    reply = await anna.wire.ask(m.Directory(anna.wire.rid(), "", [anna.uid]), m.DirectoryReply)
    async with wired(house.server.url, house.data) as wire:
        await wire.greet()
        told = await wire.ask(m.Invite(wire.rid(), code.key.public), m.InviteReply)
    assert told.record == reply.people[0].record
    assert told.salt != reply.people[0].salt
    assert await asyncio.to_thread(main, ["invite", *data, "--person", "00" * 16]) == 1


def test_nothing_works_before_init(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["invite", *data, "--name", "Registrator"]) == 1
    assert main(["status", *data]) == 1
    assert main(["serve", *data, "--insecure-loopback", "--port", "0"]) == 1
    assert "run init first" in capsys.readouterr().err


def test_serving_without_tls_must_be_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data]) == 0
    assert main(["serve", *data, "--port", "0"]) == 1
    assert "certificate" in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(tmp_path / "server")]
    assert main(["init", *data]) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", *data, "--insecure-loopback", "--port", str(port)]) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
