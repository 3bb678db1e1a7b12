# SPDX-License-Identifier: EUPL-1.2
"""The log: one line an event, for people or programs, bounded, and nothing confidential in it."""

import json
import logging
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sync.protocol import messages as m
from sync.server.config import Config
from sync.server.host.log_output import logging_as
from sync.server.process.running import start_server
from tests.demo.canary import search
from tests.sync.server.house import House
from tests.sync.server.process import serve
from tests.sync.server.wire import Person, Refused, config, keys_of

CANARY = "Kanariefågel i tornet 🙂"
log = logging.getLogger("sync.server")


def speak() -> None:
    """Logs a line, one below the level, and an exception with a client's words in it."""
    log.info("refused %s: %s", "Push", "busy")
    log.debug("not wanted")
    try:
        raise ValueError(CANARY)
    except ValueError:
        log.exception("failed on %s", "Push")


def test_text_is_one_line_an_event_and_an_exception_has_its_place_but_not_its_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as(Config(data=tmp_path), to_file=True):
        speak()
    logged = capsys.readouterr().err
    refused, failed = logged.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} sync\.server INFO refused Push: busy", refused)
    assert re.search(r"ERROR failed on Push: ValueError < test_log_output\.py:\d+ speak$", failed)
    assert CANARY not in logged


def test_what_a_client_in_the_same_process_wants_does_not_silence_the_server(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = logging.getLogger("sync")
    before = client.level
    client.setLevel(logging.WARNING)
    try:
        with logging_as(Config(data=tmp_path), to_file=True):
            speak()
    finally:
        client.setLevel(before)
    assert "INFO refused Push: busy" in capsys.readouterr().err


def test_json_is_an_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as(Config(data=tmp_path, log_format="json", log_level="DEBUG"), to_file=False):
        speak()
    logged = capsys.readouterr().err
    refused, unwanted, failed = map(json.loads, logged.splitlines())
    assert refused.pop("time").endswith("+00:00")
    assert refused == {"level": "INFO", "subject": "sync.server", "message": "refused Push: busy"}
    assert unwanted["level"] == "DEBUG"
    assert failed["error"].startswith("ValueError < test_log_output.py:")
    assert CANARY not in logged


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_journal_gets_priorities_and_no_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    with (tmp_path / "journal").open("w+", encoding="utf-8") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setattr(sys, "stderr", journal)
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        with logging_as(Config(data=tmp_path, log_format=form), to_file=False):
            speak()
        journal.seek(0)
        refused, failed = journal.read().splitlines()
    assert failed.startswith("<3>")
    assert refused.startswith("<6>{" if form == "json" else "<6>sync.server INFO refused")


def test_a_file_bounds_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "server.log"
    logged = Config(data=tmp_path, log_file=path, log_file_bytes=65_536, log_files_kept=2)
    with logging_as(logged, to_file=True):
        for k in range(4000):
            log.info("refused %s: %d %s", "Push", k, "x" * 40)
    assert {f.name for f in tmp_path.iterdir()} == {"server.log", "server.log.1", "server.log.2"}
    assert all(f.stat().st_size <= 65_536 for f in tmp_path.iterdir())
    assert "3999" in path.read_text(encoding="utf-8")
    with logging_as(replace(logged, log_file=tmp_path / "other.log"), to_file=False):
        log.info("a command beside the server")
    assert not (tmp_path / "other.log").exists()
    assert not log.hasHandlers() or all("server.log" not in str(h) for h in logging.getLogger().handlers)


def test_a_file_that_takes_nothing_more_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as(Config(data=tmp_path, log_file=Path("/dev/full")), to_file=True):
        log.info("refused")
    assert capsys.readouterr().err.count("\n") == 1


async def test_nothing_of_people_rooms_or_keys_is_logged(data: Path) -> None:
    """At DEBUG: names, titles, texts, codes, keys, agents, and addresses."""
    served = await serve(data, "--metrics", "127.0.0.1:0", log="DEBUG")
    anna = await Person(CANARY).enrol(served.url, data)
    bert = await Person("Registrator på Kanarieöarna 🙂").enrol(served.url, data)
    room = await anna.create()
    await anna.add(room, bert)
    await anna.push(room, f"Hemlig text om {CANARY}")
    await anna.wire.ask(m.Directory(anna.wire.rid(), CANARY, []), m.DirectoryReply)
    for refused in (m.Pull(anna.wire.rid(), b"n" * 16, 0, 1000), m.Invite(anna.wire.rid(), b"k" * 32)):
        with pytest.raises((Refused, ConnectionError)):
            await anna.wire.ask(refused, m.Frame)
    await bert.wire.socket.send(CANARY.encode())  # no frame: the connection ends with an error
    await bert.wire.end()
    ports = [wire.socket.local_address[1] for wire in (anna.wire, bert.wire) if wire.socket.local_address]
    await anna.wire.close()
    assert await served.stop() == 0
    files = (keys_of(data) / "agency.key", keys_of(data) / "escrow.key", data / "server.key")
    keys = [line for path in files for line in path.read_text().splitlines()[1:]]
    texts = [CANARY, "Registrator på Kanarieöarna 🙂", f"Hemlig text om {CANARY}", "Handläggare å 🙂", *keys]
    assert search(texts, [served.errors]) == []
    logged = served.log()
    assert "refused" in logged
    for secret in (anna.secrets.sign, anna.puk_seed, anna.author.dev, anna.uid, room):
        assert secret.hex() not in logged
    assert not any(re.search(rf"\b{port}\b", logged) for port in ports)


async def test_an_exception_in_the_middle_of_a_request_logs_no_content(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with logging_as(Config(data=data), to_file=False):
        async with start_server(config(data)) as server:
            house = House(server, data)
            anna = await house.person()

            async def fails(frame: m.Directory) -> m.DirectoryReply:
                raise KeyError(frame.query)

            monkeypatch.setattr(server.service.people, "directory", fails)
            with pytest.raises(Refused, match="internal"):
                await anna.wire.ask(m.Directory(anna.wire.rid(), CANARY, []), m.DirectoryReply)
            await house.close()
    logged = capsys.readouterr().err
    assert "failed on Directory: KeyError < " in logged
    assert CANARY not in logged
