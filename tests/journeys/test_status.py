# SPDX-License-Identifier: EUPL-1.2
"""Whether colleagues can be reached, seen from their desks on a real server."""

from datetime import timedelta
from pathlib import Path

from app.chat.tool import TOOL as CHAT
from app.core import clock
from app.core.enums import Presence, RoomType
from app.core.ids import RoomId
from app.documents.tool import TOOL as DOCUMENTS
from app.presence.colleagues import PersonPresence
from app.settings import SHOW_PRESENCE, SHOW_READING, SHOW_TYPING
from tests.demo.canary import search
from tests.journeys.desks import Desk, offices
from tests.world import until

TEXT = "Förhandling i sekretessärende, åter på fredag 🙂"


def seen(at: Desk, of: Desk) -> PersonPresence | None:
    return at.session.presence.of(of.session.people.me.uid)


async def sees(at: Desk, of: Desk, state: Presence | None, text: str = "") -> None:
    def is_so() -> bool:
        found = seen(at, of)
        return found is None if state is None else found is not None and (found.state, found.text) == (state, text)

    await until(is_so)


async def test_colleagues_see_a_status_its_words_and_its_end_and_the_server_sees_none_of_them(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
        await o.room(a, b, c)
        await sees(b, a, Presence.AVAILABLE)
        await sees(a, b, Presence.AVAILABLE)
        day = clock.local(clock.now_ms()).date() + timedelta(days=4)
        a.session.presence.choose(Presence.BUSY, TEXT, day)
        a.session.presence.choose(Presence.DO_NOT_DISTURB, TEXT, day)  # sent at once
        for at in (b, c):
            await sees(at, a, Presence.DO_NOT_DISTURB, TEXT)
        found = seen(b, a)
        assert found is not None
        assert found.back_on == day
        await a.close()
        for at in (b, c):
            await sees(at, a, None)
        await a.begin()
        await sees(b, a, Presence.DO_NOT_DISTURB, TEXT)  # it was stored
        await sees(a, b, Presence.AVAILABLE)  # who comes online is answered
        assert search([TEXT], [o.w.folder]) == []  # the server's disk and logs, and those of the desks


async def test_a_person_who_does_not_show_their_status_is_gone_at_once(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        await o.room(a, b)
        await sees(b, a, Presence.AVAILABLE)
        a.office.settings.set(SHOW_PRESENCE, False)
        await sees(b, a, None)
        await sees(a, b, Presence.AVAILABLE)
        a.office.settings.set(SHOW_PRESENCE, True)
        await sees(b, a, Presence.AVAILABLE)


async def test_a_choice_counts_on_the_persons_other_device(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        room = await o.room(a, b)
        other = await o.second(a)
        await until(lambda: bool(other.session.rooms.rooms()))
        other.session.service(CHAT).send(room, "Från den nya datorn å")
        await until(lambda: b.texts(room) == ["Från den nya datorn å"])  # the colleague knows the new device
        await sees(other, b, Presence.AVAILABLE)
        other.session.presence.choose(Presence.DO_NOT_DISTURB, "Läser in mig 📚")
        await until(lambda: a.session.presence.quiet)
        assert a.session.presence.choice.text == "Läser in mig 📚"
        await sees(b, a, Presence.DO_NOT_DISTURB, "Läser in mig 📚")


async def test_nobody_sees_who_writes_or_reads_where_it_is_switched_off(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b = await o.hire("Handläggare", "Registrator")
        room: RoomId = await o.room(a, b)
        obj = a.session.service(DOCUMENTS).create(room, "Utkast")
        await until(lambda: bool(b.session.service(DOCUMENTS).list(room)))
        for desk in (a, b):
            desk.session.service(DOCUMENTS).open(obj)
            desk.session.service(DOCUMENTS).enter(obj, lambda: (0, 0))
        a.session.service(CHAT).typing.send(room)
        await until(lambda: bool(b.session.service(DOCUMENTS).presence(obj)))
        await until(lambda: bool(b.session.service(CHAT).typing.now(room)))
        for setting in (SHOW_TYPING, SHOW_READING):
            a.office.settings.set(setting, False)
        await until(lambda: not b.session.service(DOCUMENTS).presence(obj))
        await until(lambda: not b.session.service(CHAT).typing.now(room))
        assert a.session.service(DOCUMENTS).presence(obj)  # others are seen all the same
        a.session.service(CHAT).typing.send(room)
        a.office.settings.set(SHOW_READING, True)
        await until(lambda: bool(b.session.service(DOCUMENTS).presence(obj)))
        assert not b.session.service(CHAT).typing.now(room)


async def test_a_direct_room_reaches_the_colleague_alone(tmp_path: Path) -> None:
    async with offices(tmp_path) as o:
        a, b, c = await o.hire("Handläggare", "Registrator", "Enhetschef")
        whole = await o.room(a, b, c)
        direct = await a.session.rooms.create("Registrator", RoomType.DIRECT)
        await o.add(a, direct, b, history=True)
        await until(lambda: a.session.presence.audience().shared.get(b.session.people.me.uid) == direct)
        await until(lambda: b.session.presence.audience().shared.get(a.session.people.me.uid) == direct)
        assert c.session.presence.audience().shared[a.session.people.me.uid] == whole
