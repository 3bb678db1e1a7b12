# SPDX-License-Identifier: EUPL-1.2
"""Who is who: the own account, colleagues from the directory, and how surely their keys are theirs."""

import asyncio
import logging

from app.core.ids import Uid
from app.core.signal import Signal
from app.errors import NotFound
from app.people.person import Person, Verified, colour_of, initials
from app.store.people import People
from app.store.rows import PersonRow
from sync.client.engine import Engine
from sync.errors import SyncError

log = logging.getLogger("sync")


class PeopleService:
    """People as the interface shows them. Whoever is not known yet is looked up when the server is there."""

    def __init__(self, people: People, engine: Engine) -> None:
        self.changed: Signal[()] = Signal()
        self.marked: Signal[Uid, bool] = Signal()
        """This person, at this device, marked somebody as verified in person, or took it back."""
        self._people = people
        self._engine = engine
        self._known: dict[Uid, Person] = {}
        self._wanted: set[Uid] = set()
        self._ends = [people.changed.connect(self._on_changed)]

    def close(self) -> None:
        """Stops following the store."""
        for end in self._ends:
            end()

    @property
    def me(self) -> Person:
        """This account's person."""
        return self.person(self._engine.uid)

    def person(self, uid: Uid) -> Person:
        """The person, or one without a name until the agency's record of them has come."""
        found = self._known.get(uid)
        if found is None:
            row = self._people.get(uid)
            if row is None or not row.name:
                self._wanted.add(uid)
                return _nameless(uid, is_me=uid == self._engine.uid)
            found = self._known[uid] = _person(row, is_me=uid == self._engine.uid)
        return found

    async def search(self, query: str) -> list[Person]:
        """Colleagues in the agency's directory. Raises SyncError's world errors while offline."""
        found = [uid for uid in await self._engine.directory(query) if uid != self._engine.uid]
        return [self.person(uid) for uid in found if not self._engine.is_over(uid)]

    async def twins(self, uid: Uid) -> list[Person]:
        """▲ Other accounts that are alive and have the same staff record: the agency should have ended one of them, or
        somebody has made one in another's name. Raises as `search`."""
        known = self.person(uid)
        same = [p for p in await self.search(known.name) if (p.name, p.title, p.unit) == _record(known)]
        return [p for p in same if p.uid != uid]

    def safety_number(self, uid: Uid) -> str:
        """60 digits to compare with the person. NotFound while their keys are not known."""
        number = self._engine.safety_number(uid)
        if number is None:
            raise NotFound
        return number

    def mark_verified(self, uid: Uid, verified: bool) -> None:
        """The numbers were compared in person, or the mark is taken back."""
        self._people.set_verified(uid, verified)
        self.marked.emit(uid, verified)

    async def learn(self) -> None:
        """Looks up those whom somebody asked for and nobody knew. Does nothing while offline."""
        wanted, self._wanted = list(self._wanted), set()
        for at in range(0, len(wanted), 50):
            try:
                await self._engine.learn(wanted[at : at + 50])
            except SyncError as e:
                log.info("people not learnt: %s", e.code)
                self._wanted.update(wanted[at:])
                return
            await asyncio.sleep(0)
        if wanted:
            self._known.clear()
            self.changed.emit()

    def _on_changed(self, uid: Uid) -> None:
        self._known.pop(uid, None)
        self.changed.emit()


def _record(person: Person) -> tuple[str, str, str]:
    return person.name, person.title, person.unit


def _person(row: PersonRow, *, is_me: bool) -> Person:
    return Person(
        uid=row.uid,
        name=row.name,
        title=row.title,
        unit=row.unit,
        initials=initials(row.name),
        colour=colour_of(row.uid),
        verified=Verified.IN_PERSON if row.verified else Verified.AGENCY,
        is_me=is_me,
    )


def _nameless(uid: Uid, *, is_me: bool) -> Person:
    return Person(
        uid=uid, name="…", title="", unit="", initials="?", colour=colour_of(uid), verified=Verified.NONE, is_me=is_me
    )
