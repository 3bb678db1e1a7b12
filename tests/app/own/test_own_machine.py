# SPDX-License-Identifier: EUPL-1.2
"""A person with three devices, online or offline, over the turns of two years: whatever each device does, and however
far each has read the room, all converge. A read mark goes back only by a new generation, no mark counts that a stolen
device has made up, and no draft is lost or doubled."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.core.ids import ObjId
from app.own.joining import NOTHING_READ, ReadMark, join_marks
from app.store import read_positions
from tests.app.own.devices import DAY_MS, Device, Server, named

CHATS = [ObjId(bytes([letter]) * 16) for letter in b"abc"]
NAMES = ("theme", "language", "å 🙂")
devices = st.integers(0, 2)
chats = st.sampled_from(CHATS)


class Person(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        self.devices = [Device(self.folder / str(n), n + 1) for n in range(3)]
        self.heads = [30, 5, 60]
        for device, head in zip(self.devices, self.heads, strict=True):
            device.follow(head)
        self.server = Server()
        self.marks: dict[ObjId, list[ReadMark]] = {chat: [] for chat in CHATS}
        self.shown: dict[tuple[int, ObjId], ReadMark] = {}
        self.drafts: dict[str, set[str]] = {}
        self.unread: dict[ObjId, int] = {}
        self.count = 0

    @rule(device=devices, chat=chats, position=st.integers(1, 60), left=st.sets(st.integers(1, 60), max_size=3))
    def read(self, device: int, chat: ObjId, position: int, left: set[int]) -> None:
        reads, position = self.devices[device].reads, min(position, self.heads[device])
        reads.read(chat, position, left=sorted(left))
        said = ReadMark(generation=reads.mark(chat).generation, position=position, left=tuple(sorted(left)))
        self.marks[chat].append(said)

    @rule(device=devices, chat=chats, position=st.integers(0, 60))
    def mark_unread(self, device: int, chat: ObjId, position: int) -> None:
        reads, position = self.devices[device].reads, min(position, self.heads[device])
        reads.unread(chat, position)
        assert reads.mark(chat).position == position
        self.marks[chat].append(reads.mark(chat))

    @rule(device=devices, by=st.integers(1, 30))
    def the_room_comes(self, device: int, by: int) -> None:
        self.heads[device] = min(60, self.heads[device] + by)
        self.devices[device].reach(self.heads[device])

    @rule(
        device=devices, chat=chats, position=st.integers(1, 90), generation=st.integers(0, 3), other=st.integers(0, 2)
    )
    def make_up_a_mark(self, device: int, chat: ObjId, position: int, generation: int, other: int) -> None:
        """A stolen device writes a mark in the map of a device that never existed."""
        at = self.devices[device]
        if at.own.objects():
            with at.store.transaction():
                model = at.own.objects()[0]
                mark = [generation, position, named(position + 1 + other)]
                model.write(f"{0xEE:032x}", 1, {"reads": {chat.hex(): mark}})

    @rule(device=devices, name=st.sampled_from(NAMES))
    def set_something(self, device: int, name: str) -> None:
        self.count += 1
        self.devices[device].settings.set(name, self.count)

    @rule(device=devices, chat=chats, sees=st.booleans(), sends=st.booleans())
    def leave_a_field(self, device: int, chat: ObjId, sees: bool, sends: bool) -> None:
        self.count += 1
        drafts, place = self.devices[device].drafts, chat.hex()
        over = tuple(drafts.others(place)) if sees else ()
        mine, text = drafts.mine(place), "" if sends else f"Utkast {self.count} 🙂"
        known = self.drafts.setdefault(place, set())
        if mine is not None:
            known.discard(mine.text)
        known -= {draft.text for draft in over}
        drafts.put(place, text, over=over)
        known |= {text} if text else set()

    @rule(device=devices)
    def write(self, device: int) -> None:
        self.devices[device].own.flush()

    @rule(some=st.sets(devices, min_size=1))
    def be_online(self, some: set[int]) -> None:
        self.server.meet(*(self.devices[device] for device in some))

    @rule(device=devices, killed=st.booleans())
    def start_again(self, device: int, killed: bool) -> None:
        self.devices[device].restart(killed=killed)

    @rule(device=devices, days=st.sampled_from([1, 8, 40]))
    def days_pass(self, device: int, days: int) -> None:
        self.devices[device].now_ms += days * DAY_MS

    @invariant()
    def no_mark_goes_back(self) -> None:
        for number, device in enumerate(self.devices):
            for chat in CHATS:
                before, now = self.shown.get((number, chat), NOTHING_READ), device.reads.mark(chat)
                assert (now.generation, now.position) >= (before.generation, before.position)
                if now.generation == before.generation:
                    assert all(now.has(n) for n in range(61) if before.has(n))
                self.shown[number, chat] = now

    def teardown(self) -> None:
        for number in range(3):
            self.the_room_comes(number, 60)
        for _ in range(3):
            for device in self.devices:
                device.own.flush()
            self.server.meet(*self.devices)
        self.server.meet(*self.devices)
        first = self.devices[0]
        for device in self.devices:
            assert not device.own.waits
            for chat in CHATS:
                mark = device.reads.mark(chat)
                assert mark == join_marks(self.marks[chat])
                rows, conn = read_positions, device.store.db.conn
                assert (rows.generation(conn, chat), rows.position(conn, chat)) == (mark.generation, mark.position)
                assert rows.left(conn, chat) == mark.left
                assert sorted(draft.text for draft in device.drafts.at(chat.hex())) == sorted(
                    self.drafts.get(chat.hex(), set())
                )
            for name in NAMES:
                assert device.own.value("settings", name) == first.own.value("settings", name)
            device.restart()
            assert [device.reads.mark(chat) for chat in CHATS] == [first.reads.mark(chat) for chat in CHATS]
        for device in self.devices:
            device.close()
        shutil.rmtree(self.folder)


TestAPerson = pytest.mark.slow(Person.TestCase)
TestAPerson.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
