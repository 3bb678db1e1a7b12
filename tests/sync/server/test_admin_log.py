# SPDX-License-Identifier: EUPL-1.2
"""The admin log: every command that changes something has its entry, and what is missing or changed is named."""

import asyncio
import contextlib
import getpass
import hashlib
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync.server.__main__ import main
from sync.server.operator import admin_log
from sync.server.store.admin_chain import (
    EMPTY,
    UNKNOWN,
    AdminEntry,
    AdminHead,
    AdminRow,
    Broken,
    chain,
    first_broken,
    last_of,
    read_entry,
)
from sync.server.store.base import Taken
from sync.server.store.sql import SqlStore
from tests.sync.server.house import House
from tests.sync.server.process import ROOT
from tests.sync.server.store_rows import invite

LOST = "is the last that is there, and the number of the last that was written is lost or damaged"


def audit(data: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that `audit` prints."""
    capsys.readouterr()
    assert main(["audit", "--data", str(data)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def verified(data: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """The exit status and the sentence of `audit --verify`."""
    capsys.readouterr()
    code = main(["audit", "--verify", "--data", str(data), *more])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.fixture
def three(data: Path) -> Path:
    """A folder in which three commands were given."""
    assert main(["invite", "--data", str(data), "--name", "Registrator Å 🙂"]) == 0
    assert main(["renew-certificate", "--data", str(data)]) == 0
    return data


async def test_each_entry_names_who_gave_the_command_and_about_whom(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUDO_USER", "driftchef")
    anna = await house.person("Handläggare Å")
    of = ["--data", str(house.data)]
    whom = ["--person", anna.uid.hex()]
    for words in (
        ["invite", "--name", "Registrator Å 🙂"],
        ["invite", *whom],
        ["revoke", *whom, "--device", anna.author.dev.hex()],
        ["reset", *whom],
        ["confirm-clock"],
        ["renew-certificate"],
        ["backup", "--verify", str(tmp_path / "backup")],
        ["backup", str(house.data)],
        ["open-room", "--room", "00" * 16],
        ["status"],
    ):
        refused = words[0] == "open-room" or words[-1] == str(house.data)
        assert await asyncio.to_thread(main, [words[0], *of, *words[1:]]) == int(refused)
    lines = audit(house.data, capsys)
    person, device = anna.uid.hex(), anna.author.dev.hex()
    assert [(line["command"], line["result"]) for line in lines] == [
        ("init", "ok"),
        ("invite", "ok"),
        ("invite", "ok"),
        ("invite", "ok"),
        ("revoke", "ok"),
        ("reset", "ok"),
        ("confirm-clock", "ok"),
        ("renew-certificate", "ok"),
        ("backup", "ok"),
        ("backup", "refused"),
    ]
    assert [line["n"] for line in lines] == list(range(1, 11))
    assert lines[1]["about"]["person"] == person  # the person who used the invitation
    assert "person" not in lines[2]["about"]
    assert lines[3]["about"]["person"] == person
    assert lines[4]["about"] == {"person": person, "device": device}
    assert lines[5]["about"] == {"person": person}
    assert {line["user"] for line in lines} == {getpass.getuser()}
    assert {line["sudo_user"] for line in lines[2:]} == {"driftchef"}
    assert "Registrator" not in json.dumps(lines)
    assert main(["audit", *of, "--table"]) == 0
    assert f"person {person}, device {device}" in capsys.readouterr().out
    assert verified(house.data, capsys)[0] == 0


def test_a_login_name_that_could_forge_a_line_stays_in_its_field(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUDO_USER", 'å"}\n2026 sync.server INFO admin {' + "x" * 100)
    assert main(["confirm-clock", "--data", str(data)]) == 0
    line = audit(data, capsys)[-1]
    assert line["sudo_user"].startswith('å"}\n')
    assert len(line["sudo_user"]) == 64
    with contextlib.closing(sqlite3.connect(data / "server.sqlite3")) as db:
        (body,) = db.execute("SELECT body FROM admin_log ORDER BY n DESC LIMIT 1").fetchone()
    assert body.isascii()
    assert body.isprintable()


async def test_a_write_that_fails_leaves_no_entry_and_the_next_one_has_it(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    await store.add_invite(invite())
    admin_log.record(store, "invite", invitation=b"p" * 32)
    with pytest.raises(Taken):
        await store.add_invite(invite())
    assert await store.admin_rows(0) == []
    await store.add_invite(invite(b"q" * 32))
    await store.add_invite(invite(b"r" * 32))
    (row,) = await store.admin_rows(0)
    assert read_entry(row).about == {"invitation": (b"p" * 32).hex()}
    await store.close()


async def test_a_write_whose_caller_was_cancelled_leaves_one_entry(tmp_path: Path) -> None:
    store = SqlStore(tmp_path / "s.sqlite3")
    await store.open()
    admin_log.record(store, "invite", invitation=b"p" * 32)
    written = asyncio.create_task(store.add_invite(invite()))
    await asyncio.sleep(0)  # the task has given its write to the writer's thread
    written.cancel()
    with pytest.raises(asyncio.CancelledError):
        await written
    await store.add_invite(invite(b"q" * 32))
    await store.add_invite(invite(b"r" * 32))
    (row,) = await store.admin_rows(0)
    assert read_entry(row).about == {"invitation": (b"p" * 32).hex()}
    await store.close()


KILLED = """
import os, signal, sys
from sync.server.operator import admin_log
from sync.server.store import sql_admin_log
def dies(c, entry):
    real(c, entry)
    os.kill(os.getpid(), signal.SIGKILL)
real, sql_admin_log.append, admin_log.append = sql_admin_log.append, dies, dies
from sync.server.__main__ import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("words", [["invite", "--name", "Registrator"], ["renew-certificate"]])
def test_a_killed_command_leaves_neither_its_change_nor_an_entry(
    data: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    cert = (data / "server.cert").read_bytes()
    died = subprocess.run([sys.executable, "-c", KILLED, *words, "--data", str(data)], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGKILL
    assert [line["command"] for line in audit(data, capsys)] == ["init"]
    assert main(["status", "--data", str(data)]) == 0
    assert json.loads(capsys.readouterr().out)["invites_open"] == 0
    assert (data / "server.cert").read_bytes() == cert


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("DELETE FROM admin_log WHERE n = 3", "entry 3 is missing (3 were written)"),
        ("DELETE FROM admin_log", "entry 1 is missing"),
        ("DELETE FROM admin_log WHERE n = 2", "entry 2 is missing"),
        ("UPDATE admin_log SET body = replace(body, 'invite', 'status') WHERE n = 2", "entry 2 was changed"),
        ("UPDATE admin_log SET body = 'å' WHERE n = 3", "entry 3 was changed"),
        ("INSERT INTO admin_log VALUES (4, '{}', zeroblob(32))", "entry 4 was written by no command"),
        ("DELETE FROM meta WHERE name = 'admin_head'", f"entry 3 {LOST}"),
        ("UPDATE meta SET value = 'x' WHERE name = 'admin_head'", f"entry 3 {LOST}"),
        ("UPDATE meta SET value = x'ff' WHERE name = 'admin_head'", f"entry 3 {LOST}"),
    ],
)
def test_the_first_broken_entry_is_named(
    three: Path, capsys: pytest.CaptureFixture[str], damage: str, sentence: str
) -> None:
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.execute(damage)
    code, printed = verified(three, capsys)
    assert (code, sentence in printed) == (1, True), printed
    assert main(["verify", "--data", str(three)]) == 1
    problem = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (problem["what"], problem["where"]) == ("audit", sentence.split()[1])


def test_the_next_command_does_not_close_a_gap(three: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Deleted last entries stay detectable: the next command continues the stored head."""
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log WHERE n = 3")
    assert main(["confirm-clock", "--data", str(three)]) == 0
    assert [line["n"] for line in audit(three, capsys)] == [1, 2, 4]
    assert "entry 3 is missing (4 were written)" in verified(three, capsys)[1]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM meta WHERE name = 'admin_head'",
        "UPDATE meta SET value = 'x' WHERE name = 'admin_head'",
        "DELETE FROM admin_log WHERE n = 3; DELETE FROM meta WHERE name = 'admin_head'",
    ],
)
def test_attack_a_lost_head_is_named_after_the_next_command_too(
    three: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """The command works, and does not hide that entries may be missing."""
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.executescript(damage)
    last = audit(three, capsys)[-1]["n"]
    assert LOST in verified(three, capsys)[1]
    for words in (["invite", "--name", "Registrator"], ["confirm-clock"]):
        assert main([*words, "--data", str(three)]) == 0
    assert f"entry {last + 1} is missing ({last + 3} were written)" in verified(three, capsys)[1]


async def test_attack_a_log_that_is_gone_is_missed_though_the_number_that_was_copied_is_damaged(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server and `audit` judge alike, and the next command does not begin a whole new log."""
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log")
        db.execute("DELETE FROM meta WHERE name = 'admin_head'")
        db.execute("INSERT INTO meta VALUES ('admin_logged', 'x')")
    store = SqlStore(three / "server.sqlite3")
    await store.open()
    assert await store.admin_head() == UNKNOWN
    await store.close()
    assert "no entry is there" in verified(three, capsys)[1]
    assert await asyncio.to_thread(main, ["confirm-clock", "--data", str(three)]) == 0
    assert "entry 1 is missing (2 were written)" in verified(three, capsys)[1]


def test_a_lost_database_is_not_replaced_by_an_empty_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path.name for path in data.iterdir()} - {"server.sqlite3"}
    (data / "server.sqlite3").unlink()
    for command in ("confirm-clock", "renew-certificate"):
        assert main([command, "--data", str(data)]) == 1
        assert "server.sqlite3 is missing: run init first, or restore a backup" in capsys.readouterr().err
        assert {path.name for path in data.iterdir()} == before


def test_an_entry_that_was_noted_elsewhere_detects_a_rewritten_chain(
    three: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = verified(three, capsys)[1].split()[-1]
    assert verified(three, capsys, "--expect", noted)[0] == 0
    head = EMPTY
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log")
        for command in ("init", "status", "status"):
            row = chain(head, AdminEntry(t=1, command=command, user="root", sudo_user="", about={}))
            head = last_of([row])
            db.execute("INSERT INTO admin_log VALUES (?, ?, ?)", (row.n, row.body, row.hash))
        db.execute("UPDATE meta SET value = ? WHERE name = 'admin_head'", (head.format(),))
    assert verified(three, capsys)[0] == 0
    code, printed = verified(three, capsys, "--expect", noted)
    assert (code, "entry 3 of the admin log is not the one that was noted" in printed) == (1, True)
    code, printed = verified(three, capsys, "--expect", f"9{noted[1:]}")
    assert (code, "entry 9, which was noted, is gone" in printed) == (1, True)


@pytest.mark.parametrize("bad", ["", "3", "3:", "x:" + "00" * 32, "-1:" + "00" * 32, "3:" + "00" * 31])
def test_what_was_noted_must_be_an_entry(bad: str) -> None:
    with pytest.raises(ValueError):
        AdminHead.parse(bad)


def test_a_restored_log_continues_and_records_what_is_lost(
    three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backup, back = tmp_path / "backup", tmp_path / "back"
    assert main(["backup", "--data", str(three), "--with-keys", str(backup)]) == 0
    made = json.loads(capsys.readouterr().out)
    assert main(["confirm-clock", "--data", str(three)]) == 0
    carried = audit(backup, capsys)
    assert [line["command"] for line in carried] == ["init", "invite", "renew-certificate"]
    assert main(["restore", str(backup), "--data", str(back)]) == 0
    assert f"kept up to entry {carried[-1]['n']}" in capsys.readouterr().err
    lines = audit(back, capsys)
    assert lines[:3] == carried
    assert [line["command"] for line in lines[3:]] == ["restore"]
    assert lines[3]["about"] == {"entries_lost_after": made["time"], "damaged": 0}
    assert verified(back, capsys)[0] == 0
    # what both folders call entry 4 differs: a note from before the restore shows it
    (fourth,) = [line for line in audit(three, capsys) if line["n"] == 4]
    assert fourth["command"] == "backup"
    assert verified(back, capsys, "--expect", f"4:{fourth['hash']}")[0] == 1


def test_a_backup_whose_log_was_cut_is_not_restored(
    three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with contextlib.closing(sqlite3.connect(three / "server.sqlite3")) as db, db:
        db.execute("DELETE FROM admin_log WHERE n = 2")
    backup, back = tmp_path / "backup", tmp_path / "back"
    assert main(["backup", "--data", str(three), "--with-keys", str(backup)]) == 0
    assert main(["backup", "--data", str(three), "--with-keys", "--verify", str(backup)]) == 1
    assert audit(three, capsys)[-1]["result"] == "damaged"
    assert main(["restore", str(backup), "--data", str(back)]) == 1
    assert not back.exists()
    assert main(["restore", str(backup), "--data", str(back), "--damaged"]) == 0
    assert audit(back, capsys)[-1]["about"]["damaged"] == 1


def test_a_backup_that_fails_is_recorded_as_such(
    three: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert main(["backup", "--data", str(three), str(tmp_path / "file")]) == 1
    assert audit(three, capsys)[-1]["result"] == "eexist"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"n":2,"t":1,"command":"init","user":"root","sudo_user":"","about":{},"result":"ok"}',
        '{"n":1,"t":"1","command":"init","user":"root","sudo_user":"","about":{},"result":"ok"}',
        '{"n":1,"t":1,"command":"init","user":"root","sudo_user":"","about":{"person":[]},"result":"ok"}',
        '{"n":1,"t":1,"command":"init","user":"root","sudo_user":"","about":[],"result":"ok"}',
        '{"n":1,"t":1,"command":"init","user":"root","sudo_user":"","about":{},"result":"ok","more":1}',
    ],
)
def test_a_row_that_no_command_writes_is_malformed(body: str) -> None:
    digest = hashlib.sha256(b"kansli/1 admin-log" + bytes(32) + body.encode()).digest()
    row = AdminRow(n=1, body=body, hash=digest)
    with pytest.raises(ValueError):
        read_entry(row)
    assert first_broken([row], AdminHead(1, digest)) == Broken(1, "malformed")
