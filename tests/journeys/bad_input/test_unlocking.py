# SPDX-License-Identifier: EUPL-1.2
"""Passphrases, key stores, damaged and newer stores, full disks, a second process: nothing is opened by mistake and
nothing is lost. One enrolled person has said something that the server has, and something that still waits.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import keyring
import pytest
import pytest_asyncio
from keyring.backends.fail import Keyring as NoKeyringBackend

from app.bootstrap import Office
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, RoomType
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.errors import (
    BadCaFile,
    DiskFull,
    KeyringLocked,
    NoKeyring,
    ProfileInUse,
    StoreCorrupt,
    StoreNewer,
    WorldError,
    WrongPassphrase,
)
from app.profile import Profile
from app.session import Session
from app.settings import CA_FILE
from app.store.database import Database
from tests.journeys.bad_input.checks import HELLO, explained, two
from tests.journeys.desks import PASSPHRASE, Desk, Offices
from tests.memory_keyring import MemoryKeyring
from tests.world import World, until

SENT, WAITS = "Skickat, åäö 😀", "Väntar, åäö 😀"
ROOT = Path(__file__).resolve().parents[3]


class Home:
    """A desk whose program has ended; `server` is down."""

    def __init__(self, o: Offices, desk: Desk, room: RoomId) -> None:
        self._o, self.desk, self.room = o, desk, room
        self.db = desk.profile.db_path

    def start(self) -> Office:
        """The program starts again, and is at the unlock view."""
        self.desk.profile = Profile.open(root=self.desk.folder)
        self.desk.office = Office(self.desk.profile)
        return self.desk.office

    def end(self) -> None:
        self.desk.profile.close()

    async def opened(self, session: Session) -> None:
        """Nothing is lost: what was sent is there, what waited goes when the server is back."""
        self.desk.session = session
        assert session.store.db.check() == []
        assert self.desk.texts(self.room) == [SENT, WAITS]
        assert session.store.waiting_count() == 1
        await self._o.w.start_server()
        session.engine.retry_now()
        await until(lambda: session.store.waiting_count() == 0)


@pytest_asyncio.fixture
async def home(o: Offices) -> AsyncIterator[Home]:
    (desk,) = await o.hire("Handläggare")
    yield await _leave(o, desk)


async def _leave(o: Offices, desk: Desk) -> Home:
    room = await desk.session.rooms.create("Tillsyn 2026-1184 åäö", RoomType.CASE)
    desk.session.service(CHAT).send(room, SENT)
    mine, personal = desk.session.engine.devices.mine, desk.session.personal
    await until(lambda: mine in personal.shared.names and mine in personal.shared.runs)  # the room waits for nothing
    await until(lambda: desk.session.store.waiting_count() == 0)
    await o.w.stop_server()
    desk.session.service(CHAT).send(room, WAITS)
    await desk.close()
    return Home(o, desk, room)


async def test_a_wrong_passphrase_opens_and_changes_nothing(home: Home) -> None:
    office = home.start()
    before = home.db.read_bytes()
    with pytest.raises(WrongPassphrase) as e:
        await office.unlock("fel ord räcker inte")
    explained(e.value.code, "wrong-passphrase")
    assert home.db.read_bytes() == before
    await home.opened(await office.unlock(PASSPHRASE))


@pytest.mark.parametrize("what", [None, b"", b"inget certifikat \xc3\xa5"])
async def test_a_missing_or_broken_certificate_file_is_named_and_opens_no_line(
    home: Home, tmp_path: Path, what: bytes | None
) -> None:
    named = tmp_path / "myndighet.pem"
    if what is not None:
        named.write_bytes(what)
    office = home.start()
    true = office.settings.get(CA_FILE)
    office.settings.set(CA_FILE, str(named))
    with pytest.raises(BadCaFile) as e:
        await office.unlock(PASSPHRASE)
    explained(e.value.code, "bad-ca-file")
    office.settings.set(CA_FILE, true)
    await home.opened(await office.unlock(PASSPHRASE))


@pytest.fixture
def store_of_keys() -> Iterator[MemoryKeyring]:
    before, mine = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


async def _with_keyring(o: Offices) -> Home:
    desk = Desk(o.w.folder / "Registrator", o.w.data / "ca.pem", o.w.dialer().address.name)
    found = await desk.office.look_up(desk.server, await o.w.invite("Registrator"))
    assert desk.office.keyring_available()
    desk.session = await desk.office.enrol(found, None, lambda text, done, total: None)
    o.desks.append(desk)
    await desk.online()
    return await _leave(o, desk)


async def test_a_locked_key_store_is_waited_for(o: Offices, store_of_keys: MemoryKeyring) -> None:
    home = await _with_keyring(o)
    office = home.start()
    store_of_keys.locked = True
    for _ in range(2):
        with pytest.raises(KeyringLocked) as e:
            await office.unlock_keyring()
    explained(e.value.code, "keyring-locked")
    store_of_keys.locked = False
    await home.opened(await office.unlock_keyring())


async def test_no_key_store_is_said_and_wipes_nothing(o: Offices, store_of_keys: MemoryKeyring) -> None:
    home = await _with_keyring(o)
    keyring.set_keyring(NoKeyringBackend())  # type: ignore[no-untyped-call]  # its base class has no types
    office = home.start()
    assert not office.keyring_available()
    with pytest.raises(NoKeyring) as e:
        await office.unlock_keyring()
    explained(e.value.code, "no-keyring")
    home.end()
    keyring.set_keyring(store_of_keys)
    await home.opened(await home.start().unlock_keyring())


@pytest.mark.parametrize("place", [0, 4096 + 100])
async def test_a_corrupt_store_is_left_as_it_is(home: Home, place: int) -> None:
    whole = home.db.read_bytes()
    damaged = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
    home.db.write_bytes(damaged)
    office = home.start()
    with pytest.raises(StoreCorrupt) as e:
        await office.unlock(PASSPHRASE)
    explained(e.value.code, "store-corrupt")
    assert home.db.read_bytes() == damaged
    home.db.write_bytes(whole)
    await home.opened(await office.unlock(PASSPHRASE))


async def test_a_store_of_a_newer_version_is_left_as_it_is(home: Home) -> None:
    office = home.start()
    (key,) = office.slots.unlock_passphrase(PASSPHRASE).keys

    def set_version(version: int) -> int:
        db = Database.open(home.db, key)
        was = int(db.value("PRAGMA user_version"))
        db.conn.execute(f"PRAGMA user_version={version}")
        db.close()
        return was

    was = set_version(9999)
    before = home.db.read_bytes()
    with pytest.raises(StoreNewer) as e:
        await office.unlock(PASSPHRASE)
    explained(e.value.code, "store-newer")
    assert home.db.read_bytes() == before
    set_version(was)
    await home.opened(await office.unlock(PASSPHRASE))


def fill(session: Session, room: RoomId) -> None:
    """Writes until nothing more goes in."""
    for _ in range(100):
        session.service(DOCUMENTS).create(room, "x" * 200)


async def test_a_full_disk_keeps_what_was_there_and_goes_on_when_there_is_room(home: Home) -> None:
    session = await home.start().unlock(PASSPHRASE)
    conn = session.store.db.conn
    pages = session.store.db.value("PRAGMA page_count")
    conn.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(DiskFull) as e:
        fill(session, home.room)
    explained(e.value.code, "disk-full")
    conn.execute("PRAGMA max_page_count=1000000")
    made = len(session.service(DOCUMENTS).list(home.room))
    session.service(DOCUMENTS).create(home.room, "Efter")
    await session.close()
    home.end()
    session = await home.start().unlock(PASSPHRASE)
    home.desk.session = session
    assert session.store.db.check() == []
    assert home.desk.texts(home.room) == [SENT, WAITS]
    assert len(session.service(DOCUMENTS).list(home.room)) == made + 1


async def test_the_engine_outlives_a_disk_that_is_full_when_something_arrives(w: World) -> None:
    a, b, room, obj = await two(w)
    conn = b.store.db.conn
    conn.execute(f"PRAGMA max_page_count={b.store.db.value('PRAGMA page_count')}")
    a.say(room, obj, os.urandom(60_000))
    await until(lambda: b.engine.status.state is LinkState.ERROR)
    explained(b.engine.status.code, "disk-full")
    conn.execute("PRAGMA max_page_count=1000000")
    a.say(room, obj, HELLO)
    b.engine.retry_now()
    await w.settle(room)
    assert b.texts(obj) == a.texts(obj)
    assert b.texts(obj)[-1] == HELLO


async def test_a_second_process_on_one_profile_is_refused(home: Home) -> None:
    office = home.start()
    with pytest.raises(ProfileInUse):
        Profile.open(root=home.desk.folder)
    asking = "import sys, pathlib\nfrom app.profile import Profile\nfrom app.errors import WorldError\n"
    asking += "try: Profile.open(root=pathlib.Path(sys.argv[1]))\nexcept WorldError as e: print(e.code)\n"
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", asking, str(home.desk.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    explained(second.stdout.strip(), "profile-in-use")
    await home.opened(await office.unlock(PASSPHRASE))


async def test_a_second_program_says_so_and_ends(home: Home) -> None:
    office = home.start()
    second = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "ui", "--data", str(home.desk.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert second.returncode == 2
    assert "(profile-in-use)" in second.stderr
    await home.opened(await office.unlock(PASSPHRASE))


def test_every_fault_of_the_way_in_is_a_fault_of_the_world() -> None:
    for fault in (WrongPassphrase, KeyringLocked, NoKeyring, StoreCorrupt, StoreNewer, DiskFull, ProfileInUse):
        assert issubclass(fault, WorldError)
        explained(fault.code, fault.code)
