# SPDX-License-Identifier: EUPL-1.2
"""Which people count as known, how many invitations are read, and how often a person is notified of them; over a real
store."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from app.chat import KIND as CHAT
from app.chat.records import MessageSent, encode
from app.core import clock
from app.core.enums import Role
from app.core.ids import DevId, ObjId, RoomId, Uid, new_change
from app.core.signal import Signal
from app.people.person import Person, Verified
from app.personal.records import Answer
from app.rooms.arrivals import Arrivals
from app.rooms.invitations import DAY_MS, Invitations
from app.settings import ASK_UNKNOWN, Settings
from app.store import rooms as room_rows
from app.store.store import Store
from sync.client.ports import MemberRow, OpenedChange, RoomEvent
from sync.client.received import ReceivedSlice
from sync.client.room.invitation_consent import Added, Invitation, Verdict
from sync.trust.room.successor_claim import Origin
from tests.office import EK, HL, KEY, RG, Folk, announce_chat
from tests.world import until

DIRECT, CHANNEL = RoomId(b"d" * 16), ObjId(b"c" * 16)
UNIT = "Enheten för tillsyn å"
TEXT = encode(MessageSent(text="Hej å 🙂"))


@dataclass
class People(Folk):
    """Three colleagues, of whom some are verified or warned of."""

    sure: dict[Uid, Verified] = field(default_factory=dict)
    warned: dict[Uid, str] = field(default_factory=dict)

    def person(self, uid: Uid) -> Person:
        found = Folk(self.uid).person(uid)
        return replace(found, verified=self.sure.get(uid, Verified.AGENCY), warning=self.warned.get(uid, ""))


@dataclass
class Engine:
    """What waits, and whose successor is believed."""

    uid: Uid = HL
    invitations: list[Invitation] = field(default_factory=list)
    owner: Uid | None = None

    def reconsider(self) -> None: ...

    def is_in(self, room: RoomId) -> bool:
        return False

    def may_continue(self, old: RoomId, founder: Uid) -> bool:
        return founder == self.owner


@dataclass
class Answers:
    """A personal room in memory."""

    changed: Signal[()] = field(default_factory=Signal[()])
    ready: bool = False
    given: dict[RoomId, Answer] = field(default_factory=dict)
    people: set[Uid] = field(default_factory=set)

    def answer(self, room: RoomId) -> Answer | None:
        return self.given.get(room)

    def blocked(self) -> set[Uid]:
        return self.people

    def note_answer(self, room: RoomId, n: int, answer: str) -> None:
        self.given[room] = Answer(answer=answer, n=n)


@dataclass
class Desk:
    store: Store
    engine: Engine
    people: People
    answers: Answers
    invitations: Invitations

    def verdict(self, **facts: Any) -> Verdict:
        return self.invitations.decide(replace(added(1), **facts))


def added(n: int, by: Uid = EK, t: int = 1) -> Added:
    return Added(room=RoomId(bytes([n]) * 16), n=9, adder=by, added_n=7, t=t, role=Role.WRITER, founder=by)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = Store.create(tmp_path / "office.db", KEY, {CHAT.id: CHAT})
    store.set_me(HL)
    for uid, unit in ((HL, UNIT), (EK, "Enheten för tillstånd"), (RG, "")):
        store.put_person(uid, {"name": "Å", "title": "", "unit": unit}, b"salt")
    engine, people, answers = Engine(), People(HL), Answers()
    settings = Settings(tmp_path / "settings.json")
    made = Invitations(store, cast("Any", engine), cast("Any", people), settings, cast("Any", answers))
    yield Desk(store, engine, people, answers, made)
    made.close()
    store.close()


def direct_room(store: Store, other: Uid) -> None:
    members = [MemberRow(uid=uid, role=Role.OWNER, since_n=0, history=True) for uid in (HL, other)]
    store.receive(ReceivedSlice(room=DIRECT, cursor=0, state=b"", members=members))
    with store.db.transaction() as conn:
        room_rows.name(conn, DIRECT, "Å", "direct", 1)
        announce_chat(conn, DIRECT, CHANNEL, other)


def writes(store: Store, uid: Uid, obj: ObjId) -> None:
    change = OpenedChange(n=9, t=9, uid=uid, dev=DevId(uid), obj=obj, change_id=new_change(), payload=TEXT)
    store.receive(ReceivedSlice(room=DIRECT, cursor=9, state=b"", changes=[change]))


def test_a_person_is_known_by_the_agency_by_a_comparison_or_by_both_having_written(desk: Desk) -> None:
    assert desk.verdict() is Verdict.ASK
    desk.people.sure[EK] = Verified.IN_PERSON
    assert desk.verdict() is Verdict.OPEN
    desk.people.sure.clear()
    desk.store.put_person(EK, {"name": "Å", "title": "", "unit": UNIT}, b"salt")
    assert desk.verdict() is Verdict.OPEN
    desk.people.warned[EK] = "duplicate"  # somebody has an account in their name
    assert desk.verdict() is Verdict.ASK
    desk.people.warned.clear()
    desk.people.sure[EK] = Verified.NONE  # reset
    assert desk.verdict() is Verdict.ASK


def test_an_empty_unit_is_nobodys(desk: Desk) -> None:
    desk.store.put_person(HL, {"name": "Å", "title": "", "unit": ""}, b"salt")
    assert desk.verdict(adder=RG) is Verdict.ASK


def test_a_direct_room_makes_one_known_when_both_have_written_there(desk: Desk) -> None:
    direct_room(desk.store, EK)
    desk.store.changes.append(DIRECT, CHANNEL, TEXT)
    writes(desk.store, EK, ObjId(DIRECT))  # its title is no word to anybody
    assert desk.verdict() is Verdict.ASK
    writes(desk.store, EK, CHANNEL)
    assert desk.verdict() is Verdict.OPEN
    third = [MemberRow(uid=RG, role=Role.WRITER, since_n=5, history=True)]
    desk.store.receive(ReceivedSlice(room=DIRECT, cursor=9, state=b"", members=third))
    assert desk.verdict() is Verdict.ASK


def test_a_successor_opens_only_if_it_is_believed_and_one_is_still_in_the_old_room(desk: Desk) -> None:
    origin = Origin(room=DIRECT, n=3, rh=b"h" * 32)  # type: ignore[arg-type]
    direct_room(desk.store, RG)
    assert desk.verdict(origin=origin) is Verdict.ASK
    desk.engine.owner = EK
    assert desk.verdict(origin=origin) is Verdict.OPEN
    desk.store.receive(ReceivedSlice(room=DIRECT, cursor=9, state=b"", gone=[HL]))
    assert desk.verdict(origin=origin) is Verdict.ASK


def test_an_answer_holds_for_its_own_addition(desk: Desk) -> None:
    room = added(1).room
    desk.answers.given[room] = Answer(answer="accepted", n=7)
    desk.answers.people = {EK}
    assert desk.verdict() is Verdict.OPEN
    assert desk.verdict(added_n=8) is Verdict.HIDE  # added again by one who is blocked by now
    desk.answers.people = set()
    assert desk.verdict(added_n=8) is Verdict.OPEN
    assert desk.verdict(added_n=8, left=True) is Verdict.ASK
    desk.answers.given[room] = Answer(answer="declined", n=7)
    assert desk.verdict(added_n=8) is Verdict.HIDE
    assert desk.invitations.answered(room, 9) is Verdict.HIDE
    desk.answers.given[room] = Answer(answer="asked", n=0)
    assert desk.invitations.answered(room, 9) is None


def test_attack_a_yes_that_a_stolen_device_gave_to_later_additions_opens_nothing(desk: Desk) -> None:
    """A person who had left the room was in it again without being asked, also after the device was revoked."""
    room, long = added(1).room, {"long": True, "adder": None, "added_n": 0}
    events = [RoomEvent(n=2, t=2, kind="add", by=EK, subject=HL), RoomEvent(n=5, t=50, kind="leave", by=HL)]
    desk.store.receive(ReceivedSlice(room=room, events=events))
    for n, t in ((2**62, 40), (2**62, 60), (8, 40), (8, 60), (6, 60)):
        desk.answers.given[room] = Answer(answer="accepted", n=n, t=t)
        assert desk.verdict(left=True) is Verdict.ASK
    assert desk.verdict(left=True, added_n=6) is Verdict.OPEN
    for n, t in ((2**62, 60), (8, 40), (4, 60)):
        desk.answers.given[room] = Answer(answer="accepted", n=n, t=t)
        assert desk.verdict(**long) is Verdict.ASK
    desk.answers.given[room] = Answer(answer="accepted", n=8, t=60)
    assert desk.verdict(**long) is Verdict.OPEN
    assert desk.invitations.answered(room, 8) is Verdict.OPEN
    assert desk.invitations.answered(room, 7) is None


def test_attack_a_yes_that_is_further_than_the_room_is_no_reason_to_open_it(desk: Desk) -> None:
    """A room that the person never left opened unasked, as if they had accepted it before."""
    room = added(1).room
    desk.answers.given[room] = Answer(answer="accepted", n=2**62)
    assert desk.invitations.answered(room, 9) is None
    assert desk.verdict() is desk.verdict(long=True) is Verdict.ASK
    desk.answers.given[room] = Answer(answer="accepted", n=7)
    assert desk.verdict() is desk.verdict(added_n=8) is Verdict.OPEN


async def test_attack_after_leaving_what_a_stolen_device_accepted_before_is_taken_back(desk: Desk) -> None:
    """Its position is after the leaving, but the server received it before. A device without the room opened it."""
    given, room = desk.answers.given, added(1).room
    events = [RoomEvent(n=2, t=2, kind="add", by=EK, subject=HL), RoomEvent(n=5, t=50, kind="leave", by=HL)]
    members = [MemberRow(uid=HL, role=Role.WRITER, since_n=2, history=True)]
    desk.store.receive(ReceivedSlice(room=room, members=members))
    desk.store.receive(ReceivedSlice(room=room, events=events, gone=[HL]))
    arrivals = Arrivals(desk.store, cast("Any", desk.engine), cast("Any", desk.answers), cast("Any", None))
    desk.answers.ready = True
    arrivals.on_status(online=True)
    given[room] = Answer(answer="accepted", n=9, t=None)  # the person's own, of just now
    running = asyncio.create_task(arrivals.run())
    await until(lambda: not arrivals._due)
    assert given[room].answer == "accepted"
    for answer in (Answer(answer="accepted", n=9, t=60), Answer(answer="accepted", n=2**62, t=40)):
        given[room] = answer
        arrivals.on_room(room)
        await until(lambda: not arrivals._due)
        assert given[room].answer == ("accepted" if answer.n == 9 else "asked")
    running.cancel()
    arrivals.close()


def test_of_a_long_room_that_one_left_one_is_asked_until_there_is_a_later_yes(desk: Desk) -> None:
    long, room = {"long": True, "adder": None, "added_n": 0}, added(1).room
    desk.answers.given[room] = Answer(answer="accepted", n=7)
    assert desk.verdict(**long) is Verdict.OPEN
    events = [RoomEvent(n=2, t=2, kind="add", by=EK, subject=HL), RoomEvent(n=8, t=8, kind="leave", by=HL)]
    desk.store.receive(ReceivedSlice(room=room, events=events))
    assert desk.verdict(**long) is Verdict.ASK
    assert desk.verdict(**{**long, "adder": EK, "added_n": 9}) is Verdict.ASK
    desk.answers.given[room] = Answer(answer="accepted", n=9)
    assert desk.verdict(**long) is Verdict.OPEN
    assert desk.store.rooms_list.left_at(room, HL) == 8
    desk.store.receive(ReceivedSlice(room=room, events=[RoomEvent(n=9, t=9, kind="add", by=EK, subject=HL)]))
    assert desk.store.rooms_list.left_at(room, HL) == 0


def test_twenty_of_an_adder_and_a_hundred_in_all_are_read(desk: Desk) -> None:
    read = [Invitation(added=added(n), read=True) for n in range(19)]
    desk.engine.invitations = read
    assert desk.invitations.reads(added(100))
    desk.engine.invitations = [*read, Invitation(added=added(19), read=True)]
    assert not desk.invitations.reads(added(100))
    assert desk.invitations.reads(added(19))  # itself is not counted
    assert desk.invitations.reads(added(100, RG))
    others = [Invitation(added=added(n, Uid(bytes([n]) * 16)), read=True) for n in range(20, 100)]
    desk.engine.invitations = [*desk.engine.invitations, *others]
    assert not desk.invitations.reads(added(200, RG))


def test_one_is_notified_of_an_adder_once_a_day_and_of_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, notified = clock.now_ms(), list[Uid]()
    monkeypatch.setattr(clock, "now_ms", lambda: now)
    desk.invitations.arrived.connect(lambda person: notified.append(person.uid if person else Uid(b"")))
    desk.engine.invitations = [Invitation(added=added(1, t=now), read=True)]
    desk.invitations.on_invitations()
    assert (notified, desk.invitations.all()) == ([], [])  # what another device answered is not known yet
    desk.invitations.on_status(online=True)
    desk.engine.invitations += [Invitation(added=added(2, t=now)), Invitation(added=added(3, RG, t=now))]
    desk.invitations.on_invitations()
    assert notified == [EK, RG]
    now += 2 * DAY_MS
    desk.invitations.on_invitations()
    assert notified == [EK, RG]  # they are older than the last time
    desk.engine.invitations.append(Invitation(added=added(4, t=now)))
    desk.invitations.on_invitations()
    assert notified == [EK, RG, EK]
    desk.engine.invitations.append(Invitation(added=added(5, t=now + 1)))
    desk.invitations.on_invitations()
    assert notified == [EK, RG, EK]  # the same day
    [more] = [m for m in desk.invitations.more() if m.by is not None and m.by.uid == EK]
    assert more.rooms == (added(2).room, added(4).room, added(5).room)


def test_policy_asks_about_nobody(desk: Desk, tmp_path: Path) -> None:
    policy = Settings(tmp_path / "other.json", {ASK_UNKNOWN.key: False})
    desk.invitations._settings = policy
    assert desk.verdict() is Verdict.OPEN
    desk.answers.people = {EK}
    assert desk.verdict() is Verdict.HIDE
