# SPDX-License-Identifier: EUPL-1.2
"""Desks for journeys: the whole application without windows, each with a profile of its own, on a real server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.arrival.device_pairing import PairingPeer
from app.bootstrap import Office
from app.chat.tool import TOOL as CHAT
from app.core.enums import LinkState, Role, RoomType
from app.core.ids import RoomId
from app.kinds import TOOLS
from app.policy import Policy
from app.profile import Profile
from app.session import Session
from app.setting import Value
from app.settings import CA_FILE
from app.tool import AnyTool
from tests.world import UNIT, World, until, world

PASSPHRASE = "fyra ord räcker långt"


class Desk:
    """One person's application: enrolled, unlocked, connected."""

    def __init__(self, folder: Path, ca_file: Path, server: str, tools: Sequence[AnyTool] = TOOLS) -> None:
        self.folder, self._tools = folder, tools
        self.server = server
        self.ca_file = ca_file
        self.policy: dict[str, Value] = {}
        """What policy fixes on this computer."""
        self.profile = Profile.open(root=folder)
        self.office = Office(self.profile, read_policy=self._read_policy, tools=self._tools)
        self.office.settings.set(CA_FILE, str(ca_file))
        self.session: Session

    def _read_policy(self) -> Policy:
        return Policy(fixed=dict(self.policy))

    @property
    def tool_ids(self) -> list[str]:
        """The tools that the program has."""
        return [tool.id for tool in self._tools]

    async def enrol(self, code: str) -> None:
        found = await self.office.look_up(self.server, code)
        self.session = await self.office.enrol(found, PASSPHRASE, lambda text, done, total: None)
        await self.online()

    async def join(self, old: "Desk", name: str, *, by_code: bool = True) -> None:
        """Becomes another device of `old`'s person, who says yes there."""
        peer = await self.let_in(old, name, by_code=by_code)
        self.session = await self.office.join(peer, PASSPHRASE, lambda text, done, total: None)
        await self.online()

    async def let_in(self, old: "Desk", name: str, *, by_code: bool = True) -> PairingPeer:
        """Asks to become another device of the person of `old`, under the device's name `name`, and has that person
        agree at `old`: by a code, or by digits if not `by_code`. Returns what `office.join` needs to fetch the account
        then."""
        invitation = old.session.devices.invite()
        offer = await invitation.open(by_code=by_code)
        arriving = asyncio.ensure_future(invitation.arrived())
        peer = await self.office.begin_pairing(self.server, name, code=offer.code, number=offer.number)
        new = await arriving
        assert (new.name, new.digits, peer.name) == (name, peer.digits, old.session.people.me.name)
        await invitation.admit()
        return peer

    async def online(self) -> None:
        await until(lambda: self.session.status.state is LinkState.ONLINE)

    async def restart(self) -> None:
        """The program ends and starts again from the disk."""
        await self.close()
        await self.begin()

    async def update(self, tools: Sequence[AnyTool]) -> None:
        """Another version of the program, with these tools, starts from the same disk."""
        await self.close()
        self._tools = tools
        await self.begin()

    async def begin(self) -> None:
        """The program starts again after `close`."""
        await self.begin_offline()
        await self.online()

    async def begin_offline(self) -> None:
        """The program starts again after `close`; whether it gets in is not waited for."""
        self.reopen()
        self.session = await self.office.unlock(PASSPHRASE)

    def reopen(self) -> None:
        """The profile after `close`, locked."""
        self.profile = Profile.open(root=self.folder)
        self.office = Office(self.profile, read_policy=self._read_policy, tools=self._tools)

    async def close(self) -> None:
        await self.session.close()
        self.profile.close()

    def texts(self, room: RoomId) -> list[str]:
        """What the chat shows, in order."""
        timeline = self.session.service(CHAT).timeline(room)
        return [timeline.message(i).text for i in range(len(timeline))]


class Offices:
    """A server and the desks of those hired, all with the same tools."""

    def __init__(self, w: World, tools: Sequence[AnyTool] = TOOLS) -> None:
        self.w, self.tools = w, tools
        self.desks: list[Desk] = []
        self.older: Path | None = None
        """A copy of the server's disk, to go back to."""

    async def hire(self, *names: str, unit: str = UNIT) -> list[Desk]:
        new = []
        for name in names:
            desk = self._desk(name)
            await desk.enrol(await self.w.invite(name, unit))
            self.desks.append(desk)
            new.append(desk)
        return new

    def place(self, name: str) -> Desk:
        """A computer on which nothing is yet."""
        desk = self._desk(name)
        self.desks.append(desk)
        return desk

    def _desk(self, name: str) -> Desk:
        server = f"localhost:{self.w.dialer().address.port}"
        return Desk(self.w.folder / name, self.w.data / "ca.pem", server, self.tools)

    async def second(self, old: Desk, name: str = "Bärbar dator", *, by_code: bool = True) -> Desk:
        """Another device of the same person."""
        desk = self.place(name)
        await desk.join(old, name, by_code=by_code)
        return desk

    async def room(self, owner: Desk, *others: Desk, history: bool = True) -> RoomId:
        room = await owner.session.rooms.create("Tillsyn 2026-1184 åäö", RoomType.CASE)
        for other in others:
            await self.add(owner, room, other, history=history)
        return room

    async def add(self, owner: Desk, room: RoomId, other: Desk, *, history: bool) -> None:
        name = other.session.people.me.name
        (person,) = await owner.session.people.search(name)
        await owner.session.rooms.add(room, person.uid, Role.WRITER, history)
        await until(lambda: any(r.room == room for r in other.session.rooms.rooms()))


@asynccontextmanager
async def offices(folder: Path, tools: Sequence[AnyTool] = TOOLS) -> AsyncIterator[Offices]:
    async with world(folder) as w:
        o = Offices(w, tools)
        try:
            yield o
        finally:
            for desk in o.desks:
                await desk.close()
