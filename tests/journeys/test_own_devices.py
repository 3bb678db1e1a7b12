# SPDX-License-Identifier: EUPL-1.2
"""Two devices of one person: what they tell each other, how one comes in, how one ends, and what it had not sent."""

import asyncio
from pathlib import Path

import pytest

from app.chat.drafts import Draft
from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import Level, LinkState
from app.core.ids import RoomId, new_obj
from app.devices.inviting import HOUR_MS
from app.devices.unsent import UnsentCount
from app.errors import NotRevoked, StoreUnwritable, TooManyTries
from app.notification_settings import NOTIFICATIONS
from app.people.person import Verified
from app.personal.records import DeviceNamed, PersonMarked, encode
from app.personal.service import KIND_ID, Personal
from app.settings import LANGUAGE, THEME
from app.tasks.tool import TOOL as TASKS
from sync.errors import Refused, Reject
from sync.server.operator import admin
from tests.journeys.desks import PASSPHRASE, Desk, offices
from tests.world import until
from ui.errors import sentence_of

pytestmark = pytest.mark.slow


def named(desk: Desk) -> dict[str, bool]:
    return {d.name: d.mine for d in desk.session.devices.all()}


def waiting(desk: Desk) -> int:
    return desk.session.status.waiting


def titles(desk: Desk, room: RoomId) -> list[str]:
    board = desk.session.service(TASKS).board(room)
    return [card.title for column in board.columns() for card in board.cards(column.id)]


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


async def test_names_marks_and_systems_are_not_at_the_server(tmp_path: Path) -> None:
    canary = "Kanariefågel i tornet 🙂"
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        await until(lambda: waiting(old) == 0 and len(old.session.personal.rooms) == 1)
        old.session.devices.rename(old.session.engine.devices.mine, canary)
        new = await o.second(old, "Kanariefågel på resa")
        await until(lambda: set(named(new)) == {canary, "Kanariefågel på resa"} and waiting(new) == 0)
        (row,) = [d for d in new.session.devices.all() if d.mine]
        await o.w.stop_server()
        stored = b"".join(p.read_bytes() for p in o.w.data.rglob("*") if p.is_file())
        assert len(stored) > 10_000
        for text in (canary, "Kanariefågel på resa", KIND_ID, row.system, "Tillsyn"):
            for form in (text.encode(), text.encode("utf-16-le"), text.encode().hex().encode()):
                assert form not in stored, text
        await o.w.start_server()


async def test_attack_after_three_wrong_digits_there_are_none_for_an_hour_also_after_a_restart(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        new = o.place("Ny dator")
        for _ in range(3):
            invitation = old.session.devices.invite()
            offer = await invitation.open(by_code=False)
            arriving = asyncio.ensure_future(invitation.arrived())
            peer = await new.office.begin_pairing(new.server, "Ny dator", number=offer.number)
            await arriving
            await invitation.close()
            with pytest.raises(Refused, match="pairing"):
                await new.office.join(peer, PASSPHRASE, lambda text, done, total: None)
            assert new.office.is_new
            assert not new.office.is_unfinished
        await new.office.stop_pairing()
        o.desks.remove(new)
        new.profile.close()
        await old.restart()
        with pytest.raises(TooManyTries):
            await old.session.devices.invite().open(by_code=False)
        until_ms = old.session.devices.digits_from
        assert until_ms is not None
        assert 0 < until_ms - clock.now_ms() <= HOUR_MS
        assert (await old.session.devices.invite().open(by_code=True)).code
        assert len(old.session.devices.all()) == 1
        later = clock.now_ms() + HOUR_MS
        restore = clock.set_clock(lambda: later)
        try:
            assert old.session.devices.digits_from is None
        finally:
            restore()


async def test_a_closed_invitation_ends_for_both(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        new = o.place("Ny dator")
        invitation = old.session.devices.invite()
        offer = await invitation.open(by_code=True)
        await invitation.close()
        await invitation.close()
        with pytest.raises(Refused, match="pairing"):
            await invitation.arrived()
        with pytest.raises(Refused, match="code-unknown"):
            await new.office.begin_pairing(new.server, "Ny dator", code=offer.code)
        with pytest.raises(Reject, match="code"):
            await new.office.begin_pairing(new.server, "Ny dator", code=offer.code[:-1])
        assert new.office.is_new
        await new.office.stop_pairing()
        o.desks.remove(new)
        new.profile.close()


async def test_a_line_lost_after_the_yes_costs_only_another_try(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        new = o.place("Ny dator")
        peer = await new.let_in(old, "Ny dator")
        guest = new.office.pairing._guest
        await until(lambda: guest is not None and guest._added is not None and guest._added.done())
        await o.w.stop_server()
        with pytest.raises(Exception, match=r"."):
            await new.office.join(peer, PASSPHRASE, lambda text, done, total: None)
        assert new.office.is_new
        await o.w.start_server()
        new.session = await new.office.join(peer, PASSPHRASE, lambda text, done, total: None)
        await new.online()
        assert len(new.session.devices.all()) == 2


async def test_a_disk_that_refuses_after_the_yes_costs_only_another_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        new = o.place("Ny dator")
        peer = await new.let_in(old, "Ny dator")

        def refuse() -> None:
            raise StoreUnwritable

        with monkeypatch.context() as disk:
            disk.setattr(new.office.place, "confirm", refuse)
            with pytest.raises(StoreUnwritable):
                await new.office.join(peer, PASSPHRASE, lambda text, done, total: None)
        other = "en annan lösenfras, också lång"
        new.session = await new.office.join(peer, other, lambda text, done, total: None)
        await new.online()
        assert len(new.session.devices.all()) == 2
        assert not new.office.is_unfinished


async def test_a_revoked_device_says_so_keeps_its_unsent_work_and_is_erased_on_demand(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        old, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(old, colleague)
        new = await o.second(old)
        await until(lambda: len(new.session.rooms.rooms()) == 1)
        new.session.service(CHAT).send(room, "Skickat i tid")
        await until(lambda: colleague.texts(room) == ["Skickat i tid"])
        with pytest.raises(NotRevoked):
            await new.office.erase(new.session)
        await until(lambda: len(old.session.personal.shared.runs) == 2 and not waiting(new))  # it has introduced itself
        await new.close()  # its computer is off while something is written on it and it is revoked
        await o.w.stop_server()
        await new.begin_offline()
        new.session.service(CHAT).send(room, "Osänt åäö 🙂")
        board = new.session.service(TASKS).board(room)
        board.add_card(board.columns()[0].id, "Osänt kort")
        await until(lambda: waiting(new) >= 2)
        await new.close()
        await o.w.start_server()
        await until(lambda: old.session.status.state is LinkState.ONLINE)
        (gone,) = [d for d in old.session.devices.all() if not d.mine]
        assert gone.revocable
        await old.session.devices.revoke(gone.dev)
        await until(lambda: old.session.devices.revocation_progress is None)
        assert [d.revoked for d in old.session.devices.all()] == [False, True]
        await new.begin_offline()
        await until(lambda: new.session.devices.ended == "revoked")
        await until(lambda: new.session.status.code == "revoked")
        assert new.texts(room) == ["Skickat i tid", "Osänt åäö 🙂"]  # nothing is gone by itself
        file = tmp_path / "kvar.kansli-unsent"
        assert await new.session.unsent.save(file) == new.session.unsent.count > 0
        assert "Osänt".encode() not in file.read_bytes()
        with pytest.raises(Refused, match="keys"):
            await new.session.unsent.read(file)  # it has not got the key that its revocation made
        folder = new.profile.folder
        new.session.store.cached.files.write("0" * 32, b"a received part")
        await new.office.erase(new.session)
        assert new.office.is_new
        assert not new.profile.received_folder.exists()
        assert not new.office.is_unfinished
        assert sorted(p.name for p in folder.rglob("*.slot")) == []
        with pytest.raises(Reject, match="export-other-person") as theirs:
            await colleague.session.unsent.read(file)
        assert sentence_of(theirs.value).title == "Filen är inte din."
        assert titles(old, room) == []  # an open board takes it in at once
        found = await old.session.unsent.read(file)
        assert (found.dev, found.strange, found.rooms) == (gone.dev, 0, (room,))
        taken = await old.session.unsent.take_in(found)
        assert taken.changes == found.fits > 0
        assert await old.session.unsent.take_in(found) == UnsentCount(changes=0, drafts=0)
        await until(lambda: colleague.texts(room) == ["Skickat i tid", "Osänt åäö 🙂"])
        await until(lambda: titles(colleague, room) == titles(old, room) == ["Osänt kort"])
        o.desks.remove(new)
        new.profile.close()


async def test_attack_nothing_is_erased_for_a_reset_or_for_a_server_that_only_claims_a_revocation(
    tmp_path: Path,
) -> None:
    async with offices(tmp_path) as o:
        desk, other = await o.hire("Handläggare", "Registrator")
        await admin.reset(o.w.data, uid=desk.session.people.me.uid)
        await desk.close()
        await desk.begin_offline()
        await until(lambda: desk.session.devices.ended == "reset")
        for session, office in ((desk.session, desk.office), (other.session, other.office)):
            with pytest.raises(NotRevoked) as told:
                await office.erase(session)
            assert told.value.code == "not-revoked"
        assert desk.profile.db_path.exists()
        assert desk.session.people.me.name == "Handläggare"  # still open, still readable
        mine = other.session.engine.devices
        with pytest.raises(Reject, match="auth"):
            mine.believe_end(other.session.store.user_log(other.session.people.me.uid))
        assert other.session.devices.ended is None


async def test_a_program_that_ended_just_after_it_was_let_in_is_in(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        (old,) = await o.hire("Handläggare")
        new = await o.second(old)
        await new.close()
        new.reopen()
        new.profile.enrolling_path.touch()  # as it stands between the store's commit and the end of joining
        assert new.office.is_unfinished
        new.session = await new.office.resume(PASSPHRASE)
        await new.online()
        assert not new.office.is_unfinished
        assert len(new.session.devices.all()) == 2


async def test_a_file_that_was_not_uploaded_is_in_the_unsent_work_too(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        old, colleague = await o.hire("Handläggare", "Registrator")
        room = await o.room(old, colleague)
        lost = await o.second(old)
        await until(lambda: len(lost.session.rooms.rooms()) == 1)
        await lost.close()
        await o.w.stop_server()
        await lost.begin_offline()
        sent = tmp_path / "Komplettering åäö.pdf"
        sent.write_bytes(bytes(range(256)) * 20_000)
        await lost.session.service(CHAT).send_file(room, [sent], "Se bilagan")
        await lost.session.service(CHAT).send_file(room, [sent], "Och en gång till")
        file = tmp_path / "kvar.kansli-unsent"
        assert await lost.session.unsent.save(file) >= 2
        assert file.stat().st_size > 2 * sent.stat().st_size
        await o.w.start_server()
        await until(lambda: old.session.status.state is LinkState.ONLINE)
        await old.session.unsent.take_in(await old.session.unsent.read(file))
        await until(lambda: colleague.texts(room) == ["Se bilagan", "Och en gång till"])
        message = colleague.session.service(CHAT).timeline(room).message(1)
        got = await colleague.session.service(CHAT).fetch_file(room, message, 0, tmp_path / "Hämtad.pdf")
        assert got.read_bytes() == sent.read_bytes()
        await until(lambda: lost.session.status.waiting == 0)  # the same ids: nothing is there twice
        assert colleague.texts(room) == ["Se bilagan", "Och en gång till"]


async def test_what_was_read_and_typed_on_one_device_is_so_on_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.own.service.GATHER_S", 0.0)
    monkeypatch.setattr("app.own.service.EVERY_S", 0.1)
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


async def test_settings_follow_to_a_new_device_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.own.service.GATHER_S", 0.0)
    monkeypatch.setattr("app.own.service.EVERY_S", 0.1)
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
