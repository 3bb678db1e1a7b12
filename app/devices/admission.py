# SPDX-License-Identifier: EUPL-1.2
"""What follows when the server lets this device in: the time and the address are noted, and unknown people are looked
up."""

import asyncio
import contextlib

from app.core.enums import LinkState
from app.devices.contact import Contact
from app.errors import StoreUnwritable
from app.people.service import PeopleService
from app.setting import host_port
from app.settings import SERVER, Settings
from sync.client.engine import Engine

LOOK_EVERY_S = 1.0


class Admission:
    """Follows whether the server lets this device in. Keep `run` running until it is cancelled, and call `look` when
    the engine's status changes. `contact` notes the times."""

    def __init__(self, engine: Engine, people: PeopleService, contact: Contact, settings: Settings) -> None:
        self._engine = engine
        self._people = people
        self._contact = contact
        self._settings = settings
        self._was_let_in = False

    async def run(self) -> None:
        """Runs until cancelled. Once a second does what `look` does, and while the server is connected looks up unknown
        people whom a view asked for, each once in a connection."""
        while True:
            self.look()
            if self._engine.status.state is LinkState.ONLINE:
                await self._people.learn()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._people.asked.wait()
            self._people.asked.clear()

    def look(self) -> None:
        """If the server lets this device in now, notes the time (policy may hide everything after some days without
        that) and the address. Unknown people are asked for again after each time that it did not."""
        let_in = self._engine.status.state in (LinkState.SYNCING, LinkState.ONLINE)
        if let_in and not self._was_let_in:
            self._people.ask_again()
        self._was_let_in = let_in
        if let_in:
            self._contact.seen()
            self._note_address()

    def _note_address(self) -> None:
        """Writes the server's address into the profile's settings too, for what is shown while the store is locked. A
        disk that refuses the write keeps nobody out, since the store has the address."""
        server = self._engine.status.server
        if host_port(self._settings.get(SERVER)) != server:
            with contextlib.suppress(StoreUnwritable):
                self._settings.set(SERVER, server)
