# SPDX-License-Identifier: EUPL-1.2
"""A colleague's client without the tools' own checks, against the real server and the whole application in a process of
its own: what it sends ends nothing there, at receipt or at any later start, and everything else goes on."""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from app.core.ids import ObjId, RoomId, Uid
from app.objects.pieces import PAYLOAD, Whole
from app.rooms.records import ObjectAnnounced, RoomNamed, encode
from app.store.database import Database
from app.tasks.service import new_board
from tests.app.documents.test_poison import nested
from tests.app.poison import SEEDS, Writer, deep_update, written
from tests.bench.office import ROOT, enrol, environment, point_to
from tests.one_change import one_change as board_change
from tests.world import Client, World, until

VICTIM = "Handläggare"


class Victim:
    """The application of one person, offscreen, and its store as it lies on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._db: Database | None = None

    def start(self) -> None:
        """The program begins."""
        env = environment(self._folder, VICTIM)
        self._process = subprocess.Popen([sys.executable, "-m", "ui"], cwd=ROOT, env=env)

    def stop(self) -> int:
        """The program is ended in order; its exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def rows(self, sql: str, *params: object) -> list[tuple[object, ...]]:
        """What its store says now, by a connection of the test's own."""
        if self._db is None:
            [path] = self._folder.glob(f"{VICTIM}/profiles/*/store.db")
            self._db = Database.open(path, bytes.fromhex((self._folder / VICTIM / "key").read_text()))
        return [tuple(row) for row in self._db.rows(sql, params)]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()
        self.stop()

    @property
    def uid(self) -> Uid:
        [(uid,)] = self.rows("SELECT value FROM meta WHERE name = 'me'")
        assert isinstance(uid, bytes)
        return Uid(uid)


@pytest_asyncio.fixture
async def victim(w: World) -> AsyncIterator[Victim]:
    port = w.dialer().address.port
    await enrol(w.folder, VICTIM, port)
    point_to(w.folder, port)
    made = Victim(w.folder)
    made.start()
    yield made
    made.close()


async def room_with(attacker: Client, victim: Victim) -> RoomId:
    """A room of the attacker's into which the victim is put."""
    room = await attacker.engine.operations.create_room()
    attacker.say(room, ObjId(room), encode(RoomNamed(title="Tillsyn å 🙂", type="case")))
    await attacker.engine.directory(VICTIM)
    await attacker.engine.operations.add(room, victim.uid, 2, history=True)
    return room


def sends(attacker: Client, room: RoomId, kind: str, *changes: bytes) -> ObjId:
    """An object of a kind with these changes."""
    obj = attacker.store.objects.new(room)
    attacker.say(room, ObjId(room), encode(ObjectAnnounced(obj=obj, kind=kind)))
    for data in changes:
        attacker.say(room, obj, data)
    return obj


def document(update: bytes) -> bytes:
    return PAYLOAD.encode(Whole(update=update))


async def has(victim: Victim, obj: ObjId, count: int) -> None:
    """So many changes of an object are stored and tried at the victim."""
    stored = "SELECT count(*) FROM changes WHERE obj = ? AND unprojected IS NOT 'untried'"
    await until(lambda: not victim.alive or victim.rows(stored, obj) == [(count,)])
    assert victim.alive


async def is_findable(victim: Victim, obj: ObjId) -> None:
    """A document is indexed at the victim."""
    indexed = "SELECT count(*) FROM document_rows WHERE obj = ? AND pending = 0 AND words > 0"
    await until(lambda: not victim.alive or victim.rows(indexed, obj) == [(1,)])
    assert victim.alive


POISONS: Sequence[tuple[str, str, list[bytes], int]] = [
    ("two-updates", "board", [new_board("Uppgifter å", ("Att göra",)), *map(board_change, SEEDS)], 2),
    ("nested-board", "board", [board_change(deep_update("board"))], 1),
    ("nested-document", "document", [document(deep_update("meta"))], 1),
    ("deep-title", "document", [document(written("meta", "title", nested(900)))], 1),
    ("card-time", "board", [board_change(written("cards", "k", {"t": 1e300, "title": "Å"}))], 0),
]


@pytest.mark.slow
async def test_attack_what_a_colleague_sends_ends_no_program_at_receipt_or_at_a_start(w: World, victim: Victim) -> None:
    """Audit findings 1 and 7: exit status -11 at receipt and at every start."""
    [attacker] = await w.hire("Registrator")
    for _, kind, changes, _ in POISONS:
        room = await room_with(attacker, victim)
        await has(victim, sends(attacker, room, kind, *changes), len(changes))
    for _ in range(2):
        assert victim.stop() in (0, -signal.SIGTERM)
        victim.start()
        writer = Writer()
        good = sends(attacker, room, "document", *writer.take(), writer.types("Beslutet är fattat 🙂. "))
        await has(victim, good, 2)
        await is_findable(victim, good)
    assert victim.rows("SELECT why FROM quarantined") == []
    void = victim.rows("SELECT count(*) FROM changes WHERE unprojected = 'damaged-update'")
    assert void == [(sum(count for *_, count in POISONS),)]
