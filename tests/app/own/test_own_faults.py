# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong with things of the person's own: changes that cannot be read, a full disk, a program that is killed.
Nothing is lost, what this device has still works, and a reason is there to be shown."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app.core.ids import ObjId
from app.errors import StoreFault
from app.objects.pieces import PAYLOAD, Whole
from app.own.joining import ReadMark
from app.own.service import Unreadable
from app.settings import THEME
from tests.app.own.devices import Device, Server, Two
from tests.ui.refusing import full

CHAT = ObjId(b"c" * 16)
NEWER = msgspec.msgpack.encode({"type": "of-a-newer-program", "what": "Ring å 🙂"})
NO_UPDATE = PAYLOAD.encode(Whole(update=b"\xff" * 40))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (NEWER, Unreadable.NEWER),
        (NO_UPDATE, Unreadable.DAMAGED),
        (b"", Unreadable.DAMAGED),
        (NO_UPDATE[:7], Unreadable.DAMAGED),
    ],
    ids=["newer", "no-update", "empty", "no-record"],
)
def test_a_change_that_cannot_be_read_is_told_once_and_all_else_counts(two: Two, data: bytes, why: Unreadable) -> None:
    home, office, server = two
    told: list[Unreadable] = []
    office.own.unreadable.connect(told.append)
    home.reads.read(CHAT, 7)
    home.own.flush()
    server.meet(home, office)
    assert office.own.is_unreadable is None
    server.put_strange(home, data)
    home.reads.read(CHAT, 9)
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=9)
    assert told == [why]
    office.reads.read(CHAT, 12)
    office.own.flush()
    server.meet(home, office)
    assert home.reads.mark(CHAT) == ReadMark(position=12)
    assert len(told) == 1
    office.restart()
    assert office.own.is_unreadable is told[0]
    assert office.reads.mark(CHAT) == ReadMark(position=12)


def test_a_full_disk_is_told_once_and_again_only_after_it_took_everything(two: Two) -> None:
    home, office, server = two
    told: list[str] = []
    home.own.fault.connect(lambda fault: told.append(fault.code))
    home.is_online = False
    for position in (7, 9):
        with full(home):
            home.settings.set("theme", position)
            home.settings.set("language", position)
            with pytest.raises(StoreFault):
                home.own.flush()
        assert told == ["disk-full"] * (1 if position == 7 else 2)
        home.own.flush()  # Try again
    home.restart(killed=True)
    home.is_online = True
    home.own.flush()
    server.meet(home, office)
    assert (office.settings.get("theme"), office.settings.get("language")) == (9, 9)


CHILD = """
import os, signal, sys
from pathlib import Path
from app.core.ids import ObjId
from app.settings import THEME
from tests.app.own.devices import Device
device = Device(Path(sys.argv[1]), 1)
device.follow()
device.is_online = sys.argv[2] == "written"
device.reads.read(ObjId(b"c" * 16), 7)
device.drafts.put("å", "Halv mening 🙂")
device.preferences.set(THEME, "dark")
device.own.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.parametrize("state", ["waits", "written"])
def test_a_program_that_is_killed_while_something_waits_loses_nothing(tmp_path: Path, state: str) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / "home"), state]
    done = subprocess.run(command, check=False, timeout=60)
    assert done.returncode == -9
    home, office, server = Device.of(tmp_path / "home", 1), Device(tmp_path / "office", 2), Server()
    office.follow()
    assert home.own.waits is (state == "waits")
    home.own.flush()
    server.meet(home, office)
    assert office.reads.mark(CHAT) == ReadMark(position=7)
    assert [draft.text for draft in office.drafts.at("å")] == ["Halv mening 🙂"]
    assert office.preferences.get(THEME) == "dark"
    home.close()
    office.close()
