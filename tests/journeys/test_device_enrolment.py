# SPDX-License-Identifier: EUPL-1.2
"""How a device of a person's comes in, how one ends, and what becomes of what it had not sent."""

import asyncio
from pathlib import Path

import pytest

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import LinkState
from app.core.ids import RoomId
from app.devices.inviting import HOUR_MS
from app.devices.unsent import UnsentCount
from app.errors import NotRevoked, StoreUnwritable, TooManyTries
from app.tasks.tool import TOOL as TASKS
from sync.errors import Refused, Reject
from sync.server.operator import admin
from tests.journeys.desks import PASSPHRASE, Desk, offices
from tests.world import until
from ui.errors import sentence_of

pytestmark = pytest.mark.slow


def titles(desk: Desk, room: RoomId) -> list[str]:
    board = desk.session.service(TASKS).board(room)
    return [card.title for column in board.columns() for card in board.cards(column.id)]


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
        await until(
            lambda: len(old.session.personal.shared.runs) == 2 and not new.session.status.waiting
        )  # it has introduced itself
        await new.close()  # its computer is off while something is written on it and it is revoked
        await o.w.stop_server()
        await new.begin_offline()
        new.session.service(CHAT).send(room, "Osänt åäö 🙂")
        board = new.session.service(TASKS).board(room)
        board.add_card(board.columns()[0].id, "Osänt kort")
        await until(lambda: new.session.status.waiting >= 2)
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
