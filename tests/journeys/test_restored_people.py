# SPDX-License-Identifier: EUPL-1.2
"""A server is lost and restored from an older backup. Who enrolled since then comes back with their name, and who was
revoked or reset since then stays so, if anybody knows of it.
"""

from app.core.ids import new_obj
from sync.client.account.account_recovery import Attempt
from sync.client.status import LinkState, RoomState
from sync.server.operator import admin, listing
from tests.journeys.bad_input.checks import HELLO, offline
from tests.journeys.restoring import backed_up, open_again, restored, whole
from tests.world import Client, World, until


async def _online(*clients: Client) -> None:
    for client in clients:
        client.online()
    await until(lambda: all(c.engine.status.state is LinkState.ONLINE for c in clients))


async def _is_revoked(w: World, client: Client) -> bool:
    """Whether the server has it that this device is none any more."""
    rows = {line.device: line.revoked for line in await listing.devices(w.data, "")}
    return rows[client.engine.devices.mine.hex()]


async def test_who_enrolled_since_is_found_and_invited_again_by_name(w: World) -> None:
    """Their own computer brings the name back, or that of a colleague who looked them up."""
    (a,) = await w.hire("Handläggare")
    backup = await backed_up(w)
    b, c = await w.hire("Registrator", "Enhetschef")
    sheet = await w.make_sheet(c)
    await a.engine.directory("Enhetschef")  # C has lost every computer, and A is all who knows them
    await restored(w, backup)
    await _online(a, b)
    await until(lambda: a.engine.parts.reuploader._done_sent and b.engine.parts.reuploader._done_sent)
    assert [line.note for line in await listing.users(w.data, "")] == ["", "", ""]
    assert set(await a.engine.directory("Registrator")) == {b.uid}
    room = await w.room(a, b)
    b.say(room, new_obj(), HELLO)
    await w.settle(room, a, b)
    await admin.revoke(w.data, uid=c.uid, dev=c.engine.devices.mine)
    code = await w.invite_back(c.uid)
    back = await w.come_back("Enhetschef", Attempt.begin(code, sheet), waits=False)
    assert back.uid == c.uid
    await whole(w)


async def test_a_computer_that_was_revoked_since_stays_so_and_no_room_waits_for_it(w: World) -> None:
    """It comes first, and is let in; then a colleague comes who knows better. The person's own computer hears of it
    from the restored server, and makes the next key as soon as that takes it."""
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    laptop = await w.second(b)
    await until(lambda: laptop.engine.room_state(room) is RoomState.SEALED)
    await w.settle(room)
    backup = await backed_up(w)
    await offline(laptop)
    await offline(b)
    await admin.revoke(w.data, uid=b.uid, dev=laptop.engine.devices.mine)
    await until(lambda: a.engine.log_seq(b.uid) == 4)
    await restored(w, backup, a)
    assert not await _is_revoked(w, laptop)
    await _online(laptop)
    a.online()
    await until(lambda: laptop.engine.status.code == "revoked")
    assert await _is_revoked(w, laptop)
    await _online(b)
    await open_again(w)
    a.say(room, obj, HELLO)
    await w.settle(room, a, b)
    await until(lambda: b.texts(obj) == [HELLO])
    await whole(w)


async def test_a_reset_comes_back_from_a_colleague_in_whose_rooms_the_person_is_no_more(w: World) -> None:
    a, b = await w.hire("Handläggare", "Registrator")
    room, obj = await w.room(a, b), new_obj()
    await w.settle(room)
    backup = await backed_up(w)
    await offline(b)
    await admin.reset(w.data, uid=b.uid)
    await until(lambda: b.uid not in a.engine.parts.link.rooms[room].stream.members)
    await w.settle(room, a)
    await restored(w, backup, a)
    assert [line.state for line in await listing.users(w.data, "Registrator")] == ["active"]
    await _online(a)
    await open_again(w)
    assert [line.state for line in await listing.users(w.data, "Registrator")] == ["ended"]
    a.say(room, obj, HELLO)
    await w.settle(room, a)
    b.online()
    await until(lambda: b.engine.status.code == "reset")
    await whole(w)
