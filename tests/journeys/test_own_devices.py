# SPDX-License-Identifier: EUPL-1.2
"""Two devices of one person: what they know and tell each other, and what nobody else learns of it."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from app.chat.drafts import Draft
from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import Level, LinkState
from app.core.ids import DevId, Hash, RoomId, new_obj
from app.notification_settings import NOTIFICATIONS
from app.people.person import Verified
from app.personal.records import DeviceNamed, PersonMarked, encode
from app.personal.service import KIND_ID, Personal
from app.settings import LANGUAGE, THEME
from tests.journeys.desks import PASSPHRASE, Desk, offices
from tests.world import until

pytestmark = pytest.mark.slow


def named(desk: Desk) -> dict[str, bool]:
    return {d.name: d.mine for d in desk.session.devices.all()}


def waiting(desk: Desk) -> int:
    return desk.session.status.waiting


def has_heard_of(desk: Desk, devices: set[DevId]) -> bool:
    return desk.session.personal.alive().keys() == devices and waiting(desk) == 0


async def test_a_second_device_reads_everything_and_both_know_each_other(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        old, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(old, colleague)
        old.session.service(CHAT).send(room, "Före den andra datorn 🙂")
        old.session.people.mark_verified(colleague.session.people.me.uid, True)
        await until(lambda: waiting(old) == 0 and bool(old.session.personal.rooms))
        own = named(old)
        new = await o.second(old, by_code=False)
        await until(lambda: new.texts(room) == ["Före den andra datorn 🙂"])
        await until(lambda: named(new) == {"Bärbar dator": True, **dict.fromkeys(own, False)})
        await until(lambda: named(old) == {"Bärbar dator": False, **own})
        assert new.session.reading == (2, 2)
        assert [r.title for r in new.session.rooms.rooms()] == ["Tillsyn 2026-1184 åäö"]
        uid = colleague.session.people.me.uid
        await until(lambda: new.session.people.person(uid).verified is Verified.IN_PERSON)
        new.session.people.mark_verified(uid, False)
        await until(lambda: old.session.people.person(uid).verified is Verified.AGENCY)
        (first, second) = (d.dev for d in old.session.devices.all())
        new.session.devices.rename(first, "Tornet på rum 12")
        old.session.devices.rename(second, "Resedator")
        wanted = {"Tornet på rum 12", "Resedator"}
        await until(lambda: set(named(old)) == set(named(new)) == wanted)
        await new.restart()
        await until(lambda: set(named(new)) == wanted)
        new.session.devices.look()
        await until(lambda: all(d.last_seen for d in new.session.devices.all()))
        assert new.session.devices.asked
        assert all(d.last_seen and d.alive and d.system and d.version for d in new.session.devices.all())


async def test_a_new_device_keeps_the_name_that_another_gave_it_before_it_introduced_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came back to the name of its first start a moment after it had been renamed."""
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and bool(old.session.personal.rooms))
        introduce, mine = Personal._introduce, old.session.personal
        with monkeypatch.context() as silent:
            silent.setattr(Personal, "_introduce", lambda self, r: introduce(self, r) if self is mine else None)
            new = await o.second(old)
            dev = new.session.engine.devices.mine
            old.session.devices.rename(dev, "Resedator å")
            await until(lambda: named(new).get("Resedator å") is True)
        await new.session.personal.tend()
        await until(lambda: waiting(new) == 0 and dev in new.session.personal.shared.runs)
        await until(lambda: dev in old.session.personal.shared.runs)
        assert named(new).get("Resedator å") is True
        assert named(old).get("Resedator å") is False


async def test_a_device_that_renamed_itself_before_it_knew_its_own_room_has_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and bool(old.session.personal.rooms))
        rooms = Personal._room
        with monkeypatch.context() as unknown:
            unknown.setattr(Personal, "_room", lambda self: rooms(self) if self is old.session.personal else None)
            unknown.setattr(Personal, "tend", lambda self: asyncio.sleep(0))
            new = await o.second(old)
            new.session.devices.rename(new.session.engine.devices.mine, "Egen dator å")
        await new.session.personal.tend()
        await until(lambda: named(new).get("Egen dator å") is True and named(old).get("Egen dator å") is False)


async def test_one_proof_of_life_a_day_is_enough(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (desk,) = await o.hire("Handläggare")
        await until(lambda: bool(desk.session.personal.alive()) and waiting(desk) == 0)
        (room,) = desk.session.personal.rooms
        before = desk.session.engine.position(room)
        for _ in range(3):
            await desk.session.personal.tend()
        assert waiting(desk) == 0
        tomorrow = clock.now_ms() + 86_400_001
        restore = clock.set_clock(lambda: tomorrow)
        try:
            await desk.session.personal.tend()
            await desk.session.personal.tend()
        finally:
            restore()
        await until(lambda: waiting(desk) == 0 and desk.session.engine.position(room) == before + 1)


async def test_rooms_that_two_devices_made_at_once_are_both_read_and_the_older_is_written_to(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and len(old.session.personal.rooms) == 1)
        new = await o.second(old)
        first = old.session.personal.rooms[0]
        me = old.session.engine.devices.mine
        other = await new.session.engine.operations.create_room(own=True)
        with new.session.store.transaction():
            obj = new_obj()
            new.session.rooms.announce(other, obj, KIND_ID)
            new.session.store.changes.append(other, obj, encode(DeviceNamed(dev=me, name="Ur det andra rummet")))
        await until(lambda: old.session.personal.rooms == new.session.personal.rooms == [first, other])
        await until(lambda: "Ur det andra rummet" in named(old))
        before = old.session.engine.position(first)
        old.session.devices.rename(me, "Igen")
        await until(lambda: waiting(old) == 0 and old.session.engine.position(first) > before)


async def test_attack_a_colleagues_room_or_one_with_a_colleague_in_it_tells_nothing_of_devices(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        owner, colleague = await o.hire("Handläggare", "Registrator")
        await until(lambda: waiting(owner) == 0 and len(owner.session.personal.rooms) == 1)
        counted = owner.session.personal.rooms
        uid = colleague.session.people.me.uid
        genesis = colleague.session.engine.genesis(uid)
        assert genesis is not None
        lie = encode(PersonMarked(uid=uid, genesis=genesis, on=True, t=1))
        # the colleague's own room, with the owner in it, and an ordinary room of the owner's with the colleague in it
        theirs = await o.room(colleague, owner)
        ours = await o.room(owner, colleague)

        async def write_lie(room: RoomId) -> None:
            with colleague.session.store.transaction():
                obj = new_obj()
                colleague.session.rooms.announce(room, obj, KIND_ID)
                colleague.session.store.changes.append(room, obj, lie)
            await until(lambda: owner.session.store.objects.first(room, KIND_ID) is not None)

        await write_lie(theirs)
        await write_lie(ours)
        assert owner.session.personal.rooms == counted
        await owner.session.rooms.remove(ours, uid)
        await until(lambda: len(owner.session.rooms.people_in(ours)) == 1)
        assert owner.session.personal.rooms == counted  # whoever was in it once has written in it
        await owner.session.personal.tend()
        assert owner.session.people.person(uid).verified is Verified.AGENCY


async def test_attack_neither_another_devices_record_nor_an_unsent_one_is_a_sign_of_life(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and len(old.session.personal.rooms) == 1)
        new = await o.second(old)
        mine, theirs = old.session.engine.devices.mine, new.session.engine.devices.mine
        for desk in (old, new):
            await until(partial(has_heard_of, desk, {mine, theirs}))
        before = old.session.personal.alive()
        old.session.devices.rename(theirs, "Bärbar dator ö 🙂")
        await until(lambda: waiting(old) == 0 and "Bärbar dator ö 🙂" in named(new))
        for desk in (old, new):
            assert desk.session.personal.alive()[theirs] == before[theirs], "the other one wrote about it"
        await o.w.stop_server()
        await until(lambda: old.session.engine.status.state is LinkState.OFFLINE)
        before, ahead = old.session.personal.alive(), clock.now_ms() + 30 * 86_400_000
        restore = clock.set_clock(lambda: ahead)
        try:
            old.session.devices.rename(mine, "Dator på rummet å")
            assert waiting(old) == 1
            assert old.session.personal.alive() == before, "its own clock says nothing"
        finally:
            restore()
        await o.w.start_server()


async def test_attack_a_mark_for_other_keys_than_those_here_verifies_nobody(tmp_path: Path) -> None:
    """A person's id is the first half of their genesis alone: other keys could have the same id."""
    async with offices(tmp_path) as o:
        owner, colleague = await o.hire("Handläggare", "Registrator")
        await until(lambda: waiting(owner) == 0 and len(owner.session.personal.rooms) == 1)
        await o.room(owner, colleague)
        (room,) = owner.session.personal.rooms
        uid = colleague.session.people.me.uid
        genesis = owner.session.engine.genesis(uid)
        assert genesis is not None
        for keys, verified in ((Hash(uid + b"5" * 16), Verified.AGENCY), (genesis, Verified.IN_PERSON)):
            owner.session.personal._write(room, PersonMarked(uid=uid, genesis=keys, on=True, t=clock.now_ms()))
            await owner.session.personal.tend()
            assert owner.session.people.person(uid).verified is verified


async def test_names_marks_and_systems_are_not_at_the_server(tmp_path: Path) -> None:
    canary = "Kanariefågel i tornet 🙂"
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and len(old.session.personal.rooms) == 1)
        old.session.devices.rename(old.session.engine.devices.mine, canary)
        new = await o.second(old, "Kanariefågel på resa")
        await until(lambda: set(named(new)) == {canary, "Kanariefågel på resa"})
        await until(lambda: all(device.system for device in new.session.devices.all()) and waiting(new) == 0)
        (row,) = [d for d in new.session.devices.all() if d.mine]
        await o.w.stop_server()
        stored = b"".join(p.read_bytes() for p in o.w.data.rglob("*") if p.is_file())
        assert len(stored) > 10_000
        for text in (canary, "Kanariefågel på resa", KIND_ID, row.system, "Tillsyn"):
            for form in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()):
                assert form not in stored, text
        await o.w.start_server()


@pytest.mark.usefixtures("own_at_once")
async def test_what_was_read_and_typed_on_one_device_is_so_on_the_other(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        old, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(old, colleague)
        await until(lambda: waiting(old) == 0 and bool(old.session.personal.rooms))
        new = await o.second(old, by_code=False)
        colleague.session.service(CHAT).send(room, "Läs det här å 🙂")
        mine, other = old.session.service(CHAT), new.session.service(CHAT)
        await until(lambda: mine.unread(room) == other.unread(room) == (1, 0))
        mine.mark_all_read(room)
        await until(lambda: other.unread(room) == (0, 0))
        other.mark_room_unread(room)
        await until(lambda: mine.unread(room) == (1, 0))
        old.session.rooms.set_favourite(room, True)
        new.session.rooms.set_level(room, Level.NOTHING)
        new.session.wishes.set_hidden(room, True)
        await until(lambda: new.session.rooms.room(room).favourite and old.session.wishes.is_hidden(room))
        assert old.session.rooms.room(room).level is Level.NOTHING
        section = old.session.room_order.make("Nästa vecka å 🙂")
        old.session.room_order.put(room, section)
        await until(lambda: new.session.room_order.section_of(room) == section)
        new.session.room_order.remove(section)
        await until(lambda: old.session.room_order.section_of(room) is None)
        mine.keep_draft(room, Draft(text="Halv mening å 🙂"))
        mine.leave_draft(room)
        await until(lambda: other.draft(room).text == "Halv mening å 🙂")
        await new.restart()
        other = new.session.service(CHAT)
        assert other.unread(room) == (1, 0)
        assert other.draft(room).text == "Halv mening å 🙂"


@pytest.mark.usefixtures("own_at_once")
async def test_settings_follow_to_a_new_device_and_back(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and bool(old.session.personal.rooms))
        mine = old.office.settings
        mine.set(LANGUAGE, "en")
        mine.set(THEME, "dark")
        new = o.place("Bärbar dator")
        new.policy["theme"] = "contrast"
        new.office.renew_policy()
        peer = await new.let_in(old, "Bärbar dator")
        new.session = await new.office.join(peer, PASSPHRASE, lambda text, done, total: None)
        other = new.office.settings
        await until(lambda: other.get(LANGUAGE) == "en")
        assert (other.get(THEME), other.locked(THEME)) == ("contrast", True)
        other.set(NOTIFICATIONS, "mentions")
        await until(lambda: mine.get(NOTIFICATIONS) == "mentions")
        assert mine.get(THEME) == "dark"
