# SPDX-License-Identifier: EUPL-1.2
"""`verify` finds every kind of damage, such as one flipped bit in anything that is stored, and reports where."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from sync.server.__main__ import main
from sync.server.operator.upkeep.problems import Problem, Tally
from sync.server.operator.upkeep.reading import Damaged, Locked, Reading
from sync.server.operator.upkeep.verify import verify
from sync.server.process.running import start_server
from tests.sync.server.house import TEXT, House
from tests.sync.server.wire import config


@pytest.fixture
def db(copied: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(copied / "server.sqlite3", isolation_level=None)
    yield connection
    connection.close()


def problems(data: Path, room: bytes | None = None) -> list[Problem]:
    found: list[Problem] = []
    tally = verify(data, found.append, lambda _: None, room=room)
    assert tally.problems == len(found)
    return found


def test_a_whole_store_has_no_problem_and_everything_is_looked_at(filled: tuple[Path, bytes]) -> None:
    found: list[Problem] = []
    tally = verify(filled[0], found.append, lambda _: None)
    assert found == []
    assert (tally.people, tally.rooms, tally.blobs, tally.blob_bytes) == (3, 1, 1, 3000)
    assert tally.items == 9
    assert tally.seals > 5
    assert problems(filled[0], filled[1]) == []


def test_a_database_that_is_not_there_is_a_problem(copied: Path) -> None:
    (copied / "server.sqlite3").unlink()
    assert [problem.what for problem in problems(copied)] == ["database"]


FLIPS = {
    "an entry's body": ("items", "body", "kind = 1 AND n = 3", {"item"}),
    "an envelope's body": ("items", "body", "kind = 2 AND n = 4", {"item"}),
    "an entry's signature": ("items", "sig", "kind = 1 AND n = 3", {"item"}),
    "an envelope's signature": ("items", "sig", "length(sig) > 0 AND kind = 2", {"item"}),
    "content": ("items", "ct", "ct IS NOT NULL", {"content"}),
    "a running hash": ("items", "rh", "n = 5", {"item"}),
    "the last running hash": ("items", "rh", "n = (SELECT max(n) FROM items)", {"item", "room"}),
    "an item's id": ("items", "id", "n = 4", {"item"}),
    "the head's hash": ("rooms", "rh", "1", {"room"}),
    "a room's state": ("rooms", "state", "1", {"state"}),
    "a share": ("shares", "share", "1", {"share"}),
    "a share's commitment": ("shares", "share_c", "1", {"share"}),
    "a seal of an epoch": ("seals", "seal", "epoch = 2", {"seals"}),
    "a newcomer's seal": ("seals", "seal", "row = (SELECT max(row) FROM seals WHERE epoch = 1)", {"seals"}),
    "a member": ("members", "uid", "until_n = 0", {"member"}),
    "a device's head": ("device_heads", "id", "1", {"device-head"}),
    "a user log's entry": ("user_entries", "body", "seq = 1", {"user", "item"}),
    "a user log's signature": ("user_entries", "sig", "seq = 2", {"user", "item"}),
    "a user log's head": ("users", "head", "1", {"user"}),
    "a staff record": ("users", "record", "1", {"user"}),
    "a staff record's salt": ("users", "salt", "1", {"user"}),
    "an invitation": ("invites", "cert_body", "used_by IS NULL", {"invitation"}),
    "an invitation's signature": ("invites", "cert_sig", "1", {"invitation"}),
    "a part's hash": ("blobs", "sha256", "1", {"blob"}),
}


@pytest.mark.parametrize("at", ["first", "middle", "last"])
@pytest.mark.parametrize("what", FLIPS)
def test_attack_one_flipped_bit_is_found(copied: Path, db: sqlite3.Connection, what: str, at: str) -> None:
    table, column, where, kinds = FLIPS[what]
    row, old = db.execute(f"SELECT rowid, {column} FROM {table} WHERE {where} LIMIT 1").fetchone()  # noqa: S608
    k = {"first": 0, "middle": len(old) // 2, "last": len(old) - 1}[at]
    new = old[:k] + bytes([old[k] ^ 1]) + old[k + 1 :]
    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (new, row))  # noqa: S608
    found = problems(copied)
    assert found
    assert {p.what for p in found} & kinds, found


@pytest.mark.parametrize(
    ("statement", "what", "code"),
    [
        ("UPDATE items SET t = t + 1 WHERE n = 4", "item", "rh"),
        ("UPDATE items SET t = t - 1 WHERE n = 5", "item", "rh"),
        ("UPDATE items SET kind = 2 WHERE n = 3", "item", "id"),
        ("UPDATE items SET kind = 9 WHERE n = 3", "item", "malformed"),
        ("UPDATE items SET ct = 'text' WHERE n = 4", "content", "content-hash"),
        ("UPDATE items SET body = 7 WHERE n = 4", "room", "malformed"),
        ("UPDATE items SET size_bytes = 1 WHERE n = 4", "item", "size"),
        ("UPDATE items SET ct = NULL WHERE n = 4", "content", "withheld"),
        ("DELETE FROM items WHERE n = 5", "item", "gap"),
        ("DELETE FROM items WHERE n = (SELECT max(n) FROM items)", "room", "head"),
        ("UPDATE rooms SET n = n + 1", "room", "head"),
        ("UPDATE rooms SET t = t + 1", "room", "head"),
        ("UPDATE rooms SET state_n = 1000", "state", "gap"),
        ("UPDATE rooms SET state = x''", "state", "state"),
        ("UPDATE rooms SET state = CAST(x'8A02' || substr(state, 3) AS BLOB)", "state", "state"),
        ("UPDATE rooms SET state_n = 0, state = x''", "state", "gap"),
        ("DELETE FROM shares", "share", "missing"),
        ("UPDATE shares SET share = NULL", "share", "missing"),
        ("UPDATE shares SET obj = x'00'", "share", "share"),
        ("DELETE FROM seals WHERE epoch = 2", "seals", "seals"),
        ("DELETE FROM members WHERE until_n = 0", "member", "member"),
        ("UPDATE members SET until_n = 0", "member", "member"),
        ("UPDATE device_heads SET dev_seq = dev_seq + 1", "device-head", "device-head"),
        ("DELETE FROM user_entries WHERE seq = 2", "user", "chain"),
        ("UPDATE users SET seq = 1", "user", "chain"),
        ("UPDATE users SET search = 'x'", "user", "record"),
        ("DELETE FROM users", "user", "unknown-user"),
        ("DELETE FROM rooms", "items", "unknown-room"),
        ("UPDATE invites SET not_after = 1", "invitation", "record"),
        ("UPDATE blobs SET size_bytes = 1", "blob", "blob-hash"),
        ("UPDATE blobs SET obj = 7", "database", "malformed"),
        ("INSERT INTO unmet VALUES (x'00', 1, x'00', 1, x'00')", "receipt", "signature"),
    ],
)
def test_other_damage_is_found_by_its_code(
    copied: Path, db: sqlite3.Connection, statement: str, what: str, code: str
) -> None:
    db.execute(statement)
    assert (what, code) in {(p.what, p.code) for p in problems(copied)}


def _part(data: Path) -> Path:
    (found,) = [p for p in (data / "blobs").rglob("*") if p.is_file()]
    return found


def test_damaged_content_does_not_hide_what_comes_after_it(copied: Path, db: sqlite3.Connection) -> None:
    db.execute("UPDATE items SET ct = zeroblob(length(ct)) WHERE ct IS NOT NULL")
    count = db.execute("SELECT count(*) FROM items WHERE ct IS NOT NULL").fetchone()[0]
    assert sorted(p.code for p in problems(copied) if p.what == "content") == ["content-hash"] * count


def test_a_part_of_a_file_that_rotted_or_is_gone_is_found(copied: Path) -> None:
    part = _part(copied)
    content = bytearray(part.read_bytes())
    content[1500] ^= 1
    part.write_bytes(content)
    assert [p.code for p in problems(copied)] == ["blob-hash"]
    part.unlink()
    assert [p.code for p in problems(copied)] == ["blob-missing"]


def test_a_file_that_is_no_database_is_reported(copied: Path) -> None:
    path = copied / "server.sqlite3"
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])
    assert [p.what for p in problems(copied)] == ["database"]


def test_a_database_that_another_program_has_locked_is_not_called_damaged(
    copied: Path, db: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.execute("PRAGMA journal_mode=DELETE")  # as in a backup
    db.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, timeout=0))
    with pytest.raises(Locked):
        problems(copied)
    db.execute("ROLLBACK")
    assert problems(copied) == []


def test_columns_that_cannot_be_read_are_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("CREATE TABLE meta (name TEXT, value TEXT)")
        db.execute("INSERT INTO meta VALUES ('version', '1')")
        db.execute("CREATE TABLE users (uid BLOB)")
        reading = Reading(path)
        assert reading.has("users", "uid")
        db.execute("PRAGMA writable_schema = 1")
        db.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE' WHERE name = 'users'")
        db.execute("PRAGMA schema_version = 99")
    with pytest.raises(Damaged):
        reading.has("users", "uid")
    reading.close()


def test_a_false_certificate_is_reported(copied: Path) -> None:
    path = copied / "server.cert"
    text = path.read_text()
    path.write_text(text[:-3] + ("01\n" if text.endswith("00\n") else "00\n"))
    assert [(p.what, p.code) for p in problems(copied)] == [("certificate", "signature")]


@pytest.mark.parametrize("name", ["server.cert", "escrow.cert"])
@pytest.mark.parametrize("content", ["kansli/1\n00\n", "kansli/1\n00\n00\n00\n", "kansli/9\n", "zz", ""])
def test_a_certificate_that_cannot_be_read_is_reported_and_the_rest_is_checked(
    copied: Path, db: sqlite3.Connection, name: str, content: str
) -> None:
    (copied / name).write_text(content)
    db.execute("UPDATE items SET ct = NULL WHERE n = 4")
    found = [(p.what, p.where.split("/")[0], p.code) for p in problems(copied)]
    assert found[0] == ("certificate", name, "malformed")
    assert [(what, code) for what, _, code in found[1:]] == [("content", "withheld")]


def test_the_command_prints_a_line_for_each_problem_and_fails(
    filled: tuple[Path, bytes], copied: Path, db: sqlite3.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--data", str(copied)]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == 0
    assert main(["verify", "--data", str(copied), "--room", filled[1].hex()]) == 0
    assert json.loads(capsys.readouterr().out)["rooms"] == 1
    db.execute("UPDATE items SET ct = NULL WHERE n = 4")
    capsys.readouterr()
    assert main(["verify", "--data", str(copied)]) == 1
    problem, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert problem == {"what": "content", "where": f"{filled[1].hex()}/4", "code": "withheld"}
    assert summary["problems"] == 1
    assert main(["verify", "--data", str(copied), "--room", "00" * 16]) == 1


def test_a_later_versions_database_is_left_alone(copied: Path, db: sqlite3.Connection) -> None:
    db.execute("UPDATE meta SET value = '999'")
    assert main(["verify", "--data", str(copied)]) == 1


def test_progress_is_reported(copied: Path) -> None:
    steps: list[int] = []
    verify(copied, lambda _: None, lambda tally: steps.append(tally.items))
    assert steps[-1] == 9
    assert steps == sorted(steps)


async def test_a_running_server_is_verified_while_it_writes(filled: tuple[Path, bytes], copied: Path) -> None:
    async with start_server(config(copied)) as server:
        house = House(server, copied)
        anna, _, room = await house.two_in_a_room()

        def look() -> Tally:
            return verify(copied, lambda p: pytest.fail(str(p)), lambda _: None)

        for _ in range(3):
            looking = asyncio.ensure_future(asyncio.to_thread(look))
            while not looking.done():
                await anna.push(room, TEXT)
                await anna.sync(room)
            assert (await looking).rooms == 2
        await house.close()
