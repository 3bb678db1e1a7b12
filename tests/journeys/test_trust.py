# SPDX-License-Identifier: EUPL-1.2
"""What people see of each other's keys, and what a room's seal says: over a real server."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from app.chat.tool import TOOL as CHAT
from app.core.ids import RoomId, Uid
from app.devices import admission
from app.errors import NotFound
from app.people import codes
from app.people.codes import Verdict
from app.people.person import Person, Verified
from app.rooms.security_status import SEALED, SEEKING, VERIFIED, WARNED, weakest
from sync.client.status import LinkState, RoomState
from sync.ids import Hash
from sync.server.operator import admin
from tests.journeys.desks import Desk, Offices, offices
from tests.patience import PATIENCE_S
from tests.world import until

pytestmark = pytest.mark.slow


def told(desk: Desk) -> list[tuple[Uid, str, int]]:
    return [(n.uid, n.kind, n.more) for n in desk.session.people.notices()]


def mark(desk: Desk, other: Desk) -> Uid:
    uid = other.session.people.me.uid
    desk.session.people.mark_verified(uid, True)
    return uid


def level(desk: Desk, room: RoomId) -> str:
    return desk.session.seals.level(room)


async def settled(desk: Desk, room: RoomId) -> None:
    await until(lambda: desk.session.engine.room_state(room) is RoomState.SEALED)


async def second_account(o: Offices, name: str) -> Desk:
    """Somebody else whom the agency binds to the same staff record."""
    desk = Desk(o.w.folder / f"{name} igen", o.w.data / "ca.pem", f"localhost:{o.w.dialer().address.port}")
    await desk.enrol(await o.w.invite(name))
    o.desks.append(desk)
    return desk


async def test_a_verified_colleagues_devices_are_told_of_once_and_calmly(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague, other = await o.hire("Handläggare", "Registrator", "Enhetschef")
        room = await o.room(me, colleague, other)
        uid = mark(me, colleague)
        new = await o.second(colleague)
        await o.second(other, "En annan dator")
        for desk in (me, other):
            desk.session.engine.parts.audit.check_now()
        await until(lambda: told(me) == [(uid, "device-added", 0)])
        await colleague.session.devices.revoke(new.session.engine.devices.mine)
        me.session.engine.parts.audit.check_now()
        await until(lambda: told(me) == [(uid, "device-revoked", 1)])
        assert told(other) == []  # who compared nothing is told of nothing
        assert me.session.people.person(uid).verified is Verified.IN_PERSON
        assert me.session.people.person(uid).warning == ""
        me.session.service(CHAT).send(room, "Det hindrar ingen från att skriva 🙂")
        await me.restart()
        await until(lambda: told(me) == [(uid, "device-revoked", 1)])
        me.session.people.dismiss(me.session.people.notices()[0])
        assert told(me) == []
        await me.restart()
        await me.session.key_watch.look()
        assert told(me) == []


async def test_what_was_not_looked_through_before_the_program_ended_is_told_afterwards(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague = await o.hire("Handläggare", "Registrator")
        await o.room(me, colleague)
        uid = mark(me, colleague)
        await me.session.key_watch.look()

        async def nothing() -> None: ...

        me.session.key_watch.look = nothing  # type: ignore[method-assign]
        await o.second(colleague)
        me.session.engine.parts.audit.check_now()
        await until(lambda: (me.session.engine.log_seq(uid) or 0) > 2)
        assert told(me) == []
        await me.restart()
        await until(lambda: told(me) == [(uid, "device-added", 0)])


async def test_attack_a_reset_takes_the_mark_and_the_warning_stands_until_it_is_dealt_with(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(me, colleague)
        uid = mark(me, colleague)
        await until(lambda: level(me, room) == VERIFIED)
        await admin.reset(o.w.data, uid=uid)
        me.session.engine.parts.audit.check_now()
        await until(lambda: told(me) == [(uid, "reset", 0)])
        gone = me.session.people.person(uid)
        assert (gone.verified, gone.warning) == (Verified.NONE, "reset")
        row = me.session.store.people.get(uid)
        assert row is not None
        assert row.verified is None
        with pytest.raises(NotFound):
            me.session.people.mark_verified(uid, True)
        anew = await second_account(o, "Registrator")
        (found,) = [p for p in await me.session.people.search("Registrator") if p.uid != uid]
        assert found.uid == anew.session.people.me.uid
        assert found.verified is Verified.AGENCY
        await me.session.key_watch.look()
        assert told(me) == [(uid, "reset", 0)]  # one of the two is dead: no second account
        await me.restart()
        await until(lambda: told(me) == [(uid, "reset", 0)])
        me.session.people.dismiss(me.session.people.notices()[0])
        assert told(me) == []
        assert me.session.people.person(uid).verified is Verified.NONE


async def test_attack_another_genesis_under_a_known_name_gets_no_mark_and_a_warning(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(me, colleague)
        uid = mark(me, colleague)
        await until(lambda: level(me, room) == VERIFIED)
        twin = (await second_account(o, "Registrator")).session.people.me.uid
        await me.session.people.search("Registrator")
        await until(lambda: bool(told(me)))
        assert [(n.kind, {n.uid, n.other}) for n in me.session.people.notices()] == [("duplicate", {uid, twin})]
        people = me.session.people
        assert [people.person(u).verified for u in (uid, twin)] == [Verified.IN_PERSON, Verified.AGENCY]
        assert [people.person(u).warning for u in (uid, twin)] == ["duplicate", "duplicate"]
        assert level(me, room) == WARNED
        theirs, other = me.session.engine.genesis(twin), me.session.engine.genesis(uid)
        assert theirs is not None
        assert other is not None
        shown = codes.write(theirs)
        assert people.read_code(uid, [shown]) is Verdict.OTHER_PERSON
        assert people.read_code(twin, [shown.replace(theirs.hex(), "5a" * 32)]) is Verdict.DIFFERENT
        assert people.person(twin).verified is Verified.AGENCY
        people.dismiss(people.notices()[0])
        await me.session.key_watch.look()
        assert told(me) == []
        assert level(me, room) == VERIFIED
        assert people.read_code(twin, [shown]) is Verdict.SAME
        assert people.person(twin).verified is Verified.IN_PERSON


async def test_attack_a_ghost_member_stands_in_the_seal_whatever_the_lists_say(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague, ghost = await o.hire("Handläggare", "Registrator", "Enhetschef")
        room = await o.room(me, colleague)
        mark(me, colleague)
        await until(lambda: level(me, room) == VERIFIED)
        await o.add(me, room, ghost, history=False)
        await settled(me, room)
        uid = ghost.session.people.me.uid
        assert level(me, room) == SEALED  # not "in person" any more
        with me.session.store.transaction():  # a list that hides them
            me.session.store.db.conn.execute("DELETE FROM members WHERE uid = ?", (uid,))
            me.session.store.db.conn.execute("DELETE FROM people WHERE uid = ?", (uid,))
        me.session.people._known.clear()
        report = await me.session.seals.report(room)
        assert report is not None
        assert {r.person.uid for r in report.readers} == {d.session.people.me.uid for d in (me, colleague, ghost)}
        (seen,) = [r for r in report.readers if r.person.uid == uid]
        assert (seen.history, seen.person.verified) == (False, Verified.NONE)
        assert report.level == SEEKING  # nobody can say who it is


async def test_a_colleague_who_enrols_while_i_am_online_is_looked_up_and_nothing_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with offices(tmp_path) as o:
        monkeypatch.setattr(admission, "LOOK_EVERY_S", 10 * PATIENCE_S)  # at once, not when it is looked at anyway
        me, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(me, colleague)
        (new,) = await o.hire("Enhetschef")
        uid, seen = new.session.people.me.uid, list[tuple[str, bool]]()
        people = me.session.people
        people.changed.connect(lambda: seen.append((people.person(uid).name, people.person(uid).is_sought)))
        me.session.store.db.conn.execute("DELETE FROM people WHERE uid = ?", (uid,))
        people._known.clear()
        first = people.person(uid)
        assert (first.is_sought, first.initials, first.verified) == (True, "", Verified.NONE)
        await until(lambda: people.person(uid).name == "Enhetschef")
        assert not people.person(uid).is_sought
        await o.add(me, room, new, history=True)
        await settled(me, room)
        assert level(me, room) == SEALED


async def test_attack_a_stranger_of_whom_the_directory_says_nothing_is_not_looked_up_for_ever(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, _ = await o.hire("Handläggare", "Registrator")
        stranger, people = Uid(b"?" * 16), me.session.people
        assert people.person(stranger).is_sought
        await until(lambda: not people.person(stranger).is_sought)
        assert weakest([people.me, people.person(stranger)]) == WARNED


async def test_the_seal_says_who_made_the_key_and_when_it_is_due_and_which_devices_are_silent(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(me, colleague)
        await me.session.rooms.rotate(room)
        await until(lambda: (facts := me.session.engine.room_facts(room)) is not None and facts.epoch == 2)
        report = await me.session.seals.report(room)
        assert report is not None
        assert (report.level, report.generation, report.recovery) == (SEALED, 2, ())
        assert report.made_by == me.session.people.me
        assert report.made_ms is not None
        assert report.due_ms == report.made_ms + 30 * 86_400_000
        assert [(r.role, r.history, r.keyless, r.silent) for r in report.readers] == [
            (4, True, False, 0),
            (2, True, False, 0),
        ]
        wrote = 1_700_000_000_000
        uid, dev = colleague.session.people.me.uid, colleague.session.engine.devices.mine

        async def latest(room: RoomId) -> list[tuple[Any, int]]:
            return [(dev, wrote)]

        me.session.store.changes.latest_in_thread = latest  # type: ignore[method-assign]
        report = await me.session.seals.report(room)
        assert report is not None
        assert {r.person.uid: (r.silent, r.silent_ms) for r in report.readers if r.silent} == {uid: (1, wrote)}


async def test_attack_a_seal_claims_no_more_than_the_weakest_truth(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        me, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(me, colleague)
        assert level(me, room) == SEALED
        mark(me, colleague)
        assert level(me, room) == VERIFIED
        stream = me.session.engine.parts.link.rooms[room].stream
        stream.state.rotation_owed = True
        assert level(me, room) == RoomState.OWES_ROTATION.value
        stream.state.rotation_owed = False
        for state in (RoomState.WITHHELD, RoomState.UPDATE_NEEDED, RoomState.ROLLBACK, RoomState.FORK):
            me.session.engine.parts.link.rooms[room].stop(state)
            assert level(me, room) == state.value


@pytest.mark.parametrize(
    ("sure", "warning", "recovery"), list(product(Verified, ["", "duplicate", "reset"], [False, True]))
)
def test_attack_one_uncertain_member_among_certain_ones_weakens_the_seal(
    sure: Verified, warning: str, recovery: bool
) -> None:
    def person(n: int, verified: Verified, warning: str = "", *, me: bool = False) -> Person:
        uid = Uid(bytes([n]) * 16)
        return Person(uid=uid, name="Å", title="", unit="", initials="Å", colour=0, verified=verified, is_me=me,
                      warning=warning)  # fmt: skip

    people = [person(0, Verified.AGENCY, me=True), person(1, Verified.IN_PERSON), person(2, sure, warning)]
    order = [WARNED, SEALED, VERIFIED]
    most = {Verified.NONE: WARNED, Verified.AGENCY: SEALED, Verified.IN_PERSON: VERIFIED}[sure]
    found = weakest(people, recovery=recovery)
    assert order.index(found) <= order.index(most)
    assert not (warning and found != WARNED)
    assert not (recovery and found == VERIFIED)
    assert found == WARNED or (not warning and sure is not Verified.NONE)
    sought = [*people, replace(person(3, Verified.NONE), is_sought=True)]
    assert weakest(sought, recovery=recovery) == (WARNED if found == WARNED else SEEKING)


def test_a_room_of_ones_own_does_not_claim_that_anybody_was_compared_with() -> None:
    uid = Uid(bytes(16))
    me = Person(uid=uid, name="Å", title="", unit="", initials="Å", colour=0, verified=Verified.AGENCY, is_me=True)
    assert weakest([me]) == SEALED


GENESIS = Hash(bytes(range(32)))
CODE = codes.write(GENESIS)
UID = Uid(GENESIS[:16])


def test_a_code_holds_uid_and_genesis() -> None:
    assert f"kansli:verify?uid={GENESIS[:16].hex()}&genesis={GENESIS.hex()}" == CODE
    assert codes.read(CODE) == (UID, GENESIS)


@pytest.mark.parametrize(
    "text",
    ["", "kansli:verify", CODE[:-1], CODE.replace("kansli", "http"), CODE.replace("verify", "enrol"), CODE + "&uid=00",
     CODE.replace("genesis", "g"), "x" * 500, CODE + "&" + "y" * 300, "kansli:verify?uid=zz&genesis=zz", "🙂"],
)  # fmt: skip
def test_attack_what_is_no_code_is_none(text: str) -> None:
    assert codes.read(text) is None
    assert codes.compare([text], UID, GENESIS) is Verdict.NO_CODE


def test_attack_a_code_with_other_keys_outweighs_one_with_the_right_ones() -> None:
    other = CODE.replace(f"genesis={GENESIS.hex()}", f"genesis={'00' * 32}")
    assert codes.compare([CODE], UID, GENESIS) is Verdict.SAME
    assert codes.compare([other], UID, GENESIS) is Verdict.DIFFERENT
    assert codes.compare([CODE, other], UID, GENESIS) is Verdict.DIFFERENT
    assert codes.compare([CODE], Uid(bytes(16)), Hash(bytes(32))) is Verdict.OTHER_PERSON


async def test_who_is_in_no_directory_is_asked_for_once_in_each_connection_and_stays_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """▲ A view asks again at each `changed`, which each answer emits; and a server may drop the connection at will."""
    async with offices(tmp_path) as o:
        (me,) = await o.hire("Handläggare")
        people, nobody, engine = me.session.people, Uid(b"?" * 16), me.session.engine
        asked: list[tuple[list[Uid], str]] = []
        learn = engine.learn

        async def counted(uids: list[Uid]) -> None:
            level = weakest([people.person(nobody)])
            await learn(uids)
            asked.append((uids, level))  # only what was answered counts

        monkeypatch.setattr(engine, "learn", counted)
        people.changed.connect(lambda: people.person(nobody))
        people.person(nobody)
        await until(lambda: weakest([people.person(nobody)]) == WARNED)
        for _ in range(3):
            await people.learn()
        assert asked == [([nobody], SEEKING)]
        await o.w.stop_server()
        await until(lambda: engine.status.state is LinkState.OFFLINE)
        await o.w.start_server()
        engine.retry_now()
        await until(lambda: len(asked) == 2)
        for _ in range(3):
            await people.learn()
        assert asked[1:] == [([nobody], WARNED)]
