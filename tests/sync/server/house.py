# SPDX-License-Identifier: EUPL-1.2
"""A running server and its people, for tests."""

from pathlib import Path

from sync.protocol import messages as m
from sync.server.process.running import Running
from tests.sync.server.wire import Person

TEXT = "Hej å ä ö 🙂"


class House:
    """A running server, its data, and the people who have signed in."""

    def __init__(self, server: Running, data: Path) -> None:
        self.server, self.data = server, data
        self.people: list[Person] = []

    async def person(self, name: str = "Handläggare") -> Person:
        """Enrols somebody new."""
        person = await Person(name).enrol(self.server.url, self.data)
        self.people.append(person)
        return person

    async def two_in_a_room(self) -> tuple[Person, Person, bytes]:
        """A founder and a writer with history who listens."""
        anna, bert = await self.person("Handläggare"), await self.person("Registrator")
        room = await anna.create()
        await anna.wire.next(m.Joined)
        await anna.add(room, bert)
        await bert.wire.next(m.Joined)
        await bert.sync(room)
        await bert.subscribe(room)
        return anna, bert, room

    async def close(self) -> None:
        """Closes everybody's connection."""
        for person in self.people:
            await person.wire.close()
