# SPDX-License-Identifier: EUPL-1.2
"""A person with two devices, online and not, in a room with three colleagues who write: what the person reads, marks as
unread, drafts, mutes, has as favourite or puts into a section on either device is so on both. Nothing is lost and
nothing is there twice."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from app.chat.drafts import Draft
from app.chat.records import MessageSent, encode
from app.core.enums import Level
from app.core.ids import ChangeId, DevId, Uid
from app.own.room_order import RoomOrder
from app.own.room_wishes import RoomWishes
from app.rooms.service import RoomService
from app.settings import THEME
from sync.client.ports import OpenedChange
from tests.app.chat.mentions import mentions
from tests.app.own.devices import DAY_MS, NOVEMBER, Server
from tests.app.own.test_reads_in_chat import CASE, CHAT, NAMED, AtHand, share
from tests.office import EK, RG

COLLEAGUES = (EK, RG, Uid(b"\x03" + b"a" * 15))
SECTION = "ab" * 8
MOST = 30
"""Messages of a life: fewer than a list of mentions has."""
devices = st.integers(0, 1)


class Desk(AtHand):
    """A device with the list of rooms too."""

    got = 0
    """How many of the colleagues' messages it has received."""

    def opens(self) -> None:
        self.chat_opens()
        self.list = RoomService(
            self.store, cast("Any", SimpleNamespace(is_whole=lambda room: True)), cast("Any", None), ()
        )
        self.wishes, self.order = RoomWishes(self.own, self.list), RoomOrder(self.own)
        self.wishes.start()

    def start_again(self, *, killed: bool) -> None:
        if not killed:
            self.chat.close_all()
        self.restart(killed=killed)
        self.opens()


class Office(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder, self.server, self.sent = Path(mkdtemp()), Server(), list[OpenedChange]()
        self.desks = [Desk(self.folder / str(n), n + 1) for n in range(2)]
        for desk in self.desks:
            desk.chat_begins()
            desk.opens()
        self.named, self.read, self.marks = set[int](), set[int](), set[str]()
        self.is_marked_unread, self.count = False, 0

    @rule(by=st.sampled_from(COLLEAGUES), named=st.booleans(), burst=st.integers(1, 4))
    def write(self, by: Uid, named: bool, burst: int) -> None:
        for _ in range(min(burst, MOST - len(self.sent))):
            n = 10 + len(self.sent)
            payload = encode(NAMED if named else MessageSent(text=f"Rad {n} å 🙂"))
            self.named |= {len(self.sent)} if named else set()
            change_id = ChangeId(n.to_bytes(16, "big"))
            self.sent.append(
                OpenedChange(n=n, t=NOVEMBER + n, uid=by, dev=DevId(by), obj=CHAT, change_id=change_id, payload=payload)
            )

    @rule(device=devices, twice=st.booleans())
    def receive(self, device: int, twice: bool) -> None:
        desk = self.desks[device]
        new = self.sent[desk.got :]
        for _ in range(1 + twice if new else 0):
            desk.come(new)
        desk.got = len(self.sent)

    @rule(device=devices, upto=st.integers(0, 12))
    def see(self, device: int, upto: int) -> None:
        """Everything up to a message was on screen."""
        desk = self.desks[device]
        seen = list(range(min(upto, desk.got)))
        desk.chat.mark_read(CASE, [self.sent[i].change_id for i in seen])
        self.read |= set(seen)

    @rule(device=devices)
    def see_all(self, device: int) -> None:
        desk = self.desks[device]
        desk.chat.mark_all_read(CASE)
        self.read |= set(range(desk.got)) - self.named

    @rule(device=devices, at=st.integers(0, 12))
    def mark_unread(self, device: int, at: int) -> None:
        desk = self.desks[device]
        if at < desk.got:
            desk.chat.mark_unread(CASE, self.sent[at].change_id)
            self.is_marked_unread = True

    @rule(device=devices, sends=st.booleans())
    def leave_a_field(self, device: int, sends: bool) -> None:
        """The person adds a mark to what is in the field, or sends it."""
        chat, self.count = self.desks[device].chat, self.count + 1
        before = chat.draft(CASE).text
        text = "" if sends else f"{before} m{self.count}".strip()
        chat.keep_draft(CASE, Draft(text=text))
        chat.leave_draft(CASE)
        self.marks = self.marks - set(before.split()) if sends else self.marks | set(text.split())

    @rule(device=devices, what=st.sampled_from(["favourite", "level", "section", "fold", "theme"]), on=st.booleans())
    def wish(self, device: int, what: str, on: bool) -> None:
        desk = self.desks[device]
        match what:
            case "favourite":
                desk.list.set_favourite(CASE, on)
            case "level":
                desk.list.set_level(CASE, Level.NOTHING if on else Level.MENTIONS)
            case "section":
                desk.order.rename(SECTION, f"Avsnitt {self.count} å")
                desk.order.put(CASE, SECTION if on else None)
            case "fold":
                desk.order.set_folded("case", on)
            case "theme":
                desk.preferences.set(THEME, "dark" if on else "light")

    @rule(which=st.sets(devices, min_size=1))
    def be_online(self, which: set[int]) -> None:
        self.server.meet(*(self.desks[n] for n in sorted(which)))

    @rule(device=devices)
    def flush(self, device: int) -> None:
        self.desks[device].own.flush()

    @rule(device=devices, killed=st.booleans())
    def start_again(self, device: int, killed: bool) -> None:
        self.desks[device].start_again(killed=killed)

    @rule(device=devices, days=st.sampled_from([1, 8, 40]))
    def days_pass(self, device: int, days: int) -> None:
        self.desks[device].now_ms += days * DAY_MS

    def teardown(self) -> None:
        for n in range(2):
            self.receive(n, False)
        for _ in range(3):
            share(self.server, *self.desks)
        self._check_reads()
        self._check_wishes()
        drafts = [[draft.text for draft in desk.drafts.at(CHAT.hex())] for desk in self.desks]
        assert drafts[0] == drafts[1]
        assert len(set(drafts[0])) == len(drafts[0]), "nothing is there twice"
        assert self.marks <= {mark for text in drafts[0] for mark in text.split()}, "nothing is lost"
        for desk in self.desks:
            desk.close()
        shutil.rmtree(self.folder)

    def _check_reads(self) -> None:
        home, office = self.desks
        assert home.line == office.line
        assert home.first == office.first
        open_mentions = [
            [m.change_id for m in mentions(desk.store, desk.chat, unread_only=True)] for desk in self.desks
        ]
        assert open_mentions[0] == open_mentions[1]
        for desk in self.desks:
            timeline = desk.chat.timeline(CASE)
            assert [timeline.message(n).change_id for n in range(len(timeline))] == [c.change_id for c in self.sent]
        if not self.is_marked_unread:
            unread = set(range(len(self.sent))) - self.read
            assert home.line == (len(unread), len(unread & self.named))
            assert set(open_mentions[0]) == {self.sent[i].change_id for i in unread & self.named}

    def _check_wishes(self) -> None:
        home, office = self.desks
        rows = [desk.store.rooms_list.get(CASE) for desk in self.desks]
        assert [(row.pinned, row.level) for row in rows if row is not None] == 2 * [
            (
                home.rooms.get(f"{CASE.hex()}/favourite") is True,
                Level(office.rooms.get(f"{CASE.hex()}/level") or Level.ALL),
            )
        ]
        assert home.order.sections() == office.order.sections()
        assert home.order.section_of(CASE) == office.order.section_of(CASE)
        assert home.order.is_folded("case") == office.order.is_folded("case")
        assert home.preferences.get(THEME) == office.preferences.get(THEME)


TestAnOffice = pytest.mark.slow(Office.TestCase)
TestAnOffice.settings = settings(
    max_examples=10,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
